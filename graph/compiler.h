// SPDX-License-Identifier: Apache-2.0
// The passes in order. Each stage is a graph that can be printed and verified; one pass a file under graph/passes/.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "graph/channel_means.h"
#include "graph/graph.h"

namespace octavo::graph {

/// imported -> canonical -> quantized (weights in s8) -> inserted (explicit Quantize, Integer*, Dequantize) -> fused
enum class Stage { imported, canonical, quantized, inserted, fused };
[[nodiscard]] std::string_view stage_name(Stage stage);
[[nodiscard]] Stage parse_stage(std::string_view name);
/// How far a graph has come. An imported graph that has nothing to canonicalize is its own canonical one, so
/// `canonical` is never the answer.
[[nodiscard]] Stage stage_of(const Graph& graph);

/// Drops Identity (Dropout, Split); folds BatchNorm, Scale and Bias into the weights before them where exact; fuses
/// activations and residual additions into Convolution / Linear / Eltwise; removes dead nodes. Needs no shapes; keeps
/// the names of graph outputs. A node that absorbs others keeps its own name, its output takes the last absorbed one's
/// value name.
[[nodiscard]] Graph canonicalize(Graph graph);

/// What quantize_weights() did with a layer that has weights, and why.
struct QuantizationDecision {
  std::string layer, op;
  bool quantized = false;
  std::string reason;        ///< "window of 64 channels", "left out by request", "Deconvolution runs in fp32", ...
  std::int64_t weights = 0;  ///< number of weights
  bool bias_corrected = false;
};

struct QuantizationRules {
  QuantizationWindow convolution_window{.channels = 64};
  QuantizationWindow linear_window{.channels = 128};
  std::vector<std::string> keep_float{};                      ///< layer names left in fp32; unknown names are an error
  std::map<std::string, QuantizationWindow> layer_windows{};  ///< per-layer override; unknown names are an error
  /// Of the imported graph that this one comes from: layers that read these values get a bias that makes up for what
  /// rounding does to the mean of their results (graph/correct_bias.h).
  ChannelMeans input_means{};
};

/// Rounds the weights of every Convolution and Linear to s8 (design: symmetric, one scale a window; scales are rounded
/// up to bfloat16 first, so that a file can hold them in 16 bits without a second rounding; window "all": fp32 scales).
/// Layers already quantized stay. For graphs before `inserted`.
[[nodiscard]] Graph quantize_weights(Graph graph, const QuantizationRules& rules,
                                     std::vector<QuantizationDecision>* decisions = nullptr);

/// Quantize -> Integer* -> Dequantize around every layer with s8 weights. `nonnegative` is proven from the producers.
[[nodiscard]] Graph insert_quantization(Graph graph);
/// Those three, and the epilogue, become FusedConvolution / FusedLinear.
[[nodiscard]] Graph fuse_quantization(Graph graph);
/// A maximum over 2x2 joins the FusedConvolution before it, where that may be a Winograd layer. Needs shapes, which are
/// part of the condition: afterwards the graph is for input sizes that keep the pooled heights and widths even.
[[nodiscard]] Graph fuse_pool(Graph graph);

/// Runs the passes from the graph's own stage up to `last`, verifying after each; infers shapes at the end. Never
/// quantizes: that is the user's decision, so layers with fp32 weights stay as they are. Throws Error(invalid_argument)
/// when the graph is past `last`.
[[nodiscard]] Graph compile_to(Graph graph, Stage last, const std::map<std::string, Shape>& input_shapes = {});

}  // namespace octavo::graph

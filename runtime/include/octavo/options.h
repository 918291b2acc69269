// SPDX-License-Identifier: Apache-2.0
// What a user may choose. Every default is what `octavo` itself would choose.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "octavo/isa.h"

namespace octavo {

/// The numbers that share one scale. See docs/quantization.md.
struct Window {
  /// Consecutive input channels: 16, 32, 64, 128, 256, or 0 for all of them.
  std::int64_t channels = 64;
  /// Output pixels (rows, columns) whose receptive field is one window of the activations; 0: octavo chooses.
  std::int64_t tile_h = 0, tile_w = 0;
};

/// What a TensorFlow file does not say of itself.
struct TensorflowOptions {
  /// Names of nodes that the network begins with; empty: the placeholders that its outputs need, in the file's order.
  std::vector<std::string> inputs;
  /// "node" or "node:1"; empty: the outputs of a SavedModel's signature, or the nodes that no other reads.
  std::vector<std::string> outputs;
  /// By node, in TensorFlow's order of dimensions; for inputs of which the file leaves more open than the batch.
  std::map<std::string, std::vector<std::int64_t>> input_shapes;
  /// Pictures and maps come in and go out as [N, C, H, W], as everywhere in octavo; false: in TensorFlow's order.
  bool channels_first = true;
};

struct QuantizeOptions {
  std::optional<Window> window;                 ///< for every layer; default: 64 channels, Linear 128
  std::vector<std::string> keep_float;          ///< names of layers with weights that stay fp32
  std::map<std::string, Window> layer_windows;  ///< per-layer override
  /// Where batch normalization tells what a layer's input is on average, its bias makes up for what rounding the
  /// weights does to the mean of its results.
  bool correct_bias = true;
};

/// How much noise a faster algorithm may bring into a layer. A 3x3 layer of stride 1 is computed by the largest
/// Winograd tile (jit/winograd_layout.h) that is allowed and whose predicted signal-to-noise reaches the budget; by a
/// direct convolution where none does. The prediction comes from the weights alone, see docs/accuracy.md.
struct AccuracyBudget {
  /// Outputs of a Winograd tile, in order of speed and of noise.
  enum class Tile { direct, tiles2x2, tiles2x4, tiles4x4 };

  double signal_to_noise_db = 30.0;  ///< least predicted signal-to-noise of a layer's output
  Tile largest = Tile::tiles4x4;     ///< direct: no Winograd layers at all

  /// "auto" (the default), "direct", "2x2", "2x4", "4x4" (that tile wherever a layer can have it, whatever its noise),
  /// or a number of dB. Throws Error(invalid_argument).
  [[nodiscard]] static AccuracyBudget parse(std::string_view text);
  bool operator==(const AccuracyBudget&) const = default;
};

struct CompileOptions {
  int threads = 0;         ///< that one predict() call may use; 0: all cores this process may run on
  std::optional<Isa> isa;  ///< default: default_isa()
  AccuracyBudget accuracy;
  std::vector<std::string>
      outputs;  ///< names of layers or tensors to return instead of the network's outputs (intermediates too)
  /// The file of plans that `octavo tune` measured (docs/tuning.md), read at each compilation; "none" for no file.
  /// Default: what the environment variable OCTAVO_TUNING names, or else the user's own file, where there is one.
  std::optional<std::filesystem::path> tuning;
};

}  // namespace octavo

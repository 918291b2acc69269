// SPDX-License-Identifier: Apache-2.0
// A model compiled for one input shape: kernels, packed weights, memory plan.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "octavo/options.h"
#include "octavo/tensor.h"

namespace octavo {

/// What a layer with 8-bit weights has to compute in one run: a convolution, or a Linear, which is one of 1x1 pixels
/// with an image a row. Whatever algorithm the layer gets, its work is this.
struct LayerWork {
  std::int64_t images = 1, in_channels = 1, out_channels = 1, groups = 1;
  std::int64_t in_h = 1, in_w = 1, out_h = 1, out_w = 1;
  std::int64_t kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  std::int64_t pad_top = 0, pad_left = 0;  ///< bottom and right follow from the output's size
  bool nonnegative_input = false;          ///< proven to be >= 0
  bool bias = false, residual = false;     ///< what is added to the products
  bool relu = false;                       ///< max(x, 0) at the end

  /// Of a direct convolution, padding included.
  [[nodiscard]] std::int64_t multiply_accumulates() const;
};

/// One step of a program, for listings and profiles.
struct LayerInfo {
  std::string name;       ///< the layer's name in the source file
  std::string type;       ///< the IR's op: "FusedConvolution", "Pool", ...
  Shape output;           ///< its first output's shape
  std::string algorithm;  ///< "int8 direct 3x3, avx512vnni", "oneDNN jit:avx512_core", ...
  std::string reason;     ///< why this plan
  /// Of an int8 layer: the signal-to-noise of its output in dB, predicted from its weights (docs/accuracy.md). NaN for
  /// others.
  double predicted_db = std::numeric_limits<double>::quiet_NaN();
  std::vector<std::string> kernels;  ///< names, as in Program::kernels()
  std::optional<LayerWork> work;     ///< of layers with 8-bit weights
};

/// One piece of machine code.
struct KernelInfo {
  std::string name;
  std::vector<std::string> layers;     ///< the layers that call it
  std::span<const std::uint8_t> code;  ///< valid as long as the Program
  std::string listing;                 ///< annotated disassembly
};

struct ProgramStatistics {
  double compile_seconds = 0, emit_seconds = 0;
  std::size_t kernels = 0, code_bytes = 0, weight_bytes = 0,
              arena_bytes = 0;  ///< arena: activations of one predict() call
};

/// Immutable after compilation. Copies share everything. One that was moved from may only be assigned to or destroyed.
/// Several threads of one predict() are OpenMP's, which do not live on in a child made by fork(): there, a program of
/// several threads may hang once its parent has run one. Fork before, or compile with threads = 1 for the child.
class Program {
 public:
  struct Impl;
  explicit Program(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

  /// One tensor for each output. Safe from many threads at once on one Program. Throws Error(invalid_argument) when a
  /// shape is not the one compiled for. After warm-up, no memory is allocated but the returned tensors.
  [[nodiscard]] std::vector<Tensor> predict(std::span<const Tensor> inputs) const;
  [[nodiscard]] Tensor predict(const Tensor& input) const;
  /// Into the caller's memory: inputs and outputs dense, in the order and shapes of the two lists below. Allocates
  /// nothing after warm-up.
  void predict(std::span<const float* const> inputs, std::span<float* const> outputs) const;
  /// As predict(), and writes each layer's time in seconds into `layer_seconds`, in the order of layers().
  void predict(std::span<const float* const> inputs, std::span<float* const> outputs,
               std::vector<double>& layer_seconds) const;

  [[nodiscard]] const std::vector<Shape>& input_shapes() const;
  [[nodiscard]] const std::vector<Shape>& output_shapes() const;
  [[nodiscard]] const std::vector<std::string>& output_names() const;
  [[nodiscard]] const std::vector<LayerInfo>& layers() const;
  [[nodiscard]] std::vector<KernelInfo> kernels() const;
  [[nodiscard]] const ProgramStatistics& statistics() const;
  [[nodiscard]] int threads() const;
  /// What octavo's own parts look into; opaque to others.
  [[nodiscard]] const Impl& impl() const { return *impl_; }

 private:
  std::shared_ptr<const Impl> impl_;
};

}  // namespace octavo

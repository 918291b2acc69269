// SPDX-License-Identifier: Apache-2.0
// A layer with made-up numbers, for timing plans of it: its speed depends on none of them.
#pragma once

#include <cstdint>
#include <vector>

#include "jit/aligned_bytes.h"
#include "jit/kernel_cache.h"
#include "jit/layer.h"
#include "runtime/layer_walk.h"

namespace octavo::runtime {

/// Weights, an image, and room for the output, shared by all plans of a (valid) spec. Filled once, as a network's
/// buffers would be.
class SyntheticLayer {
 public:
  explicit SyntheticLayer(const jit::ConvSpec& spec);

  [[nodiscard]] const jit::ConvSpec& spec() const { return spec_; }
  [[nodiscard]] jit::WindowedWeights weights() const { return {q_, scales_, bias_, slopes_}; }
  /// Without scratch memory, which is the plan's matter.
  [[nodiscard]] LayerBuffers buffers() const;

 private:
  jit::ConvSpec spec_;
  std::vector<std::int8_t> q_;
  std::vector<float> scales_, bias_, slopes_;
  jit::AlignedBytes image_, residual_, output_;
};

/// The layer with one plan, ready to run as a program would run it. Outlived by its SyntheticLayer.
class PlannedLayer {
 public:
  PlannedLayer(const SyntheticLayer& synthetic, const jit::Plan& plan, int threads, jit::KernelCache& cache);
  PlannedLayer(const PlannedLayer&) = delete;
  PlannedLayer& operator=(const PlannedLayer&) = delete;

  void run() const noexcept { walk_.run(buffers_); }
  /// The quantization alone, on the calling thread.
  void quantize() const noexcept;
  [[nodiscard]] const jit::Layer& layer() const noexcept { return layer_; }

 private:
  jit::Layer layer_;
  LayerWalk walk_;  ///< over layer_
  jit::AlignedBytes scratch_, thread_scratch_;
  LayerBuffers buffers_;
};

}  // namespace octavo::runtime

// SPDX-License-Identifier: Apache-2.0
// A windowed integer layer, ready to run: plan, machine code and packed weights. Threads are the caller's business:
// the work is cut into tiles and channel blocks that any thread may take.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "jit/conv_spec.h"
#include "jit/engine.h"
#include "jit/kernel.h"
#include "jit/plan.h"

namespace octavo::jit {

class KernelCache;

/// Weights as the model file has them. real = q * scale.
struct WindowedWeights {
  std::span<const std::int8_t> q;  ///< [out_channels][in_channels / groups][kernel_h][kernel_w], each in -127..127
  std::span<const float> scales;   ///< [out_channels][windows()]
  std::span<const float> bias;     ///< [out_channels], empty without bias
  std::span<const float> slopes;   ///< [out_channels], PReLU only
};

/// The order in which the work of a layer is best walked; see Plan::order.
///
/// How to run one image:
///   for each tile:           layer.quantize(tile, image, scratch_of(tile), workspace_of(thread))  -- tiles in parallel
///   for each tile and block: layer.compute(tile, block, scratch_of(tile), ...)                    -- both in parallel
/// A thread that keeps a tile to itself may do all blocks of the tile right after its quantize(), with one scratch.
class Layer {
 public:
  /// Plans, takes the kernels from the cache (emitting what is missing) and packs the weights.
  /// Throws Error: invalid_argument (spec, sizes of the weights), resource (executable memory).
  Layer(const ConvSpec& spec, const Plan& plan, const WindowedWeights& weights, KernelCache& cache);
  ~Layer();
  Layer(Layer&&) noexcept;
  Layer& operator=(Layer&&) noexcept;

  [[nodiscard]] const ConvSpec& spec() const noexcept;
  [[nodiscard]] const Plan& plan() const noexcept;             ///< with what the weights settled: Plan::word_depth
  [[nodiscard]] std::int64_t tiles() const noexcept;           ///< work tiles of one image
  [[nodiscard]] std::int64_t quantize_parts() const noexcept;  ///< pieces of a tile's quantization, at least 1
  [[nodiscard]] std::int64_t channel_blocks() const noexcept;  ///< blocks of output channels, over all groups
  [[nodiscard]] std::size_t scratch_bytes()
      const noexcept;  ///< one tile's quantized input and scales; a multiple of 64
  [[nodiscard]] std::size_t workspace_bytes() const noexcept;  ///< of a thread, for one call; a multiple of 64, or 0
  [[nodiscard]] std::size_t packed_bytes() const noexcept;     ///< packed weights held in memory

  /// Quantizes the receptive field of a tile (all of its channels; a depthwise layer's tile has some of them) into
  /// `scratch` (64-byte aligned). `image`: [in_h][in_w][channels] fp32. `workspace` (64-byte aligned, null where its
  /// size is 0) holds nothing before or after the call.
  void quantize(std::int64_t tile, const float* image, std::byte* scratch, std::byte* workspace) const noexcept;
  /// Likewise parts of it only, of quantize_parts(): threads may share a tile. A Winograd layer's parts are its windows
  /// of channels, in order.
  void quantize(std::int64_t tile, PartRange parts, const float* image, std::byte* scratch,
                std::byte* workspace) const noexcept;
  /// Writes the tile's outputs of one channel block. `dst` and `residual` (null without) point to the image's first
  /// output pixel.
  void compute(std::int64_t tile, std::int64_t channel_block, const std::byte* scratch, const float* residual,
               float* dst, std::byte* workspace) const noexcept;

  /// Every kernel that the layer calls, for listings and profiles.
  [[nodiscard]] std::vector<std::shared_ptr<const Kernel>> kernels() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace octavo::jit

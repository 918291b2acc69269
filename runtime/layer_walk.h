// SPDX-License-Identifier: Apache-2.0
// How a windowed integer layer is run over the images of a batch by a team of threads.
//
// tile_outer: a thread quantizes a tile into a scratch of its own and computes its channel blocks while it is in
// cache. channel_outer: a pass quantizes all tiles of a few images, shared by tiles and their parts, then threads share
// (channel block, tile) items, blocks outermost, so that a block's weights stay in cache over all tiles of the pass.
#pragma once

#include <cstddef>
#include <cstdint>

#include "jit/layer.h"

namespace octavo::runtime {

/// Where the numbers of a run lie. Images follow each other; `residual` is null without one.
struct LayerBuffers {
  const float* input = nullptr;
  const float* residual = nullptr;
  float* output = nullptr;
  std::byte* scratch = nullptr;  ///< LayerWalk::scratch_bytes(), 64-byte aligned
};

class LayerWalk {
 public:
  /// The layer outlives the walk.
  LayerWalk(const jit::Layer& layer, std::int64_t images, int threads);

  [[nodiscard]] std::size_t scratch_bytes() const noexcept;
  /// The part of the scratch that one thread's calls of the layer may use (jit/layer.h).
  [[nodiscard]] std::byte* workspace_of(const LayerBuffers& buffers, int thread) const noexcept;
  /// Allocates nothing; from many threads at once on different buffers.
  void run(const LayerBuffers& buffers) const noexcept;

 private:
  void run_tile_outer(const LayerBuffers& buffers) const noexcept;
  void run_channel_outer(const LayerBuffers& buffers, std::int64_t first_image, std::int64_t images) const noexcept;
  /// `item`: a tile of an image, counted over all images.
  void quantize(const LayerBuffers& buffers, int thread, std::int64_t item, jit::PartRange parts,
                std::byte* scratch) const noexcept;
  void compute(const LayerBuffers& buffers, int thread, std::int64_t item, std::int64_t block,
               const std::byte* scratch) const noexcept;
  [[nodiscard]] std::size_t quantized_bytes() const noexcept;

  const jit::Layer& layer_;
  std::int64_t images_, tiles_, blocks_, image_floats_, output_floats_, images_of_pass_;
  int threads_;
};

}  // namespace octavo::runtime

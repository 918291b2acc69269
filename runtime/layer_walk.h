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
#include "runtime/thread_scratch.h"

namespace octavo::runtime {

/// Where the numbers of a run lie. Images follow each other; `residual` is null without one.
struct LayerBuffers {
  const float* input = nullptr;
  const float* residual = nullptr;
  float* output = nullptr;
  std::byte* scratch = nullptr;  ///< LayerWalk::scratch_bytes(), 64-byte aligned
  ThreadScratch thread_scratch;  ///< LayerWalk::thread_scratch_bytes() for each thread
};

class LayerWalk {
 public:
  /// The layer outlives the walk.
  LayerWalk(const jit::Layer& layer, std::int64_t images, int threads);

  /// Tiles that are quantized for all threads: those of a pass, with channel blocks outermost.
  [[nodiscard]] std::size_t scratch_bytes() const noexcept;
  /// Of a thread's own: the layer's workspace (jit/layer.h), then, tile by tile, the quantized tile.
  [[nodiscard]] std::size_t thread_scratch_bytes() const noexcept;
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
  [[nodiscard]] bool tile_outer() const noexcept { return layer_.plan().order == jit::WorkOrder::tile_outer; }

  const jit::Layer& layer_;
  std::int64_t images_, tiles_, blocks_, image_floats_, output_floats_, images_of_pass_;
  int threads_;
};

}  // namespace octavo::runtime

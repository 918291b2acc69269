// SPDX-License-Identifier: Apache-2.0
#include "runtime/layer_walk.h"

#include <algorithm>

#include "jit/plan.h"
#include "runtime/parallel.h"

namespace octavo::runtime {
namespace {

/// As many images as keep the quantized tiles of a pass within what a core's caches hold together, but at least one.
std::int64_t choose_images_of_pass(const jit::Layer& layer, std::int64_t images) {
  constexpr std::int64_t pass_bytes = std::int64_t{4} << 20;
  const std::int64_t image_bytes = layer.tiles() * static_cast<std::int64_t>(layer.scratch_bytes());
  return std::clamp<std::int64_t>(pass_bytes / std::max<std::int64_t>(image_bytes, 1), 1, images);
}

}  // namespace

LayerWalk::LayerWalk(const jit::Layer& layer, std::int64_t images, int threads)
    : layer_(layer),
      images_(images),
      tiles_(layer.tiles()),
      blocks_(layer.channel_blocks()),
      image_floats_(layer.spec().in_h * layer.spec().in_w * layer.spec().src_stride()),
      output_floats_(layer.spec().dst_h() * layer.spec().dst_w() * layer.spec().dst_stride()),
      images_of_pass_(choose_images_of_pass(layer, images)),
      threads_(threads) {}

std::size_t LayerWalk::scratch_bytes() const noexcept {
  return tile_outer() ? 0 : static_cast<std::size_t>(images_of_pass_ * tiles_) * layer_.scratch_bytes();
}

std::size_t LayerWalk::thread_scratch_bytes() const noexcept {
  return layer_.workspace_bytes() + (tile_outer() ? layer_.scratch_bytes() : 0);
}

void LayerWalk::run(const LayerBuffers& buffers) const noexcept {
  if (tile_outer()) {
    run_tile_outer(buffers);
  } else {
    for (std::int64_t first = 0; first < images_; first += images_of_pass_)
      run_channel_outer(buffers, first, std::min(images_of_pass_, images_ - first));
  }
}

void LayerWalk::run_tile_outer(const LayerBuffers& buffers) const noexcept {
  // Threads share channel blocks of tiles rather than whole tiles: 7 tiles are 3.5 for each of two threads, at the
  // price of quantizing the tile between two shares twice.
  parallel_for(threads_, images_ * tiles_ * blocks_, 1, [&](int thread, std::int64_t begin, std::int64_t end) {
    std::byte* const scratch = buffers.thread_scratch.of(thread) + layer_.workspace_bytes();
    while (begin < end) {
      const std::int64_t item = begin / blocks_, first = begin % blocks_;
      const std::int64_t last = std::min(blocks_, first + end - begin);
      quantize(buffers, thread, item, {0, layer_.quantize_parts()}, scratch);
      for (std::int64_t block = first; block < last; ++block) compute(buffers, thread, item, block, scratch);
      begin += last - first;
    }
  });
}

void LayerWalk::run_channel_outer(const LayerBuffers& buffers, std::int64_t first_image,
                                  std::int64_t images) const noexcept {
  const std::int64_t first_item = first_image * tiles_, items = images * tiles_;
  const auto scratch_of = [&](std::int64_t item) {
    return buffers.scratch + static_cast<std::size_t>(item) * layer_.scratch_bytes();
  };
  const std::int64_t parts = layer_.quantize_parts();
  parallel_for(threads_, items * parts, 1, [&](int thread, std::int64_t begin, std::int64_t end) {
    while (begin < end) {
      const std::int64_t item = begin / parts, first = begin % parts;
      const std::int64_t last = std::min(parts, first + end - begin);
      quantize(buffers, thread, first_item + item, {first, last}, scratch_of(item));
      begin += last - first;
    }
  });
  parallel_for(threads_, blocks_ * items, 1, [&](int thread, std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      compute(buffers, thread, first_item + i % items, i / items, scratch_of(i % items));
  });
}

void LayerWalk::quantize(const LayerBuffers& buffers, int thread, std::int64_t item, jit::PartRange parts,
                         std::byte* scratch) const noexcept {
  layer_.quantize(item % tiles_, parts, buffers.input + item / tiles_ * image_floats_, scratch,
                  buffers.thread_scratch.of(thread));
}

void LayerWalk::compute(const LayerBuffers& buffers, int thread, std::int64_t item, std::int64_t block,
                        const std::byte* scratch) const noexcept {
  const std::int64_t image = item / tiles_;
  const float* const residual = buffers.residual == nullptr ? nullptr : buffers.residual + image * output_floats_;
  layer_.compute(item % tiles_, block, scratch, residual, buffers.output + image * output_floats_,
                 buffers.thread_scratch.of(thread));
}

}  // namespace octavo::runtime

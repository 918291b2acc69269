// SPDX-License-Identifier: Apache-2.0
#include "jit/gathered_taps.h"

#include "jit/vector_unit.h"
#include "jit/window_layout.h"

namespace octavo::jit {

namespace {

constexpr std::int64_t step_bytes = 4;
constexpr std::int64_t room = 64;  ///< a vector

std::int64_t taps_of(const ConvSpec& spec) { return spec.kernel_h * spec.kernel_w * spec.in_channels; }

}  // namespace

bool taps_can_be_gathered(const ConvSpec& spec) {
  const std::int64_t pixelwise = spec.kernel_h * spec.kernel_w * window_bytes(spec.in_channels) / step_bytes;
  return spec.groups == 1 && spec.in_channels < step_bytes && spec.src_stride() == spec.in_channels &&
         (spec.kernel_w == 1 ? spec.stride_w == 1 : spec.dilation_w == 1) &&
         (taps_of(spec) + step_bytes - 1) / step_bytes < pixelwise;
}

ConvSpec gathered_product(const ConvSpec& spec) {
  ConvSpec product = spec;
  product.in_channels = taps_of(spec);
  product.in_h = spec.out_h;
  product.in_w = spec.out_w;
  product.kernel_h = product.kernel_w = 1;
  product.stride_h = product.stride_w = 1;
  product.dilation_h = product.dilation_w = 1;
  product.pad_top = product.pad_left = 0;
  product.src_pixel_stride = 0;
  product.window = {.channels = 0};
  product.winograd = WinogradLimit::none;
  return product;
}

std::vector<std::int8_t> gathered_weights(const ConvSpec& spec, const WindowedWeights& weights) {
  const std::int64_t taps = taps_of(spec), kernel = spec.kernel_h * spec.kernel_w;
  std::vector<std::int8_t> gathered(weights.q.size());
  for (std::int64_t position = 0; position < taps; ++position) {
    const std::int64_t kx = position / (spec.kernel_h * spec.in_channels);
    const std::int64_t ky = position / spec.in_channels % spec.kernel_h, channel = position % spec.in_channels;
    const std::int64_t from = channel * kernel + ky * spec.kernel_w + kx;
    // Packing puts channel channel_at(position) at the position.
    const std::int64_t to = channel_at(spec.isa, taps, position);
    for (std::int64_t filter = 0; filter < spec.out_channels; ++filter)
      gathered[static_cast<std::size_t>(filter * taps + to)] =
          weights.q[static_cast<std::size_t>(filter * taps + from)];
  }
  return gathered;
}

GatheredLayout::GatheredLayout(const ConvSpec& spec, std::int64_t tile_rows, std::int64_t field_rows,
                               std::int64_t field_columns)
    : column(spec.kernel_h * spec.in_channels),
      row(field_columns * column),
      taps(tile_rows * row + room),
      byte_row(field_columns * spec.in_channels),
      bytes(field_rows * byte_row + room) {}

}  // namespace octavo::jit

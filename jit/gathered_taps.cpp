// SPDX-License-Identifier: Apache-2.0
#include "jit/gathered_taps.h"

#include <algorithm>
#include <limits>

#include "jit/window_layout.h"
#include "octavo/error.h"

namespace octavo::jit {

namespace {

constexpr std::int64_t step_bytes = 4;
constexpr std::int64_t room = 64;  ///< a vector

std::int64_t taps_of(const ConvSpec& spec) { return spec.kernel_h * spec.kernel_w * spec.in_channels; }

}  // namespace

bool taps_can_be_gathered(const ConvSpec& spec) {
  if (spec.groups != 1 || spec.in_channels >= step_bytes || spec.windows() != 1) return false;
  if (spec.src_stride() != spec.in_channels || (spec.kernel_w == 1 ? spec.stride_w : spec.dilation_w) != 1)
    return false;
  const std::int64_t pixelwise = spec.kernel_h * spec.kernel_w * window_bytes(spec.in_channels) / step_bytes;
  const std::int64_t columns = (spec.out_w - 1) * spec.stride_w + spec.kernel_w;
  return (taps_of(spec) + step_bytes - 1) / step_bytes < pixelwise &&
         columns * spec.in_channels <=
             std::numeric_limits<std::int32_t>::max() / std::max(spec.kernel_h * spec.dilation_h, spec.stride_h);
}

void check_gathered(const ConvSpec& spec, const Plan& plan) {
  if (plan.gathered && !taps_can_be_gathered(spec))
    throw Error(ErrorKind::invalid_argument, "the plan gathers taps, which this layer cannot do or gains nothing by",
                spec.name());
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
    : taps(tile_rows * field_columns * gathered_column(spec.kernel_h, spec.in_channels) + room),
      bytes(spec.kernel_h == 1 ? 0 : field_rows * field_columns * spec.in_channels + room) {}

}  // namespace octavo::jit

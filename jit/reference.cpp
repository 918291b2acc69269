// SPDX-License-Identifier: Apache-2.0
#include "jit/reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "jit/float_bits.h"
#include "jit/tile.h"
#include "octavo/error.h"

namespace octavo::jit {
namespace {

/// How a window's reals become u8.
struct Quantizer {
  float scale = 0.0F;    ///< real = (q - zero point) * scale
  float inverse = 0.0F;  ///< 0 for a window that has no usable maximum: every q is the zero point
  float low, high;
  std::int32_t zero_point;

  Quantizer(std::uint32_t max_bits, bool nonnegative)
      : low(nonnegative ? 0.0F : -largest_quantized),
        high(nonnegative ? 255.0F : largest_quantized),
        zero_point(nonnegative ? 0 : 128) {
    const auto max = std::bit_cast<float>(max_bits);
    if (max_bits >= infinity_bits) {
      scale = std::numeric_limits<float>::quiet_NaN();
    } else if (max >= smallest_maximum) {
      scale = max / high;
      inverse = high / max;
    }
  }
  [[nodiscard]] std::uint8_t operator()(float x) const {
    if (inverse == 0.0F) return static_cast<std::uint8_t>(zero_point);
    // lrint rounds half to even, as the emitted vcvtps2dq does.
    return static_cast<std::uint8_t>(std::lrint(std::clamp(x * inverse, low, high)) + zero_point);
  }
};

/// Where one window of one group lies in the image and in the scratch.
class FieldWalk {
 public:
  FieldWalk(const ConvSpec& spec, const TileGrid& grid, const Tile& tile, const float* image)
      : spec_(spec), grid_(grid), tile_(tile), image_(image) {}

  /// The first channel of a field pixel, or null in the padding.
  [[nodiscard]] const float* pixel(std::int64_t r, std::int64_t c) const {
    const std::int64_t y = tile_.field_top + r * grid_.step_h, x = tile_.field_left + c * grid_.step_w;
    if (y < 0 || y >= spec_.in_h || x < 0 || x >= spec_.in_w) return nullptr;
    return image_ + (y * spec_.in_w + x) * spec_.src_stride();
  }

 private:
  const ConvSpec& spec_;
  const TileGrid& grid_;
  const Tile& tile_;
  const float* image_;
};

std::uint32_t max_magnitude(const float* values, std::int64_t count, std::uint32_t max) {
  for (std::int64_t i = 0; i < count; ++i) max = std::max(max, std::bit_cast<std::uint32_t>(values[i]) & 0x7fffffffU);
  return max;
}

/// q of one pixel's window channels; the tail of the last window is filled with the zero point.
void quantize_pixel(const Quantizer& quantizer, const float* values, std::int64_t count, std::int64_t window_channels,
                    std::uint8_t* q) {
  for (std::int64_t i = 0; i < window_channels; ++i) {
    q[i] = values != nullptr && i < count ? quantizer(values[i]) : static_cast<std::uint8_t>(quantizer.zero_point);
  }
}

/// s32 of one output value in one window: taps and channels.
std::int32_t window_product(const ConvSpec& spec, const std::uint8_t* field, std::int64_t field_columns,
                            const std::int8_t* weights) {
  const std::int64_t channels = spec.window_channels();
  const std::int32_t zero_point = spec.zero_point();
  std::int32_t sum = 0;
  for (std::int64_t ky = 0; ky < spec.kernel_h; ++ky) {
    for (std::int64_t kx = 0; kx < spec.kernel_w; ++kx) {
      const std::uint8_t* q = field + (ky * spec.dilation_h * field_columns + kx * spec.dilation_w) * channels;
      for (std::int64_t i = 0; i < channels; ++i) sum += (q[i] - zero_point) * weights[i];
      weights += channels;
    }
  }
  return sum;
}

/// Calls visit(output pixel (row, column), channel, window, s32, activation scale) in the order of the numerics.
template <class Visit>
void for_each_product(const ConvSpec& spec, const Plan& plan, const ReferenceWeights& weights, std::int64_t tile_index,
                      std::int64_t first_channel, std::int64_t channels, const std::byte* scratch, const Visit& visit) {
  const TileGrid grid(spec, plan);
  const Tile tile = grid.tile(tile_index);
  const std::int64_t windows = spec.windows(), depth = spec.window_channels();
  const std::int64_t field_pixels = tile.field_rows * tile.field_columns;
  const std::int64_t filter = windows * spec.kernel_h * spec.kernel_w * depth;
  const auto* q = reinterpret_cast<const std::uint8_t*>(scratch);
  const auto* scales = reinterpret_cast<const float*>(scratch + reference_scales_offset(spec, plan));
  for (std::int64_t y = 0; y < tile.rows; ++y) {
    for (std::int64_t x = 0; x < tile.columns; ++x) {
      const std::int64_t field_pixel = y * grid.field_stride_h * tile.field_columns + x * grid.field_stride_w;
      for (std::int64_t o = first_channel; o < first_channel + channels; ++o) {
        const std::int64_t group = o / (spec.out_channels / spec.groups);
        for (std::int64_t w = 0; w < windows; ++w) {
          const std::int64_t slice = group * windows + w;
          const std::int32_t s32 =
              window_product(spec, q + (slice * field_pixels + field_pixel) * depth, tile.field_columns,
                             weights.q.data() + o * filter + w * (filter / windows));
          visit(tile.row + y, tile.column + x, o, w, s32,
                plan.scale_per_pixel ? scales[slice * field_pixels + field_pixel] : scales[slice]);
        }
      }
    }
  }
}

void check_size(const char* field, std::size_t has, std::int64_t wanted, const ConvSpec& spec) {
  if (has == static_cast<std::size_t>(wanted)) return;
  throw Error(ErrorKind::invalid_argument, fmt::format("{} has {} values, the layer needs {}", field, has, wanted),
              spec.name());
}

}  // namespace

void check_weights(const ConvSpec& spec, const WindowedWeights& weights) {
  check_size("weights.q", weights.q.size(),
             spec.out_channels * spec.channels_per_group() * spec.kernel_h * spec.kernel_w, spec);
  check_size("weights.scales", weights.scales.size(), spec.out_channels * spec.windows(), spec);
  check_size("weights.bias", weights.bias.size(), spec.epilogue.bias ? spec.out_channels : 0, spec);
  check_size("weights.slopes", weights.slopes.size(),
             spec.epilogue.activation == ActivationKind::prelu ? spec.out_channels : 0, spec);
  if (std::find(weights.q.begin(), weights.q.end(), std::int8_t{-128}) != weights.q.end()) {
    throw Error(ErrorKind::invalid_argument, "a quantized weight is -128; they lie in -127..127", spec.name());
  }
}

ReferenceWeights make_reference_weights(const ConvSpec& spec, const WindowedWeights& weights) {
  check_weights(spec, weights);
  const std::int64_t taps = spec.kernel_h * spec.kernel_w, depth = spec.window_channels();
  ReferenceWeights packed;
  packed.scales.assign(weights.scales.begin(), weights.scales.end());
  packed.bias.assign(weights.bias.begin(), weights.bias.end());
  packed.slopes.assign(weights.slopes.begin(), weights.slopes.end());
  packed.q.assign(static_cast<std::size_t>(spec.out_channels * spec.windows() * taps * depth), 0);
  const std::int8_t* from = weights.q.data();
  for (std::int64_t o = 0; o < spec.out_channels; ++o) {
    for (std::int64_t c = 0; c < spec.channels_per_group(); ++c) {
      const std::int64_t window = o * spec.windows() + c / depth;
      std::int8_t* to = packed.q.data() + window * taps * depth + c % depth;
      for (std::int64_t tap = 0; tap < taps; ++tap) to[tap * depth] = *from++;
    }
  }
  return packed;
}

std::size_t reference_scales_offset(const ConvSpec& spec, const Plan& plan) {
  const TileGrid grid(spec, plan);
  const std::int64_t bytes = spec.groups * spec.windows() * grid.field_h * grid.field_w * spec.window_channels();
  return static_cast<std::size_t>((bytes + 63) / 64 * 64);
}

std::size_t reference_scratch_bytes(const ConvSpec& spec, const Plan& plan) {
  const TileGrid grid(spec, plan);
  const std::int64_t scales = spec.groups * spec.windows() * (plan.scale_per_pixel ? grid.field_h * grid.field_w : 1);
  return reference_scales_offset(spec, plan) +
         static_cast<std::size_t>((scales * static_cast<std::int64_t>(sizeof(float)) + 63) / 64 * 64);
}

void reference_quantize_tile(const ConvSpec& spec, const Plan& plan, std::int64_t tile_index, const float* image,
                             std::byte* scratch) noexcept {
  const TileGrid grid(spec, plan);
  const Tile tile = grid.tile(tile_index);
  const FieldWalk field(spec, grid, tile, image);
  const std::int64_t depth = spec.window_channels();
  auto* q = reinterpret_cast<std::uint8_t*>(scratch);
  auto* scales = reinterpret_cast<float*>(scratch + reference_scales_offset(spec, plan));
  for (std::int64_t group = 0; group < spec.groups; ++group) {
    for (std::int64_t w = 0; w < spec.windows(); ++w) {
      const std::int64_t first = group * spec.channels_per_group() + w * depth;
      const std::int64_t count = std::min(depth, spec.channels_per_group() - w * depth);
      std::uint32_t tile_max = 0;
      if (!plan.scale_per_pixel) {
        for (std::int64_t r = 0; r < tile.field_rows; ++r) {
          for (std::int64_t c = 0; c < tile.field_columns; ++c) {
            if (const float* pixel = field.pixel(r, c)) tile_max = max_magnitude(pixel + first, count, tile_max);
          }
        }
        *scales++ = Quantizer(tile_max, spec.nonnegative_input).scale;
      }
      for (std::int64_t r = 0; r < tile.field_rows; ++r) {
        for (std::int64_t c = 0; c < tile.field_columns; ++c) {
          const float* pixel = field.pixel(r, c);
          const float* values = pixel == nullptr ? nullptr : pixel + first;
          if (plan.scale_per_pixel) tile_max = values == nullptr ? 0 : max_magnitude(values, count, 0);
          const Quantizer quantizer(tile_max, spec.nonnegative_input);
          if (plan.scale_per_pixel) *scales++ = quantizer.scale;
          quantize_pixel(quantizer, values, count, depth, q);
          q += depth;
        }
      }
    }
  }
}

void reference_compute_tile(const ConvSpec& spec, const Plan& plan, const ReferenceWeights& weights, std::int64_t tile,
                            std::int64_t first_channel, std::int64_t channels, const std::byte* scratch,
                            const float* residual, float* dst) noexcept {
  const Epilogue& epilogue = spec.epilogue;
  const std::int64_t windows = spec.windows();
  float y = 0.0F;
  for_each_product(spec, plan, weights, tile, first_channel, channels, scratch,
                   [&](std::int64_t row, std::int64_t column, std::int64_t channel, std::int64_t window,
                       std::int32_t s32, float scale) {
                     const float product = static_cast<float>(s32) * weights.scales[channel * windows + window];
                     y = std::fma(product, scale, window == 0 ? 0.0F : y);
                     if (window + 1 < windows) return;
                     const std::int64_t at = (row * spec.out_w + column) * spec.dst_stride() + channel;
                     if (epilogue.bias) y += weights.bias[channel];
                     if (epilogue.residual) y += residual[at];
                     const float slope =
                         epilogue.activation == ActivationKind::prelu ? weights.slopes[channel] : epilogue.slope;
                     dst[at] = reference_activation(epilogue.activation, y, slope);
                   });
}

void reference_layer(const ConvSpec& spec, const Plan& plan, const WindowedWeights& weights, const float* image,
                     const float* residual, float* dst) {
  const ReferenceWeights packed = make_reference_weights(spec, weights);
  std::vector<std::byte> scratch(reference_scratch_bytes(spec, plan));
  for (std::int64_t tile = 0; tile < TileGrid(spec, plan).tiles(); ++tile) {
    reference_quantize_tile(spec, plan, tile, image, scratch.data());
    reference_compute_tile(spec, plan, packed, tile, 0, spec.out_channels, scratch.data(), residual, dst);
  }
}

std::vector<std::int32_t> reference_products(const ConvSpec& spec, const Plan& plan, const WindowedWeights& weights,
                                             const float* image) {
  const ReferenceWeights packed = make_reference_weights(spec, weights);
  std::vector<std::byte> scratch(reference_scratch_bytes(spec, plan));
  std::vector<std::int32_t> products(
      static_cast<std::size_t>(spec.out_h * spec.out_w * spec.out_channels * spec.windows()));
  for (std::int64_t tile = 0; tile < TileGrid(spec, plan).tiles(); ++tile) {
    reference_quantize_tile(spec, plan, tile, image, scratch.data());
    for_each_product(spec, plan, packed, tile, 0, spec.out_channels, scratch.data(),
                     [&](std::int64_t row, std::int64_t column, std::int64_t channel, std::int64_t window,
                         std::int32_t s32, float /*scale*/) {
                       const std::int64_t pixel = row * spec.out_w + column;
                       products[(pixel * spec.out_channels + channel) * spec.windows() + window] = s32;
                     });
  }
  return products;
}

float reference_activation(ActivationKind kind, float value, float slope) noexcept {
  switch (kind) {
    case ActivationKind::none:
      return value;
    case ActivationKind::relu:
      return value < 0.0F ? 0.0F : value;
    case ActivationKind::relu6:
      return value < 0.0F ? 0.0F : (value > 6.0F ? 6.0F : value);
    case ActivationKind::leaky_relu:
    case ActivationKind::prelu:
      return value < 0.0F ? value * slope : value;
    case ActivationKind::sigmoid:
      return 1.0F / (1.0F + std::exp(-value));
    case ActivationKind::tanh:
      return std::tanh(value);
  }
  return value;
}

}  // namespace octavo::jit

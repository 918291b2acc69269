// SPDX-License-Identifier: Apache-2.0
#include "jit/winograd_reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "jit/aligned_bytes.h"
#include "jit/float_bits.h"
#include "jit/reference.h"
#include "jit/winograd_layout.h"
#include "jit/winograd_weights.h"
#include "octavo/error.h"

namespace octavo::jit {

namespace {

constexpr std::int32_t zero_point = 128;

float greater_or_nan(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return std::numeric_limits<float>::quiet_NaN();
  return a > b ? a : b;
}

/// A matrix as large as the largest Winograd tile's.
using Matrix = std::array<WinogradAxis::Values, WinogradAxis::most_positions>;

/// Applies `down` to every column of `from`, then `across` to every row.
template <class Down, class Across>
Matrix transform(const Matrix& from, std::int64_t rows, std::int64_t columns, const Down& down, const Across& across) {
  Matrix half{};
  for (std::size_t x = 0; x < static_cast<std::size_t>(columns); ++x) {
    WinogradAxis::Values column{};
    for (std::size_t y = 0; y < column.size(); ++y) column[y] = from[y][x];
    const WinogradAxis::Values result = down(column);
    for (std::size_t y = 0; y < result.size(); ++y) half[y][x] = result[y];
  }
  Matrix whole{};
  for (std::size_t y = 0; y < static_cast<std::size_t>(rows); ++y) whole[y] = across(half[y]);
  return whole;
}

class WinogradReference final : public Engine {
 public:
  WinogradReference(const ConvSpec& spec, const Plan& plan, const WindowedWeights& weights)
      : spec_(spec),
        layout_(spec, plan),
        weights_(transform_weights(spec, layout_.down(), layout_.across(), weights)),
        bias_(weights.bias.begin(), weights.bias.end()),
        slopes_(weights.slopes.begin(), weights.slopes.end()) {}

  [[nodiscard]] std::int64_t tiles() const noexcept override { return layout_.grid().tiles(); }
  [[nodiscard]] std::int64_t channel_blocks() const noexcept override { return 1; }
  [[nodiscard]] std::size_t scratch_bytes() const noexcept override {
    return round_up_to_line(static_cast<std::size_t>(layout_.scratch_bytes()));
  }
  [[nodiscard]] std::size_t workspace_bytes() const noexcept override { return 0; }
  [[nodiscard]] std::size_t packed_bytes() const noexcept override {
    return weights_.q.size() + sizeof(float) * (weights_.scales.size() + bias_.size() + slopes_.size());
  }
  [[nodiscard]] std::vector<std::shared_ptr<const Kernel>> kernels() const override { return {}; }

  [[nodiscard]] std::int64_t quantize_parts() const noexcept override { return spec_.groups * spec_.windows(); }
  void quantize(std::int64_t index, PartRange parts, const float* image, std::byte* scratch,
                std::byte* /*workspace*/) const noexcept override {
    const Tile tile = layout_.grid().tile(index);
    std::int64_t t = 0;
    layout_.for_each_tile(tile, [&](const OutputRun& down, const OutputRun& across) {
      for (std::int64_t part = parts.first; part < parts.last; ++part)
        quantize_window(down, across, t, part / spec_.windows(), part % spec_.windows(), image, scratch);
      ++t;
    });
  }

  void compute(std::int64_t index, std::int64_t /*block*/, const std::byte* scratch, const float* residual, float* dst,
               std::byte* /*workspace*/) const noexcept override {
    const Tile tile = layout_.grid().tile(index);
    std::int64_t t = 0;
    layout_.for_each_tile(tile, [&](const OutputRun& down, const OutputRun& across) {
      for (std::int64_t channel = 0; channel < spec_.out_channels; ++channel)
        write_outputs(down, across, products(t, channel, scratch), channel, residual, dst);
      ++t;
    });
  }

 private:
  [[nodiscard]] std::int64_t channels_of(std::int64_t window) const {
    return std::min(spec_.window_channels(), spec_.channels_per_group() - window * spec_.window_channels());
  }
  [[nodiscard]] std::uint8_t* q_at(std::byte* scratch, std::int64_t group, std::int64_t position, std::int64_t window,
                                   std::int64_t t) const {
    return reinterpret_cast<std::uint8_t*>(scratch) + group * layout_.group_bytes() +
           window * layout_.window_slice_bytes() + t * layout_.tile_bytes() + position * layout_.position_bytes();
  }
  [[nodiscard]] float* scales_at(std::byte* scratch, std::int64_t group, std::int64_t window, std::int64_t t) const {
    return reinterpret_cast<float*>(scratch + layout_.scales_offset() + group * layout_.scale_group_bytes() +
                                    window * layout_.scale_window_bytes() + t * layout_.scale_tile_bytes());
  }

  /// One channel's field, transformed.
  [[nodiscard]] Matrix transformed(const OutputRun& down, const OutputRun& across, std::int64_t channel,
                                   const float* image) const {
    Matrix field{};
    for (std::int64_t i = 0; i < down.inputs(); ++i) {
      for (std::int64_t j = 0; j < across.inputs(); ++j) {
        const std::int64_t y = down.first + i * down.step - spec_.pad_top;
        const std::int64_t x = across.first + j * across.step - spec_.pad_left;
        if (y < 0 || y >= spec_.in_h || x < 0 || x >= spec_.in_w) continue;
        field[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)] =
            image[(y * spec_.in_w + x) * spec_.src_stride() + channel];
      }
    }
    return transform(
        field, layout_.down().positions(), layout_.across().positions(),
        [&](const auto& d) { return layout_.down().transform_input(d); },
        [&](const auto& d) { return layout_.across().transform_input(d); });
  }

  void quantize_window(const OutputRun& down, const OutputRun& across, std::int64_t t, std::int64_t group,
                       std::int64_t window, const float* image, std::byte* scratch) const {
    const std::int64_t channels = channels_of(window), width = layout_.across().positions();
    const std::int64_t first = group * spec_.channels_per_group() + window * spec_.window_channels();
    std::vector<Matrix> values;
    for (std::int64_t c = 0; c < channels; ++c) values.push_back(transformed(down, across, first + c, image));
    std::array<float, WinogradAxis::most_positions * WinogradAxis::most_positions> inverses{};
    float* const scales = scales_at(scratch, group, window, t);
    for (std::int64_t position = 0; position < layout_.positions(); ++position) {
      std::uint32_t max_bits = 0;
      for (const Matrix& value : values)
        max_bits = std::max(
            max_bits,
            std::bit_cast<std::uint32_t>(
                value[static_cast<std::size_t>(position / width)][static_cast<std::size_t>(position % width)]) &
                magnitude_bits);
      const auto max = std::bit_cast<float>(max_bits);
      const bool finite = max_bits < infinity_bits, usable = finite && max >= smallest_maximum;
      scales[position] = usable ? max / largest_quantized : (finite ? 0.0F : std::numeric_limits<float>::quiet_NaN());
      inverses[static_cast<std::size_t>(position)] = usable ? largest_quantized / max : 0.0F;
    }
    for (std::int64_t i = 0; i < layout_.down().positions(); ++i) {
      const auto bytes_of = [&](std::int64_t j) { return q_at(scratch, group, i * width + j, window, t); };
      for (std::int64_t c = 0; c < channels; ++c)
        round_row(values[static_cast<std::size_t>(c)][static_cast<std::size_t>(i)], scales + i * width,
                  &inverses[static_cast<std::size_t>(i * width)], [&](std::int64_t j) { return bytes_of(j) + c; });
      for (std::int64_t j = 0; j < width; ++j)
        std::fill(bytes_of(j) + channels, bytes_of(j) + window_bytes(channels), std::uint8_t{zero_point});
    }
  }

  /// One channel's numbers in a row of positions, each with its scale and that one's inverse, to bytes.
  template <class ByteAt>
  void round_row(const WinogradAxis::Values& row, const float* scales, const float* inverses,
                 const ByteAt& byte_at) const {
    WinogradAxis::Values losses{};
    for (const std::int64_t position : layout_.across().rounding_order()) {
      const auto j = static_cast<std::size_t>(position);
      float wanted = row[j];
      for (const WinogradAxis::Carry& carry : layout_.across().carries(position))
        wanted = std::fma(carry.share, losses[static_cast<std::size_t>(carry.from)], wanted);
      float rounded = wanted * inverses[j];
      rounded = std::nearbyint(rounded < largest_quantized ? rounded : largest_quantized);
      losses[j] = std::fma(-rounded, scales[j], row[j]);
      *byte_at(position) = static_cast<std::uint8_t>(
          static_cast<std::int32_t>(std::max(rounded, -static_cast<float>(zero_point))) + zero_point);
    }
  }

  /// All positions of one Winograd tile and output channel.
  [[nodiscard]] Matrix products(std::int64_t t, std::int64_t channel, const std::byte* scratch) const {
    const std::int64_t group = channel / (spec_.out_channels / spec_.groups), width = layout_.across().positions();
    auto* const bytes = const_cast<std::byte*>(scratch);  // only read
    Matrix m{};
    for (std::int64_t position = 0; position < layout_.positions(); ++position) {
      const std::int64_t filter = position * spec_.out_channels + channel;
      float sum = 0.0F;
      for (std::int64_t window = 0; window < spec_.windows(); ++window) {
        const std::uint8_t* q = q_at(bytes, group, position, window, t);
        const std::int8_t* u =
            weights_.q.data() + filter * spec_.channels_per_group() + window * spec_.window_channels();
        std::int32_t s32 = 0;
        for (std::int64_t c = 0; c < channels_of(window); ++c) s32 += (q[c] - zero_point) * u[c];
        sum = std::fma(
            static_cast<float>(s32) * weights_.scales[static_cast<std::size_t>(filter * spec_.windows() + window)],
            scales_at(bytes, group, window, t)[position], sum);
      }
      m[static_cast<std::size_t>(position / width)][static_cast<std::size_t>(position % width)] = sum;
    }
    return m;
  }

  void write_outputs(const OutputRun& down, const OutputRun& across, const Matrix& m, std::int64_t channel,
                     const float* residual, float* dst) const {
    const Matrix y = transform(
        m, layout_.down().outputs(), layout_.across().positions(),
        [&](const auto& v) { return layout_.down().transform_output(v); },
        [&](const auto& v) { return layout_.across().transform_output(v); });
    const auto o = static_cast<std::size_t>(channel);
    const std::int64_t pooled = spec_.epilogue.max_pool ? 2 : 1;
    for (std::int64_t i = 0; i < down.count; i += pooled) {
      for (std::int64_t j = 0; j < across.count; j += pooled) {
        const std::int64_t r = (down.first + i * down.step) / pooled, c = (across.first + j * across.step) / pooled;
        const std::int64_t at = (r * spec_.dst_w() + c) * spec_.dst_stride() + channel;
        const auto output = [&](std::int64_t below, std::int64_t right) {
          float value = y[static_cast<std::size_t>(i + below)][static_cast<std::size_t>(j + right)];
          if (spec_.epilogue.bias) value += bias_[o];
          if (spec_.epilogue.residual) value += residual[at];
          const float slope = spec_.epilogue.activation == ActivationKind::prelu ? slopes_[o] : spec_.epilogue.slope;
          return reference_activation(spec_.epilogue.activation, value, slope);
        };
        dst[at] = spec_.epilogue.max_pool ? greater_or_nan(greater_or_nan(output(0, 0), output(0, 1)),
                                                           greater_or_nan(output(1, 0), output(1, 1)))
                                          : output(0, 0);
      }
    }
  }

  ConvSpec spec_;
  WinogradLayout layout_;
  WinogradWeights weights_;
  std::vector<float> bias_, slopes_;
};

}  // namespace

void check_winograd_plan(const ConvSpec& spec, const Plan& plan) {
  const auto fail = [&](std::string what) { throw Error(ErrorKind::invalid_argument, std::move(what), spec.name()); };
  if (!winograd_fits(spec))
    fail("the plan's algorithm is Winograd, which needs a 3x3 kernel at stride 1 (and no dilation to pool)");
  const auto size = [](std::int64_t outputs) { return outputs == 2 || outputs == 4; };
  if (!size(plan.winograd_h) || !size(plan.winograd_w))
    fail(fmt::format("the plan has Winograd tiles of {}x{}; they are 2 or 4 each way", plan.winograd_h,
                     plan.winograd_w));
  const auto whole = [](std::int64_t tile, std::int64_t winograd, std::int64_t out) {
    return tile >= out || tile % winograd == 0;
  };
  if (!whole(plan.tile_h, plan.winograd_h, spec.out_h) || !whole(plan.tile_w, plan.winograd_w, spec.out_w))
    fail(fmt::format("work tiles of {}x{} outputs do not consist of Winograd tiles of {}x{}", plan.tile_h, plan.tile_w,
                     plan.winograd_h, plan.winograd_w));
}

std::unique_ptr<Engine> make_winograd_reference(const ConvSpec& spec, const Plan& plan,
                                                const WindowedWeights& weights) {
  check_winograd_plan(spec, plan);
  check_weights(spec, weights);
  return std::make_unique<WinogradReference>(spec, plan, weights);
}

}  // namespace octavo::jit

// SPDX-License-Identifier: Apache-2.0
#include "jit/depthwise_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "jit/aligned_bytes.h"
#include "jit/depthwise_emitter.h"
#include "jit/depthwise_layout.h"
#include "jit/depthwise_quantize_emitter.h"
#include "jit/kernel_cache.h"
#include "jit/reference.h"
#include "octavo/error.h"

namespace octavo::jit {
namespace {

constexpr std::int64_t block_pixels = 4;  ///< columns of a register block (jit/depthwise_emitter.h)

/// Everything that one channel vector needs besides its tile, a register of each, in channel order.
class PackedDepthwise {
 public:
  PackedDepthwise(const ConvSpec& spec, const DepthwiseLayout& layout, const WindowedWeights& weights)
      : vector_bytes_(static_cast<std::size_t>(layout.vector_bytes)),
        stride_(static_cast<std::size_t>(layout.weight_bytes) + extras * vector_bytes_),
        bytes_(static_cast<std::size_t>(layout.channel_vectors) * stride_) {
    const std::int64_t taps = spec.kernel_h * spec.kernel_w;
    for (std::int64_t channel = 0; channel < spec.out_channels; ++channel) {
      std::byte* vector = bytes_.data() + static_cast<std::size_t>(channel / layout.lanes) * stride_;
      const auto lane = static_cast<std::size_t>(channel % layout.lanes);
      const std::span<const std::int8_t> filter =
          weights.q.subspan(static_cast<std::size_t>(channel * taps), static_cast<std::size_t>(taps));
      std::int32_t sum = 0;
      for (const std::int8_t q : filter) sum += q;
      put(vector, scale, lane, weights.scales[static_cast<std::size_t>(channel)]);
      put(vector, start, lane, -spec.zero_point() * sum);
      if (!weights.bias.empty()) put(vector, bias, lane, weights.bias[static_cast<std::size_t>(channel)]);
      if (!weights.slopes.empty()) put(vector, slope, lane, weights.slopes[static_cast<std::size_t>(channel)]);
      pack_filter(spec, layout, filter, reinterpret_cast<std::int8_t*>(vector + extras * vector_bytes_) + 4 * lane);
    }
  }

  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_.size(); }
  /// Points the arguments at the data of a channel vector.
  void fill(DepthwiseArgs& args, std::int64_t channel_vector) const noexcept {
    const std::byte* vector = bytes_.data() + static_cast<std::size_t>(channel_vector) * stride_;
    args.weight_scales = reinterpret_cast<const float*>(vector + scale * vector_bytes_);
    args.start = reinterpret_cast<const std::int32_t*>(vector + start * vector_bytes_);
    args.bias = reinterpret_cast<const float*>(vector + bias * vector_bytes_);
    args.slopes = reinterpret_cast<const float*>(vector + slope * vector_bytes_);
    args.weights = vector + extras * vector_bytes_;
  }

 private:
  /// What lies before the weights of a vector.
  enum Extra : std::size_t { scale, start, bias, slope, extras };

  template <class T>
  void put(std::byte* vector, Extra which, std::size_t lane, T value) const {
    reinterpret_cast<T*>(vector + which * vector_bytes_)[lane] = value;
  }
  static void pack_filter(const ConvSpec& spec, const DepthwiseLayout& layout, std::span<const std::int8_t> filter,
                          std::int8_t* to) {
    for (std::int64_t ky = 0; ky < spec.kernel_h; ++ky) {
      for (const auto& phase : layout.taps.phases) {
        for (const TapGroup& group : phase) {
          std::int8_t* dword = to + ky * layout.weight_row_bytes + group.index * layout.vector_bytes;
          for (std::size_t byte = 0; byte < group.taps.size(); ++byte) {
            if (group.taps[byte] >= 0)
              dword[byte] = filter[static_cast<std::size_t>(ky * spec.kernel_w + group.taps[byte])];
          }
        }
      }
    }
  }

  std::size_t vector_bytes_, stride_;
  AlignedBytes bytes_;
};

class DepthwiseEngine final : public Engine {
 public:
  DepthwiseEngine(const ConvSpec& spec, const Plan& plan, const WindowedWeights& weights, KernelCache& cache)
      : spec_(spec), plan_(plan), layout_(spec, plan) {
    check_weights(spec, weights);
    packed_ = std::make_unique<PackedDepthwise>(spec, layout_, weights);
    mask_columns();
    request_kernels(cache);
  }

  [[nodiscard]] std::int64_t tiles() const noexcept override { return layout_.grid.tiles() * layout_.chunks; }
  [[nodiscard]] std::int64_t channel_blocks() const noexcept override { return 1; }
  [[nodiscard]] std::size_t scratch_bytes() const noexcept override {
    return round_up_to_line(layout_.scratch_bytes());
  }
  [[nodiscard]] std::size_t packed_bytes() const noexcept override { return packed_->bytes(); }
  [[nodiscard]] std::vector<std::shared_ptr<const Kernel>> kernels() const override { return kernels_; }

  void quantize(std::int64_t index, PartRange /*parts*/, const float* image, std::byte* scratch,
                std::byte* /*workspace*/) const noexcept override {
    const auto [spatial, first, end] = work_of(index);
    const Tile tile = layout_.grid.tile(spatial);
    const std::int64_t step = layout_.taps.step;
    const FieldSpan rows = inside_image(tile.field_top, tile.field_rows, layout_.grid.step_h, spec_.in_h);
    const FieldSpan columns = inside_image(tile.field_left, tile.field_columns, layout_.grid.step_w, spec_.in_w);
    const std::int64_t units = layout_.units_of(tile.columns);
    DepthwiseQuantizeArgs args{};
    args.rows_above = rows.before;
    args.rows_inside = rows.count;
    args.rows_below = tile.field_rows - rows.before - rows.count;
    args.columns_inside = columns.count;
    args.units_left = std::min(units, (columns.before + step - 1) / step);
    args.units_inside = std::clamp((columns.before + columns.count) / step, args.units_left, units) - args.units_left;
    args.units_right = units - args.units_left - args.units_inside;
    args.column_masks = column_masks_.data() + spatial % layout_.grid.tiles_w * layout_.units * step;
    const std::int64_t y = tile.field_top + rows.before * layout_.grid.step_h;
    const std::int64_t row = (y * spec_.in_w + tile.field_left) * spec_.src_stride();
    const std::int64_t inside = row + columns.before * layout_.grid.step_w * spec_.src_stride();
    // Addresses as integers: column 0 of the field may lie before the image, where no pointer may point.
    args.row = address(image, row + first * layout_.lanes);
    args.inside = address(image, inside + first * layout_.lanes);
    args.groups = scratch;
    args.scales = reinterpret_cast<float*>(scratch + layout_.scales_offset());
    args.lanes = lanes_of(end - 1);
    (*quantize_[end == layout_.channel_vectors ? 1 : 0])(args);
  }

  void compute(std::int64_t index, std::int64_t /*block*/, const std::byte* scratch, const float* residual, float* dst,
               std::byte* /*workspace*/) const noexcept override {
    const auto [spatial, first, end] = work_of(index);
    const Tile tile = layout_.grid.tile(spatial);
    const auto& kernels = compute_[size_class(tile)];
    const auto* scales = reinterpret_cast<const float*>(scratch + layout_.scales_offset());
    for (std::int64_t v = first; v < end; ++v) {
      const std::int64_t at = (tile.row * spec_.out_w + tile.column) * spec_.dst_stride() + v * layout_.lanes;
      DepthwiseArgs args{};
      packed_->fill(args, v);
      args.groups = scratch + (v - first) * layout_.field_bytes;
      args.activation_scales = scales + (v - first) * layout_.lanes;
      args.residual = residual == nullptr ? nullptr : residual + at;
      args.output = dst + at;
      args.lanes = lanes_of(v);
      (*kernels[partial(v) ? 1 : 0])(args);
    }
  }

 private:
  /// What a work tile is: a spatial tile and the channel vectors [first, end).
  struct Work {
    std::int64_t spatial, first, end;
  };
  [[nodiscard]] Work work_of(std::int64_t index) const {
    const std::int64_t first = index % layout_.chunks * layout_.chunk_vectors;
    return {index / layout_.chunks, first, std::min(first + layout_.chunk_vectors, layout_.channel_vectors)};
  }
  static const float* address(const float* base, std::int64_t elements) {
    return reinterpret_cast<const float*>(reinterpret_cast<std::intptr_t>(base) +
                                          elements * static_cast<std::int64_t>(sizeof(float)));
  }
  [[nodiscard]] std::int64_t channels_of(std::int64_t v) const {
    return std::min(layout_.lanes, spec_.out_channels - v * layout_.lanes);
  }
  [[nodiscard]] bool partial(std::int64_t v) const { return channels_of(v) != layout_.lanes; }
  [[nodiscard]] std::uint64_t lanes_of(std::int64_t v) const { return (std::uint64_t{1} << channels_of(v)) - 1; }
  /// Tiles come in up to four sizes: full, or cut off at the bottom, at the right, or both.
  [[nodiscard]] std::size_t size_class(const Tile& tile) const {
    return (tile.rows == layout_.grid.tile_h ? 0U : 2U) + (tile.columns == layout_.grid.tile_w ? 0U : 1U);
  }

  /// For each column of tiles, the mask of each field column; columns beyond the field are outside.
  void mask_columns() {
    const std::int64_t columns = layout_.units * layout_.taps.step;
    column_masks_.assign(static_cast<std::size_t>(layout_.grid.tiles_w * columns), 0);
    for (std::int64_t t = 0; t < layout_.grid.tiles_w; ++t) {
      const Tile tile = layout_.grid.tile(t);
      const FieldSpan span = inside_image(tile.field_left, tile.field_columns, layout_.grid.step_w, spec_.in_w);
      const auto first = column_masks_.begin() + t * columns + span.before;
      std::fill(first, first + span.count, std::uint16_t{0xFFFF});
    }
  }

  void request_kernels(KernelCache& cache) {
    std::vector<KernelRequest> requests;
    std::vector<std::shared_ptr<const Kernel>*> wanted;
    const std::string identity =
        fmt::format("{}_tile{}x{}_step{}", spec_.name(), layout_.grid.tile_h, layout_.grid.tile_w, plan_.group_step);
    const auto request = [&](std::string name, auto emit, std::shared_ptr<const Kernel>& where) {
      requests.push_back({name, [name, emit] { return emit(name); }});
      wanted.push_back(&where);
    };
    const auto tail_name = [](bool is_partial) { return is_partial ? "_tail" : ""; };

    const std::int64_t last = layout_.channel_vectors - (layout_.chunks - 1) * layout_.chunk_vectors;
    const auto request_quantize = [&](std::int64_t vectors, bool is_partial, std::shared_ptr<const Kernel>& where) {
      request(
          fmt::format("{}_quantize{}{}", identity, vectors, tail_name(is_partial)),
          [this, vectors, is_partial](const std::string& name) {
            return emit_depthwise_quantize(spec_, layout_, vectors, is_partial, name);
          },
          where);
    };
    if (layout_.chunks > 1) request_quantize(layout_.chunk_vectors, false, quantize_[0]);
    request_quantize(last, partial(layout_.channel_vectors - 1), quantize_[1]);

    for (const bool is_partial : {false, true}) {
      if (!any(is_partial)) continue;
      for (const std::int64_t t : {std::int64_t{0}, layout_.grid.tiles_w - 1,
                                   layout_.grid.tiles() - layout_.grid.tiles_w, layout_.grid.tiles() - 1}) {
        const Tile tile = layout_.grid.tile(t);
        auto& where = compute_[size_class(tile)][is_partial ? 1 : 0];
        if (std::find(wanted.begin(), wanted.end(), &where) != wanted.end()) continue;
        request(
            fmt::format("{}_block{}x{}_compute{}x{}{}", identity, plan_.rows, block_pixels, tile.rows, tile.columns,
                        tail_name(is_partial)),
            [this, tile, is_partial](const std::string& name) {
              return emit_depthwise(spec_, plan_, layout_, tile.rows, tile.columns, is_partial, name);
            },
            where);
      }
    }
    kernels_ = cache.get(requests);
    for (std::size_t i = 0; i < wanted.size(); ++i) *wanted[i] = kernels_[i];
  }
  [[nodiscard]] bool any(bool is_partial) const {
    return is_partial ? partial(layout_.channel_vectors - 1) : !partial(0);
  }

  ConvSpec spec_;
  Plan plan_;
  DepthwiseLayout layout_;
  std::unique_ptr<PackedDepthwise> packed_;
  std::vector<std::uint16_t> column_masks_;
  std::vector<std::shared_ptr<const Kernel>> kernels_;
  std::array<std::shared_ptr<const Kernel>, 2> quantize_;  ///< of a full chunk; of the last
  std::array<std::array<std::shared_ptr<const Kernel>, 2>, 4> compute_;
};

void check_plan(const ConvSpec& spec, const Plan& plan) {
  if (plan.group_step != 2 && plan.group_step != group_bytes) {
    throw Error(ErrorKind::invalid_argument, fmt::format("group_step is {}, not 2 or 4", plan.group_step), spec.name());
  }
  if (plan.rows > most_depthwise_rows(spec.isa)) {
    throw Error(
        ErrorKind::invalid_argument,
        fmt::format("a depthwise register block has at most {} rows, not {}", most_depthwise_rows(spec.isa), plan.rows),
        spec.name());
  }
  if (plan.column_vectors > most_quantize_vectors(spec.isa)) {
    throw Error(ErrorKind::invalid_argument,
                fmt::format("a depthwise tile has at most {} channel vectors, not {}", most_quantize_vectors(spec.isa),
                            plan.column_vectors),
                spec.name());
  }
  if (plan.scale_per_pixel) {
    throw Error(ErrorKind::invalid_argument, "a depthwise tile has one scale a channel", spec.name());
  }
}

}  // namespace

std::unique_ptr<Engine> make_depthwise_engine(const ConvSpec& spec, const Plan& plan, const WindowedWeights& weights,
                                              KernelCache& cache) {
  check_plan(spec, plan);
  return std::make_unique<DepthwiseEngine>(spec, plan, weights, cache);
}

}  // namespace octavo::jit

// SPDX-License-Identifier: Apache-2.0
#include "jit/iconv_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "jit/aligned_bytes.h"
#include "jit/float_bits.h"
#include "jit/gather_emitter.h"
#include "jit/gathered_taps.h"
#include "jit/iconv_block.h"
#include "jit/iconv_emitter.h"
#include "jit/kernel_cache.h"
#include "jit/pack_weights.h"
#include "jit/quantize_emitter.h"
#include "jit/reference.h"
#include "jit/tile.h"
#include "jit/vector_unit.h"
#include "jit/window_layout.h"
#include "jit/word_split.h"
#include "octavo/error.h"

namespace octavo::jit {

namespace {

/// Kernels of equal shape share code: a layer has one quantize kernel and at most two convolution kernels (a full
/// channel block, a group's last one) for each size that a tile has.
class IconvEngine final : public Engine {
 public:
  IconvEngine(const ConvSpec& spec, const Plan& plan, const WindowedWeights& weights, KernelCache& cache)
      : spec_(spec),
        plan_(plan),
        product_(plan.gathered ? gathered_product(spec) : spec),
        grid_(spec, plan),
        run_(product_),
        packed_(product_, plan.column_vectors, plan.word_depth),
        weights_(packed_.bytes()) {
    check_plan();
    check_weights(spec, weights);
    request_kernels(cache);
    pack(weights);
    lay_out_scratch();
  }

  [[nodiscard]] std::int64_t tiles() const noexcept override { return grid_.tiles(); }
  [[nodiscard]] std::int64_t channel_blocks() const noexcept override { return packed_.blocks(); }
  [[nodiscard]] std::size_t scratch_bytes() const noexcept override { return scratch_bytes_; }
  [[nodiscard]] std::size_t workspace_bytes() const noexcept override { return workspace_bytes_; }
  [[nodiscard]] std::size_t packed_bytes() const noexcept override { return weights_.size() + corrections_.size(); }
  [[nodiscard]] std::vector<std::shared_ptr<const Kernel>> kernels() const override { return kernels_; }

  void quantize(std::int64_t index, PartRange /*parts*/, const float* image, std::byte* scratch,
                std::byte* workspace) const noexcept override {
    const Tile tile = grid_.tile(index);
    const FieldSpan rows = inside_image(tile.field_top, tile.field_rows, grid_.step_h, spec_.in_h);
    const FieldSpan columns = inside_image(tile.field_left, tile.field_columns, grid_.step_w, spec_.in_w);
    QuantizeArgs args{};
    args.field = reinterpret_cast<std::uint8_t*>(scratch);
    args.scales = reinterpret_cast<float*>(scratch + scales_offset_);
    if (rows.count == 0 || columns.count == 0) {
      args.outside_after = tile.field_rows * tile.field_columns;
    } else {
      const std::int64_t y = tile.field_top + rows.before * grid_.step_h;
      const std::int64_t x = tile.field_left + columns.before * grid_.step_w;
      const std::int64_t right = tile.field_columns - columns.before - columns.count;
      args.image = image + (y * spec_.in_w + x) * spec_.src_stride();
      args.rows = rows.count;
      args.columns = columns.count;
      args.outside_before = rows.before * tile.field_columns + columns.before;
      args.outside_between = right + columns.before;
      args.outside_after = (tile.field_rows - rows.before - rows.count) * tile.field_columns + right;
    }
    if (plan_.gathered)
      (*quantize_[size_class(tile)])(GatherArgs{args, reinterpret_cast<std::uint8_t*>(workspace)});
    else
      (*quantize_[size_class(tile)])(args);
  }

  void compute(std::int64_t index, std::int64_t block_index, const std::byte* scratch, const float* residual,
               float* dst, std::byte* /*workspace*/) const noexcept override {
    const Tile tile = grid_.tile(index);
    const ChannelBlock block = packed_.block(block_index);
    // Where a group's part begins (gathered taps are of one group).
    const ScratchLayout layout(run_, tile.field_rows, tile.field_columns, plan_.scale_per_pixel);
    const std::int64_t at = (tile.row * spec_.out_w + tile.column) * spec_.dst_stride() + block.first;
    IconvArgs args{};
    args.field = reinterpret_cast<const std::uint8_t*>(scratch) + block.group * layout.group_bytes;
    args.scales = reinterpret_cast<const float*>(scratch + scales_offset_) +
                  block.group * run_.windows() * layout.scales_per_window;
    args.weights = weights_.data() + block.offset;
    args.residual = residual == nullptr ? nullptr : residual + at;
    args.dst = dst + at;
    args.corrections = corrections_.data();
    (*compute_[size_class(tile)][block.channels == full_block_channels() ? 0 : 1])(args);
  }

 private:
  /// Tiles come in up to four sizes: full, or cut off at the bottom, at the right, or both.
  [[nodiscard]] std::size_t size_class(const Tile& tile) const {
    return (tile.rows == grid_.tile_h ? 0U : 2U) + (tile.columns == grid_.tile_w ? 0U : 1U);
  }
  [[nodiscard]] std::int64_t full_block_channels() const { return packed_.block(0).channels; }

  void check_plan() const {
    check_gathered(spec_, plan_);
    const std::int64_t registers = iconv_registers(
        spec_.isa, plan_.rows, std::min<std::int64_t>(plan_.column_vectors, packed_.block(0).column_vectors),
        run_.windows() == 1, plan_.word_depth != 0);
    if (registers > vector_facts(spec_.isa).registers)
      throw Error(ErrorKind::invalid_argument,
                  fmt::format("the plan's register block of {} x {} needs {} registers", plan_.rows,
                              plan_.column_vectors, registers),
                  spec_.name());
    const bool depth_exists = plan_.word_depth == 1 || plan_.word_depth == 2 || plan_.word_depth == 4;
    if (plan_.word_depth != 0 && (vector_facts(spec_.isa).vnni || !depth_exists))
      throw Error(ErrorKind::invalid_argument,
                  fmt::format("the plan's 16-bit sums of {} k-steps are not for this ISA", plan_.word_depth),
                  spec_.name());
    const bool inside_image = spec_.pad_top == 0 && spec_.pad_left == 0 &&
                              (spec_.out_h - 1) * spec_.stride_h < spec_.in_h &&
                              (spec_.out_w - 1) * spec_.stride_w < spec_.in_w;
    if (plan_.scale_per_pixel && !(spec_.kernel_h == 1 && spec_.kernel_w == 1 && inside_image))
      throw Error(ErrorKind::invalid_argument, "a scale for each pixel needs a 1x1 kernel without padding",
                  spec_.name());
  }

  void pack(const WindowedWeights& weights) {
    std::vector<std::int8_t> q;
    WindowedWeights of_product = weights;
    if (plan_.gathered) {
      q = gathered_weights(spec_, weights);
      of_product.q = q;
    }
    for (std::int64_t b = 0; b < packed_.blocks(); ++b) {
      const ChannelBlock block = packed_.block(b);
      std::byte* const to = weights_.data() + block.offset;
      if (plan_.word_depth == 0)
        pack_block(product_, block, of_product, to);
      else
        pack_block_by_words(product_, block, of_product, plan_.word_depth, to, corrections_);
    }
  }

  void lay_out_scratch() {
    if (plan_.gathered) {
      const GatheredLayout largest(spec_, grid_.tile_h, grid_.field_h, grid_.field_w);
      scales_offset_ = round_up_to_line(static_cast<std::size_t>(largest.taps));
      scratch_bytes_ = scales_offset_ + round_up_to_line(sizeof(float));
      workspace_bytes_ = round_up_to_line(static_cast<std::size_t>(largest.bytes));
    } else {
      const ScratchLayout largest(run_, grid_.field_h, grid_.field_w, plan_.scale_per_pixel);
      scales_offset_ = round_up_to_line(static_cast<std::size_t>(largest.bytes));
      scratch_bytes_ = scales_offset_ + round_up_to_line(static_cast<std::size_t>(largest.scales) * sizeof(float));
    }
  }

  void request_kernels(KernelCache& cache) {
    std::vector<KernelRequest> requests;
    std::vector<std::shared_ptr<const Kernel>*> wanted;
    const auto request = [&](const auto& kernel, auto emit, std::shared_ptr<const Kernel>& where) {
      requests.push_back({kernel.name(), [kernel, emit] { return emit(kernel); }});
      wanted.push_back(&where);
    };
    for (const std::int64_t index :
         {std::int64_t{0}, grid_.tiles_w - 1, grid_.tiles() - grid_.tiles_w, grid_.tiles() - 1}) {
      const Tile tile = grid_.tile(index);
      const std::size_t size = size_class(tile);
      if (seen_[size]) continue;
      seen_[size] = true;
      if (plan_.gathered)
        request(gather_kernel(tile), emit_gather, quantize_[size]);
      else
        request(quantize_kernel(tile), emit_quantize, quantize_[size]);
      request(iconv_kernel(tile, packed_.block(0)), emit_iconv, compute_[size][0]);
      const ChannelBlock last = packed_.block(packed_.blocks() - 1);
      if (last.channels != full_block_channels()) request(iconv_kernel(tile, last), emit_iconv, compute_[size][1]);
    }
    kernels_ = cache.get(requests);
    for (std::size_t i = 0; i < wanted.size(); ++i) *wanted[i] = kernels_[i];
  }

  /// A tile of one row never goes to the next: rows of any length then have the same code, and may be beyond 2 GB (all
  /// pixels of a batch are one row of a 1x1 convolution).
  static std::int64_t row_bytes(std::int64_t rows, std::int64_t bytes) { return rows == 1 ? 0 : bytes; }

  [[nodiscard]] QuantizeKernel quantize_kernel(const Tile& tile) const {
    const auto pixel = static_cast<std::int64_t>(sizeof(float)) * spec_.src_stride();
    return {.isa = spec_.isa,
            .nonnegative_input = spec_.nonnegative_input,
            .windows = run_,
            .field_rows = tile.field_rows,
            .field_columns = tile.field_columns,
            .src_row_bytes = row_bytes(tile.field_rows, grid_.step_h * spec_.in_w * pixel),
            .src_pixel_bytes = grid_.step_w * pixel,
            .scale_per_pixel = plan_.scale_per_pixel};
  }

  [[nodiscard]] GatherKernel gather_kernel(const Tile& tile) const {
    const auto pixel = static_cast<std::int64_t>(sizeof(float)) * spec_.src_stride();
    return {.isa = spec_.isa,
            .nonnegative_input = spec_.nonnegative_input,
            .channels = spec_.in_channels,
            .kernel_rows = spec_.kernel_h,
            .tile_rows = tile.rows,
            .field_columns = tile.field_columns,
            .row_step = grid_.field_stride_h,
            .tap_step = spec_.dilation_h,
            .src_row_bytes = row_bytes(tile.field_rows, grid_.step_h * spec_.in_w * pixel)};
  }

  [[nodiscard]] IconvKernel iconv_kernel(const Tile& tile, const ChannelBlock& block) const {
    Plan of_tile = plan_;
    of_tile.tile_h = tile.rows;
    of_tile.tile_w = tile.columns;
    const PixelBlock pixels = of_tile.pixel_block();
    const auto pixel = static_cast<std::int64_t>(sizeof(float)) * spec_.dst_stride();
    return {.isa = spec_.isa,
            .nonnegative_input = spec_.nonnegative_input,
            .epilogue = spec_.epilogue,
            .windows = run_,
            .kernel_h = product_.kernel_h,
            .kernel_w = product_.kernel_w,
            .dilation_h = product_.dilation_h,
            .dilation_w = product_.dilation_w,
            .stride_h = plan_.gathered ? 1 : grid_.field_stride_h,
            .stride_w = grid_.field_stride_w,
            .tile_rows = tile.rows,
            .tile_columns = tile.columns,
            .field_rows = plan_.gathered ? tile.rows : tile.field_rows,
            .field_columns = tile.field_columns,
            .block_rows = pixels.rows,
            .block_columns = pixels.columns,
            .column_vectors = block.column_vectors,
            .channels = block.channels,
            .pixel_bytes = plan_.gathered ? gathered_column(spec_.kernel_h, spec_.in_channels) : 0,
            .slice_bytes = 0,
            .scale_per_pixel = plan_.scale_per_pixel,
            .scale_pixel_bytes = bytes_per_float,
            .scale_window_bytes = bytes_per_float * (plan_.scale_per_pixel ? tile.field_rows * tile.field_columns : 1),
            .word_depth = plan_.word_depth,
            .dst_row_bytes = row_bytes(tile.rows, spec_.out_w * pixel),
            .dst_pixel_bytes = pixel,
            .ask_for_outputs = !plan_.gathered};
  }

  ConvSpec spec_;
  Plan plan_;
  ConvSpec product_;  ///< what the products compute: the layer, or the one over gathered taps
  TileGrid grid_;
  WindowRun run_;
  PackedLayout packed_;
  AlignedBytes weights_;
  std::vector<std::byte> corrections_;
  std::size_t scales_offset_ = 0, scratch_bytes_ = 0, workspace_bytes_ = 0;
  std::array<bool, 4> seen_{};
  std::vector<std::shared_ptr<const Kernel>> kernels_;
  std::array<std::shared_ptr<const Kernel>, 4> quantize_;
  std::array<std::array<std::shared_ptr<const Kernel>, 2>, 4> compute_;
};

}  // namespace

std::unique_ptr<Engine> make_iconv_engine(const ConvSpec& spec, const Plan& plan, const WindowedWeights& weights,
                                          KernelCache& cache) {
  return std::make_unique<IconvEngine>(spec, plan, weights, cache);
}

}  // namespace octavo::jit

// SPDX-License-Identifier: Apache-2.0
#include "jit/winograd_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "jit/aligned_bytes.h"
#include "jit/float_bits.h"
#include "jit/iconv_block.h"
#include "jit/iconv_emitter.h"
#include "jit/kernel_cache.h"
#include "jit/pack_weights.h"
#include "jit/reference.h"
#include "jit/vector_unit.h"
#include "jit/winograd_input_emitter.h"
#include "jit/winograd_layout.h"
#include "jit/winograd_output_emitter.h"
#include "jit/winograd_reference.h"
#include "jit/winograd_weights.h"
#include "octavo/error.h"

namespace octavo::jit {

namespace {

/// Products that stay in L2 beside all else, so that there is nothing to fetch before they are written.
constexpr std::int64_t products_that_stay = std::int64_t{512} << 10;
/// Transformed weights that one work tile after the other finds in L2.
constexpr std::size_t weights_that_stay = std::size_t{256} << 10;

constexpr std::int64_t most_outputs = 4;  ///< of a Winograd tile, each way

class WinogradEngine final : public Engine {
 public:
  WinogradEngine(const ConvSpec& spec, const Plan& plan, const WindowedWeights& weights, KernelCache& cache)
      : spec_(spec),
        plan_(plan),
        layout_(spec, plan),
        position_spec_(layout_.position_spec(spec)),
        packed_(position_spec_, plan.column_vectors, plan.word_depth),
        weights_(static_cast<std::size_t>(layout_.positions()) * packed_.bytes()),
        constants_(static_cast<std::size_t>(packed_.blocks() * constants_bytes())),
        zeros_(static_cast<std::size_t>(spec.in_channels * bytes_per_float) + cache_line) {
    check_registers();
    pack(weights);
    request_kernels(cache);
  }

  [[nodiscard]] std::int64_t tiles() const noexcept override { return layout_.grid().tiles(); }
  [[nodiscard]] std::int64_t channel_blocks() const noexcept override { return packed_.blocks(); }
  [[nodiscard]] std::size_t scratch_bytes() const noexcept override {
    return round_up_to_line(static_cast<std::size_t>(layout_.scratch_bytes()));
  }
  [[nodiscard]] std::size_t workspace_bytes() const noexcept override {
    const std::int64_t quantizing =
        layout_.pixel_table_bytes() + winograd_staging_bytes(input_kernel(layout_.windows().channels));
    return round_up_to_line(static_cast<std::size_t>(std::max(quantizing, layout_.product_bytes(block_floats()))));
  }
  [[nodiscard]] std::size_t packed_bytes() const noexcept override { return weights_.size() + corrections_.size(); }
  [[nodiscard]] std::vector<std::shared_ptr<const Kernel>> kernels() const override { return kernels_; }

  [[nodiscard]] std::int64_t quantize_parts() const noexcept override {
    return layout_.windows().groups * layout_.windows().windows();
  }
  void quantize(std::int64_t index, PartRange parts, const float* image, std::byte* scratch,
                std::byte* workspace) const noexcept override {
    const Tile tile = layout_.grid().tile(index);
    auto* const pixels = reinterpret_cast<const float**>(workspace);
    find_pixels(tile, image, pixels);
    WinogradInputArgs args{};
    args.tiles = layout_.tiles_of(tile);
    args.pixels = pixels;
    args.staging = workspace + layout_.pixel_table_bytes();
    const WindowRun& run = layout_.windows();
    for (std::int64_t part = parts.first; part < parts.last; ++part) {
      const std::int64_t group = part / run.windows(), window = part % run.windows();
      args.channel_bytes = (group * spec_.channels_per_group() + window * run.channels) * bytes_per_float;
      args.q = reinterpret_cast<std::uint8_t*>(scratch) + group * layout_.group_bytes() +
               window * layout_.window_slice_bytes();
      args.scales = reinterpret_cast<float*>(scratch + layout_.scales_offset() + part * layout_.scale_window_bytes());
      (*input_[window < run.full ? 0 : 1])(args);
    }
  }

  void compute(std::int64_t index, std::int64_t block_index, const std::byte* scratch, const float* residual,
               float* dst, std::byte* workspace) const noexcept override {
    const Tile tile = layout_.grid().tile(index);
    const ChannelBlock block = packed_.block(block_index);
    const std::size_t block_class = block.channels == packed_.block(0).channels ? 0 : 1;
    multiply(tile, block, block_class, scratch, workspace);

    const std::int64_t pooled = spec_.epilogue.max_pool ? 2 : 1;
    const std::byte* const constants = constants_.data() + block_index * constants_bytes();
    const std::int64_t tile_bytes = layout_.product_tile_bytes(block.column_vectors * lanes());
    const std::byte* products = workspace;
    layout_.for_each_tile(tile, [&](const OutputRun& down, const OutputRun& across) {
      const std::int64_t y = down.first / pooled, x = across.first / pooled;
      const std::int64_t at = (y * spec_.dst_w() + x) * spec_.dst_stride() + block.first;
      (*output_kernel_for(down, across, block_class))(
          WinogradOutputArgs{reinterpret_cast<const float*>(products), constants,
                             residual == nullptr ? nullptr : residual + at, dst + at});
      products += tile_bytes;
    });
  }

 private:
  [[nodiscard]] std::int64_t lanes() const { return vector_facts(spec_.isa).lanes; }
  [[nodiscard]] std::int64_t block_floats() const { return packed_.block(0).column_vectors * lanes(); }
  [[nodiscard]] std::int64_t constants_bytes() const { return 2 * plan_.column_vectors * lanes() * bytes_per_float; }

  void check_registers() const {
    const bool depth_exists = plan_.word_depth == 1 || plan_.word_depth == 2 || plan_.word_depth == 4;
    if (plan_.word_depth != 0 && (vector_facts(spec_.isa).vnni || !depth_exists))
      throw Error(ErrorKind::invalid_argument,
                  fmt::format("the plan's 16-bit sums of {} k-steps are not for this ISA", plan_.word_depth),
                  spec_.name());
    const std::int64_t needed = iconv_registers(
        spec_.isa, plan_.rows, std::min<std::int64_t>(plan_.column_vectors, packed_.block(0).column_vectors),
        layout_.windows().windows() == 1, plan_.word_depth != 0);
    if (needed > vector_facts(spec_.isa).registers)
      throw Error(ErrorKind::invalid_argument,
                  fmt::format("the plan's register block of {} x {} needs {} registers", plan_.rows,
                              plan_.column_vectors, needed),
                  spec_.name());
  }

  /// Where a block's weights of a position lie: positions of a block follow each other.
  [[nodiscard]] std::size_t block_bytes(std::int64_t index) const {
    const std::size_t end = index + 1 < packed_.blocks() ? packed_.block(index + 1).offset : packed_.bytes();
    return end - packed_.block(index).offset;
  }

  void pack(const WindowedWeights& weights) {
    const WinogradWeights transformed = transform_weights(spec_, layout_.down(), layout_.across(), weights);
    for (std::int64_t b = 0; b < packed_.blocks(); ++b) {
      const ChannelBlock block = packed_.block(b);
      std::byte* to = weights_.data() + static_cast<std::size_t>(layout_.positions()) * block.offset;
      for (std::int64_t position = 0; position < layout_.positions(); ++position, to += block_bytes(b))
        pack_position(block, transformed.position(position), to);
      std::byte* constants = constants_.data() + b * constants_bytes();
      const auto put = [&](std::span<const float> values) {
        std::memcpy(constants, &values[static_cast<std::size_t>(block.first)],
                    static_cast<std::size_t>(block.channels * bytes_per_float));
        constants += block.column_vectors * lanes() * bytes_per_float;
      };
      if (spec_.epilogue.bias) put(weights.bias);
      if (spec_.epilogue.activation == ActivationKind::prelu) put(weights.slopes);
    }
  }

  void pack_position(const ChannelBlock& block, const WindowedWeights& weights, std::byte* to) {
    if (plan_.word_depth == 0)
      pack_block(position_spec_, block, weights, to);
    else
      pack_block_by_words(position_spec_, block, weights, plan_.word_depth, to, corrections_);
  }

  /// The addresses of the fields of all Winograd tiles. Pixels outside the image, or that no output reads, are zeros.
  void find_pixels(const Tile& tile, const float* image, const float** pixels) const {
    const std::int64_t height = layout_.down().positions(), width = layout_.across().positions();
    const std::int64_t stride = spec_.src_stride(), line_stride = spec_.in_w * stride;
    const auto* const zeros = reinterpret_cast<const float*>(zeros_.data());
    layout_.for_each_tile(tile, [&](const OutputRun& down, const OutputRun& across) {
      const std::int64_t top = down.first - spec_.pad_top, left = across.first - spec_.pad_left;
      const FieldSpan rows = inside_image(top, down.inputs(), down.step, spec_.in_h);
      const FieldSpan columns = inside_image(left, across.inputs(), across.step, spec_.in_w);
      for (std::int64_t i = 0; i < height; ++i) {
        const bool exists = i >= rows.before && i < rows.before + rows.count;
        const std::int64_t begin = exists ? columns.before : width, end = exists ? begin + columns.count : width;
        const std::int64_t line = (top + i * down.step) * line_stride + left * stride;
        for (std::int64_t j = 0; j < begin; ++j) *pixels++ = zeros;
        for (std::int64_t j = begin; j < end; ++j) *pixels++ = image + (line + j * across.step * stride);
        for (std::int64_t j = end; j < width; ++j) *pixels++ = zeros;
      }
    });
  }

  /// Products of all positions, to the workspace.
  void multiply(const Tile& tile, const ChannelBlock& block, std::size_t block_class, const std::byte* scratch,
                std::byte* workspace) const {
    const Kernel& kernel = *multiply_[size_class(tile)][block_class];
    const std::size_t weight_bytes = block_bytes(block_class == 0 ? 0 : packed_.blocks() - 1);
    IconvArgs args{};
    args.field = reinterpret_cast<const std::uint8_t*>(scratch) + block.group * layout_.group_bytes();
    args.scales =
        reinterpret_cast<const float*>(scratch + layout_.scales_offset() + block.group * layout_.scale_group_bytes());
    args.weights = weights_.data() + static_cast<std::size_t>(layout_.positions()) * block.offset;
    args.dst = reinterpret_cast<float*>(workspace);
    args.corrections = corrections_.data();
    for (std::int64_t position = 0; position < layout_.positions(); ++position) {
      kernel(args);
      args.field += layout_.position_bytes();
      args.scales += 1;
      args.weights += weight_bytes;
      args.dst += block.column_vectors * lanes();
    }
  }

  /// Work tiles come in up to four sizes: full, or cut off at the bottom, at the right, or both.
  [[nodiscard]] std::size_t size_class(const Tile& tile) const {
    return (tile.rows == layout_.grid().tile_h ? 0U : 2U) + (tile.columns == layout_.grid().tile_w ? 0U : 1U);
  }

  static std::size_t at(std::int64_t rows, std::int64_t columns) {
    return static_cast<std::size_t>((rows - 1) * most_outputs + columns - 1);
  }
  [[nodiscard]] const std::shared_ptr<const Kernel>& output_kernel_for(const OutputRun& down, const OutputRun& across,
                                                                       std::size_t block_class) const {
    return output_[at(down.count, across.count)][block_class];
  }

  void request_kernels(KernelCache& cache) {
    std::vector<KernelRequest> requests;
    std::vector<std::shared_ptr<const Kernel>*> wanted;
    const auto request = [&](const auto& kernel, auto emit, std::shared_ptr<const Kernel>& where) {
      requests.push_back({kernel.name(), [kernel, emit] { return emit(kernel); }});
      wanted.push_back(&where);
    };
    request(input_kernel(layout_.windows().channels), emit_winograd_input, input_[0]);
    if (layout_.windows().tail_channels != 0)
      request(input_kernel(layout_.windows().tail_channels), emit_winograd_input, input_[1]);
    const auto for_each_block_class = [&](const auto& visit) {
      visit(packed_.block(0), std::size_t{0});
      const ChannelBlock last = packed_.block(packed_.blocks() - 1);
      if (last.channels != packed_.block(0).channels) visit(last, std::size_t{1});
    };
    std::array<bool, 4> seen{};
    const TileGrid& grid = layout_.grid();
    for (const std::int64_t index :
         {std::int64_t{0}, grid.tiles_w - 1, (grid.tiles_h - 1) * grid.tiles_w, grid.tiles() - 1}) {
      const Tile tile = grid.tile(index);
      if (std::exchange(seen[size_class(tile)], true)) continue;
      for_each_block_class([&](const ChannelBlock& block, std::size_t block_class) {
        request(multiply_kernel(tile, block), emit_iconv, multiply_[size_class(tile)][block_class]);
      });
    }
    for (const std::int64_t rows : layout_.cut_down().output_counts())
      for (const std::int64_t columns : layout_.cut_across().output_counts())
        for_each_block_class([&](const ChannelBlock& block, std::size_t block_class) {
          request(output_kernel(rows, columns, block), emit_winograd_output, output_[at(rows, columns)][block_class]);
        });
    kernels_ = cache.get(requests);
    for (std::size_t i = 0; i < wanted.size(); ++i) *wanted[i] = kernels_[i];
  }

  [[nodiscard]] WinogradInputKernel input_kernel(std::int64_t channels) const {
    const std::int64_t prefetch = plan_.winograd_w * spec_.dilation_w * spec_.src_stride() * bytes_per_float;
    return {.isa = spec_.isa,
            .tile_h = plan_.winograd_h,
            .tile_w = plan_.winograd_w,
            .channels = channels,
            .position_bytes = layout_.position_bytes(),
            .tile_bytes = layout_.tile_bytes(),
            .scale_tile_bytes = layout_.scale_tile_bytes(),
            .prefetch_bytes = prefetch <= std::numeric_limits<std::int32_t>::max() ? prefetch : 0};
  }

  /// A 1x1 convolution over the Winograd tiles of a position, whole vectors out.
  [[nodiscard]] IconvKernel multiply_kernel(const Tile& tile, const ChannelBlock& block) const {
    return {.isa = spec_.isa,
            .nonnegative_input = false,
            .epilogue = {},
            .windows = layout_.windows(),
            .kernel_h = 1,
            .kernel_w = 1,
            .dilation_h = 1,
            .dilation_w = 1,
            .stride_h = 1,
            .stride_w = 1,
            .tile_rows = 1,
            .tile_columns = layout_.tiles_of(tile),
            .field_rows = 1,
            .field_columns = layout_.full_tiles(),
            .block_rows = 1,
            .block_columns = plan_.rows,
            .column_vectors = block.column_vectors,
            .channels = block.column_vectors * lanes(),
            .pixel_bytes = layout_.tile_bytes(),
            .slice_bytes = layout_.window_slice_bytes(),
            .scale_per_pixel = true,
            .scale_pixel_bytes = layout_.scale_tile_bytes(),
            .scale_window_bytes = layout_.scale_window_bytes(),
            .word_depth = plan_.word_depth,
            .dst_row_bytes = 0,
            .dst_pixel_bytes = layout_.product_tile_bytes(block.column_vectors * lanes()),
            .ask_for_outputs = layout_.product_bytes(block_floats()) > products_that_stay,
            .weights_ahead = weights_.size() > weights_that_stay
                                 ? static_cast<std::int64_t>(block_bytes(
                                       block.channels == packed_.block(0).channels ? 0 : packed_.blocks() - 1))
                                 : 0};
  }

  [[nodiscard]] WinogradOutputKernel output_kernel(std::int64_t rows, std::int64_t columns,
                                                   const ChannelBlock& block) const {
    const std::int64_t pixel = bytes_per_float * spec_.dst_stride();
    return {.isa = spec_.isa,
            .tile_h = plan_.winograd_h,
            .tile_w = plan_.winograd_w,
            .rows = rows,
            .columns = columns,
            .column_vectors = block.column_vectors,
            .channels = block.channels,
            .epilogue = spec_.epilogue,
            .dst_row_bytes = spec_.dilation_h * spec_.dst_w() * pixel,
            .dst_pixel_bytes = spec_.dilation_w * pixel};
  }

  ConvSpec spec_;
  Plan plan_;
  WinogradLayout layout_;
  ConvSpec position_spec_;
  PackedLayout packed_;
  AlignedBytes weights_, constants_, zeros_;
  std::vector<std::byte> corrections_;  ///< with a word depth
  std::vector<std::shared_ptr<const Kernel>> kernels_;
  std::array<std::shared_ptr<const Kernel>, 2> input_;  ///< of a full window, and of the tail
  std::array<std::array<std::shared_ptr<const Kernel>, 2>, 4> multiply_;
  std::array<std::array<std::shared_ptr<const Kernel>, 2>, most_outputs * most_outputs> output_;  ///< by outputs
};

}  // namespace

std::unique_ptr<Engine> make_winograd_engine(const ConvSpec& spec, const Plan& plan, const WindowedWeights& weights,
                                             KernelCache& cache) {
  check_winograd_plan(spec, plan);
  check_weights(spec, weights);
  return std::make_unique<WinogradEngine>(spec, plan, weights, cache);
}

}  // namespace octavo::jit

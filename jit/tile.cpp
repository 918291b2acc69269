// SPDX-License-Identifier: Apache-2.0
#include "jit/tile.h"

#include <algorithm>

namespace octavo::jit {

TileGrid::TileGrid(const ConvSpec& spec, const Plan& plan)
    : tile_h(std::min(plan.tile_h, spec.out_h)),
      tile_w(std::min(plan.tile_w, spec.out_w)),
      tiles_h((spec.out_h + tile_h - 1) / tile_h),
      tiles_w((spec.out_w + tile_w - 1) / tile_w),
      step_h(spec.kernel_h == 1 ? spec.stride_h : 1),
      step_w(spec.kernel_w == 1 ? spec.stride_w : 1),
      field_stride_h(spec.kernel_h == 1 ? 1 : spec.stride_h),
      field_stride_w(spec.kernel_w == 1 ? 1 : spec.stride_w),
      out_h_(spec.out_h),
      out_w_(spec.out_w),
      stride_h_(spec.stride_h),
      stride_w_(spec.stride_w),
      pad_top_(spec.pad_top),
      pad_left_(spec.pad_left),
      reach_h_((spec.kernel_h - 1) * spec.dilation_h + 1),
      reach_w_((spec.kernel_w - 1) * spec.dilation_w + 1) {
  field_h = (tile_h - 1) * field_stride_h + reach_h_;
  field_w = (tile_w - 1) * field_stride_w + reach_w_;
}

Tile TileGrid::tile(std::int64_t index) const {
  Tile tile;
  tile.row = index / tiles_w * tile_h;
  tile.column = index % tiles_w * tile_w;
  tile.rows = std::min(tile_h, out_h_ - tile.row);
  tile.columns = std::min(tile_w, out_w_ - tile.column);
  tile.field_top = tile.row * stride_h_ - pad_top_;
  tile.field_left = tile.column * stride_w_ - pad_left_;
  tile.field_rows = (tile.rows - 1) * field_stride_h + reach_h_;
  tile.field_columns = (tile.columns - 1) * field_stride_w + reach_w_;
  return tile;
}

FieldSpan inside_image(std::int64_t first, std::int64_t count, std::int64_t step, std::int64_t extent) {
  const std::int64_t before = std::min(count, first >= 0 ? 0 : (-first + step - 1) / step);
  const std::int64_t end = first >= extent ? 0 : std::min(count, (extent - first + step - 1) / step);
  return {before, std::max<std::int64_t>(0, end - before)};
}

}  // namespace octavo::jit

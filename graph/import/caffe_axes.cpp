// SPDX-License-Identifier: Apache-2.0
// Layers that move numbers and compute nothing: Concat, Slice, Flatten, Reshape, Permute, Crop, Tile.
#include "graph/axes.h"
#include "graph/import/caffe_layers.h"

namespace octavo::graph {
namespace {

/// The axis of Concat and Slice has an old, unsigned name (concat_dim, slice_dim) that excludes the new one.
template <class Param>
std::int64_t axis_or_dim(const Param& param, bool has_dim, std::uint32_t dim) {
  if (!has_dim) return param.axis();
  if (param.has_axis()) CaffeLayerContext::malformed("its axis is given twice, in the old way and in the new one");
  return dim;
}

}  // namespace

void convert_concat(CaffeLayerContext& layer) {
  const auto& param = layer.param().concat_param();
  const std::int64_t axis = axis_or_dim(param, param.has_concat_dim(), param.concat_dim());
  layer.add(Concat{.axis = static_cast<std::int64_t>(layer.axis(axis))});
}

void convert_slice(CaffeLayerContext& layer) {
  const auto& param = layer.param().slice_param();
  const std::int64_t axis = axis_or_dim(param, param.has_slice_dim(), param.slice_dim());
  Slice op{.axis = static_cast<std::int64_t>(layer.axis(axis)), .points = {}};
  op.points.assign(param.slice_point().begin(), param.slice_point().end());
  if (!op.points.empty() && static_cast<int>(op.points.size()) + 1 != layer.param().top_size()) {
    CaffeLayerContext::malformed("the number of slice points is not one less than that of the tops");
  }
  layer.add(std::move(op));
}

void convert_flatten(CaffeLayerContext& layer) {
  const auto& param = layer.param().flatten_param();
  layer.add(Flatten{.axis = param.axis(), .end_axis = param.end_axis()});
}

void convert_reshape(CaffeLayerContext& layer) {
  const auto& param = layer.param().reshape_param();
  Reshape op;
  op.dims.assign(param.shape().dim().begin(), param.shape().dim().end());
  op.axis = param.axis();
  op.num_axes = param.num_axes();
  layer.add(std::move(op));
}

void convert_permute(CaffeLayerContext& layer) {
  const auto& order = layer.param().permute_param().order();
  const auto rank = static_cast<std::int64_t>(layer.shape().size());
  layer.add(Permute{.order = complete_order({order.begin(), order.end()}, rank)});
}

void convert_crop(CaffeLayerContext& layer) {
  const auto& param = layer.param().crop_param();
  Crop op;
  op.axis = static_cast<std::int64_t>(layer.axis(param.axis()));
  op.offsets.assign(param.offset().begin(), param.offset().end());
  if (op.offsets.empty()) op.offsets = {0};
  layer.add(std::move(op));
}

void convert_tile(CaffeLayerContext& layer) {
  const auto& param = layer.param().tile_param();
  layer.add(Tile{.axis = static_cast<std::int64_t>(layer.axis(param.axis())), .tiles = param.tiles()});
}

}  // namespace octavo::graph

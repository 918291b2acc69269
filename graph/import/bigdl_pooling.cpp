// SPDX-License-Identifier: Apache-2.0
// Pooling over pictures and over time, and layers that enlarge.
#include <fmt/core.h>

#include "graph/check.h"
#include "graph/import/bigdl_layers.h"

namespace octavo::graph {
namespace {

/// Without `divide` BigDL gives sums: the means times the number of pixels, where that is the same for all windows.
ValueId undivided(BigdlLayer& layer, const Pool& op, ValueId y, const Shape& x) {
  for (std::size_t i = 0; i < 2; ++i) {
    const std::int64_t covered = (layer.shape(y)[2 + i] - 1) * op.stride[i] + op.kernel[i];
    const bool padded = op.pad_begin[i] != 0 || op.pad_end[i] != 0;
    if (covered > x[2 + i] + op.pad_begin[i] + op.pad_end[i] || (padded && !op.include_padding)) {
      BigdlLayer::unsupported("sums over windows that reach over the border");
    }
  }
  return layer.add_affine(y, static_cast<float>(op.kernel[0] * op.kernel[1]), 0.0F);
}

/// Repeats each pixel.
Resize repeats(std::vector<std::int64_t> axes, std::vector<float> scales) {
  Resize op;
  op.kind = ResizeKind::nearest;
  op.coordinates = ResizeCoordinates::asymmetric;
  op.rounding = ResizeRounding::floor;
  op.axes = std::move(axes);
  op.scales = std::move(scales);
  return op;
}

}  // namespace

/// The odd pixel of SAME lies behind; then neither ceil mode nor the padding's numbers count.
void convert_bigdl_pooling(BigdlLayer& layer) {
  const BigdlAttributes& attributes = layer.attributes();
  const bool last = attributes.channels_last();
  const ValueId x = layer.channels_first(layer.x_of_rank(4), last);
  const Shape nchw = layer.shape(x);
  Pool op;
  op.kind = layer.module().type == "SpatialMaxPooling" ? PoolKind::max : PoolKind::average;
  const bool global = attributes.flag("globalPooling", false);
  op.kernel = global ? Pair{nchw[2], nchw[3]} : Pair{attributes.integer("kH"), attributes.integer("kW")};
  op.stride = {attributes.integer("dH", 1), attributes.integer("dW", 1)};
  for (std::size_t i = 0; i < 2; ++i) {
    require(op.kernel[i] > 0 && op.stride[i] > 0, "a kernel of {} and a stride of {}", op.kernel[i], op.stride[i]);
  }
  set_bigdl_padding(layer, nchw, op.kernel, op.stride, op.pad_begin, op.pad_end);
  const bool same = attributes.integer("padH", 0) == -1 && attributes.integer("padW", 0) == -1;
  op.ceil_mode = !same && (attributes.flag("ceil_mode", false) || attributes.flag("ceilMode", false));
  op.include_padding = attributes.flag("countIncludePad", true);
  if (global && op.pad_begin == Pair{0, 0} && op.pad_end == Pair{0, 0}) {
    op = {.kind = op.kind, .global = true};
    op.kernel = {1, 1};
  }
  const bool divides = op.kind == PoolKind::max || attributes.flag("divide", true);
  ValueId y = layer.add_main(op, {x});
  if (!divides) {
    if (op.global) op.kernel = {nchw[2], nchw[3]};
    y = undivided(layer, op, y, nchw);
  }
  layer.result(layer.channels_last(y, last));
}

/// x is [N][time][features].
void convert_bigdl_temporal_max_pooling(BigdlLayer& layer) {
  const Shape x = layer.shape(layer.x_of_rank(3));
  std::int64_t kernel = layer.attributes().integer("kW"), stride = layer.attributes().integer("dW", -1);
  if (kernel == -1) kernel = x[1];
  if (stride == -1) stride = kernel;
  const ValueId turned = layer.add_permute(layer.x(), {0, 2, 1});
  const ValueId image = layer.add_reshape_dims(turned, {0, 0, 1, -1});
  const ValueId y = layer.add_main(Pool{.kernel = {1, kernel}, .stride = {1, stride}}, {image});
  layer.result(layer.add_permute(layer.add_reshape_dims(y, {0, 0, -1}), {0, 2, 1}));
}

void convert_bigdl_up_sampling(BigdlLayer& layer) {
  if (layer.module().type == "UpSampling1D") {
    (void)layer.x_of_rank(3);
    layer.result(layer.add(repeats({1}, {layer.attributes().real("length", 1)}), {layer.x()}));
    return;
  }
  const std::vector<std::int64_t> sizes = layer.attributes().integers("size");
  if (sizes.size() != 2) BigdlLayer::malformed(fmt::format("it enlarges {} dimensions", sizes.size()));
  (void)layer.x_of_rank(4);
  const std::int64_t first = layer.attributes().channels_last() ? 1 : 2;
  layer.result(layer.add(repeats({first, first + 1}, {static_cast<float>(sizes[0]), static_cast<float>(sizes[1])}),
                         {layer.x()}));
}

void convert_bigdl_resize_bilinear(BigdlLayer& layer) {
  const BigdlAttributes& attributes = layer.attributes();
  (void)layer.x_of_rank(4);
  const std::int64_t first = attributes.channels_last("dataFormat") ? 1 : 2;
  Resize op;
  op.kind = ResizeKind::linear;
  op.coordinates =
      attributes.flag("alignCorners", false) ? ResizeCoordinates::align_corners : ResizeCoordinates::asymmetric;
  op.axes = {first, first + 1};
  op.sizes = {attributes.integer("outputHeight"), attributes.integer("outputWidth")};
  layer.result(layer.add(std::move(op), {layer.x()}));
}

}  // namespace octavo::graph

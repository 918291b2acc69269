// SPDX-License-Identifier: Apache-2.0
// Pooling of every kind, and upsampling.
#include <fmt/core.h>

#include <algorithm>

#include "graph/check.h"
#include "graph/import/torch_layers.h"
#include "graph/import/torch_limits.h"

namespace octavo::graph {
namespace {

Pool torch_pool(const TorchModule& module, PoolKind kind) {
  Pool op;
  op.kind = kind;
  op.kernel = module.pair("k");
  op.stride = module.pair("d", 1);
  op.pad_begin = op.pad_end = module.pair("pad", 0);
  op.ceil_mode = module.flag("ceil_mode", false);
  for (std::size_t side = 0; side < 2; ++side) {
    require(op.kernel[side] > 0 && op.stride[side] > 0 && op.pad_begin[side] >= 0,
            "a kernel of {} with a stride of {} and a padding of {}", op.kernel[side], op.stride[side],
            op.pad_begin[side]);
  }
  return op;
}

struct PooledSpan {
  std::int64_t begin, size;
};

/// The parts of an axis that an adaptive pool makes into one pixel each.
std::vector<PooledSpan> adaptive_spans(std::int64_t in, std::int64_t out) {
  require(out > 0 && out <= static_cast<std::int64_t>(kMaxTorchNodes), "an output of {} pixels", out);
  std::vector<PooledSpan> spans;
  for (std::int64_t i = 0; i < out; ++i) {
    const std::int64_t begin = i * in / out, end = ((i + 1) * in + out - 1) / out;
    spans.push_back({begin, end - begin});
  }
  return spans;
}

bool evenly_spaced(const std::vector<PooledSpan>& spans) {
  for (std::size_t i = 1; i < spans.size(); ++i) {
    if (spans[i].size != spans[0].size || spans[i].begin != static_cast<std::int64_t>(i) * spans[1].begin) return false;
  }
  return true;
}

/// One axis after the other: a maximum of maxima, a mean of means over rectangles.
ValueId adaptive_along(TorchLayer& layer, ValueId x, PoolKind kind, std::size_t side, std::int64_t out) {
  const auto axis = static_cast<std::int64_t>(2 + side);
  const std::vector<PooledSpan> spans = adaptive_spans(layer.shape(x)[2 + side], out);
  Pool op;
  op.kind = kind;
  if (evenly_spaced(spans)) {
    op.kernel[side] = spans[0].size;
    op.stride[side] = spans.size() > 1 ? spans[1].begin : 1;
    return layer.add(op, {x});
  }
  std::vector<ValueId> parts;
  for (const PooledSpan& span : spans) {
    op.kernel[side] = span.size;
    parts.push_back(layer.add(op, {layer.add_narrow(x, axis, span.begin, span.size)}));
  }
  return layer.add_concat(parts, axis);
}

}  // namespace

TorchActivity convert_torch_pooling(TorchLayer& layer) {
  const TorchModule& module = layer.module();
  const bool maximum = module.type() == "SpatialMaxPooling";
  Pool op = torch_pool(module, maximum ? PoolKind::max : PoolKind::average);
  float factor = 1.0F;
  if (!maximum && module.package() == "cudnn") {
    op.include_padding = module.text("mode", "").find("EXCLUDE") == std::string_view::npos;
  } else if (!maximum) {
    op.include_padding = module.flag("count_include_pad", true);
    // Files from before there was the field hold sums, not means.
    if (!module.flag("divide", false)) factor = static_cast<float>(op.kernel[0] * op.kernel[1]);
  }
  return layer.with_batch(layer.tensor(), 4, [&](ValueId x) {
    const ValueId y = layer.add(op, {x});
    return factor == 1.0F ? y : layer.add_affine(y, factor, 0.0F);
  });
}

TorchActivity convert_torch_adaptive_pooling(TorchLayer& layer) {
  const TorchModule& module = layer.module();
  const PoolKind kind = module.type() == "SpatialAdaptiveMaxPooling" ? PoolKind::max : PoolKind::average;
  return layer.with_batch(layer.tensor(), 4, [&](ValueId x) {
    const Shape shape = layer.shape(x);
    const Pair out{module.integer("H", shape[2]), module.integer("W", shape[3])};
    if (out == Pair{1, 1}) return layer.add(Pool{.kind = kind, .global = true}, {x});
    return adaptive_along(layer, adaptive_along(layer, x, kind, 0, out[0]), kind, 1, out[1]);
  });
}

/// The sum over a window, times a factor and plus an offset for each channel.
TorchActivity convert_torch_subsampling(TorchLayer& layer) {
  const Pool op = torch_pool(layer.module(), PoolKind::average);
  const std::int64_t channels = layer.module().integer("nInputPlane");
  require(channels > 0, "{} channels", channels);
  const BlobPtr weights = layer.blob("weight", {channels}), bias = layer.blob("bias", {channels});
  layer.budget().take(channels);
  std::vector<float> factors(weights->f32.values.begin(), weights->f32.values.end());
  for (float& factor : factors) factor *= static_cast<float>(op.kernel[0] * op.kernel[1]);
  const BlobPtr factor = make_blob({channels}, std::move(factors));
  return layer.with_batch(layer.tensor(), 4, [&](ValueId x) {
    const ValueId scaled = layer.add(Scale{.axis = 1, .factor = factor}, {layer.add(op, {x})});
    return layer.add(Scale{.axis = 1, .offset = bias}, {scaled});
  });
}

TorchActivity convert_torch_upsampling(TorchLayer& layer) {
  const TorchModule& module = layer.module();
  const bool linear = module.type() == "SpatialUpSamplingBilinear" || module.text("mode", "nearest") == "linear";
  Resize op;
  op.axes = {2, 3};
  op.kind = linear ? ResizeKind::linear : ResizeKind::nearest;
  op.coordinates = linear ? ResizeCoordinates::align_corners : ResizeCoordinates::asymmetric;
  op.rounding = linear ? ResizeRounding::prefer_floor : ResizeRounding::floor;
  if (module.has("scale_factor")) {
    const auto scale = static_cast<float>(module.integer("scale_factor"));
    require(scale >= 1.0F, "a scale factor of {}", scale);
    op.scales = {scale, scale};
  } else {
    op.sizes = {module.integer("oheight"), module.integer("owidth")};
  }
  return layer.with_batch(layer.tensor(), 4, [&](ValueId x) { return layer.add(op, {x}); });
}

}  // namespace octavo::graph

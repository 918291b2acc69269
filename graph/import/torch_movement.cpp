// SPDX-License-Identifier: Apache-2.0
// Modules that cut, repeat, pad or reduce dimensions.
#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "graph/check.h"
#include "graph/import/torch_layers.h"

namespace octavo::graph {

TorchActivity convert_torch_narrow(TorchLayer& layer) {
  const TorchModule& module = layer.module();
  const ValueId x = layer.tensor();
  const std::int64_t axis = layer.axis(module.integer("dimension"), x);
  const std::int64_t size = layer.shape(x)[static_cast<std::size_t>(axis)];
  std::int64_t index = module.integer("index"), length = module.integer("length", 1);
  if (length < 0) length += size - index + 2;
  if (index < 0) {
    index = 1;
    length = size - length;
  }
  return layer.add_narrow(x, axis, index - 1, length);
}

TorchActivity convert_torch_select(TorchLayer& layer) {
  const ValueId x = layer.tensor();
  const std::int64_t axis = layer.axis(layer.module().integer("dimension"), x);
  const std::int64_t index = layer.module().integer("index");
  const std::int64_t size = layer.shape(x)[static_cast<std::size_t>(axis)];
  return layer.add_select(x, axis, index < 0 ? size + index : index - 1);
}

/// A new dimension along which all is the same.
TorchActivity convert_torch_replicate(TorchLayer& layer) {
  const TorchModule& module = layer.module();
  const ValueId x = layer.tensor();
  const std::int64_t times = module.integer("nfeatures");
  const auto dims = module.optional_integer("ndim");
  const std::int64_t at = module.integer("dim", 1) - 1 + (dims && layer.rank(x) > *dims ? 1 : 0);
  require(times > 0 && at >= 0 && at <= layer.rank(x), "{} times along dimension {}", times, at + 1);
  Shape shape = layer.shape(x);
  shape.insert(shape.begin() + at, 1);
  const ValueId longer = layer.add_reshape(x, shape);
  return times == 1 ? longer : layer.add(Tile{.axis = at, .tiles = times}, {longer});
}

TorchActivity convert_torch_padding(TorchLayer& layer) {
  const TorchModule& module = layer.module();
  const ValueId x = layer.tensor();
  const std::int64_t rank = layer.rank(x), pad = module.integer("pad");
  const auto dims = module.optional_integer("nInputDim");
  const std::int64_t axis = module.integer("dim") - 1 + (dims && rank != *dims ? 1 : 0);
  require(axis >= 0 && axis < rank, "dimension {}", axis + 1);
  const std::int64_t size = layer.shape(x)[static_cast<std::size_t>(axis)];
  const std::int64_t index = module.integer("index", 1);
  const std::int64_t before = pad > 0 ? size - index + 2 : index;  // where it starts, from 1
  if (before != 1 && before != size + 1) TorchLayer::unsupported("padding between the numbers of a dimension");
  Pad op;
  op.value = static_cast<float>(module.number("value", 0));
  op.begins.assign(static_cast<std::size_t>(rank), 0);
  op.ends = op.begins;
  (before == 1 ? op.begins : op.ends)[static_cast<std::size_t>(axis)] = std::abs(pad);
  return layer.add(std::move(op), {x});
}

/// Zeros, copies of the edge, or mirrored pixels; negative ones cut off.
TorchActivity convert_torch_spatial_padding(TorchLayer& layer) {
  const TorchModule& module = layer.module();
  static const std::map<std::string_view, PadKind> kinds{{"SpatialZeroPadding", PadKind::constant},
                                                         {"SpatialReplicationPadding", PadKind::edge},
                                                         {"SpatialReflectionPadding", PadKind::reflect}};
  Pad op;
  op.kind = kinds.at(module.type());
  op.begins = {0, 0, module.integer("pad_t"), module.integer("pad_l")};
  op.ends = {0, 0, module.integer("pad_b"), module.integer("pad_r")};
  return layer.with_batch(layer.tensor(), 4, [&](ValueId x) { return layer.add(op, {x}); });
}

/// Pixels cut off all four sides.
TorchActivity convert_torch_shave(TorchLayer& layer) {
  const std::int64_t size = layer.module().integer("size");
  require(size >= 0, "{} pixels", size);
  return layer.with_batch(layer.tensor(), 4, [&](ValueId x) {
    for (const std::int64_t axis : {2, 3}) {
      x = layer.add_narrow(x, axis, size, layer.shape(x)[static_cast<std::size_t>(axis)] - 2 * size);
    }
    return x;
  });
}

/// Mean, Sum, Max and Min over one dimension, which goes unless Sum's `squeeze` says otherwise.
TorchActivity convert_torch_reduction(TorchLayer& layer) {
  const TorchModule& module = layer.module();
  const std::string_view type = module.type();
  const ValueId x = layer.tensor();
  const std::int64_t axis = layer.axis(module.integer("dimension", 1), x, module.optional_integer("nInputDims"));
  ReductionKind kind = ReductionKind::sum;
  if (type == "Max") kind = ReductionKind::max;
  if (type == "Min") kind = ReductionKind::min;
  if (type == "Mean" || (type == "Sum" && module.flag("sizeAverage", false))) kind = ReductionKind::mean;
  if (module.flag("squeeze", true)) return layer.add_squeezed_reduction(kind, x, axis);
  return layer.add_reduction(kind, x, axis);
}

}  // namespace octavo::graph

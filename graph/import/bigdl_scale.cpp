// SPDX-License-Identifier: Apache-2.0
// Learned factors and offsets: CMul, CAdd, Mul, Add, Scale.
#include <fmt/core.h>

#include <algorithm>

#include "graph/check.h"
#include "graph/import/bigdl_layers.h"

namespace octavo::graph {
namespace {

/// The numbers' shape with as many dimensions as x: one that has none for the batch gets a 1 in front.
Shape aligned_shape(Shape shape, std::int64_t rank, const Shape& x) {
  while (static_cast<std::int64_t>(shape.size()) < rank) shape.insert(shape.begin(), 1);
  if (static_cast<std::int64_t>(shape.size()) > rank) {
    if (element_count(shape) == element_count(x)) return x;
    BigdlLayer::malformed(fmt::format("numbers {} for {}", to_text(shape), to_text(x)));
  }
  return shape;
}

/// x * numbers, or x + numbers, repeated along the dimensions where they have 1: a Scale where the others follow each
/// other, else arithmetic.
ValueId scaled_by(BigdlLayer& layer, ValueId x, BlobPtr numbers, bool offset) {
  const Shape& of = layer.shape(x);
  const Shape shape = aligned_shape(numbers->shape, layer.rank(), of);
  std::size_t first = 0, last = shape.size();
  while (first < last && shape[first] == 1) ++first;
  while (last > first && shape[last - 1] == 1) --last;
  const bool inside =
      std::equal(shape.begin() + static_cast<std::ptrdiff_t>(first), shape.begin() + static_cast<std::ptrdiff_t>(last),
                 of.begin() + static_cast<std::ptrdiff_t>(first));
  if (inside && first > 0 && first < last) {
    Scale op;
    op.axis = static_cast<std::int64_t>(first);
    const Shape part(shape.begin() + static_cast<std::ptrdiff_t>(first),
                     shape.begin() + static_cast<std::ptrdiff_t>(last));
    (offset ? op.offset : op.factor) = BigdlLayer::reshaped(numbers, part);
    return layer.add(std::move(op), {x});
  }
  if (first == last) {
    const float number = numbers->f32.values[0];
    return offset ? layer.add_affine(x, 1.0F, number) : layer.add_affine(x, number, 0.0F);
  }
  const ValueId constant = layer.add_constant(BigdlLayer::reshaped(numbers, shape));
  return layer.add(Binary{.kind = offset ? BinaryKind::add : BinaryKind::multiply}, {x, constant});
}

BlobPtr numbers_of(const BigdlModule& module, BigdlTensors& tensors, std::size_t early) {
  if (module.has_parameters && !module.parameters.empty()) return tensors.blob(module.parameters[0]);
  const auto& field = early == 0 ? module.weight : module.bias;
  if (!field) BigdlLayer::malformed("its numbers are not in the file");
  return tensors.blob(*field);
}

/// The part of a Scale: a module of its own, whose attribute `size` is its numbers' shape.
BlobPtr part_numbers(const BigdlLayer& layer, std::string_view name, std::size_t which) {
  const Shape size = layer.attributes().integers("size");
  if (layer.has_parameter(0) && layer.has_parameter(1)) return layer.parameter(which, size);
  const auto part = layer.attributes().module(name);
  if (!part) BigdlLayer::malformed(fmt::format("its '{}' is not in the file", name));
  return BigdlLayer::reshaped(numbers_of(*part, layer.tensors(), which), size);
}

/// One factor and one offset for each channel fold into the layer before as one.
bool joins_as_scale(const BigdlLayer& layer, const BlobPtr& factor) {
  const Shape shape = aligned_shape(factor->shape, layer.rank(), layer.shape());
  return shape.size() > 1 && shape[1] == layer.shape()[1] && element_count(shape) == shape[1];
}

}  // namespace

void convert_bigdl_scale(BigdlLayer& layer) {
  const std::string& type = layer.module().type;
  const ValueId x = layer.x();
  if (type == "Scale") {
    const BlobPtr factor = part_numbers(layer, "cmul", 0), offset = part_numbers(layer, "cadd", 1);
    if (joins_as_scale(layer, factor)) {
      const Shape channels{layer.shape()[1]};
      layer.result(layer.add_main(
          Scale{.factor = BigdlLayer::reshaped(factor, channels), .offset = BigdlLayer::reshaped(offset, channels)},
          {x}));
      return;
    }
    layer.result(scaled_by(layer, scaled_by(layer, x, factor, false), offset, true));
    return;
  }
  const bool offset = type == "CAdd" || type == "Add";
  BlobPtr numbers = numbers_of(layer.module(), layer.tensors(), offset ? 1 : 0);
  if (type == "CMul" || type == "CAdd") numbers = BigdlLayer::reshaped(numbers, layer.attributes().integers("size"));
  layer.result(scaled_by(layer, x, std::move(numbers), offset));
}

}  // namespace octavo::graph

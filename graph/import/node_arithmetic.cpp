// SPDX-License-Identifier: Apache-2.0
// Arithmetic of two values that are broadcast to each other: see graph/import/node_layers.h.
#include <algorithm>
#include <optional>
#include <utility>

#include "graph/check.h"
#include "graph/import/fold.h"
#include "graph/import/node_layers.h"

namespace octavo::graph {
namespace {

/// Constants that follow some neighbouring dimensions of x: those dimensions' shape (empty: one number for all) and
/// where they begin. Nothing when the constants repeat otherwise, or make x larger.
struct Part {
  Shape shape;
  std::int64_t axis = 0;
};

std::optional<Part> part_of(const Shape& constant, const Shape& x) {
  if (element_count(constant) == 1) return constant.size() <= x.size() ? std::optional<Part>(Part{}) : std::nullopt;
  if (constant.size() > x.size()) return std::nullopt;
  const std::size_t shift = x.size() - constant.size();
  std::size_t begin = 0, end = constant.size();
  while (constant[begin] == 1) ++begin;
  while (constant[end - 1] == 1) --end;
  for (std::size_t d = begin; d < end; ++d) {
    if (constant[d] != x[shift + d]) return std::nullopt;
  }
  Part part{
      {constant.begin() + static_cast<std::ptrdiff_t>(begin), constant.begin() + static_cast<std::ptrdiff_t>(end)},
      static_cast<std::int64_t>(shift + begin)};
  // Features at the end are counted from there, as Linear has them; channels are on axis 1.
  if (end == constant.size() && !(part.axis == 1 && part.shape.size() == 1 && x.size() == 4)) {
    part.axis = -static_cast<std::int64_t>(part.shape.size());
  }
  return part;
}

BlobPtr mapped(const ConstantTensor& constant, const Shape& shape, float (*function)(float)) {
  Blob blob;
  blob.shape = shape;
  blob.f32 = to_floats(constant);
  if (function != nullptr) {
    std::vector<float> values(blob.f32.values.begin(), blob.f32.values.end());
    std::transform(values.begin(), values.end(), values.begin(), function);
    blob.f32 = std::move(values);
  }
  return std::make_shared<const Blob>(std::move(blob));
}

float negative(float value) { return -value; }
float inverse(float value) { return 1.0F / value; }

/// By a constant: Scale, or a power. `first`: the constant is the first operand.
std::optional<ImportedValue> by_constant(NodeBuilder& node, BinaryKind kind, const ImportedValue& x,
                                         const ConstantTensor& constant, bool first) {
  const std::optional<Part> part = part_of(constant.shape, x.shape);
  if (!part || x.shape.empty()) return std::nullopt;
  const auto scaled = [&](BlobPtr factor, BlobPtr offset) {
    Scale op;
    op.axis = part->shape.empty() ? 1 : part->axis;
    op.factor = std::move(factor);
    op.offset = std::move(offset);
    if (x.shape.size() == 1 && part->shape.empty()) op.axis = 0;
    return node.add(std::move(op), {x});
  };
  const bool single = part->shape.empty();
  const auto number = [&] { return static_cast<float>(constant.real(0)); };
  switch (kind) {
    case BinaryKind::add:
      return scaled(nullptr, mapped(constant, part->shape, nullptr));
    case BinaryKind::subtract:
      if (!first) return scaled(nullptr, mapped(constant, part->shape, negative));
      if (single) return node.add_affine(x, -1.0F, number());
      return std::nullopt;
    case BinaryKind::multiply:
      return scaled(mapped(constant, part->shape, nullptr), nullptr);
    case BinaryKind::divide:
      // Multiplying by the inverse rounds twice: not for whole numbers.
      if (!first && is_floating(x.type)) {
        return scaled(mapped(constant, part->shape, inverse), nullptr);
      }
      return std::nullopt;
    case BinaryKind::power:
      if (!first && single) return node.add_unary(UnaryKind::power, x, 0.0F, 1.0F, number());
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

}  // namespace

std::optional<EltwiseKind> eltwise_kind(BinaryKind kind) {
  if (kind == BinaryKind::add) return EltwiseKind::sum;
  if (kind == BinaryKind::multiply) return EltwiseKind::product;
  if (kind == BinaryKind::maximum) return EltwiseKind::max;
  return std::nullopt;
}

ImportedValue add_arithmetic(NodeBuilder& node, BinaryKind kind, const ImportedValue& a, const ImportedValue& b) {
  std::optional<ImportedValue> y;
  if (b.is_constant() && !a.is_constant()) y = by_constant(node, kind, a, *b.constant, false);
  if (a.is_constant() && !b.is_constant()) y = by_constant(node, kind, b, *a.constant, true);
  const std::optional<EltwiseKind> eltwise = eltwise_kind(kind);
  const bool values = !a.is_constant() && !b.is_constant();
  if (!y && eltwise && values && a.shape == b.shape && a.id != b.id) {
    y = node.add(Eltwise{.kind = *eltwise, .coefficients = {}, .activation = {}}, {a, b});
    y->shape = a.shape;
  }
  if (!y) y = node.add_binary(kind, a, b);
  y->type = gives_truth(kind) ? ElementType::boolean : a.is_constant() ? b.type : a.type;
  return *y;
}

}  // namespace octavo::graph

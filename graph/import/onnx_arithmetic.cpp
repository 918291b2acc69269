// SPDX-License-Identifier: Apache-2.0
// Arithmetic of two or more values that are broadcast to each other.
#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "graph/axes.h"
#include "graph/check.h"
#include "graph/import/onnx_operators.h"

namespace octavo::graph {
namespace {

const std::map<std::string_view, BinaryKind>& kinds() {
  static const std::map<std::string_view, BinaryKind> table{
      {"Add", BinaryKind::add},         {"And", BinaryKind::logical_and},
      {"Div", BinaryKind::divide},      {"Equal", BinaryKind::equal},
      {"Greater", BinaryKind::greater}, {"GreaterOrEqual", BinaryKind::greater_or_equal},
      {"Less", BinaryKind::less},       {"LessOrEqual", BinaryKind::less_or_equal},
      {"Max", BinaryKind::maximum},     {"Mean", BinaryKind::add},
      {"Min", BinaryKind::minimum},     {"Mod", BinaryKind::modulo},
      {"Mul", BinaryKind::multiply},    {"Or", BinaryKind::logical_or},
      {"Pow", BinaryKind::power},       {"Sub", BinaryKind::subtract},
      {"Sum", BinaryKind::add},         {"Xor", BinaryKind::logical_xor},
  };
  return table;
}

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

BlobPtr mapped(const OnnxTensor& constant, const Shape& shape, float (*function)(float)) {
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
std::optional<OnnxValue> by_constant(OnnxNode& node, BinaryKind kind, const OnnxValue& x, const OnnxTensor& constant,
                                     bool first) {
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

std::optional<EltwiseKind> eltwise_kind(BinaryKind kind) {
  if (kind == BinaryKind::add) return EltwiseKind::sum;
  if (kind == BinaryKind::multiply) return EltwiseKind::product;
  if (kind == BinaryKind::maximum) return EltwiseKind::max;
  return std::nullopt;
}

/// Values of one shape, none of them constant.
bool all_alike(const OnnxNode& node) {
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    if (node.input(i).is_constant() || node.shape(i) != node.shape(0)) return false;
  }
  return true;
}

bool gives_truth(BinaryKind kind) { return kind >= BinaryKind::equal; }

}  // namespace

OnnxValue onnx_binary(OnnxNode& node, BinaryKind kind, const OnnxValue& a, const OnnxValue& b) {
  std::optional<OnnxValue> y;
  if (b.is_constant() && !a.is_constant()) y = by_constant(node, kind, a, *b.constant, false);
  if (a.is_constant() && !b.is_constant()) y = by_constant(node, kind, b, *a.constant, true);
  const std::optional<EltwiseKind> eltwise = eltwise_kind(kind);
  const bool values = !a.is_constant() && !b.is_constant();
  if (!y && eltwise && values && a.shape == b.shape && a.id != b.id) {
    y = node.add(Eltwise{.kind = *eltwise, .coefficients = {}, .activation = {}}, {a, b});
    y->shape = a.shape;
  }
  if (!y) y = node.add_binary(kind, a, b);
  y->type = gives_truth(kind) ? OnnxType::boolean : a.is_constant() ? b.type : a.type;
  return *y;
}

namespace {

/// One operand after the other.
OnnxValue accumulated(OnnxNode& node, BinaryKind kind) {
  OnnxValue y = node.input(0);
  for (std::size_t i = 1; i < node.input_count(); ++i) y = onnx_binary(node, kind, y, node.input(i));
  return y;
}

}  // namespace

void convert_onnx_binary(OnnxNode& node) {
  BinaryKind kind = kinds().at(node.type());
  if (node.type() == "Mod" && node.attributes().flag("fmod", false)) kind = BinaryKind::remainder;
  OnnxValue y = onnx_binary(node, kind, node.input(0), node.input(1));
  if (kind == BinaryKind::divide && !is_floating(y.type)) {  // whole numbers are divided without a rest
    const OnnxType type = y.type;
    y = node.add_unary(UnaryKind::truncate, y);
    y.type = type;
  }
  if (kind == BinaryKind::power && !is_floating(node.input(0).type)) {
    const OnnxType type = node.input(0).type;
    y = node.add_unary(UnaryKind::truncate, y);
    y.type = type;
  }
  node.result(std::move(y));
}

void convert_onnx_variadic(OnnxNode& node) {
  const BinaryKind kind = kinds().at(node.type());
  OnnxValue y = node.input(0);
  if (node.input_count() > 2 && all_alike(node) && eltwise_kind(kind)) {
    std::vector<OnnxValue> inputs;
    for (std::size_t i = 0; i < node.input_count(); ++i) inputs.push_back(node.input(i));
    y = node.add(Eltwise{.kind = *eltwise_kind(kind), .coefficients = {}, .activation = {}}, inputs);
    y.shape = node.shape();
  } else {
    y = accumulated(node, kind);
  }
  if (node.type() == "Mean" && node.input_count() > 1) {
    y = node.add_affine(y, 1.0F / static_cast<float>(node.input_count()), 0.0F);
  }
  node.result(std::move(y));
}

void convert_onnx_where(OnnxNode& node) {
  const OnnxValue &condition = node.input(0), &a = node.input(1), &b = node.input(2);
  OnnxValue y = node.add(Select{}, {condition, a, b});
  y.type = a.type;
  if (condition.shape.empty() && a.shape.empty() && b.shape.empty()) y.shape.clear();
  node.result(std::move(y));
}

}  // namespace octavo::graph

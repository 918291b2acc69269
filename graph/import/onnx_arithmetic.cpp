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

/// Values of one shape, none of them constant.
bool all_alike(const OnnxNode& node) {
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    if (node.input(i).is_constant() || node.shape(i) != node.shape(0)) return false;
  }
  return true;
}

/// One operand after the other.
ImportedValue accumulated(OnnxNode& node, BinaryKind kind) {
  ImportedValue y = node.input(0);
  for (std::size_t i = 1; i < node.input_count(); ++i) y = add_arithmetic(node, kind, y, node.input(i));
  return y;
}

}  // namespace

std::optional<BinaryKind> onnx_binary_kind(const OnnxNode& node) {
  const auto found = kinds().find(node.type());
  if (found == kinds().end()) return std::nullopt;
  if (node.type() == "Mod" && node.attributes().flag("fmod", false)) return BinaryKind::remainder;
  return found->second;
}

void convert_onnx_binary(OnnxNode& node) {
  const BinaryKind kind = onnx_binary_kind(node).value();
  ImportedValue y = add_arithmetic(node, kind, node.input(0), node.input(1));
  if (kind == BinaryKind::divide && !is_floating(y.type)) {  // whole numbers are divided without a rest
    const ElementType type = y.type;
    y = node.add_unary(UnaryKind::truncate, y);
    y.type = type;
  }
  if (kind == BinaryKind::power && !is_floating(node.input(0).type)) {
    const ElementType type = node.input(0).type;
    y = node.add_unary(UnaryKind::truncate, y);
    y.type = type;
  }
  node.result(std::move(y));
}

void convert_onnx_variadic(OnnxNode& node) {
  const BinaryKind kind = onnx_binary_kind(node).value();
  ImportedValue y = node.input(0);
  if (node.input_count() > 2 && all_alike(node) && eltwise_kind(kind)) {
    std::vector<ImportedValue> inputs;
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
  const ImportedValue &condition = node.input(0), &a = node.input(1), &b = node.input(2);
  ImportedValue y = node.add(Select{}, {condition, a, b});
  y.type = a.type;
  if (condition.shape.empty() && a.shape.empty() && b.shape.empty()) y.shape.clear();
  node.result(std::move(y));
}

/// a * sigmoid(alpha * a) * b
void convert_onnx_swiglu(OnnxNode& node) {
  const ImportedValue gate = node.add_unary(UnaryKind::swish, node.input(0), node.attributes().number("alpha", 1.0F));
  node.result(add_arithmetic(node, BinaryKind::multiply, gate, node.input(1)));
}

}  // namespace octavo::graph

// SPDX-License-Identifier: Apache-2.0
// Between which numbers those lie that a run computes from sizes: see graph/import/onnx_open.h.
#include <algorithm>
#include <optional>
#include <string_view>

#include "graph/import/onnx_fold.h"
#include "graph/import/onnx_open.h"
#include "graph/import/onnx_operators.h"

namespace octavo::graph {
namespace {

bool is_bounded(const OnnxNode& node, std::size_t i) { return node.has_input(i) && node.input(i).bounds != nullptr; }

/// Whether a node's numbers grow, or fall, with those that have bounds: then its bounds follow from theirs.
bool keeps_bounds(const OnnxNode& node) {
  static constexpr std::string_view kOfFirst[] = {"Cast",      "Ceil",    "Expand",    "Floor",     "Gather",
                                                  "Identity",  "Neg",     "ReduceMax", "ReduceMin", "ReduceProd",
                                                  "ReduceSum", "Reshape", "Slice",     "Squeeze",   "Unsqueeze"};
  static constexpr std::string_view kOfOne[] = {"Div", "Mul", "Sub"};
  static constexpr std::string_view kOfAll[] = {"Add", "Concat", "Max", "Min"};
  const auto is_among = [&](const auto& types) {
    return std::find(std::begin(types), std::end(types), node.type()) != std::end(types);
  };
  std::size_t bounded = 0;
  for (std::size_t i = 0; i < node.input_count(); ++i) bounded += is_bounded(node, i) ? 1 : 0;
  return is_among(kOfAll) || (bounded == 1 && (is_among(kOfOne) || (is_among(kOfFirst) && is_bounded(node, 0))));
}

/// The bounds of an input, those of a constant being itself; nulls when it has none.
NumberBounds bounds_of(const OnnxNode& node, std::size_t i) {
  const ImportedValue& x = node.input(i);
  return x.bounds ? *x.bounds : NumberBounds{x.constant, x.constant};
}

/// Of a comparison: false where it cannot hold, true where it always does.
std::optional<NumberBounds> bounds_of_comparison(const OnnxNode& node) {
  const NumberBounds a = bounds_of(node, 0), b = bounds_of(node, 1);
  const std::optional<BinaryKind> kind = onnx_binary_kind(node);
  if (!a.low || !b.low || !kind) return std::nullopt;
  const auto both = [&](BinaryKind what, const ConstantPtr& x, const ConstantPtr& y) {
    return combined(what, *x, *y, node.budget());
  };
  switch (*kind) {
    case BinaryKind::equal:
      return NumberBounds{
          both(BinaryKind::logical_and, both(BinaryKind::equal, a.low, b.high), both(BinaryKind::equal, a.high, b.low)),
          both(BinaryKind::logical_and, both(BinaryKind::less_or_equal, a.low, b.high),
               both(BinaryKind::less_or_equal, b.low, a.high))};
    case BinaryKind::less:
    case BinaryKind::less_or_equal:
      return NumberBounds{both(*kind, a.high, b.low), both(*kind, a.low, b.high)};
    case BinaryKind::greater:
    case BinaryKind::greater_or_equal:
      return NumberBounds{both(*kind, a.low, b.high), both(*kind, a.high, b.low)};
    default:
      return std::nullopt;
  }
}

std::optional<NumberBounds> bounds_of_where(const OnnxNode& node) {
  const NumberBounds condition = bounds_of(node, 0), a = bounds_of(node, 1), b = bounds_of(node, 2);
  if (!condition.low || !a.low || !b.low) return std::nullopt;
  const auto chosen = [&](BinaryKind either, const ConstantPtr& x, const ConstantPtr& y) {
    const ConstantPtr unknown = combined(either, *x, *y, node.budget());
    const ConstantPtr not_never = selected(*condition.low, *x, *unknown, node.budget());
    return selected(*condition.high, *not_never, *y, node.budget());
  };
  return NumberBounds{chosen(BinaryKind::minimum, a.low, b.low), chosen(BinaryKind::maximum, a.high, b.high)};
}

}  // namespace

std::optional<NumberBounds> onnx_resulting_bounds(const OnnxNode& node) {
  if (node.type() == "Where") return bounds_of_where(node);
  if (!keeps_bounds(node)) return node.input_count() == 2 ? bounds_of_comparison(node) : std::nullopt;
  OnnxNode at_low = node, at_high = node;
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    if (!is_bounded(node, i)) continue;
    at_low.set_input(i, OnnxNode::constant_value(node.input(i).bounds->low));
    at_high.set_input(i, OnnxNode::constant_value(node.input(i).bounds->high));
  }
  const auto low = fold_onnx(at_low, node.budget()), high = fold_onnx(at_high, node.budget());
  if (!low || !high || low->at(0)->shape != high->at(0)->shape) return std::nullopt;
  return NumberBounds{combined(BinaryKind::minimum, *low->at(0), *high->at(0), node.budget()),
                      combined(BinaryKind::maximum, *low->at(0), *high->at(0), node.budget())};
}

}  // namespace octavo::graph

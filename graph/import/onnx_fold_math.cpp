// SPDX-License-Identifier: Apache-2.0
// Folding of arithmetic, element by element. Integers are computed as integers, everything else in double.
#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>

#include "graph/axes.h"
#include "graph/check.h"
#include "graph/import/onnx_fold.h"

namespace octavo::graph {
namespace {

using UnaryFunction = double (*)(double);
using BinaryFunction = double (*)(double, double);
using IntegerBinary = std::int64_t (*)(std::int64_t, std::int64_t);

const std::map<std::string_view, UnaryFunction>& unary_functions() {
  static const std::map<std::string_view, UnaryFunction> table{
      {"Abs", [](double x) { return std::fabs(x); }},
      {"Ceil", [](double x) { return std::ceil(x); }},
      {"Cos", [](double x) { return std::cos(x); }},
      {"Erf", [](double x) { return std::erf(x); }},
      {"Exp", [](double x) { return std::exp(x); }},
      {"Floor", [](double x) { return std::floor(x); }},
      {"Log", [](double x) { return std::log(x); }},
      {"Neg", [](double x) { return -x; }},
      {"Not", [](double x) { return x == 0 ? 1.0 : 0.0; }},
      {"Reciprocal", [](double x) { return 1 / x; }},
      {"Relu", [](double x) { return x < 0 ? 0.0 : x; }},
      {"Round", [](double x) { return std::nearbyint(x); }},
      {"Sigmoid", [](double x) { return 1 / (1 + std::exp(-x)); }},
      {"Sign", [](double x) { return x > 0   ? 1.0
                                     : x < 0 ? -1.0
                                             : x; }},
      {"Sin", [](double x) { return std::sin(x); }},
      {"Sqrt", [](double x) { return std::sqrt(x); }},
      {"Tanh", [](double x) { return std::tanh(x); }},
  };
  return table;
}

const std::map<std::string_view, BinaryFunction>& binary_functions() {
  static const std::map<std::string_view, BinaryFunction> table{
      {"Add", [](double a, double b) { return a + b; }},
      {"Sub", [](double a, double b) { return a - b; }},
      {"Mul", [](double a, double b) { return a * b; }},
      {"Div", [](double a, double b) { return a / b; }},
      {"Pow", [](double a, double b) { return std::pow(a, b); }},
      {"Min", [](double a, double b) { return a < b || std::isnan(a) ? a : b; }},
      {"Max", [](double a, double b) { return a > b || std::isnan(a) ? a : b; }},
      {"Equal", [](double a, double b) { return a == b ? 1.0 : 0.0; }},
      {"Less", [](double a, double b) { return a < b ? 1.0 : 0.0; }},
      {"LessOrEqual", [](double a, double b) { return a <= b ? 1.0 : 0.0; }},
      {"Greater", [](double a, double b) { return a > b ? 1.0 : 0.0; }},
      {"GreaterOrEqual", [](double a, double b) { return a >= b ? 1.0 : 0.0; }},
      {"And", [](double a, double b) { return a != 0 && b != 0 ? 1.0 : 0.0; }},
      {"Or", [](double a, double b) { return a != 0 || b != 0 ? 1.0 : 0.0; }},
      {"Xor", [](double a, double b) { return (a != 0) != (b != 0) ? 1.0 : 0.0; }},
  };
  return table;
}

bool gives_truth(std::string_view type) {
  constexpr std::string_view kTests[] = {"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual",
                                         "And",   "Or",   "Xor",         "Not"};
  return std::find(std::begin(kTests), std::end(kTests), type) != std::end(kTests);
}

std::uint64_t bits(std::int64_t value) { return static_cast<std::uint64_t>(value); }

std::int64_t quotient(std::int64_t a, std::int64_t b) {
  require(b != 0, "a division by zero");
  return b == -1 ? static_cast<std::int64_t>(0 - bits(a)) : a / b;  // the least number has no negative
}

/// With the divisor's sign.
std::int64_t modulo(std::int64_t a, std::int64_t b) {
  require(b != 0, "a division by zero");
  if (b == -1) return 0;
  const std::int64_t rest = a % b;
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

/// What would lose digits in double, or rounds otherwise.
IntegerBinary integer_binary(std::string_view type) {
  if (type == "Add") return [](auto a, auto b) { return static_cast<std::int64_t>(bits(a) + bits(b)); };
  if (type == "Sub") return [](auto a, auto b) { return static_cast<std::int64_t>(bits(a) - bits(b)); };
  if (type == "Mul") return [](auto a, auto b) { return static_cast<std::int64_t>(bits(a) * bits(b)); };
  if (type == "Div") return quotient;
  if (type == "Mod") return modulo;
  if (type == "Min") return [](auto a, auto b) { return std::min(a, b); };
  if (type == "Max") return [](auto a, auto b) { return std::max(a, b); };
  if (type == "Equal") return [](auto a, auto b) { return std::int64_t{a == b}; };
  return nullptr;
}

/// For each element of the result, which elements of the operands meet there.
class Broadcast {
 public:
  explicit Broadcast(Shape shape) : shape_(std::move(shape)) {}

  [[nodiscard]] std::size_t index(const Shape& operand, std::int64_t element) const {
    std::int64_t at = 0, stride = 1;
    for (std::size_t d = shape_.size(); d-- > 0;) {
      const std::int64_t position = element % shape_[d];
      element /= shape_[d];
      const std::size_t missing = shape_.size() - operand.size();
      if (d < missing) continue;
      const std::int64_t dim = operand[d - missing];
      if (dim != 1) at += position * stride;
      stride *= dim;
    }
    return static_cast<std::size_t>(at);
  }

 private:
  Shape shape_;
};

OnnxTensorPtr combine(std::string_view type, const OnnxTensor& a, const OnnxTensor& b, OnnxBudget& budget) {
  const Shape shape = broadcast(a.shape, b.shape);
  const std::int64_t count = element_count(shape);
  budget.take(count);
  const Broadcast places(shape);
  const OnnxType result = gives_truth(type) ? OnnxType::boolean : a.type;
  const IntegerBinary whole = a.floating() || b.floating() ? nullptr : integer_binary(type);
  if (whole != nullptr) {
    std::vector<std::int64_t> values;
    for (std::int64_t i = 0; i < count; ++i) {
      values.push_back(wrapped(
          result, whole(a.integers.values[places.index(a.shape, i)], b.integers.values[places.index(b.shape, i)])));
    }
    return make_tensor(result, shape, std::move(values));
  }
  const auto found = binary_functions().find(type);
  if (found == binary_functions().end()) return nullptr;
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) {
    values.push_back(found->second(a.real(places.index(a.shape, i)), b.real(places.index(b.shape, i))));
  }
  return tensor_of(result, shape, values);
}

OnnxTensorPtr fold_where(const OnnxNode& node, OnnxBudget& budget) {
  const OnnxTensor& condition = node.constant(0, "condition");
  const OnnxTensor& a = node.constant(1, "input");
  const OnnxTensor& b = node.constant(2, "input");
  const Shape shape = broadcast(condition.shape, broadcast(a.shape, b.shape));
  const std::int64_t count = element_count(shape);
  budget.take(count);
  const Broadcast places(shape);
  std::vector<float> floats;
  std::vector<std::int64_t> integers;
  for (std::int64_t i = 0; i < count; ++i) {
    const OnnxTensor& chosen = condition.real(places.index(condition.shape, i)) != 0 ? a : b;
    const std::size_t at = places.index(chosen.shape, i);
    if (a.floating()) {
      floats.push_back(static_cast<float>(chosen.real(at)));
    } else {
      integers.push_back(chosen.floating() ? truncated(a.type, chosen.real(at)) : chosen.integers.values[at]);
    }
  }
  return a.floating() ? make_tensor(a.type, shape, std::move(floats)) : make_tensor(a.type, shape, std::move(integers));
}

}  // namespace

OnnxTensorPtr fold_onnx_math(const OnnxNode& node, OnnxBudget& budget) {
  const std::string& type = node.type();
  if (type == "Where") return fold_where(node, budget);
  if (const auto found = unary_functions().find(type); found != unary_functions().end()) {
    const OnnxTensor& x = node.constant(0, "input");
    budget.take(x.count());
    std::vector<double> values;
    for (std::size_t i = 0; i < static_cast<std::size_t>(x.count()); ++i) values.push_back(found->second(x.real(i)));
    return tensor_of(gives_truth(type) ? OnnxType::boolean : x.type, x.shape, values);
  }
  const bool several = type == "Min" || type == "Max" || type == "Sum";
  if (type == "Mod" && node.attributes().flag("fmod", false)) return nullptr;
  if (binary_functions().find(type) == binary_functions().end() && type != "Mod" && !several) return nullptr;
  OnnxTensorPtr result = node.input(0).constant;
  for (std::size_t i = 1; i < node.input_count(); ++i) {
    result = combine(type == "Sum" ? "Add" : std::string_view(type), *result, node.constant(i, "input"), budget);
    if (!result) return nullptr;
  }
  return result;
}

}  // namespace octavo::graph

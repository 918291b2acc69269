// SPDX-License-Identifier: Apache-2.0
// Folding of arithmetic on two constants, and of selection. Integers are computed as integers, everything else in
// double.
#include <algorithm>
#include <cmath>

#include "graph/axes.h"
#include "graph/check.h"
#include "graph/import/fold.h"

namespace octavo::graph {
namespace {

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

using RealFunction = double (*)(double, double);
using IntegerFunction = std::int64_t (*)(std::int64_t, std::int64_t);

RealFunction real_function(BinaryKind kind) {
  switch (kind) {
    case BinaryKind::add:
      return [](double a, double b) { return a + b; };
    case BinaryKind::subtract:
      return [](double a, double b) { return a - b; };
    case BinaryKind::multiply:
      return [](double a, double b) { return a * b; };
    case BinaryKind::divide:
      return [](double a, double b) { return a / b; };
    case BinaryKind::power:
      return [](double a, double b) { return std::pow(a, b); };
    case BinaryKind::minimum:
      return [](double a, double b) { return a < b || std::isnan(a) ? a : b; };
    case BinaryKind::maximum:
      return [](double a, double b) { return a > b || std::isnan(a) ? a : b; };
    case BinaryKind::modulo:
      return [](double a, double b) {
        const double rest = std::fmod(a, b);
        return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
      };
    case BinaryKind::remainder:
      return [](double a, double b) { return std::fmod(a, b); };
    case BinaryKind::equal:
      return [](double a, double b) { return a == b ? 1.0 : 0.0; };
    case BinaryKind::less:
      return [](double a, double b) { return a < b ? 1.0 : 0.0; };
    case BinaryKind::less_or_equal:
      return [](double a, double b) { return a <= b ? 1.0 : 0.0; };
    case BinaryKind::greater:
      return [](double a, double b) { return a > b ? 1.0 : 0.0; };
    case BinaryKind::greater_or_equal:
      return [](double a, double b) { return a >= b ? 1.0 : 0.0; };
    case BinaryKind::logical_and:
      return [](double a, double b) { return a != 0 && b != 0 ? 1.0 : 0.0; };
    case BinaryKind::logical_or:
      return [](double a, double b) { return a != 0 || b != 0 ? 1.0 : 0.0; };
    case BinaryKind::logical_xor:
      break;
  }
  return [](double a, double b) { return (a != 0) != (b != 0) ? 1.0 : 0.0; };
}

/// What would lose digits in double, or rounds otherwise; null for the rest.
IntegerFunction integer_function(BinaryKind kind) {
  switch (kind) {
    case BinaryKind::add:
      return [](auto a, auto b) { return static_cast<std::int64_t>(bits(a) + bits(b)); };
    case BinaryKind::subtract:
      return [](auto a, auto b) { return static_cast<std::int64_t>(bits(a) - bits(b)); };
    case BinaryKind::multiply:
      return [](auto a, auto b) { return static_cast<std::int64_t>(bits(a) * bits(b)); };
    case BinaryKind::divide:
      return quotient;
    case BinaryKind::modulo:
      return modulo;
    case BinaryKind::minimum:
      return [](auto a, auto b) { return std::min(a, b); };
    case BinaryKind::maximum:
      return [](auto a, auto b) { return std::max(a, b); };
    case BinaryKind::equal:
      return [](auto a, auto b) { return std::int64_t{a == b}; };
    default:
      return nullptr;
  }
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

}  // namespace

bool gives_truth(BinaryKind kind) { return kind >= BinaryKind::equal; }

ConstantPtr combined(BinaryKind kind, const ConstantTensor& a, const ConstantTensor& b, ImportBudget& budget) {
  const Shape shape = broadcast(a.shape, b.shape);
  const std::int64_t count = element_count(shape);
  budget.take(count);
  const Broadcast places(shape);
  const ElementType result = gives_truth(kind) ? ElementType::boolean : a.type;
  const IntegerFunction whole = a.floating() || b.floating() ? nullptr : integer_function(kind);
  if (whole != nullptr) {
    std::vector<std::int64_t> values;
    for (std::int64_t i = 0; i < count; ++i) {
      values.push_back(wrapped(
          result, whole(a.integers.values[places.index(a.shape, i)], b.integers.values[places.index(b.shape, i)])));
    }
    return make_tensor(result, shape, std::move(values));
  }
  const auto function = real_function(kind);
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) {
    values.push_back(function(a.real(places.index(a.shape, i)), b.real(places.index(b.shape, i))));
  }
  return tensor_of(result, shape, values);
}

ConstantPtr selected(const ConstantTensor& condition, const ConstantTensor& a, const ConstantTensor& b,
                     ImportBudget& budget) {
  const Shape shape = broadcast(condition.shape, broadcast(a.shape, b.shape));
  const std::int64_t count = element_count(shape);
  budget.take(count);
  const Broadcast places(shape);
  std::vector<float> floats;
  std::vector<std::int64_t> integers;
  for (std::int64_t i = 0; i < count; ++i) {
    const ConstantTensor& chosen = condition.real(places.index(condition.shape, i)) != 0 ? a : b;
    const std::size_t at = places.index(chosen.shape, i);
    if (a.floating()) {
      floats.push_back(static_cast<float>(chosen.real(at)));
    } else {
      integers.push_back(chosen.floating() ? truncated(a.type, chosen.real(at)) : chosen.integers.values[at]);
    }
  }
  return a.floating() ? make_tensor(a.type, shape, std::move(floats)) : make_tensor(a.type, shape, std::move(integers));
}

}  // namespace octavo::graph

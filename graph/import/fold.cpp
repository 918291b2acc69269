// SPDX-License-Identifier: Apache-2.0
// Folding: types of numbers, and what makes constants out of one number. See graph/import/fold.h.
#include "graph/import/fold.h"

#include <cmath>

#include "graph/check.h"
#include "octavo/error.h"

namespace octavo::graph {

void ImportBudget::take(std::int64_t numbers) {
  left_ -= numbers;
  if (numbers < 0 || left_ < 0) {
    throw Error(ErrorKind::malformed, "too many numbers would have to be computed at import for a file of this size");
  }
}

ConstantPtr filled(const ConstantTensor& value, Shape shape, ImportBudget& budget) {
  require(value.count() == 1, "the value is not one number");
  budget.take(element_count(shape));
  const auto count = static_cast<std::size_t>(element_count(shape));
  if (value.floating()) {
    return make_tensor(value.type, std::move(shape), std::vector<float>(count, value.floats.values[0]));
  }
  return make_tensor(value.type, std::move(shape), std::vector<std::int64_t>(count, value.integers.values[0]));
}

ConstantPtr cast_to(const ConstantTensor& x, ElementType type, ImportBudget& budget) {
  budget.take(x.count());
  const auto count = static_cast<std::size_t>(x.count());
  if (is_floating(type)) {
    const Data<float> values = to_floats(x);
    auto result = std::make_shared<ConstantTensor>();
    result->type = type;
    result->shape = x.shape;
    result->floats = values;
    return result;
  }
  std::vector<std::int64_t> values(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (type == ElementType::boolean) {
      values[i] = x.real(i) != 0 ? 1 : 0;
    } else {
      values[i] = wrapped(type, x.floating() ? truncated(ElementType::int64, x.real(i)) : x.integers.values[i]);
    }
  }
  return make_tensor(type, x.shape, std::move(values));
}

std::int64_t wrapped(ElementType type, std::int64_t value) {
  switch (type) {
    case ElementType::boolean:
      return value != 0 ? 1 : 0;
    case ElementType::uint8:
      return static_cast<std::uint8_t>(value);
    case ElementType::int8:
      return static_cast<std::int8_t>(value);
    case ElementType::uint16:
      return static_cast<std::uint16_t>(value);
    case ElementType::int16:
      return static_cast<std::int16_t>(value);
    case ElementType::int32:
      return static_cast<std::int32_t>(value);
    case ElementType::uint32:
      return static_cast<std::uint32_t>(value);
    case ElementType::uint4:
      return value & 15;
    case ElementType::int4:
      return ((value & 15) ^ 8) - 8;
    default:
      return value;
  }
}

std::int64_t truncated(ElementType type, double value) {
  if (std::isnan(value)) return 0;
  const ElementRange range = range_of(type);
  const double whole = std::trunc(value);
  if (whole >= static_cast<double>(range.high)) return range.high;
  if (whole <= static_cast<double>(range.low)) return range.low;
  return static_cast<std::int64_t>(whole);
}

ConstantPtr tensor_of(ElementType type, Shape shape, const std::vector<double>& values) {
  if (is_floating(type)) {
    std::vector<float> numbers;
    numbers.reserve(values.size());
    for (const double value : values) numbers.push_back(static_cast<float>(value));
    return make_tensor(type, std::move(shape), std::move(numbers));
  }
  std::vector<std::int64_t> numbers;
  numbers.reserve(values.size());
  for (const double value : values) numbers.push_back(truncated(type, value));
  return make_tensor(type, std::move(shape), std::move(numbers));
}

}  // namespace octavo::graph

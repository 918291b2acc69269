// SPDX-License-Identifier: Apache-2.0
// See graph/import/tensorflow_tensor.h.
#include "graph/import/tensorflow_tensor.h"

#include <fmt/core.h>

#include <bit>
#include <utility>
#include <vector>

#include "graph/check.h"
#include "graph/import/load_number.h"
#include "graph/import/tensorflow_limits.h"
#include "graph/import/wire_reader.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

using Bytes = std::span<const std::byte>;

// Field numbers of TensorFlow's messages (see octavo_tensorflow.proto).
namespace tensor_proto {
constexpr std::uint32_t type = 1, shape = 2, content = 4, floats = 5, doubles = 6, int32s = 7, int64s = 10, bools = 11,
                        halves = 13, uint32s = 16, uint64s = 17;
}
namespace shape_proto {
constexpr std::uint32_t dim = 2, unknown_rank = 3, size = 1;
}

[[noreturn]] void malformed_tensor(const std::string& what) { throw Error(ErrorKind::malformed, what); }

std::int64_t size_of_dim(Bytes message) {
  std::int64_t size = 0;
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == shape_proto::size && field->type == WireField::Type::varint) {
      size = static_cast<std::int64_t>(field->value);
    }
  }
  return size < 0 ? -1 : size;
}

/// The numbers that a tensor lists one by one, by the field that its type uses.
struct ListedNumbers {
  std::vector<float> floats;
  std::vector<std::int64_t> integers;
};

std::uint32_t field_of_type(ElementType type) {
  switch (type) {
    case ElementType::float32:
      return tensor_proto::floats;
    case ElementType::float64:
      return tensor_proto::doubles;
    case ElementType::float16:
    case ElementType::bfloat16:
      return tensor_proto::halves;
    case ElementType::int64:
      return tensor_proto::int64s;
    case ElementType::boolean:
      return tensor_proto::bools;
    case ElementType::uint32:
      return tensor_proto::uint32s;
    case ElementType::uint64:
      return tensor_proto::uint64s;
    default:
      return tensor_proto::int32s;
  }
}

float half_of_bits(ElementType type, std::uint64_t bits) {
  const auto narrow = static_cast<std::uint16_t>(bits);
  return type == ElementType::float16 ? half_to_float(narrow) : std::bit_cast<float>(std::uint32_t{narrow} << 16U);
}

/// Throws when there are more than `limit`.
ListedNumbers listed_numbers(Bytes message, ElementType type, std::int64_t limit) {
  ListedNumbers numbers;
  const std::uint32_t wanted = field_of_type(type);
  const auto check = [&](std::size_t held) {
    if (static_cast<std::int64_t>(held) >= limit) malformed_tensor("a tensor with more numbers than its shape says");
  };
  const auto add_varint = [&](std::uint64_t value) {
    check(is_floating(type) ? numbers.floats.size() : numbers.integers.size());
    if (is_floating(type)) {
      numbers.floats.push_back(half_of_bits(type, value));
    } else {
      numbers.integers.push_back(static_cast<std::int64_t>(value));
    }
  };
  const std::size_t width = type == ElementType::float64 ? sizeof(double) : sizeof(float);
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number != wanted || field->type == WireField::Type::group) continue;
    if (wanted != tensor_proto::floats && wanted != tensor_proto::doubles) {
      if (field->type == WireField::Type::varint) add_varint(field->value);
      if (!field->is_bytes()) continue;
      WireReader packed(field->bytes);
      while (!packed.at_end()) add_varint(packed.varint());
      continue;
    }
    if (field->type == WireField::Type::varint || field->bytes.size() % width != 0) {
      malformed_tensor("tensor data that ends within a number");
    }
    for (std::size_t i = 0; i < field->bytes.size() / width; ++i) {
      check(numbers.floats.size());
      numbers.floats.push_back(type == ElementType::float64 ? static_cast<float>(load_number<double>(field->bytes, i))
                                                            : load_number<float>(field->bytes, i));
    }
  }
  return numbers;
}

/// The last number fills what is left; without any, all are 0.
template <class T>
std::vector<T> completed(std::vector<T> values, std::int64_t count, ImportBudget& budget) {
  const auto size = static_cast<std::size_t>(count);
  if (values.size() == size) return values;
  budget.take(count - static_cast<std::int64_t>(values.size()));
  values.resize(size, values.empty() ? T{} : values.back());
  return values;
}

}  // namespace

ElementType tensorflow_type(std::uint64_t number) {
  constexpr std::uint64_t kOfVariables = 100;  // added to the number of a reference
  if (number > kOfVariables) number -= kOfVariables;
  switch (number) {
    case 1:
      return ElementType::float32;
    case 2:
      return ElementType::float64;
    case 3:
    case 13:
      return ElementType::int32;
    case 4:
    case 12:
      return ElementType::uint8;
    case 5:
    case 15:
      return ElementType::int16;
    case 6:
    case 11:
      return ElementType::int8;
    case 7:
      return ElementType::string;
    case 9:
      return ElementType::int64;
    case 10:
      return ElementType::boolean;
    case 14:
      return ElementType::bfloat16;
    case 16:
    case 17:
      return ElementType::uint16;
    case 19:
      return ElementType::float16;
    case 22:
      return ElementType::uint32;
    case 23:
      return ElementType::uint64;
    default:
      throw Error(ErrorKind::unsupported, fmt::format("TensorFlow's element type {}", number));
  }
}

TensorflowShape decode_tensorflow_shape(Bytes message) {
  TensorflowShape shape{true, {}};
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == shape_proto::unknown_rank && field->value != 0) shape.known_rank = false;
    if (field->number != shape_proto::dim || !field->is_bytes()) continue;
    if (shape.dims.size() == kMaxTensorflowRank) {
      throw Error(ErrorKind::unsupported, "a value of more than 8 dimensions");
    }
    shape.dims.push_back(size_of_dim(field->bytes));
  }
  return shape;
}

ConstantPtr decode_tensorflow_tensor(Bytes message, const std::shared_ptr<const void>& owner, ImportBudget& budget) {
  ElementType type = ElementType::undefined;
  Shape shape;
  Bytes content;
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == tensor_proto::type && field->type == WireField::Type::varint) {
      type = tensorflow_type(field->value);
    }
    if (!field->is_bytes()) continue;
    if (field->number == tensor_proto::shape) shape = decode_tensorflow_shape(field->bytes).dims;
    if (field->number == tensor_proto::content) content = field->bytes;
  }
  if (type == ElementType::undefined) malformed_tensor("a tensor without a type");
  if (type == ElementType::string) throw Error(ErrorKind::unsupported, "strings");
  for (const std::int64_t dim : shape) {
    if (dim < 0) malformed_tensor("a tensor of unknown size");
  }
  const std::int64_t count = element_count(shape);
  if (!content.empty()) return constant_from_bytes(type, shape, content, owner);
  ListedNumbers numbers = listed_numbers(message, type, count);
  return is_floating(type) ? make_tensor(type, shape, completed(std::move(numbers.floats), count, budget))
                           : make_tensor(type, shape, completed(std::move(numbers.integers), count, budget));
}

}  // namespace octavo::graph

// SPDX-License-Identifier: Apache-2.0
// Numbers as files lay them out, little-endian and one behind the other: see graph/import/constant_tensor.h.
#include <fmt/core.h>

#include <bit>
#include <utility>

#include "graph/check.h"
#include "graph/import/constant_tensor.h"
#include "graph/import/load_number.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

using Bytes = std::span<const std::byte>;

/// Bits of one element.
std::size_t bits_of(ElementType type) {
  switch (type) {
    case ElementType::uint4:
    case ElementType::int4:
      return 4;
    case ElementType::uint8:
    case ElementType::int8:
    case ElementType::boolean:
      return 8;
    case ElementType::uint16:
    case ElementType::int16:
    case ElementType::float16:
    case ElementType::bfloat16:
      return 16;
    case ElementType::float32:
    case ElementType::int32:
    case ElementType::uint32:
      return 32;
    default:
      return 64;
  }
}

std::int64_t integer_at(ElementType type, Bytes raw, std::size_t i) {
  switch (type) {
    case ElementType::uint8:
    case ElementType::boolean:
      return load_number<std::uint8_t>(raw, i);
    case ElementType::int8:
      return load_number<std::int8_t>(raw, i);
    case ElementType::uint16:
      return load_number<std::uint16_t>(raw, i);
    case ElementType::int16:
      return load_number<std::int16_t>(raw, i);
    case ElementType::int32:
      return load_number<std::int32_t>(raw, i);
    case ElementType::uint32:
      return load_number<std::uint32_t>(raw, i);
    case ElementType::uint4:
    case ElementType::int4: {
      const auto pair = std::to_integer<unsigned>(raw[i / 2]);
      const auto nibble = static_cast<std::int64_t>(i % 2 == 0 ? pair & 15U : pair >> 4U);
      return type == ElementType::int4 && nibble > 7 ? nibble - 16 : nibble;
    }
    default:
      return load_number<std::int64_t>(raw, i);
  }
}

float float_at(ElementType type, Bytes raw, std::size_t i) {
  switch (type) {
    case ElementType::float16:
      return half_to_float(load_number<std::uint16_t>(raw, i));
    case ElementType::bfloat16:
      return std::bit_cast<float>(std::uint32_t{load_number<std::uint16_t>(raw, i)} << 16U);
    case ElementType::float64:
      return static_cast<float>(load_number<double>(raw, i));
    default:
      return load_number<float>(raw, i);
  }
}

bool aligned_for_floats(Bytes bytes) { return reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(float) == 0; }

}  // namespace

ConstantPtr constant_from_bytes(ElementType type, const Shape& shape, std::span<const std::byte> raw,
                                std::shared_ptr<const void> owner) {
  const std::int64_t count = element_count(shape);
  std::int64_t bits = 0;
  if (__builtin_mul_overflow(count, static_cast<std::int64_t>(bits_of(type)), &bits) ||
      raw.size() != (static_cast<std::size_t>(bits) + 7) / 8) {
    throw Error(ErrorKind::malformed, fmt::format("a tensor of shape {} and type {} in {} bytes", to_text(shape),
                                                  element_type_name(type), raw.size()));
  }
  auto tensor = std::make_shared<ConstantTensor>();
  tensor->type = type;
  tensor->shape = shape;
  const auto size = static_cast<std::size_t>(count);
  if (type == ElementType::float32 && owner && aligned_for_floats(raw)) {
    // The bytes of a mapped file are the little-endian floats themselves.
    tensor->floats = {std::span<const float>(reinterpret_cast<const float*>(raw.data()), size), std::move(owner)};
  } else if (is_floating(type)) {
    std::vector<float> values(size);
    for (std::size_t i = 0; i < size; ++i) values[i] = float_at(type, raw, i);
    tensor->floats = std::move(values);
  } else {
    std::vector<std::int64_t> values(size);
    for (std::size_t i = 0; i < size; ++i) values[i] = integer_at(type, raw, i);
    tensor->integers = std::move(values);
  }
  return tensor;
}

}  // namespace octavo::graph

// SPDX-License-Identifier: Apache-2.0
// Element types, and conversions between them: see graph/import/constant_tensor.h.
#include "graph/import/constant_tensor.h"

#include <bit>
#include <limits>
#include <utility>

#include "octavo/error.h"

namespace octavo::graph {

std::string_view element_type_name(ElementType type) {
  switch (type) {
    case ElementType::undefined:
      return "undefined";
    case ElementType::float32:
      return "float";
    case ElementType::uint8:
      return "uint8";
    case ElementType::int8:
      return "int8";
    case ElementType::uint16:
      return "uint16";
    case ElementType::int16:
      return "int16";
    case ElementType::int32:
      return "int32";
    case ElementType::int64:
      return "int64";
    case ElementType::string:
      return "string";
    case ElementType::boolean:
      return "bool";
    case ElementType::float16:
      return "float16";
    case ElementType::float64:
      return "double";
    case ElementType::uint32:
      return "uint32";
    case ElementType::uint64:
      return "uint64";
    case ElementType::bfloat16:
      return "bfloat16";
    case ElementType::uint4:
      return "uint4";
    case ElementType::int4:
      return "int4";
  }
  return "?";
}

bool is_floating(ElementType type) {
  return type == ElementType::float32 || type == ElementType::float64 || type == ElementType::float16 ||
         type == ElementType::bfloat16;
}

ElementRange range_of(ElementType type) {
  switch (type) {
    case ElementType::uint8:
      return {0, 255};
    case ElementType::int8:
      return {-128, 127};
    case ElementType::uint16:
      return {0, 65535};
    case ElementType::int16:
      return {-32768, 32767};
    case ElementType::uint4:
      return {0, 15};
    case ElementType::int4:
      return {-8, 7};
    case ElementType::boolean:
      return {0, 1};
    case ElementType::int32:
      return {std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()};
    case ElementType::uint32:
      return {0, std::numeric_limits<std::uint32_t>::max()};
    default:
      return {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()};
  }
}

Data<float> to_floats(const ConstantTensor& tensor) {
  if (tensor.floating()) return tensor.floats;
  std::vector<float> values;
  values.reserve(tensor.integers.values.size());
  for (const std::int64_t value : tensor.integers.values) values.push_back(static_cast<float>(value));
  return values;
}

BlobPtr to_blob(const ConstantTensor& tensor) {
  Blob blob;
  blob.shape = tensor.shape;
  blob.f32 = to_floats(tensor);
  return std::make_shared<const Blob>(std::move(blob));
}

std::vector<std::int64_t> to_integers(const ConstantTensor& tensor) {
  if (tensor.floating()) throw Error(ErrorKind::malformed, "whole numbers are expected");
  return {tensor.integers.values.begin(), tensor.integers.values.end()};
}

ConstantPtr make_tensor(ElementType type, Shape shape, std::vector<float> values) {
  auto tensor = std::make_shared<ConstantTensor>();
  tensor->type = type;
  tensor->shape = std::move(shape);
  tensor->floats = std::move(values);
  return tensor;
}

ConstantPtr make_tensor(ElementType type, Shape shape, std::vector<std::int64_t> values) {
  auto tensor = std::make_shared<ConstantTensor>();
  tensor->type = type;
  tensor->shape = std::move(shape);
  tensor->integers = std::move(values);
  return tensor;
}

float half_to_float(std::uint16_t bits) {
  const std::uint32_t sign = static_cast<std::uint32_t>(bits & 0x8000U) << 16U;
  const std::uint32_t exponent = (bits >> 10U) & 31U, fraction = bits & 1023U;
  if (exponent == 0) {  // zero and what lies below the normal numbers: fraction * 2^-24
    const float magnitude = static_cast<float>(fraction) * 0x1p-24F;
    return sign != 0 ? -magnitude : magnitude;
  }
  const std::uint32_t wide = exponent == 31 ? 255U : exponent + 112U;
  return std::bit_cast<float>(sign | (wide << 23U) | (fraction << 13U));
}

}  // namespace octavo::graph

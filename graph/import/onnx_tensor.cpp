// SPDX-License-Identifier: Apache-2.0
// Element types, and conversions between them: see graph/import/onnx_tensor.h.
#include "graph/import/onnx_tensor.h"

#include <fmt/core.h>

#include <bit>
#include <limits>
#include <utility>

#include "octavo/error.h"

namespace octavo::graph {

OnnxType onnx_type(std::uint64_t number) {
  switch (number) {
    case 1:
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
    case 7:
    case 8:
    case 9:
    case 10:
    case 11:
    case 12:
    case 13:
    case 16:
    case 21:
    case 22:
      return static_cast<OnnxType>(number);
    default:
      throw Error(ErrorKind::unsupported, fmt::format("the element type {}", number));
  }
}

std::string_view onnx_type_name(OnnxType type) {
  switch (type) {
    case OnnxType::undefined:
      return "undefined";
    case OnnxType::float32:
      return "float";
    case OnnxType::uint8:
      return "uint8";
    case OnnxType::int8:
      return "int8";
    case OnnxType::uint16:
      return "uint16";
    case OnnxType::int16:
      return "int16";
    case OnnxType::int32:
      return "int32";
    case OnnxType::int64:
      return "int64";
    case OnnxType::string:
      return "string";
    case OnnxType::boolean:
      return "bool";
    case OnnxType::float16:
      return "float16";
    case OnnxType::float64:
      return "double";
    case OnnxType::uint32:
      return "uint32";
    case OnnxType::uint64:
      return "uint64";
    case OnnxType::bfloat16:
      return "bfloat16";
    case OnnxType::uint4:
      return "uint4";
    case OnnxType::int4:
      return "int4";
  }
  return "?";
}

bool is_floating(OnnxType type) {
  return type == OnnxType::float32 || type == OnnxType::float64 || type == OnnxType::float16 ||
         type == OnnxType::bfloat16;
}

OnnxRange range_of(OnnxType type) {
  switch (type) {
    case OnnxType::uint8:
      return {0, 255};
    case OnnxType::int8:
      return {-128, 127};
    case OnnxType::uint16:
      return {0, 65535};
    case OnnxType::int16:
      return {-32768, 32767};
    case OnnxType::uint4:
      return {0, 15};
    case OnnxType::int4:
      return {-8, 7};
    case OnnxType::boolean:
      return {0, 1};
    case OnnxType::int32:
      return {std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()};
    case OnnxType::uint32:
      return {0, std::numeric_limits<std::uint32_t>::max()};
    default:
      return {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()};
  }
}

Data<float> to_floats(const OnnxTensor& tensor) {
  if (tensor.floating()) return tensor.floats;
  std::vector<float> values;
  values.reserve(tensor.integers.values.size());
  for (const std::int64_t value : tensor.integers.values) values.push_back(static_cast<float>(value));
  return values;
}

BlobPtr to_blob(const OnnxTensor& tensor) {
  Blob blob;
  blob.shape = tensor.shape;
  blob.f32 = to_floats(tensor);
  return std::make_shared<const Blob>(std::move(blob));
}

std::vector<std::int64_t> to_integers(const OnnxTensor& tensor) {
  if (tensor.floating()) throw Error(ErrorKind::malformed, "whole numbers are expected");
  return {tensor.integers.values.begin(), tensor.integers.values.end()};
}

OnnxTensorPtr make_tensor(OnnxType type, Shape shape, std::vector<float> values) {
  auto tensor = std::make_shared<OnnxTensor>();
  tensor->type = type;
  tensor->shape = std::move(shape);
  tensor->floats = std::move(values);
  return tensor;
}

OnnxTensorPtr make_tensor(OnnxType type, Shape shape, std::vector<std::int64_t> values) {
  auto tensor = std::make_shared<OnnxTensor>();
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

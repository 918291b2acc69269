// SPDX-License-Identifier: Apache-2.0
// Numbers of a file that are known at import, decoded. Floating-point types are held as fp32, all others as 64-bit
// integers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "graph/blob.h"

namespace octavo::graph {

/// Types of elements. The numbers are ONNX's.
enum class ElementType {
  undefined = 0,
  float32 = 1,
  uint8 = 2,
  int8 = 3,
  uint16 = 4,
  int16 = 5,
  int32 = 6,
  int64 = 7,
  string = 8,
  boolean = 9,
  float16 = 10,
  float64 = 11,
  uint32 = 12,
  uint64 = 13,
  bfloat16 = 16,
  uint4 = 21,
  int4 = 22,
};

[[nodiscard]] std::string_view element_type_name(ElementType type);
[[nodiscard]] bool is_floating(ElementType type);
/// The least and the greatest number of an integer type.
struct ElementRange {
  std::int64_t low, high;
};
[[nodiscard]] ElementRange range_of(ElementType type);

/// How constants came to be that were stored in 8 bits: real = q * scale.
struct QuantizedConstant {
  Data<std::int8_t> q;
  std::vector<float> scales;  ///< in the order of the tensor, a block of `block` numbers along `axis` as one
  std::int64_t axis = 0;
  std::int64_t block = 0;  ///< along the axis; 0: one scale for each position of the axis, or one for all
};

struct ConstantTensor {
  ElementType type = ElementType::float32;
  Shape shape;  ///< empty: a scalar; a dimension may be 0
  Data<float> floats;
  Data<std::int64_t> integers;
  std::shared_ptr<const QuantizedConstant> quantized{};  ///< of what was made of 8-bit constants

  [[nodiscard]] bool floating() const { return is_floating(type); }
  [[nodiscard]] std::int64_t count() const { return element_count(shape); }
  /// Element i as a real number.
  [[nodiscard]] double real(std::size_t i) const {
    return floating() ? static_cast<double>(floats.values[i]) : static_cast<double>(integers.values[i]);
  }
};
using ConstantPtr = std::shared_ptr<const ConstantTensor>;

/// The tensor's numbers as fp32, shared where they are.
[[nodiscard]] Data<float> to_floats(const ConstantTensor& tensor);
/// As a blob: what a node of the graph holds. A scalar keeps its empty shape.
[[nodiscard]] BlobPtr to_blob(const ConstantTensor& tensor);
/// Throws Error(malformed) unless the tensor holds integers.
[[nodiscard]] std::vector<std::int64_t> to_integers(const ConstantTensor& tensor);

[[nodiscard]] ConstantPtr make_tensor(ElementType type, Shape shape, std::vector<float> values);
[[nodiscard]] ConstantPtr make_tensor(ElementType type, Shape shape, std::vector<std::int64_t> values);

/// From a file's little-endian numbers. fp32 that lies aligned is used where it is, if an owner keeps it. Throws
/// Error(malformed) unless the bytes are as many as the shape needs.
[[nodiscard]] ConstantPtr constant_from_bytes(ElementType type, const Shape& shape, std::span<const std::byte> raw,
                                              std::shared_ptr<const void> owner);

/// fp16 to fp32, exactly.
[[nodiscard]] float half_to_float(std::uint16_t bits);

}  // namespace octavo::graph

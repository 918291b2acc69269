// SPDX-License-Identifier: Apache-2.0
// A tensor of an ONNX file, decoded: numbers that are known at import. Floating-point types are held as fp32, all
// others as 64-bit integers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "graph/blob.h"

namespace octavo::graph {

/// ONNX's numbers of element types.
enum class OnnxType {
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

/// Throws Error(unsupported) for complex, 8-bit floating-point and later types.
[[nodiscard]] OnnxType onnx_type(std::uint64_t number);
[[nodiscard]] std::string_view onnx_type_name(OnnxType type);
[[nodiscard]] bool is_floating(OnnxType type);
/// The least and the greatest number of an integer type.
struct OnnxRange {
  std::int64_t low, high;
};
[[nodiscard]] OnnxRange range_of(OnnxType type);

/// How constants came to be that were stored in 8 bits: real = q * scale.
struct OnnxQuantized {
  Data<std::int8_t> q;
  std::vector<float> scales;  ///< in the order of the tensor, a block of `block` numbers along `axis` as one
  std::int64_t axis = 0;
  std::int64_t block = 0;  ///< along the axis; 0: one scale for each position of the axis, or one for all
};

struct OnnxTensor {
  OnnxType type = OnnxType::float32;
  Shape shape;  ///< empty: a scalar; a dimension may be 0
  Data<float> floats;
  Data<std::int64_t> integers;
  std::shared_ptr<const OnnxQuantized> quantized{};  ///< of what DequantizeLinear made of 8-bit constants

  [[nodiscard]] bool floating() const { return is_floating(type); }
  [[nodiscard]] std::int64_t count() const { return element_count(shape); }
  /// Element i as a real number.
  [[nodiscard]] double real(std::size_t i) const {
    return floating() ? static_cast<double>(floats.values[i]) : static_cast<double>(integers.values[i]);
  }
};
using OnnxTensorPtr = std::shared_ptr<const OnnxTensor>;

/// Where the numbers of a file lie.
struct OnnxTensorSource {
  std::shared_ptr<const void> owner;  ///< of the bytes; null: numbers are copied
  std::filesystem::path folder;       ///< of external data
};

/// Decodes a TensorProto. fp32 numbers that lie aligned are used where they are. No allocation is larger than what the
/// message, or the external file, holds. Throws Error: malformed, unsupported (strings), io (external data that is
/// missing, cut short or outside the folder).
[[nodiscard]] OnnxTensorPtr decode_onnx_tensor(std::span<const std::byte> message, const OnnxTensorSource& source);

/// The tensor's numbers as fp32, shared where they are.
[[nodiscard]] Data<float> to_floats(const OnnxTensor& tensor);
/// As a blob: what a node of the graph holds. A scalar keeps its empty shape.
[[nodiscard]] BlobPtr to_blob(const OnnxTensor& tensor);
/// Throws Error(malformed) unless the tensor holds integers.
[[nodiscard]] std::vector<std::int64_t> to_integers(const OnnxTensor& tensor);

[[nodiscard]] OnnxTensorPtr make_tensor(OnnxType type, Shape shape, std::vector<float> values);
[[nodiscard]] OnnxTensorPtr make_tensor(OnnxType type, Shape shape, std::vector<std::int64_t> values);

/// fp16 to fp32, exactly.
[[nodiscard]] float half_to_float(std::uint16_t bits);

}  // namespace octavo::graph

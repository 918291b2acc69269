// SPDX-License-Identifier: Apache-2.0
// From the bytes of a TensorProto, or of a file beside the model, to numbers: see graph/import/onnx_tensor.h.
#include <fmt/core.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <utility>

#include "graph/check.h"
#include "graph/import/load_number.h"
#include "graph/import/onnx_limits.h"
#include "graph/import/onnx_tensor.h"
#include "graph/import/wire_reader.h"
#include "graph/mapped_file.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

using Bytes = std::span<const std::byte>;

namespace onnx_tensor_field {
constexpr std::uint32_t dims = 1, type = 2, segment = 3, floats = 4, int32s = 5, strings = 6, int64s = 7, raw = 9,
                        doubles = 10, uint64s = 11, external = 13, location = 14;
}
constexpr std::uint32_t kKey = 1, kValue = 2;  // of an entry of external data

[[noreturn]] void malformed_onnx_tensor(const std::string& what) { throw Error(ErrorKind::malformed, what); }
[[noreturn]] void unsupported(const std::string& what) { throw Error(ErrorKind::unsupported, what); }

std::string string_of_bytes(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

struct TensorParts {
  Shape shape;
  ElementType type = ElementType::undefined;
  std::vector<Bytes> floats, doubles, int32s, int64s, uint64s;  ///< packed chunks
  std::vector<std::uint64_t> singles;                           ///< numbers that are not packed
  Bytes raw;
  bool has_raw = false, external = false;
  std::string location;
  std::uint64_t offset = 0, length = 0;
  bool has_length = false;
};

std::uint64_t number_in(const std::string& text) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, value);
  if (problem != std::errc{} || stop != end)
    malformed_onnx_tensor(fmt::format("'{}' is no offset of external data", text));
  return value;
}

void read_external(Bytes message, TensorParts& parts) {
  std::string key, value;
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (!field->is_bytes() || field->bytes.size() > kMaxOnnxNameBytes) continue;
    if (field->number == kKey) key = string_of_bytes(field->bytes);
    if (field->number == kValue) value = string_of_bytes(field->bytes);
  }
  if (key == "location") parts.location = value;
  if (key == "offset") parts.offset = number_in(value);
  if (key == "length") {
    parts.length = number_in(value);
    parts.has_length = true;
  }
}

void add_dim(TensorParts& parts, std::uint64_t dim) {
  if (parts.shape.size() == kMaxOnnxRank) unsupported("a tensor of more than 8 dimensions");
  const auto size = static_cast<std::int64_t>(dim);
  if (size < 0) malformed_onnx_tensor("a tensor of negative size");
  parts.shape.push_back(size);
}

void add_numbers(std::vector<Bytes>& chunks, const WireField& field, TensorParts& parts) {
  if (field.is_bytes()) {
    chunks.push_back(field.bytes);
  } else if (field.type == WireField::Type::varint) {
    parts.singles.push_back(field.value);
  } else if (field.type != WireField::Type::group) {
    chunks.push_back(field.bytes);  // one number of fixed width lies as it would in a packed list
  }
}

TensorParts split_onnx_tensor(Bytes message) {
  TensorParts parts;
  WireReader reader(message);
  while (const auto field = reader.next()) {
    switch (field->number) {
      case onnx_tensor_field::dims:
        for_each_varint(*field, [&](std::uint64_t dim) { add_dim(parts, dim); });
        break;
      case onnx_tensor_field::type:
        if (field->type == WireField::Type::varint) parts.type = onnx_type(field->value);
        break;
      case onnx_tensor_field::segment:
        unsupported("a tensor in segments");
      case onnx_tensor_field::floats:
        add_numbers(parts.floats, *field, parts);
        break;
      case onnx_tensor_field::int32s:
        add_numbers(parts.int32s, *field, parts);
        break;
      case onnx_tensor_field::strings:
        unsupported("strings");
      case onnx_tensor_field::int64s:
        add_numbers(parts.int64s, *field, parts);
        break;
      case onnx_tensor_field::raw:
        if (!field->is_bytes()) break;
        parts.raw = field->bytes;
        parts.has_raw = true;
        break;
      case onnx_tensor_field::doubles:
        add_numbers(parts.doubles, *field, parts);
        break;
      case onnx_tensor_field::uint64s:
        add_numbers(parts.uint64s, *field, parts);
        break;
      case onnx_tensor_field::external:
        if (field->is_bytes()) read_external(field->bytes, parts);
        break;
      case onnx_tensor_field::location:
        parts.external = field->type == WireField::Type::varint && field->value == 1;
        break;
      default:
        break;
    }
  }
  return parts;
}

/// The bytes of a file beside the model. A path that leads out of the model's folder is refused.
Bytes external_bytes(const TensorParts& parts, const OnnxTensorSource& source, std::shared_ptr<const void>& owner) {
  const std::filesystem::path relative = std::filesystem::path(parts.location).lexically_normal();
  if (relative.empty() || relative.is_absolute() || *relative.begin() == "..") {
    malformed_onnx_tensor(fmt::format("external data '{}' is not beside the model", parts.location));
  }
  auto mapped = MappedFile::open(source.folder / relative);
  const Bytes bytes = mapped->bytes();
  const std::uint64_t left = parts.offset > bytes.size() ? 0 : bytes.size() - parts.offset;
  const std::uint64_t length = parts.has_length ? parts.length : left;
  if (parts.offset > bytes.size() || length > left) {
    malformed_onnx_tensor(fmt::format("external data '{}' ends before byte {}", parts.location, parts.offset));
  }
  owner = std::move(mapped);
  return bytes.subspan(static_cast<std::size_t>(parts.offset), static_cast<std::size_t>(length));
}

/// Varints, in packed chunks or one by one.
std::vector<std::uint64_t> varints(const std::vector<Bytes>& chunks, const std::vector<std::uint64_t>& singles,
                                   std::int64_t limit) {
  std::vector<std::uint64_t> values = singles;
  for (const Bytes chunk : chunks) {
    WireReader packed(chunk);
    while (!packed.at_end()) {
      if (static_cast<std::int64_t>(values.size()) > limit)
        malformed_onnx_tensor("a tensor with more numbers than its shape says");
      values.push_back(packed.varint());
    }
  }
  return values;
}

template <class T>
std::vector<float> fixed(const std::vector<Bytes>& chunks) {
  std::vector<float> values;
  for (const Bytes chunk : chunks) {
    if (chunk.size() % sizeof(T) != 0) malformed_onnx_tensor("tensor data that ends within a number");
    for (std::size_t i = 0; i < chunk.size() / sizeof(T); ++i) {
      values.push_back(static_cast<float>(load_number<T>(chunk, i)));
    }
  }
  return values;
}

/// A stored 32-bit field holds the narrow types' bits.
float float_of_bits(ElementType type, std::uint64_t bits) {
  const auto narrow = static_cast<std::uint16_t>(bits);
  return type == ElementType::float16 ? half_to_float(narrow) : std::bit_cast<float>(std::uint32_t{narrow} << 16U);
}

std::int64_t integer_of_field(ElementType type, std::uint64_t field) {
  if (type == ElementType::uint32) return static_cast<std::int64_t>(static_cast<std::uint32_t>(field));
  if (type == ElementType::int64 || type == ElementType::uint64) return static_cast<std::int64_t>(field);
  return static_cast<std::int32_t>(field);
}

ConstantPtr from_fields(const TensorParts& parts, std::int64_t count) {
  std::vector<float> floats;
  std::vector<std::int64_t> integers;
  const bool narrow = parts.type == ElementType::float16 || parts.type == ElementType::bfloat16;
  if (parts.type == ElementType::float32) {
    floats = fixed<float>(parts.floats);
  } else if (parts.type == ElementType::float64) {
    floats = fixed<double>(parts.doubles);
  } else if (parts.type == ElementType::uint4 || parts.type == ElementType::int4) {
    // Two numbers to an entry.
    const std::vector<std::uint64_t> pairs = varints(parts.int32s, parts.singles, count);
    std::vector<std::byte> bytes;
    for (const std::uint64_t pair : pairs) bytes.push_back(static_cast<std::byte>(pair));
    return constant_from_bytes(parts.type, parts.shape, bytes, nullptr);
  } else {
    const bool wide = parts.type == ElementType::int64;
    const bool unsigned_wide = parts.type == ElementType::uint64 || parts.type == ElementType::uint32;
    const auto& chunks = wide ? parts.int64s : unsigned_wide ? parts.uint64s : parts.int32s;
    for (const std::uint64_t field : varints(chunks, parts.singles, count)) {
      if (narrow) {
        floats.push_back(float_of_bits(parts.type, field));
      } else {
        integers.push_back(integer_of_field(parts.type, field));
      }
    }
  }
  const std::size_t held = is_floating(parts.type) ? floats.size() : integers.size();
  if (held != static_cast<std::size_t>(count)) {
    malformed_onnx_tensor(
        fmt::format("a tensor of shape {} needs {} numbers and holds {}", to_text(parts.shape), count, held));
  }
  return is_floating(parts.type) ? make_tensor(parts.type, parts.shape, std::move(floats))
                                 : make_tensor(parts.type, parts.shape, std::move(integers));
}

}  // namespace

ElementType onnx_type(std::uint64_t number) {
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
      return static_cast<ElementType>(number);
    default:
      throw Error(ErrorKind::unsupported, fmt::format("the element type {}", number));
  }
}

std::filesystem::path external_file_of(std::span<const std::byte> message) {
  TensorParts parts;
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == onnx_tensor_field::external && field->is_bytes()) {
      read_external(field->bytes, parts);
    }
    if (field->number == onnx_tensor_field::location) parts.external = field->value == 1;
  }
  return parts.external ? std::filesystem::path(parts.location) : std::filesystem::path();
}

ConstantPtr decode_onnx_tensor(std::span<const std::byte> message, const OnnxTensorSource& source) {
  const TensorParts parts = split_onnx_tensor(message);
  if (parts.type == ElementType::undefined) malformed_onnx_tensor("a tensor without a type");
  if (parts.type == ElementType::string) unsupported("strings");
  const std::int64_t count = element_count(parts.shape);
  if (parts.external) {
    std::shared_ptr<const void> owner;
    const Bytes bytes = external_bytes(parts, source, owner);
    return constant_from_bytes(parts.type, parts.shape, bytes, owner);
  }
  if (parts.has_raw) return constant_from_bytes(parts.type, parts.shape, parts.raw, source.owner);
  return from_fields(parts, count);
}

}  // namespace octavo::graph

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
#include "graph/import/onnx_limits.h"
#include "graph/import/onnx_tensor.h"
#include "graph/import/wire_reader.h"
#include "graph/mapped_file.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

using Bytes = std::span<const std::byte>;

namespace tensor_field {
constexpr std::uint32_t dims = 1, type = 2, segment = 3, floats = 4, int32s = 5, strings = 6, int64s = 7, raw = 9,
                        doubles = 10, uint64s = 11, external = 13, location = 14;
}
constexpr std::uint32_t kKey = 1, kValue = 2;  // of an entry of external data

[[noreturn]] void malformed_tensor(const std::string& what) { throw Error(ErrorKind::malformed, what); }
[[noreturn]] void unsupported(const std::string& what) { throw Error(ErrorKind::unsupported, what); }

std::string string_of_bytes(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// Bits of one element.
std::size_t bits_of(OnnxType type) {
  switch (type) {
    case OnnxType::uint4:
    case OnnxType::int4:
      return 4;
    case OnnxType::uint8:
    case OnnxType::int8:
    case OnnxType::boolean:
      return 8;
    case OnnxType::uint16:
    case OnnxType::int16:
    case OnnxType::float16:
    case OnnxType::bfloat16:
      return 16;
    case OnnxType::float32:
    case OnnxType::int32:
    case OnnxType::uint32:
      return 32;
    default:
      return 64;
  }
}

struct TensorParts {
  Shape shape;
  OnnxType type = OnnxType::undefined;
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
  if (problem != std::errc{} || stop != end) malformed_tensor(fmt::format("'{}' is no offset of external data", text));
  return value;
}

void read_external(Bytes message, TensorParts& parts) {
  std::string key, value;
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->type != WireField::Type::bytes || field->bytes.size() > kMaxOnnxNameBytes) continue;
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
  if (size < 0) malformed_tensor("a tensor of negative size");
  parts.shape.push_back(size);
}

void add_numbers(std::vector<Bytes>& chunks, const WireField& field, TensorParts& parts) {
  if (field.type == WireField::Type::bytes) {
    chunks.push_back(field.bytes);
  } else if (field.type == WireField::Type::varint) {
    parts.singles.push_back(field.value);
  } else if (field.type != WireField::Type::group) {
    chunks.push_back(field.bytes);  // one number of fixed width lies as it would in a packed list
  }
}

TensorParts split(Bytes message) {
  TensorParts parts;
  WireReader reader(message);
  while (const auto field = reader.next()) {
    switch (field->number) {
      case tensor_field::dims:
        if (field->type == WireField::Type::varint) add_dim(parts, field->value);
        if (field->type == WireField::Type::bytes) {
          WireReader packed(field->bytes);
          while (!packed.at_end()) add_dim(parts, packed.varint());
        }
        break;
      case tensor_field::type:
        if (field->type == WireField::Type::varint) parts.type = onnx_type(field->value);
        break;
      case tensor_field::segment:
        unsupported("a tensor in segments");
      case tensor_field::floats:
        add_numbers(parts.floats, *field, parts);
        break;
      case tensor_field::int32s:
        add_numbers(parts.int32s, *field, parts);
        break;
      case tensor_field::strings:
        unsupported("strings");
      case tensor_field::int64s:
        add_numbers(parts.int64s, *field, parts);
        break;
      case tensor_field::raw:
        if (field->type != WireField::Type::bytes) break;
        parts.raw = field->bytes;
        parts.has_raw = true;
        break;
      case tensor_field::doubles:
        add_numbers(parts.doubles, *field, parts);
        break;
      case tensor_field::uint64s:
        add_numbers(parts.uint64s, *field, parts);
        break;
      case tensor_field::external:
        if (field->type == WireField::Type::bytes) read_external(field->bytes, parts);
        break;
      case tensor_field::location:
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
    malformed_tensor(fmt::format("external data '{}' is not beside the model", parts.location));
  }
  auto mapped = MappedFile::open(source.folder / relative);
  const Bytes bytes = mapped->bytes();
  const std::uint64_t left = parts.offset > bytes.size() ? 0 : bytes.size() - parts.offset;
  const std::uint64_t length = parts.has_length ? parts.length : left;
  if (parts.offset > bytes.size() || length > left) {
    malformed_tensor(fmt::format("external data '{}' ends before byte {}", parts.location, parts.offset));
  }
  owner = std::move(mapped);
  return bytes.subspan(static_cast<std::size_t>(parts.offset), static_cast<std::size_t>(length));
}

template <class T>
T load(Bytes bytes, std::size_t index) {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

std::int64_t integer_at(OnnxType type, Bytes raw, std::size_t i) {
  switch (type) {
    case OnnxType::uint8:
    case OnnxType::boolean:
      return load<std::uint8_t>(raw, i);
    case OnnxType::int8:
      return load<std::int8_t>(raw, i);
    case OnnxType::uint16:
      return load<std::uint16_t>(raw, i);
    case OnnxType::int16:
      return load<std::int16_t>(raw, i);
    case OnnxType::int32:
      return load<std::int32_t>(raw, i);
    case OnnxType::uint32:
      return load<std::uint32_t>(raw, i);
    case OnnxType::uint4:
    case OnnxType::int4: {
      const auto pair = std::to_integer<unsigned>(raw[i / 2]);
      const auto nibble = static_cast<std::int64_t>(i % 2 == 0 ? pair & 15U : pair >> 4U);
      return type == OnnxType::int4 && nibble > 7 ? nibble - 16 : nibble;
    }
    default:
      return load<std::int64_t>(raw, i);
  }
}

float float_at(OnnxType type, Bytes raw, std::size_t i) {
  switch (type) {
    case OnnxType::float16:
      return half_to_float(load<std::uint16_t>(raw, i));
    case OnnxType::bfloat16:
      return std::bit_cast<float>(std::uint32_t{load<std::uint16_t>(raw, i)} << 16U);
    case OnnxType::float64:
      return static_cast<float>(load<double>(raw, i));
    default:
      return load<float>(raw, i);
  }
}

bool aligned_for_floats(Bytes bytes) { return reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(float) == 0; }

OnnxTensorPtr from_raw(const TensorParts& parts, Bytes raw, std::int64_t count, std::shared_ptr<const void> owner) {
  std::int64_t bits = 0;
  if (__builtin_mul_overflow(count, static_cast<std::int64_t>(bits_of(parts.type)), &bits) ||
      raw.size() != (static_cast<std::size_t>(bits) + 7) / 8) {
    malformed_tensor(fmt::format("a tensor of shape {} and type {} in {} bytes", to_text(parts.shape),
                          onnx_type_name(parts.type), raw.size()));
  }
  auto tensor = std::make_shared<OnnxTensor>();
  tensor->type = parts.type;
  tensor->shape = parts.shape;
  const auto size = static_cast<std::size_t>(count);
  if (parts.type == OnnxType::float32 && owner && aligned_for_floats(raw)) {
    // The bytes of a mapped file are the little-endian floats themselves.
    tensor->floats = {std::span<const float>(reinterpret_cast<const float*>(raw.data()), size), std::move(owner)};
  } else if (is_floating(parts.type)) {
    std::vector<float> values(size);
    for (std::size_t i = 0; i < size; ++i) values[i] = float_at(parts.type, raw, i);
    tensor->floats = std::move(values);
  } else {
    std::vector<std::int64_t> values(size);
    for (std::size_t i = 0; i < size; ++i) values[i] = integer_at(parts.type, raw, i);
    tensor->integers = std::move(values);
  }
  return tensor;
}

/// Varints, in packed chunks or one by one.
std::vector<std::uint64_t> varints(const std::vector<Bytes>& chunks, const std::vector<std::uint64_t>& singles,
                                   std::int64_t limit) {
  std::vector<std::uint64_t> values = singles;
  for (const Bytes chunk : chunks) {
    WireReader packed(chunk);
    while (!packed.at_end()) {
      if (static_cast<std::int64_t>(values.size()) > limit) malformed_tensor("a tensor with more numbers than its shape says");
      values.push_back(packed.varint());
    }
  }
  return values;
}

template <class T>
std::vector<float> fixed(const std::vector<Bytes>& chunks) {
  std::vector<float> values;
  for (const Bytes chunk : chunks) {
    if (chunk.size() % sizeof(T) != 0) malformed_tensor("tensor data that ends within a number");
    for (std::size_t i = 0; i < chunk.size() / sizeof(T); ++i) {
      values.push_back(static_cast<float>(load<T>(chunk, i)));
    }
  }
  return values;
}

/// A stored 32-bit field holds the narrow types' bits.
float float_of_bits(OnnxType type, std::uint64_t bits) {
  const auto narrow = static_cast<std::uint16_t>(bits);
  return type == OnnxType::float16 ? half_to_float(narrow) : std::bit_cast<float>(std::uint32_t{narrow} << 16U);
}

std::int64_t integer_of_field(OnnxType type, std::uint64_t field) {
  if (type == OnnxType::uint32) return static_cast<std::int64_t>(static_cast<std::uint32_t>(field));
  if (type == OnnxType::int64 || type == OnnxType::uint64) return static_cast<std::int64_t>(field);
  return static_cast<std::int32_t>(field);
}

OnnxTensorPtr from_fields(const TensorParts& parts, std::int64_t count) {
  std::vector<float> floats;
  std::vector<std::int64_t> integers;
  const bool narrow = parts.type == OnnxType::float16 || parts.type == OnnxType::bfloat16;
  if (parts.type == OnnxType::float32) {
    floats = fixed<float>(parts.floats);
  } else if (parts.type == OnnxType::float64) {
    floats = fixed<double>(parts.doubles);
  } else if (parts.type == OnnxType::uint4 || parts.type == OnnxType::int4) {
    // Two numbers to an entry.
    const std::vector<std::uint64_t> pairs = varints(parts.int32s, parts.singles, count);
    std::vector<std::byte> bytes;
    for (const std::uint64_t pair : pairs) bytes.push_back(static_cast<std::byte>(pair));
    return from_raw(parts, bytes, count, nullptr);
  } else {
    const bool wide = parts.type == OnnxType::int64;
    const bool unsigned_wide = parts.type == OnnxType::uint64 || parts.type == OnnxType::uint32;
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
    malformed_tensor(fmt::format("a tensor of shape {} needs {} numbers and holds {}", to_text(parts.shape), count, held));
  }
  return is_floating(parts.type) ? make_tensor(parts.type, parts.shape, std::move(floats))
                                 : make_tensor(parts.type, parts.shape, std::move(integers));
}

}  // namespace

OnnxTensorPtr decode_onnx_tensor(std::span<const std::byte> message, const OnnxTensorSource& source) {
  const TensorParts parts = split(message);
  if (parts.type == OnnxType::undefined) malformed_tensor("a tensor without a type");
  if (parts.type == OnnxType::string) unsupported("strings");
  const std::int64_t count = element_count(parts.shape);
  if (parts.external) {
    std::shared_ptr<const void> owner;
    const Bytes bytes = external_bytes(parts, source, owner);
    return from_raw(parts, bytes, count, owner);
  }
  if (parts.has_raw) return from_raw(parts, parts.raw, count, source.owner);
  return from_fields(parts, count);
}

}  // namespace octavo::graph

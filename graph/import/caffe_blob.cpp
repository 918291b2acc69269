// SPDX-License-Identifier: Apache-2.0
// See graph/import/caffe_blob.h. No allocation is larger than the message: numbers are present or they are missing.
#include "graph/import/caffe_blob.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "graph/import/wire_reader.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

constexpr std::size_t kMaxDimensions = 32;  // Caffe's own limit

struct Parts {
  Shape shape, legacy{0, 0, 0, 0};
  bool has_shape = false, has_legacy = false;
  std::vector<std::span<const std::byte>> floats, doubles;
};

Shape decode_shape(std::span<const std::byte> message) {
  Shape shape;
  const auto add = [&](std::uint64_t dim) {
    if (shape.size() == kMaxDimensions) throw Error(ErrorKind::malformed, "a blob of more than 32 dimensions");
    shape.push_back(static_cast<std::int64_t>(dim));
  };
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == 1) for_each_varint(*field, add);
  }
  return shape;
}

void add_numbers(std::vector<std::span<const std::byte>>& chunks, const WireField& field, std::size_t size) {
  const auto single = size == sizeof(float) ? WireField::Type::fixed32 : WireField::Type::fixed64;
  if (field.type != single && !field.is_bytes()) return;
  if (field.bytes.size() % size != 0) throw Error(ErrorKind::malformed, "blob data that ends within a number");
  if (!field.bytes.empty()) chunks.push_back(field.bytes);
}

Parts split(std::span<const std::byte> message) {
  Parts parts;
  WireReader reader(message);
  while (const auto field = reader.next()) {
    switch (field->number) {
      case 1:
      case 2:
      case 3:
      case 4:
        if (field->type != WireField::Type::varint) break;
        parts.legacy[field->number - 1] = static_cast<std::int32_t>(field->value);
        parts.has_legacy = true;
        break;
      case 5:
        add_numbers(parts.floats, *field, sizeof(float));
        break;
      case 7:
        if (!field->is_bytes()) break;
        parts.shape = decode_shape(field->bytes);
        parts.has_shape = true;
        break;
      case 8:
        add_numbers(parts.doubles, *field, sizeof(double));
        break;
      default:
        break;  // diff, double_diff, and what later versions may add
    }
  }
  return parts;
}

/// Product of the dimensions, or -1: negative, or more than 63 bits.
std::int64_t count_of(const Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t dim : shape) {
    if (dim < 0 || __builtin_mul_overflow(count, dim, &count)) return -1;
  }
  return count;
}

std::size_t size_of(const std::vector<std::span<const std::byte>>& chunks) {
  std::size_t size = 0;
  for (const auto& chunk : chunks) size += chunk.size();
  return size;
}

template <class T>
std::vector<float> gather(const std::vector<std::span<const std::byte>>& chunks) {
  std::vector<float> values(size_of(chunks) / sizeof(T));
  std::size_t next = 0;
  for (const auto& chunk : chunks) {
    if constexpr (std::is_same_v<T, float>) {
      std::memcpy(values.data() + next, chunk.data(), chunk.size());
      next += chunk.size() / sizeof(T);
    } else {
      for (std::size_t at = 0; at < chunk.size(); at += sizeof(T)) {
        T number;
        std::memcpy(&number, chunk.data() + at, sizeof(T));
        values[next++] = static_cast<float>(number);
      }
    }
  }
  return values;
}

Data<float> numbers(const Parts& parts, const std::shared_ptr<const void>& owner) {
  if (!parts.doubles.empty()) return gather<double>(parts.doubles);
  if (parts.floats.size() == 1 && reinterpret_cast<std::uintptr_t>(parts.floats[0].data()) % alignof(float) == 0) {
    // The bytes of a mapped file are the little-endian floats themselves.
    const auto* first = reinterpret_cast<const float*>(parts.floats[0].data());
    return {std::span<const float>(first, parts.floats[0].size() / sizeof(float)), owner};
  }
  return gather<float>(parts.floats);
}

}  // namespace

CaffeBlob decode_caffe_blob(std::span<const std::byte> message, const std::shared_ptr<const void>& owner,
                            const std::string& where) {
  try {
    const Parts parts = split(message);
    if (!parts.has_shape && !parts.has_legacy) throw Error(ErrorKind::malformed, "a blob without a shape");
    CaffeBlob blob;
    blob.shape = parts.has_shape ? parts.shape : parts.legacy;
    const std::int64_t count = count_of(blob.shape);
    if (count < 0) throw Error(ErrorKind::malformed, fmt::format("a blob of shape [{}]", fmt::join(blob.shape, ",")));
    const std::size_t held = parts.doubles.empty() ? size_of(parts.floats) / sizeof(float)  //
                                                   : size_of(parts.doubles) / sizeof(double);
    if (static_cast<std::uint64_t>(count) != held) {
      throw Error(ErrorKind::malformed, fmt::format("a blob of shape [{}] needs {} numbers and holds {}",
                                                    fmt::join(blob.shape, ","), count, held));
    }
    blob.values = numbers(parts, owner);
    return blob;
  } catch (const Error& error) {
    throw Error(error.kind(), error.what(), where);
  }
}

}  // namespace octavo::graph

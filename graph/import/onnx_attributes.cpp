// SPDX-License-Identifier: Apache-2.0
// See graph/import/onnx_attributes.h.
#include "graph/import/onnx_attributes.h"

#include <fmt/core.h>

#include <cstring>

#include "graph/import/onnx_limits.h"
#include "graph/import/wire_reader.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

using Bytes = std::span<const std::byte>;

namespace field_of {
constexpr std::uint32_t number = 2, integer = 3, text = 4, tensor = 5, graph = 6, numbers = 7, integers = 8;
}

/// The first field of that number.
std::optional<WireField> field_in(Bytes message, std::uint32_t number) {
  WireReader reader(message);
  while (auto field = reader.next()) {
    if (field->number == number) return field;
  }
  return std::nullopt;
}

float as_float(Bytes bytes) {
  float value = 0;
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

[[noreturn]] void wrong(std::string_view name, std::string_view what) {
  throw Error(ErrorKind::malformed, fmt::format("the attribute '{}' is not {}", name, what));
}

void check_length(std::size_t length, std::string_view name) {
  if (length >= kMaxOnnxList) wrong(name, "a list of a plausible length");
}

}  // namespace

std::optional<Bytes> OnnxAttributes::find(std::string_view name) const {
  for (const auto& [own, message] : node_.attributes) {
    if (own == name) return message;
  }
  return std::nullopt;
}

// A field that holds its type's default may be left out of the message: an integer attribute without a number is 0.

std::int64_t OnnxAttributes::integer(std::string_view name, std::int64_t fallback) const {
  const auto message = find(name);
  if (!message) return fallback;
  const auto field = field_in(*message, field_of::integer);
  if (!field) return 0;
  if (field->type != WireField::Type::varint) wrong(name, "a whole number");
  return static_cast<std::int64_t>(field->value);
}

float OnnxAttributes::number(std::string_view name, float fallback) const {
  const auto message = find(name);
  if (!message) return fallback;
  const auto field = field_in(*message, field_of::number);
  if (!field) return 0.0F;
  if (field->type != WireField::Type::fixed32) wrong(name, "a number");
  return as_float(field->bytes);
}

std::string OnnxAttributes::text(std::string_view name, std::string_view fallback) const {
  const auto message = find(name);
  if (!message) return std::string(fallback);
  const auto field = field_in(*message, field_of::text);
  if (!field) return {};
  if (!field->is_bytes() || field->bytes.size() > kMaxOnnxNameBytes) wrong(name, "a word");
  return {reinterpret_cast<const char*>(field->bytes.data()), field->bytes.size()};
}

std::vector<std::int64_t> OnnxAttributes::integers(std::string_view name) const {
  std::vector<std::int64_t> values;
  const auto message = find(name);
  if (!message) return values;
  const auto add = [&](std::uint64_t value) {
    check_length(values.size(), name);
    values.push_back(static_cast<std::int64_t>(value));
  };
  WireReader reader(*message);
  while (const auto field = reader.next()) {
    if (field->number == field_of::integers) for_each_varint(*field, add);
  }
  return values;
}

std::vector<float> OnnxAttributes::numbers(std::string_view name) const {
  std::vector<float> values;
  const auto message = find(name);
  if (!message) return values;
  WireReader reader(*message);
  while (const auto field = reader.next()) {
    if (field->number != field_of::numbers || field->type == WireField::Type::varint) continue;
    if (field->bytes.size() % sizeof(float) != 0) wrong(name, "a list of numbers");
    for (std::size_t at = 0; at < field->bytes.size(); at += sizeof(float)) {
      check_length(values.size(), name);
      values.push_back(as_float(field->bytes.subspan(at, sizeof(float))));
    }
  }
  return values;
}

ConstantPtr OnnxAttributes::tensor(std::string_view name) const {
  const auto message = find(name);
  if (!message) return nullptr;
  const auto field = field_in(*message, field_of::tensor);
  if (!field || !field->is_bytes()) wrong(name, "a tensor");
  return decode_onnx_tensor(field->bytes, source_);
}

Bytes OnnxAttributes::graph(std::string_view name) const {
  const auto message = find(name);
  const auto field = message ? field_in(*message, field_of::graph) : std::nullopt;
  if (!field || !field->is_bytes()) wrong(name, "a graph");
  return field->bytes;
}

}  // namespace octavo::graph

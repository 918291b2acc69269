// SPDX-License-Identifier: Apache-2.0
// See graph/import/tensorflow_attributes.h.
#include "graph/import/tensorflow_attributes.h"

#include <fmt/core.h>

#include "graph/import/load_number.h"
#include "graph/import/tensorflow_limits.h"
#include "graph/import/wire_reader.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

using Bytes = std::span<const std::byte>;

// Fields of AttrValue, and of its lists.
namespace attr_value {
constexpr std::uint32_t list = 1, text = 2, integer = 3, number = 4, flag = 5, type = 6, shape = 7, tensor = 8;
}

[[noreturn]] void wrong_tensorflow_attribute(std::string_view name, std::string_view what) {
  throw Error(ErrorKind::malformed, fmt::format("the attribute '{}' is not {}", name, what));
}

/// The first field of that number; of another type, an error that says what was expected.
std::optional<WireField> attribute_field(Bytes message, std::uint32_t number, WireField::Type type,
                                         std::string_view name, std::string_view what) {
  WireReader reader(message);
  while (auto field = reader.next()) {
    if (field->number != number) continue;
    if (field->type != type) wrong_tensorflow_attribute(name, what);
    return field;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Bytes> TensorflowAttributes::find(std::string_view name) const {
  for (const auto& [own, message] : node_.attributes) {
    if (own == name) return message;
  }
  return std::nullopt;
}

// An attribute whose field is missing holds its type's default, which writers may leave out.

std::int64_t TensorflowAttributes::integer(std::string_view name, std::int64_t fallback) const {
  const auto message = find(name);
  if (!message) return fallback;
  const auto field = attribute_field(*message, attr_value::integer, WireField::Type::varint, name, "a whole number");
  return field ? static_cast<std::int64_t>(field->value) : 0;
}

bool TensorflowAttributes::flag(std::string_view name, bool fallback) const {
  const auto message = find(name);
  if (!message) return fallback;
  const auto field = attribute_field(*message, attr_value::flag, WireField::Type::varint, name, "true or false");
  return field && field->value != 0;
}

float TensorflowAttributes::number(std::string_view name, float fallback) const {
  const auto message = find(name);
  if (!message) return fallback;
  const auto field = attribute_field(*message, attr_value::number, WireField::Type::fixed32, name, "a number");
  return field ? load_number<float>(field->bytes) : 0.0F;
}

std::string TensorflowAttributes::text(std::string_view name, std::string_view fallback) const {
  const auto message = find(name);
  if (!message) return std::string(fallback);
  const auto field = attribute_field(*message, attr_value::text, WireField::Type::bytes, name, "a word");
  if (!field) return {};
  if (field->bytes.size() > kMaxTensorflowNameBytes) wrong_tensorflow_attribute(name, "a word");
  return {reinterpret_cast<const char*>(field->bytes.data()), field->bytes.size()};
}

std::vector<std::int64_t> TensorflowAttributes::integers(std::string_view name) const {
  std::vector<std::int64_t> values;
  const auto message = find(name);
  if (!message) return values;
  const auto list = attribute_field(*message, attr_value::list, WireField::Type::bytes, name, "a list");
  if (!list) return values;
  const auto add = [&](std::uint64_t value) {
    if (values.size() == kMaxTensorflowList) wrong_tensorflow_attribute(name, "a list of a plausible length");
    values.push_back(static_cast<std::int64_t>(value));
  };
  WireReader reader(list->bytes);
  while (const auto field = reader.next()) {
    if (field->number == attr_value::integer) for_each_varint(*field, add);
  }
  return values;
}

std::optional<ElementType> TensorflowAttributes::type(std::string_view name) const {
  const auto message = find(name);
  if (!message) return std::nullopt;
  const auto field = attribute_field(*message, attr_value::type, WireField::Type::varint, name, "a type");
  if (!field) return std::nullopt;
  return tensorflow_type(field->value);
}

std::optional<TensorflowShape> TensorflowAttributes::shape(std::string_view name) const {
  const auto message = find(name);
  if (!message) return std::nullopt;
  const auto field = attribute_field(*message, attr_value::shape, WireField::Type::bytes, name, "a shape");
  if (!field) return std::nullopt;
  return decode_tensorflow_shape(field->bytes);
}

ConstantPtr TensorflowAttributes::tensor(std::string_view name) const {
  const auto message = find(name);
  if (!message) return nullptr;
  const auto field = attribute_field(*message, attr_value::tensor, WireField::Type::bytes, name, "a tensor");
  if (!field) wrong_tensorflow_attribute(name, "a tensor");
  return decode_tensorflow_tensor(field->bytes, owner_, budget_);
}

}  // namespace octavo::graph

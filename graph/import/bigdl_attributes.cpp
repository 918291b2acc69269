// SPDX-License-Identifier: Apache-2.0
// See graph/import/bigdl_attributes.h.
#include "graph/import/bigdl_attributes.h"

#include <fmt/core.h>

#include <cstring>

#include "graph/import/bigdl_fields.h"
#include "graph/import/bigdl_limits.h"
#include "graph/import/wire_reader.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

namespace value_field = bigdl_field::value;
namespace array_field = bigdl_field::array;

[[noreturn]] void wrong_attribute(std::string_view name, std::string_view what) {
  throw Error(ErrorKind::malformed, fmt::format("its '{}' is not {}", name, what));
}

/// The last field of that number and type, as protocol buffers have it.
std::optional<WireField> last_field(BigdlBytes message, std::uint32_t number, WireField::Type type) {
  std::optional<WireField> found;
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == number && field->type == type) found = field;
  }
  return found;
}

template <class T>
T loaded(BigdlBytes bytes) {
  T value{};
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

std::string as_text(BigdlBytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

template <class T>
void append_numbers(BigdlBytes array, std::uint32_t number, WireField::Type single, std::vector<float>& numbers) {
  const auto add = [&](BigdlBytes bytes) {
    if (numbers.size() == kMaxBigdlList) throw Error(ErrorKind::malformed, "a list of too many numbers");
    numbers.push_back(static_cast<float>(loaded<T>(bytes)));
  };
  WireReader reader(array);
  while (const auto field = reader.next()) {
    if (field->number != number) continue;
    if (field->type == single) add(field->bytes);
    if (!field->is_bytes()) continue;
    for (std::size_t at = 0; at + sizeof(T) <= field->bytes.size(); at += sizeof(T)) add(field->bytes.subspan(at));
  }
}

}  // namespace

std::vector<std::int64_t> read_bigdl_integers(BigdlBytes message, std::uint32_t number) {
  std::vector<std::int64_t> values;
  const auto add = [&](std::uint64_t value) {
    if (values.size() == kMaxBigdlList) throw Error(ErrorKind::malformed, "a list of too many numbers");
    values.push_back(static_cast<std::int64_t>(value));
  };
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == number) for_each_varint(*field, add);
  }
  return values;
}

std::optional<BigdlBytes> BigdlAttributes::find(std::string_view name) const {
  const auto found = module_.attributes.find(name);
  if (found == module_.attributes.end()) return std::nullopt;
  return found->second;
}

std::int64_t BigdlAttributes::integer(std::string_view name, std::int64_t fallback) const {
  const auto message = find(name);
  if (!message) return fallback;
  for (const std::uint32_t number : {value_field::integer, value_field::long_integer}) {
    if (const auto field = last_field(*message, number, WireField::Type::varint)) {
      return static_cast<std::int64_t>(field->value);
    }
  }
  wrong_attribute(name, "a whole number");
}

std::int64_t BigdlAttributes::integer(std::string_view name) const {
  if (!has(name)) throw Error(ErrorKind::malformed, fmt::format("it has no '{}'", name));
  return integer(name, 0);
}

double BigdlAttributes::number(std::string_view name, double fallback) const {
  const auto message = find(name);
  if (!message) return fallback;
  if (const auto field = last_field(*message, value_field::real, WireField::Type::fixed64)) {
    return loaded<double>(field->bytes);
  }
  if (const auto field = last_field(*message, value_field::single, WireField::Type::fixed32)) {
    return static_cast<double>(loaded<float>(field->bytes));
  }
  return static_cast<double>(integer(name));
}

float BigdlAttributes::real(std::string_view name, double fallback) const {
  return static_cast<float>(number(name, fallback));
}

bool BigdlAttributes::flag(std::string_view name, bool fallback) const {
  const auto message = find(name);
  if (!message) return fallback;
  const auto field = last_field(*message, value_field::truth, WireField::Type::varint);
  if (!field) wrong_attribute(name, "true or false");
  return field->value != 0;
}

std::vector<std::int64_t> BigdlAttributes::integers(std::string_view name) const {
  const auto message = find(name);
  if (!message) return {};
  const auto array = last_field(*message, value_field::array, WireField::Type::bytes);
  if (!array) return {integer(name)};  // one number, as releases before the list have it
  std::vector<std::int64_t> values = read_bigdl_integers(array->bytes, array_field::integer);
  return values.empty() ? read_bigdl_integers(array->bytes, array_field::long_integer) : values;
}

std::vector<float> BigdlAttributes::numbers(std::string_view name) const {
  const auto message = find(name);
  if (!message) return {};
  const auto array = last_field(*message, value_field::array, WireField::Type::bytes);
  if (!array) wrong_attribute(name, "a list of numbers");
  std::vector<float> values;
  append_numbers<float>(array->bytes, array_field::single, WireField::Type::fixed32, values);
  append_numbers<double>(array->bytes, array_field::real, WireField::Type::fixed64, values);
  return values;
}

std::vector<std::string> BigdlAttributes::texts(std::string_view name) const {
  const auto message = find(name);
  if (!message) return {};
  const auto array = last_field(*message, value_field::array, WireField::Type::bytes);
  if (!array) wrong_attribute(name, "a list of names");
  std::vector<std::string> values;
  WireReader reader(array->bytes);
  while (const auto field = reader.next()) {
    if (field->number != array_field::text || !field->is_bytes()) continue;
    if (values.size() == kMaxBigdlList || field->bytes.size() > kMaxBigdlNameBytes) {
      wrong_attribute(name, "a list of plausible names");
    }
    values.push_back(as_text(field->bytes));
  }
  return values;
}

bool BigdlAttributes::channels_last(std::string_view name) const {
  const auto message = find(name);
  if (!message) return false;
  const auto field = last_field(*message, value_field::format, WireField::Type::varint);
  if (!field || field->value > 1) wrong_attribute(name, "a layout that octavo knows");
  return field->value == 1;
}

std::optional<BigdlBytes> BigdlAttributes::tensor(std::string_view name) const {
  const auto message = find(name);
  if (!message) return std::nullopt;
  const auto field = last_field(*message, value_field::tensor, WireField::Type::bytes);
  if (!field) return std::nullopt;  // null is a value
  return field->bytes;
}

std::vector<BigdlBytes> BigdlAttributes::tensors(std::string_view name) const {
  const auto message = find(name);
  if (!message) return {};
  const auto array = last_field(*message, value_field::array, WireField::Type::bytes);
  if (!array) wrong_attribute(name, "a list of tensors");
  std::vector<BigdlBytes> values;
  WireReader reader(array->bytes);
  while (const auto field = reader.next()) {
    if (field->number != array_field::tensor || !field->is_bytes()) continue;
    if (values.size() == kMaxBigdlList) wrong_attribute(name, "a list of plausible length");
    values.push_back(field->bytes);
  }
  return values;
}

std::optional<BigdlModule> BigdlAttributes::module(std::string_view name) const {
  const auto message = find(name);
  if (!message) return std::nullopt;
  const auto field = last_field(*message, value_field::module, WireField::Type::bytes);
  if (!field) return std::nullopt;
  return read_bigdl_module(field->bytes);
}

std::optional<Shape> BigdlAttributes::shape(std::string_view name) const {
  const auto message = find(name);
  if (!message) return std::nullopt;
  const auto field = last_field(*message, value_field::shape, WireField::Type::bytes);
  if (!field) return std::nullopt;
  return read_bigdl_shape(field->bytes);
}

std::vector<std::pair<std::string, std::int64_t>> BigdlAttributes::named_integers(std::string_view name) const {
  std::vector<std::pair<std::string, std::int64_t>> values;
  const auto message = find(name);
  if (!message) return values;
  const auto list = last_field(*message, value_field::list, WireField::Type::bytes);
  if (!list) return values;
  WireReader reader(list->bytes);
  while (const auto entry = reader.next()) {
    if (entry->number != bigdl_field::list::attribute || !entry->is_bytes()) continue;
    if (values.size() == kMaxBigdlList) wrong_attribute(name, "a map of plausible length");
    std::string key;
    std::int64_t number = 0;
    WireReader parts(entry->bytes);
    while (const auto part = parts.next()) {
      if (!part->is_bytes()) continue;
      if (part->number == bigdl_field::entry::key) key = as_text(part->bytes);
      if (part->number != bigdl_field::entry::value) continue;
      if (const auto value = last_field(part->bytes, value_field::integer, WireField::Type::varint)) {
        number = static_cast<std::int64_t>(value->value);
      }
    }
    values.emplace_back(std::move(key), number);
  }
  return values;
}

}  // namespace octavo::graph

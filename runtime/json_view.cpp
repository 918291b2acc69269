// SPDX-License-Identifier: Apache-2.0
// Strict JSON access.
#include "runtime/json_view.h"

#include <algorithm>
#include <cmath>

#include "octavo/error.h"

namespace octavo::runtime {

using nlohmann::json;

JsonView JsonView::parse(std::string_view text, std::size_t max_depth, json& document) {
  const auto limit_depth = [max_depth](int depth, json::parse_event_t, json&) {
    if (std::cmp_greater(depth, max_depth)) throw Error(ErrorKind::malformed, "nested too deeply");
    return true;
  };
  try {
    document = json::parse(text, limit_depth);
  } catch (const json::parse_error& error) {
    throw Error(ErrorKind::malformed, "no JSON: it breaks at byte " + std::to_string(error.byte));
  } catch (const json::exception&) {
    throw Error(ErrorKind::malformed, "a number in it is beyond what JSON's readers hold");
  }
  return {document, ""};
}

void JsonView::fail(const std::string& what) const { throw Error(ErrorKind::malformed, what, place_); }

bool JsonView::has(std::string_view key) const { return json_->is_object() && json_->contains(key); }

JsonView JsonView::at(std::string_view key) const {
  if (!json_->is_object()) fail("an object is expected");
  const auto found = json_->find(key);
  if (found == json_->end()) fail("no '" + std::string(key) + "'");
  return {*found, (place_.empty() ? "" : place_ + ".") + std::string(key)};
}

std::vector<JsonView> JsonView::items() const {
  if (!json_->is_array()) fail("a list is expected");
  std::vector<JsonView> views;
  views.reserve(json_->size());
  for (const json& item : *json_) views.push_back({item, place_ + "[" + std::to_string(views.size()) + "]"});
  return views;
}

void JsonView::expect_only(const std::vector<std::string_view>& keys) const {
  if (!json_->is_object()) fail("an object is expected");
  for (const auto& [key, value] : json_->items()) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) fail("unknown '" + key + "'");
  }
}

std::int64_t JsonView::integer(std::int64_t least, std::int64_t most) const {
  const bool fits = json_->is_number_integer() &&
                    (!json_->is_number_unsigned() || json_->get<std::uint64_t>() <= std::uint64_t{INT64_MAX});
  if (!fits) fail("a whole number is expected");
  const auto value = json_->get<std::int64_t>();
  if (value < least || value > most) fail(std::to_string(value) + " is out of range");
  return value;
}

float JsonView::number() const {
  if (json_->is_string()) {
    const auto& word = json_->get_ref<const std::string&>();
    if (word == "inf") return std::numeric_limits<float>::infinity();
    if (word == "-inf") return -std::numeric_limits<float>::infinity();
    if (word == "nan") return std::numeric_limits<float>::quiet_NaN();
  }
  if (!json_->is_number()) fail("a number is expected");
  const auto value = json_->get<double>();
  if (!(std::abs(value) <= double{std::numeric_limits<float>::max()})) fail("a number out of the range of a float");
  return static_cast<float>(value);
}

bool JsonView::boolean() const {
  if (!json_->is_boolean()) fail("true or false is expected");
  return json_->get<bool>();
}

const std::string& JsonView::text() const {
  if (!json_->is_string()) fail("a string is expected");
  return json_->get_ref<const std::string&>();
}

json json_number(float value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  return double{value};
}

}  // namespace octavo::runtime

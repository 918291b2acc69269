// SPDX-License-Identifier: Apache-2.0
// Strict reading of JSON that may be hostile: every access checks type and range, and every error says its place.
#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace octavo::runtime {

/// A part of a JSON document that outlives it. All functions throw Error(malformed) whose where() is the place, for
/// example "nodes[3].attributes.kernel".
class JsonView {
 public:
  /// Parses a whole document, at most `max_depth` levels deep, into `document`.
  static JsonView parse(std::string_view text, std::size_t max_depth, nlohmann::json& document);

  [[nodiscard]] JsonView at(std::string_view key) const;
  [[nodiscard]] bool has(std::string_view key) const;
  [[nodiscard]] std::vector<JsonView> items() const;
  /// Throws when the object has a key that is not in the list.
  void expect_only(const std::vector<std::string_view>& keys) const;

  [[nodiscard]] std::int64_t integer(std::int64_t least = std::numeric_limits<std::int64_t>::min(),
                                     std::int64_t most = std::numeric_limits<std::int64_t>::max()) const;
  /// A number, or one of the words "inf", "-inf", "nan".
  [[nodiscard]] float number() const;
  [[nodiscard]] bool boolean() const;
  [[nodiscard]] const std::string& text() const;
  [[nodiscard]] bool is_null() const { return json_->is_null(); }

  [[noreturn]] void fail(const std::string& what) const;

 private:
  JsonView(const nlohmann::json& json, std::string place) : json_(&json), place_(std::move(place)) {}
  const nlohmann::json* json_;
  std::string place_;
};

/// The other way of JsonView::number(); the value comes back bit for bit (but for a NaN's payload).
[[nodiscard]] nlohmann::json json_number(float value);

}  // namespace octavo::runtime

// SPDX-License-Identifier: Apache-2.0
// Attributes of a BigDL module: the arguments of its class's constructor, by name, and what else it saves.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/import/bigdl_module.h"

namespace octavo::graph {

/// An attribute that is absent gives the fallback: older releases lack what newer ones added. One of another type than
/// asked for is Error(malformed) that names it.
class BigdlAttributes {
 public:
  explicit BigdlAttributes(const BigdlModule& module) : module_(module) {}

  [[nodiscard]] bool has(std::string_view name) const { return module_.attributes.contains(name); }
  [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t fallback) const;
  /// Throws Error(malformed) when it is absent.
  [[nodiscard]] std::int64_t integer(std::string_view name) const;
  /// Any kind of number.
  [[nodiscard]] double number(std::string_view name, double fallback) const;
  [[nodiscard]] float real(std::string_view name, double fallback) const;
  [[nodiscard]] bool flag(std::string_view name, bool fallback) const;
  /// Empty when absent; a single number is a list of one.
  [[nodiscard]] std::vector<std::int64_t> integers(std::string_view name) const;
  [[nodiscard]] std::vector<float> numbers(std::string_view name) const;      ///< empty when absent
  [[nodiscard]] std::vector<std::string> texts(std::string_view name) const;  ///< likewise
  /// Channels last: `format`, or what the class calls it.
  [[nodiscard]] bool channels_last(std::string_view name = "format") const;
  [[nodiscard]] std::optional<BigdlBytes> tensor(std::string_view name) const;
  [[nodiscard]] std::vector<BigdlBytes> tensors(std::string_view name) const;
  /// A module that is an attribute; its parts are read.
  [[nodiscard]] std::optional<BigdlModule> module(std::string_view name) const;
  [[nodiscard]] std::optional<Shape> shape(std::string_view name) const;
  /// A map of names to whole numbers (the connections of a graph's node).
  [[nodiscard]] std::vector<std::pair<std::string, std::int64_t>> named_integers(std::string_view name) const;

 private:
  [[nodiscard]] std::optional<BigdlBytes> find(std::string_view name) const;

  const BigdlModule& module_;
};

/// The numbers of a repeated field, packed or not. Throws Error(malformed) beyond kMaxBigdlList of them.
[[nodiscard]] std::vector<std::int64_t> read_bigdl_integers(BigdlBytes message, std::uint32_t field);

}  // namespace octavo::graph

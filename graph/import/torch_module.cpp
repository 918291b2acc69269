// SPDX-License-Identifier: Apache-2.0
// See graph/import/torch_module.h.
#include "graph/import/torch_module.h"

#include <fmt/core.h>

#include <cmath>

#include "graph/import/torch_tensor.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

[[noreturn]] void bad_field(std::string_view name, const TorchValue& value, std::string_view wanted) {
  throw Error(ErrorKind::malformed, value.is(TorchKind::nil) ? fmt::format("it has no field '{}' ({})", name, wanted)
                                                             : fmt::format("its field '{}' is {} instead of {}", name,
                                                                           torch_kind_name(value.kind), wanted));
}

}  // namespace

TorchModule::TorchModule(const TorchFile& file, const TorchValue& value) : file_(&file), value_(value) {
  if (!value.is(TorchKind::object)) {
    throw Error(ErrorKind::malformed, fmt::format("{} where a module is expected", torch_kind_name(value.kind)));
  }
  object_ = &file.object(value);
}

std::string_view TorchModule::type() const {
  const std::size_t dot = class_name().rfind('.');
  return dot == std::string_view::npos ? class_name() : class_name().substr(dot + 1);
}

std::string_view TorchModule::package() const {
  const std::size_t dot = class_name().rfind('.');
  return dot == std::string_view::npos ? std::string_view{} : class_name().substr(0, dot);
}

double TorchModule::number(std::string_view name) const {
  const TorchValue value = field(name);
  if (!value.is(TorchKind::number)) bad_field(name, value, "a number");
  return value.number;
}

double TorchModule::number(std::string_view name, double fallback) const { return has(name) ? number(name) : fallback; }

std::int64_t TorchModule::integer(std::string_view name) const {
  constexpr double kLimit = 2147483647.0;
  const double value = number(name);
  if (!(std::fabs(value) <= kLimit) || value != std::floor(value)) {
    throw Error(ErrorKind::malformed, fmt::format("its field '{}' is {}, not a whole number of 31 bits", name, value));
  }
  return static_cast<std::int64_t>(value);
}

std::int64_t TorchModule::integer(std::string_view name, std::int64_t fallback) const {
  return has(name) ? integer(name) : fallback;
}

std::optional<std::int64_t> TorchModule::optional_integer(std::string_view name) const {
  if (!has(name)) return std::nullopt;
  return integer(name);
}

bool TorchModule::flag(std::string_view name, bool fallback) const {
  const TorchValue value = field(name);
  if (value.is(TorchKind::nil)) return fallback;
  return !value.is(TorchKind::boolean) || value.number != 0;
}

std::string_view TorchModule::text(std::string_view name, std::string_view fallback) const {
  const TorchValue value = field(name);
  if (value.is(TorchKind::nil)) return fallback;
  if (!value.is(TorchKind::string)) bad_field(name, value, "a string");
  return file_->text(value);
}

std::vector<std::int64_t> TorchModule::integers(std::string_view name) const {
  const TorchValue value = field(name);
  if (value.is(TorchKind::nil)) bad_field(name, value, "a list of numbers");
  return torch_integers(*file_, value);
}

Pair TorchModule::pair(const std::string& prefix) const { return {integer(prefix + "H"), integer(prefix + "W")}; }

Pair TorchModule::pair(const std::string& prefix, std::int64_t fallback) const {
  return {integer(prefix + "H", fallback), integer(prefix + "W", fallback)};
}

std::vector<TorchValue> TorchModule::modules() const {
  const TorchValue value = field("modules");
  if (!value.is(TorchKind::table)) bad_field("modules", value, "a table of modules");
  return file_->table(value).list();
}

}  // namespace octavo::graph

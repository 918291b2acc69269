// SPDX-License-Identifier: Apache-2.0
// --json: see json_output.h.
#include "tools/octavo/json_output.h"

#include "tools/octavo/console.h"

namespace octavo::tool {

void add_json_flag(CLI::App& app, bool& json) {
  app.add_flag("--json", json, "print one JSON object, for programs; errors too, on stderr");
}

void print_json(const Json& value) { print(value.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"); }

std::string error_json(std::string_view kind, const std::string& message, const std::string& where,
                       const std::string& hint) {
  const Json error = {{"kind", kind}, {"message", message}, {"where", where}, {"hint", hint}};
  return Json{{"error", error}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string_view kind_name(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::invalid_argument:
      return "invalid_argument";
    case ErrorKind::io:
      return "io";
    case ErrorKind::malformed:
      return "malformed";
    case ErrorKind::unsupported:
      return "unsupported";
    case ErrorKind::resource:
      return "resource";
  }
  return "internal";
}

}  // namespace octavo::tool

// SPDX-License-Identifier: Apache-2.0
// --json: what machines see.
#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "octavo/error.h"

namespace octavo::tool {

/// Keys in the order in which they were added.
using Json = nlohmann::ordered_json;

/// Adds --json to a subcommand.
void add_json_flag(CLI::App& app, bool& json);
/// One object on stdout. Bytes that are not UTF-8 (file names) are replaced; NaN and infinity become null.
void print_json(const Json& value);
/// {"error": {"kind", "message", "where", "hint"}} on one line, for stderr.
[[nodiscard]] std::string error_json(std::string_view kind, const std::string& message, const std::string& where,
                                     const std::string& hint);
/// "io", "malformed", ...
[[nodiscard]] std::string_view kind_name(ErrorKind kind);

}  // namespace octavo::tool

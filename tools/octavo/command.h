// SPDX-License-Identifier: Apache-2.0
// What a subcommand is: a function that declares its options and returns what runs once they are parsed.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace octavo::tool {

/// The process's exit status; docs/cli.md lists them for users.
enum class ExitCode : int {
  ok = 0,
  internal = 1,     ///< a defect of octavo
  usage = 2,        ///< an option or argument that cannot be meant
  input = 3,        ///< a file cannot be read or written, or its content is broken
  unsupported = 4,  ///< well-formed, but octavo cannot do it
  partial = 5,      ///< done, but some pictures could not be read
  resource = 6,     ///< out of memory, or the system refuses executable memory
};

/// Runs the subcommand. Throws octavo::Error.
using Command = std::function<ExitCode()>;

/// One function a subcommand, each in the file of its name.
Command define_bench(CLI::App& app);
Command define_convert(CLI::App& app);
Command define_convert_model(CLI::App& app);
Command define_dump(CLI::App& app);
Command define_eval(CLI::App& app);
Command define_info(CLI::App& app);
Command define_predict(CLI::App& app);
Command define_tune(CLI::App& app);
Command define_zoo(CLI::App& app);

}  // namespace octavo::tool

// SPDX-License-Identifier: Apache-2.0
// The octavo command: picks the subcommand, turns every failure into a message and an exit code.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>
#include <sstream>
#include <string_view>
#include <vector>

#include "graph/near_names.h"
#include "octavo/error.h"
#include "tools/octavo/command.h"
#include "tools/octavo/console.h"
#include "tools/octavo/json_output.h"
#include "tools/octavo/option_checks.h"

namespace octavo::tool {
namespace {

struct Entry {
  const char *name, *purpose;
  Command (*define)(CLI::App& app);
};

constexpr std::array entries = {
    Entry{"convert", "a trained network into an .octavo file or one of another format, quantized if asked",
          define_convert},
    Entry{"convert-model", "the same by the command line of BigDL's ConvertModel", define_convert_model},
    Entry{"info", "what a network is made of, what is quantized and how each layer runs", define_info},
    Entry{"predict", "the answers of a network for pictures", define_predict},
    Entry{"eval", "accuracy on labelled pictures, fp32 and int8 side by side", define_eval},
    Entry{"bench", "time of a network and of its layers, against fp32", define_bench},
    Entry{"dump", "the machine code of each kernel, annotated", define_dump},
    Entry{"tune", "measures plans of each layer and keeps the fastest for later", define_tune},
    Entry{"zoo", "well-known networks as Caffe files, untrained, for measurements", define_zoo},
};

constexpr const char* footer =
    "Examples:\n"
    "  octavo convert --prototxt deploy.prototxt net.caffemodel --quantize -o net.octavo\n"
    "  octavo predict net.octavo cat.jpg\n"
    "  octavo COMMAND --help\n"
    "Exit codes: 0 done, 1 internal error, 2 usage, 3 unreadable or broken file, 4 unsupported,\n"
    "            5 done but some pictures were skipped, 6 out of memory.\n"
    "OCTAVO_ISA=reference|avx2|avxvnni|avx512bw|avx512vnni overrides the instruction set.";

ExitCode exit_code_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::invalid_argument:
      return ExitCode::usage;
    case ErrorKind::io:
    case ErrorKind::malformed:
      return ExitCode::input;
    case ErrorKind::unsupported:
      return ExitCode::unsupported;
    case ErrorKind::resource:
      return ExitCode::resource;
  }
  return ExitCode::internal;
}

/// Runs `body`; a failure becomes a line on stderr (JSON when asked) and an exit code.
template <class Body>
ExitCode guarded(bool json, const Body& body) {
  const auto fail = [json](ExitCode code, std::string_view kind, const std::string& message,
                           const std::string& where = {}, const std::string& hint = {}) {
    if (json) {
      std::fputs((error_json(kind, message, where, hint) + "\n").c_str(), stderr);
    } else {
      note(message);
    }
    return code;
  };
  try {
    return body();
  } catch (const Error& error) {
    return fail(exit_code_of(error.kind()), kind_name(error.kind()), error.what(), error.where(), error.hint());
  } catch (const std::filesystem::filesystem_error& error) {
    const Error named(ErrorKind::io, error.code().message(), error.path1().string());
    return fail(ExitCode::input, "io", named.what(), named.where());
  } catch (const std::bad_alloc&) {
    return fail(ExitCode::resource, "resource", "out of memory");
  } catch (const std::exception& error) {
    return fail(ExitCode::internal, "internal", std::string("internal error: ") + error.what());
  }
}

/// A misspelt option first: what else is missing may be missing because of it.
[[noreturn]] void refuse_words(const CLI::App& app, const CLI::ParseError& error) {
  std::string command = "octavo";
  std::vector<std::string> known;
  for (const CLI::App* sub : app.get_subcommands()) {
    command += " " + sub->get_name();
    for (const CLI::Option* option : sub->get_options())
      for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  }
  const std::string help = "try: " + command + " --help";
  const std::vector<std::string> unknown = app.remaining(true);
  const auto option = std::ranges::find_if(unknown, [](const std::string& word) { return word.starts_with("-"); });
  if (option == unknown.end()) throw Error(ErrorKind::invalid_argument, error.what(), {}, help);
  const std::string near = graph::near_names_hint(option->substr(0, option->find('=')), known);
  throw Error(ErrorKind::invalid_argument, "there is no option '" + *option + "'", {},
              near.empty() ? help : near + " " + help);
}

ExitCode run(int argc, char** argv) {
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  const bool json = std::find(words.begin(), words.end(), "--json") != words.end();

  CLI::App app{"octavo: 8-bit inference by code written for each layer", "octavo"};
  app.set_version_flag("--version", "octavo " OCTAVO_VERSION);
  app.require_subcommand(1);
  app.footer(footer);
  app.get_formatter()->column_width(34);
  std::vector<std::pair<CLI::App*, Command>> commands;
  for (const Entry& entry : entries) {
    CLI::App* sub = app.add_subcommand(entry.name, entry.purpose);
    commands.emplace_back(sub, entry.define(*sub));
  }

  const auto is_command = [&](const auto& command) { return command.first->check_name(std::string(words.front())); };
  if (!words.empty() && !words.front().starts_with('-') && std::none_of(commands.begin(), commands.end(), is_command)) {
    return guarded(json, [&]() -> ExitCode {
      throw Error(ErrorKind::invalid_argument, "there is no command '" + std::string(words.front()) + "'", {},
                  "try: octavo --help");
    });
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return guarded(json, [&] {
      if (error.get_exit_code() != 0) refuse_words(app, error);
      std::ostringstream asked;  // --help, --version
      app.exit(error, asked, asked);
      print(asked.str());
      return ExitCode::ok;
    });
  }
  const auto chosen = std::find_if(commands.begin(), commands.end(), [](const auto& c) { return c.first->parsed(); });
  return guarded(json, [&] {
    refuse_empty_values(*chosen->first);
    return chosen->second();
  });
}

}  // namespace
}  // namespace octavo::tool

int main(int argc, char** argv) { return static_cast<int>(octavo::tool::run(argc, argv)); }

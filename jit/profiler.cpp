// SPDX-License-Identifier: Apache-2.0
#include "jit/profiler.h"

#include <fmt/format.h>

#include <cstdlib>
#include <string_view>

#include "jit/gdb_jit.h"
#include "jit/perf_map.h"
#include "octavo/error.h"

namespace octavo::jit {

std::unique_ptr<ProfilerRegistration> register_with_profilers(std::span<const CodeSymbol> symbols) {
  const char* wanted = std::getenv("OCTAVO_PROFILE");
  std::string_view rest = wanted == nullptr ? std::string_view{} : wanted;
  std::unique_ptr<ProfilerRegistration> registration;
  while (!rest.empty()) {
    const std::string_view profiler = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), profiler.size() + 1));
    if (profiler == "perf") {
      append_perf_map(symbols);
    } else if (profiler == "gdb") {
      registration = register_with_gdb(symbols);
    } else {
      throw Error(ErrorKind::invalid_argument, fmt::format("unknown profiler '{}'", profiler), "OCTAVO_PROFILE",
                  "choose perf, gdb or perf,gdb");
    }
  }
  return registration;
}

}  // namespace octavo::jit

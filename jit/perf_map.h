// SPDX-License-Identifier: Apache-2.0
// perf's map file of code that lies in no ELF file: a line "<start> <size> <name>" (hexadecimal) a function.
#pragma once

#include <span>
#include <string>

#include "jit/profiler.h"

namespace octavo::jit {

/// "/tmp/perf-<pid>.map", where perf looks for it.
[[nodiscard]] std::string perf_map_path();
/// Appends the symbols. perf has no way to say that code went away, so lines stay. Throws Error(io).
void append_perf_map(std::span<const CodeSymbol> symbols);

}  // namespace octavo::jit

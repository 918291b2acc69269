// SPDX-License-Identifier: Apache-2.0
// gdb's interface for code written at run time: the program keeps a list of in-memory ELF files and calls a function
// on which gdb has set a breakpoint. Ours hold a symbol table and nothing else.
// https://sourceware.org/gdb/current/onlinedocs/gdb.html/JIT-Interface.html
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "jit/profiler.h"

namespace octavo::jit {

/// An ELF file whose .text is the memory that the symbols span, each a function. `symbols` must not be empty.
[[nodiscard]] std::vector<std::byte> symbol_file(std::span<const CodeSymbol> symbols);

/// In gdb's list until the registration dies. Safe under threads.
[[nodiscard]] std::unique_ptr<ProfilerRegistration> register_with_gdb(std::span<const CodeSymbol> symbols);

}  // namespace octavo::jit

// SPDX-License-Identifier: Apache-2.0
#include "jit/perf_map.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "octavo/error.h"

namespace octavo::jit {

std::string perf_map_path() { return fmt::format("/tmp/perf-{}.map", getpid()); }

void append_perf_map(std::span<const CodeSymbol> symbols) {
  std::string lines;
  for (const CodeSymbol& symbol : symbols) {
    lines += fmt::format("{:x} {:x} {}\n", reinterpret_cast<std::uintptr_t>(symbol.address), symbol.bytes, symbol.name);
  }
  const std::string path = perf_map_path();
  // The name is predictable and /tmp is everybody's: do not follow a link that somebody left there.
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  // One write: appends of several threads do not mix.
  const bool written = file >= 0 && write(file, lines.data(), lines.size()) == static_cast<ssize_t>(lines.size());
  const int error = errno;
  if (file >= 0) close(file);
  if (!written) {
    throw Error(ErrorKind::io, fmt::format("cannot write ({})", std::strerror(error)), path, "unset OCTAVO_PROFILE");
  }
}

}  // namespace octavo::jit

// SPDX-License-Identifier: Apache-2.0
// See text_file.h.
#include "tools/metrics/text_file.h"

#include <fstream>
#include <system_error>

#include "octavo/error.h"

namespace octavo::metrics {

std::string read_text(const std::filesystem::path& file) {
  constexpr std::uintmax_t kMost = std::uintmax_t{2} << 30;
  std::error_code problem;
  const std::uintmax_t size = std::filesystem::file_size(file, problem);
  std::ifstream in(file, std::ios::binary);
  if (problem || !in) throw Error(ErrorKind::io, "cannot read: " + problem.message(), file.string());
  if (size > kMost) throw Error(ErrorKind::malformed, "larger than 2 GiB", file.string());
  std::string text(static_cast<std::size_t>(size), '\0');
  in.read(text.data(), static_cast<std::streamsize>(size));
  if (in.gcount() != static_cast<std::streamsize>(size)) throw Error(ErrorKind::io, "cannot read", file.string());
  return text;
}

}  // namespace octavo::metrics

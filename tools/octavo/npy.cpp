// SPDX-License-Identifier: Apache-2.0
// NumPy's .npy format: magic, version, header length, a Python literal padded to 64 bytes, the numbers.
#include "tools/octavo/npy.h"

#include <fmt/format.h>

#include <bit>
#include <string>

#include "tools/octavo/text.h"

namespace octavo::tool {

static_assert(std::endian::native == std::endian::little, "the numbers are written as they lie in memory");

void write_npy(const std::filesystem::path& file, const Tensor& tensor) {
  constexpr std::size_t prefix = 10;
  constexpr std::size_t alignment = 64;
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
  for (const std::int64_t dimension : tensor.shape()) header += fmt::format("{}, ", dimension);
  header += "), }";
  header.append(alignment - (prefix + header.size() + 1) % alignment, ' ');
  header += '\n';

  std::string content("\x93NUMPY\x01\x00", 8);
  content += static_cast<char>(header.size() & 0xFFU);
  content += static_cast<char>(header.size() >> 8U);
  content += header;
  content.append(reinterpret_cast<const char*>(tensor.data()), static_cast<std::size_t>(tensor.size()) * sizeof(float));
  write_file(file, content);
}

}  // namespace octavo::tool

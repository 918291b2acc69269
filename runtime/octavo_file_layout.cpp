// SPDX-License-Identifier: Apache-2.0
// The preamble of an `.octavo` file.
#include "runtime/octavo_file_layout.h"

#include <algorithm>
#include <cstring>

#include "octavo/error.h"
#include "runtime/crc32c.h"

namespace octavo::runtime {
namespace {

std::uint32_t crc_of(const Preamble& preamble) {
  return crc32c(std::as_bytes(std::span(&preamble, 1)).first(offsetof(Preamble, preamble_crc)));
}

[[noreturn]] void malformed(const std::string& what) {
  throw Error(ErrorKind::malformed, what, {}, "the file is damaged; copy or convert it again");
}

}  // namespace

Preamble make_preamble(std::span<const std::byte> description, std::uint64_t blob_bytes) {
  Preamble preamble;
  preamble.description_bytes = description.size();
  preamble.blob_offset = align_blob(sizeof(Preamble) + description.size());
  preamble.blob_bytes = blob_bytes;
  preamble.description_crc = crc32c(description);
  preamble.preamble_crc = crc_of(preamble);
  return preamble;
}

Preamble read_preamble(std::span<const std::byte> file) {
  Preamble preamble;
  if (file.size() < sizeof(preamble)) {
    malformed("cut off: " + std::to_string(file.size()) + " bytes, shorter than the preamble");
  }
  std::memcpy(&preamble, file.data(), sizeof(preamble));
  if (preamble.magic != kOctavoMagic) malformed("not an .octavo file");
  if (preamble.preamble_crc != crc_of(preamble)) malformed("the preamble's checksum is wrong");
  if (preamble.version > kOctavoVersion) {
    throw Error(ErrorKind::unsupported,
                "format version " + std::to_string(preamble.version) +
                    ", written by a newer octavo; this one reads up to " + std::to_string(kOctavoVersion),
                {}, "update octavo, or convert the model again with this one");
  }
  const bool known = preamble.version >= 1 && preamble.preamble_bytes == sizeof(Preamble) &&
                     preamble.reserved == std::array<std::uint32_t, 4>{};
  if (!known) malformed("the preamble does not follow the format");
  if (preamble.description_bytes > kMaxDescriptionBytes ||
      preamble.blob_offset != align_blob(sizeof(Preamble) + preamble.description_bytes)) {
    malformed("the description's size is out of range");
  }
  if (preamble.blob_offset > file.size() || preamble.blob_bytes != file.size() - preamble.blob_offset) {
    malformed("of the wrong length: " + std::to_string(file.size()) + " bytes");
  }
  const auto description = file.subspan(sizeof(Preamble), preamble.description_bytes);
  if (crc32c(description) != preamble.description_crc) malformed("the description's checksum is wrong");
  const auto padding =
      file.subspan(sizeof(Preamble) + description.size(), preamble.blob_offset - sizeof(Preamble) - description.size());
  if (std::any_of(padding.begin(), padding.end(), [](std::byte b) { return b != std::byte{0}; })) {
    malformed("the gap behind the description is not empty");
  }
  return preamble;
}

}  // namespace octavo::runtime

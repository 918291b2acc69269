// SPDX-License-Identifier: Apache-2.0
// The numbers of an `.octavo` file: its blobs, and their table in the description.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <vector>

#include "graph/blob.h"
#include "runtime/json_view.h"

namespace octavo::runtime {

/// Gathers blobs, equal ones once, and lays them out: each run of numbers at a multiple of 64 bytes, zeros between.
/// fp32 as it is; 8-bit numbers with scales as bfloat16 where that is exact for all scales of the blob, else fp32.
class BlobWriter {
 public:
  /// The blob's place in the table.
  [[nodiscard]] std::int64_t add(const graph::BlobPtr& blob);
  [[nodiscard]] nlohmann::json table() const;
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  /// In file order, the gaps left out: each at the next multiple of 64.
  [[nodiscard]] const std::vector<std::span<const std::byte>>& sections() const noexcept { return sections_; }

 private:
  nlohmann::json add_section(std::span<const std::byte> numbers);

  std::vector<nlohmann::json> entries_;
  std::vector<graph::BlobPtr> blobs_;             ///< as in the table
  std::map<graph::BlobPtr, std::int64_t> known_;  ///< by address; holds what the sections point into
  std::multimap<std::uint64_t, std::int64_t> by_content_;
  std::vector<std::unique_ptr<std::vector<std::uint16_t>>> narrow_scales_;
  std::vector<std::span<const std::byte>> sections_;
  std::uint64_t bytes_ = 0;
};

/// Blobs that lie in `region` (64-byte aligned) and keep `owner`. Checks offsets, sizes, checksums, that the table
/// covers the region without overlap or gap, that 8-bit numbers are in -127..127 and scales finite and not negative.
/// Throws Error(malformed).
[[nodiscard]] std::vector<graph::BlobPtr> read_blobs(const JsonView& table, std::span<const std::byte> region,
                                                     const std::shared_ptr<const void>& owner);

}  // namespace octavo::runtime

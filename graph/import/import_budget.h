// SPDX-License-Identifier: Apache-2.0
// How many numbers an import may make beyond those of the file.
#pragma once

#include <cstddef>
#include <cstdint>

namespace octavo::graph {

/// A small file cannot ask for an unbounded amount of work or memory: what is computed, converted or laid out anew at
/// import is taken off a budget that the file's size sets.
class ImportBudget {
 public:
  explicit ImportBudget(std::size_t file_bytes) : left_(kBase + kEach * static_cast<std::int64_t>(file_bytes)) {}
  /// Throws Error(malformed) when it is used up.
  void take(std::int64_t numbers);

 private:
  static constexpr std::int64_t kBase = std::int64_t{1} << 26, kEach = 4;
  std::int64_t left_;
};

}  // namespace octavo::graph

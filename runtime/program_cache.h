// SPDX-License-Identifier: Apache-2.0
// The programs that Model::predict() has compiled, by what they were compiled for.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <future>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "octavo/options.h"
#include "octavo/program.h"
#include "octavo/tensor.h"

namespace octavo::runtime {

struct ProgramKey {
  std::vector<Shape> inputs;
  int threads = 0;
  Isa isa = Isa::reference;
  AccuracyBudget accuracy;
  std::vector<std::string> outputs;
  std::optional<std::filesystem::path> tuning;
  bool operator==(const ProgramKey&) const = default;
};

/// Keeps the programs used last. Safe under threads: those that want the same program wait for the one that compiles
/// it; others are not held up.
class ProgramCache {
 public:
  explicit ProgramCache(std::size_t capacity) : capacity_(capacity) {}

  /// The kept program, or what `compile` gives. Throws what `compile` throws; a failure is not kept.
  [[nodiscard]] Program get(const ProgramKey& key, const std::function<Program()>& compile);
  [[nodiscard]] std::size_t size() const;

 private:
  struct Entry {
    ProgramKey key;
    std::shared_future<Program> program;
    std::uint64_t id;  ///< of one compilation, so that a failed one takes out its own entry and no later one
  };

  const std::size_t capacity_;
  mutable std::mutex mutex_;
  std::uint64_t next_id_ = 0;
  std::list<Entry> entries_;  ///< the one used last comes first
};

}  // namespace octavo::runtime

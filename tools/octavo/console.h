// SPDX-License-Identifier: Apache-2.0
// What people see: tables, sizes, progress.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "octavo/tensor.h"

namespace octavo::tool {

/// Columns as wide as their content; numbers align right.
class Table {
 public:
  enum class Align { left, right };
  struct Column {
    std::string title;
    Align align = Align::left;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  /// As many cells as columns.
  void add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }
  [[nodiscard]] bool empty() const { return rows_.empty(); }
  /// Every line ends in a newline; no trailing blanks.
  [[nodiscard]] std::string text() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// "12.3 MB" (powers of ten).
[[nodiscard]] std::string human_bytes(double bytes);
/// "1 thread", "2 threads"
[[nodiscard]] std::string count_text(std::int64_t count, std::string_view noun);
/// "1x3x224x224"
[[nodiscard]] std::string shape_text(const Shape& shape);
/// Writes to stdout; Error(io) when that fails (a closed pipe, a full disk).
void print(std::string_view text);
/// A line on stderr, "octavo: ...".
void note(std::string_view text);

/// Says on stderr how far a long task is: rewrites one line on a terminal; elsewhere a line every ten seconds.
/// Silent for tasks that end within a second.
class Progress {
 public:
  Progress(std::string task, std::size_t total);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void advance(std::size_t done);

 private:
  using Clock = std::chrono::steady_clock;
  std::string task_;
  std::size_t total_;
  bool terminal_, shown_ = false;
  Clock::time_point start_ = Clock::now(), next_;
};

}  // namespace octavo::tool

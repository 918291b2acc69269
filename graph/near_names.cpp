// SPDX-License-Identifier: Apache-2.0
// Misspelt names: see graph/near_names.h.
#include "graph/near_names.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

namespace octavo::graph {
namespace {

/// Insertions, deletions and substitutions that turn one into the other (Levenshtein), a row of the table at a time.
std::size_t edit_distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t substituted = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({substituted, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string near_names_hint(std::string_view wrong, const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 3;
  constexpr std::size_t kLongest = 256;  // a longer name is no misspelling of anything
  std::vector<std::pair<std::size_t, std::string_view>> ranked;
  for (const std::string& name : names) {
    if (name.size() > kLongest || wrong.size() > kLongest) continue;
    ranked.emplace_back(edit_distance(wrong, name), name);
  }
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::string hint;
  for (std::size_t i = 0; i < std::min(kShown, ranked.size()); ++i) {
    hint += hint.empty() ? "did you mean '" : "', '";
    hint += ranked[i].second;
  }
  return hint.empty() ? hint : hint + "'?";
}

}  // namespace octavo::graph

// SPDX-License-Identifier: Apache-2.0
// What a network's output says: see answers.h.
#include "tools/octavo/answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "tools/octavo/console.h"

namespace octavo::tool {

std::vector<Answer> best_answers(std::span<const float> values, std::size_t count) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  count = std::min(count, order.size());
  const auto better = [&](std::size_t a, std::size_t b) {
    const bool a_nan = std::isnan(values[a]);
    const bool b_nan = std::isnan(values[b]);
    if (a_nan != b_nan) return b_nan;
    return a_nan || values[a] == values[b] ? a < b : values[a] > values[b];
  };
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(), better);
  std::vector<Answer> best;
  for (std::size_t i = 0; i < count; ++i) best.push_back({order[i], values[order[i]]});
  return best;
}

bool one_value_a_class(const Shape& shape) {
  return shape.size() >= 2 && std::all_of(shape.begin() + 2, shape.end(), [](std::int64_t d) { return d == 1; });
}

void note_if_labels_do_not_fit(std::size_t labels, std::int64_t classes) {
  if (labels != 0 && static_cast<std::int64_t>(labels) != classes)
    note(fmt::format("{} labels for {} classes: names may be those of other classes", labels, classes));
}

void Score::add(std::span<const Answer> best, std::size_t truth) {
  ++pictures;
  for (std::size_t i = 0; i < std::min<std::size_t>(5, best.size()); ++i) {
    if (best[i].index != truth || std::isnan(best[i].value)) continue;
    ++top5;
    if (i == 0) ++top1;
  }
}

void SignalToNoise::add(std::span<const float> reference, std::span<const float> other) {
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const double difference = static_cast<double>(reference[i]) - other[i];
    signal_ += static_cast<double>(reference[i]) * reference[i];
    noise_ += difference * difference;
  }
}

double SignalToNoise::decibels() const {
  if (signal_ == 0) return std::numeric_limits<double>::quiet_NaN();
  return noise_ == 0 ? std::numeric_limits<double>::infinity() : 10 * std::log10(signal_ / noise_);
}

}  // namespace octavo::tool

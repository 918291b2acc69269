// SPDX-License-Identifier: Apache-2.0
// What a network's output says: the best classes, and how faithfully one output repeats another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "octavo/tensor.h"

namespace octavo::tool {

struct Answer {
  std::size_t index = 0;
  float value = 0;
};

/// The `count` largest values, largest first; of equal ones the lower index first, NaN after everything.
[[nodiscard]] std::vector<Answer> best_answers(std::span<const float> values, std::size_t count);

/// One number a class: [N, C], or [N, C, 1, 1].
[[nodiscard]] bool one_value_a_class(const Shape& shape);

/// A note on stderr where there are labels, but not as many as classes: names might be those of other classes.
void note_if_labels_do_not_fit(std::size_t labels, std::int64_t classes);

/// Right answers of one network.
struct Score {
  std::size_t pictures = 0, top1 = 0, top5 = 0;
  void add(std::span<const Answer> best, std::size_t truth);
};

/// Sums of squares of a reference and of what differs from it, in double.
class SignalToNoise {
 public:
  void add(std::span<const float> reference, std::span<const float> other);
  /// 10 log10(signal / noise); infinity when nothing differs, NaN when nothing was added or something was NaN.
  [[nodiscard]] double decibels() const;

 private:
  double signal_ = 0, noise_ = 0;
};

}  // namespace octavo::tool

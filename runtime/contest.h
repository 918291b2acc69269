// SPDX-License-Identifier: Apache-2.0
// Which of many ways to do a thing is the fastest, on a machine that is never quiet, and whether it is worth changing
// for. Knows nothing of what is timed.
//
// Everything is measured against the incumbent, in turn, so that what disturbs the machine disturbs both:
//   screening: each challenger runs once or twice beside the incumbent; one at a time exists.
//   rounds:    the best run on in turn, in random order, half of them leaving after each stage, until one is left.
//   the duel:  that one, the incumbent and a twin of the incumbent, on fresh rounds: what made a challenger the best of
//              two hundred was luck too, and must not count here.
// A ratio is the time of a challenger over the incumbent's of the same round. Its median has an interval that holds the
// true one in 95 of 100 cases, whatever the distribution (order statistics). The challenger wins when its whole
// interval lies below 1 and below the twin's: what two copies of one plan differ by is noise.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

namespace octavo::runtime {

/// A median, and the interval that holds the true one in 95 of 100 cases (all values, where they are few).
struct MedianInterval {
  double median = 1, low = 1, high = 1;
};
/// Of at least one value.
[[nodiscard]] MedianInterval median_interval(std::vector<double> values);

/// What takes part: number 0 is the incumbent, number 1 its twin (the same once more), the others are challengers.
class Contestants {
 public:
  Contestants() = default;
  Contestants(const Contestants&) = delete;
  Contestants& operator=(const Contestants&) = delete;
  virtual ~Contestants() = default;
  /// At least 2.
  [[nodiscard]] virtual std::size_t count() const = 0;
  /// Between these two a contestant can run. Few exist at a time.
  virtual void enter(std::size_t index) = 0;
  virtual void leave(std::size_t index) = 0;
  /// Seconds of a run.
  [[nodiscard]] virtual double run(std::size_t index) = 0;
};

struct ContestRules {
  double seconds = 10;         ///< about when it ends at the latest; half of it for screening
  std::size_t finalists = 16;  ///< challengers that exist at a time after screening
  std::size_t least_duel_rounds = 15, most_duel_rounds = 200;
  double precise_enough = 0.005;  ///< the duel ends when the interval is no wider on either side
  /// Of about `total` measurements `done` are made; may be empty.
  std::function<void(std::size_t done, std::size_t total)> progress;
  /// The time, in seconds; empty: a steady clock.
  std::function<double()> now;
};

struct ContestResult {
  std::size_t screened = 0;                   ///< challengers that ran at all, of count() - 2
  std::size_t best = 0;                       ///< the last challenger left; 0 without challengers
  MedianInterval ratio, twin;                 ///< of the duel
  double seconds = 0, incumbent_seconds = 0;  ///< medians of the duel
  std::size_t rounds = 0;                     ///< of the duel
  [[nodiscard]] bool won() const { return best != 0 && ratio.high < 1.0 && ratio.high < twin.low; }
};

[[nodiscard]] ContestResult hold_contest(Contestants& contestants, const ContestRules& rules);

}  // namespace octavo::runtime

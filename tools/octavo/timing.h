// SPDX-License-Identifier: Apache-2.0
// Times of programs, measured in turn so that what disturbs the machine disturbs all of them.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "octavo/program.h"

namespace octavo::tool {

/// Of repeated measurements, in milliseconds.
struct Spread {
  double median = 0, lowest = 0, p10 = 0, p90 = 0;
};
/// At least one value.
[[nodiscard]] Spread spread_of(std::vector<double> milliseconds);

/// One program with buffers of its own.
class Timed {
 public:
  /// Inputs are filled with the same pseudo-random numbers for equal shapes.
  explicit Timed(const Program& program);
  Timed(const Timed&) = delete;
  Timed& operator=(const Timed&) = delete;
  Timed(Timed&&) = default;
  Timed& operator=(Timed&&) = default;

  /// One run; its time is kept. Another before it does not count: caches hold what the last run of this program left,
  /// not that of another one.
  void run();
  /// Likewise with a clock at each layer; the layers' times are kept, the whole is not.
  void run_layers();
  [[nodiscard]] Spread total() const { return spread_of(totals_); }
  /// Milliseconds of each run_layers(), for each layer, in the order of Program::layers().
  [[nodiscard]] const std::vector<std::vector<double>>& layers() const { return layers_; }

 private:
  /// One run that does not count.
  void warm_up();

  Program program_;
  std::vector<Tensor> inputs_, outputs_;
  std::vector<const float*> input_pointers_;
  std::vector<float*> output_pointers_;
  std::vector<double> totals_;               ///< a run
  std::vector<std::vector<double>> layers_;  ///< a layer, a run
  std::vector<double> seconds_;
};

struct Repeats {
  std::size_t least = 10, most = 1000;
  double seconds = 3;  ///< of whole runs; as long again for the layers' times
};
/// Runs all in turn, round after round, until both `least` and `seconds` are reached (or `most`): first the layers,
/// then the whole. `each_layer_round` is called in each round of the former. The number of rounds of the latter.
std::size_t measure(std::vector<Timed>& programs, const Repeats& repeats,
                    const std::function<void()>& each_layer_round = {});

}  // namespace octavo::tool

// SPDX-License-Identifier: Apache-2.0
// octavo bench --scaling: one model at every thread count, interleaved.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "octavo/model.h"
#include "tools/octavo/json_output.h"
#include "tools/octavo/timing.h"

namespace octavo::tool {

struct ScalingRow {
  int threads = 1;
  Spread total;
  double speedup = 1;     ///< median time of one thread over this one's
  double efficiency = 1;  ///< speedup over threads
};

struct Scaling {
  std::size_t rounds = 0;
  std::vector<ScalingRow> rows;  ///< 1, 2, ... threads
};

/// Compiles the model for 1 to options.threads threads (0: all cores that this process may run on) and runs all in
/// turn.
[[nodiscard]] Scaling measure_scaling(const Model& model, const CompileOptions& options,
                                      const std::vector<Shape>& inputs, const Repeats& repeats);
/// Rows from the totals of 1, 2, ... threads.
[[nodiscard]] std::vector<ScalingRow> scaling_rows(const std::vector<Spread>& totals);
[[nodiscard]] Json scaling_json(const Scaling& scaling);
[[nodiscard]] std::string scaling_text(const Scaling& scaling);

}  // namespace octavo::tool

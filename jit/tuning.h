// SPDX-License-Identifier: Apache-2.0
// Plans that were measured: what a later load takes instead of the planner's choice. Knows nothing of files
// (runtime/tuning_file.h).
#pragma once

#include <compare>
#include <cstddef>
#include <map>
#include <string>

#include "jit/conv_spec.h"
#include "jit/plan.h"

namespace octavo::jit {

/// What a measurement is of. Another processor, thread count or instruction set (which is part of the spec's name) is
/// another matter.
struct TuningKey {
  std::string cpu;   ///< Machine::cpu_name
  std::string spec;  ///< ConvSpec::name()
  int threads = 1;

  auto operator<=>(const TuningKey&) const = default;
};

/// A plan that was faster than the planner's choice, by more than the noise.
struct TuningRecord {
  std::string plan;     ///< Plan::name(): read when it is used, so that a record of another version does no harm
  std::string planner;  ///< the planner's choice at that time, likewise
  double seconds = 0, planner_seconds = 0;  ///< of one image

  bool operator==(const TuningRecord&) const = default;
};

using TuningTable = std::map<TuningKey, TuningRecord>;

/// The table's plan for this spec, machine and thread count, or make_plan()'s where it has none (or is null). The
/// reason says which, with the times. A record whose plan is not a candidate for the spec is passed over, and the
/// reason says so. Throws what make_plan() throws.
[[nodiscard]] Plan tuned_plan(const ConvSpec& spec, const Machine& machine, int threads, const TuningTable* tuning);

}  // namespace octavo::jit

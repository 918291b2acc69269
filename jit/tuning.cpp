// SPDX-License-Identifier: Apache-2.0
#include "jit/tuning.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

namespace octavo::jit {

Plan tuned_plan(const ConvSpec& spec, const Machine& machine, int threads, const TuningTable* tuning) {
  spec.validate();
  const auto found =
      tuning == nullptr ? TuningTable::const_iterator{} : tuning->find({machine.cpu_name, spec.name(), threads});
  if (tuning == nullptr || found == tuning->end()) return make_plan(spec, machine, threads);
  const TuningRecord& record = found->second;
  std::optional<Plan> plan = Plan::parse(record.plan);
  if (!plan || !is_candidate(spec, *plan)) {
    Plan choice = make_plan(spec, machine, threads);
    choice.reason += fmt::format("; the tuned plan '{}' is none of this layer's and was passed over", record.plan);
    return choice;
  }
  plan->reason = fmt::format("tuned: {} measured {:.1f} us, planner's choice {} {:.1f} us", record.plan,
                             record.seconds * 1e6, record.planner, record.planner_seconds * 1e6);
  return *std::move(plan);
}

}  // namespace octavo::jit

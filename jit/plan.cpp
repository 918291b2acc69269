// SPDX-License-Identifier: Apache-2.0
// Which families of plans can compute a spec, and the cheapest of their choices.
#include "jit/plan.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "jit/depthwise_plan.h"
#include "jit/direct_plan.h"
#include "jit/plan_family.h"
#include "jit/winograd_layout.h"
#include "jit/winograd_plan.h"
#include "octavo/error.h"

namespace octavo::jit {

namespace {

/// Those that can compute a valid spec; none for some that pool.
std::vector<PlanFamily> families_of(const ConvSpec& spec) {
  const bool pools = spec.epilogue.max_pool;
  if (spec.depthwise()) return pools ? std::vector<PlanFamily>{} : std::vector<PlanFamily>{depthwise_family()};
  std::vector<PlanFamily> families;
  if (!pools) families.push_back(direct_family());
  if (spec.winograd != WinogradLimit::none && winograd_fits(spec)) families.push_back(winograd_family());
  return families;
}

PlanCandidate cheapest_choice(const ConvSpec& spec, const Machine& machine, int threads) {
  std::vector<PlanCandidate> choices;
  for (const PlanFamily& family : families_of(spec)) choices.push_back(family.choose(spec, machine, threads));
  if (choices.empty()) {
    throw Error(ErrorKind::unsupported, "only Winograd layers pool, and this is none of them", spec.name(),
                "compute the layer without epilogue.max_pool, then pool");
  }
  return cheapest_candidate(choices, 1.0, false);
}

}  // namespace

Plan make_plan(const ConvSpec& spec, const Machine& machine, int threads) {
  spec.validate();
  return cheapest_choice(spec, machine, threads).plan;
}

std::vector<PlanCandidate> plan_candidates(const ConvSpec& spec, const Machine& machine, int threads) {
  spec.validate();
  std::vector<PlanCandidate> candidates{cheapest_choice(spec, machine, threads)};
  const Plan choice = candidates.front().plan;
  for (const PlanFamily& family : families_of(spec)) {
    for (PlanCandidate& candidate : family.candidates(spec, machine, threads))
      if (!candidate.plan.same_blocking(choice)) candidates.push_back(std::move(candidate));
  }
  std::stable_sort(candidates.begin() + 1, candidates.end(),
                   [](const PlanCandidate& a, const PlanCandidate& b) { return a.cycles < b.cycles; });
  return candidates;
}

bool is_candidate(const ConvSpec& spec, const Plan& plan) {
  const std::vector<PlanFamily> families = families_of(spec);
  return std::any_of(families.begin(), families.end(),
                     [&](const PlanFamily& family) { return family.contains(spec, plan); });
}

}  // namespace octavo::jit

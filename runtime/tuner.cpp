// SPDX-License-Identifier: Apache-2.0
#include "runtime/tuner.h"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "jit/plan.h"
#include "jit/tuning.h"
#include "octavo/error.h"
#include "runtime/contest.h"
#include "runtime/program_builder.h"
#include "runtime/synthetic_layer.h"
#include "runtime/tuning_file.h"

namespace octavo::runtime {
namespace {

/// Packed weights of all contestants at once.
constexpr std::size_t most_bytes = std::size_t{1} << 30;
constexpr std::size_t most_finalists = 16;
/// A run is repeated until it takes this long: clocks cost tens of nanoseconds.
constexpr double seconds_of_run = 200e-6;

/// Plans of one layer: number 0 and its twin are the planner's choice.
class Plans final : public Contestants {
 public:
  Plans(const jit::ConvSpec& spec, std::vector<jit::PlanCandidate> candidates, int threads, jit::KernelCache& kernels)
      : synthetic_(spec), candidates_(std::move(candidates)), threads_(threads), kernels_(kernels) {
    candidates_.insert(candidates_.begin() + 1, candidates_.front());
    ready_.resize(candidates_.size());
  }

  [[nodiscard]] std::size_t count() const override { return candidates_.size(); }
  void enter(std::size_t index) override {
    ready_[index] = std::make_unique<PlannedLayer>(synthetic_, plan(index), threads_, kernels_);
    ready_[index]->run();
    if (repeats_ != 0) return;
    repeats_ = 1;  // the first to enter says how many runs a measurement takes
    repeats_ = static_cast<int>(std::clamp(seconds_of_run / run(index), 1.0, 1000.0));
  }
  void leave(std::size_t index) override { ready_[index].reset(); }
  [[nodiscard]] double run(std::size_t index) override {
    const double start = now();
    for (int i = 0; i < repeats_; ++i) ready_[index]->run();
    return std::max(now() - start, 1e-9) / repeats_;
  }

  [[nodiscard]] const jit::Plan& plan(std::size_t index) const { return candidates_[index].plan; }

 private:
  /// One thread's own processor time, which the machine's other work hardly disturbs; with a team, the time that
  /// passes.
  [[nodiscard]] double now() const {
    timespec time{};
    clock_gettime(threads_ == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  }

  SyntheticLayer synthetic_;
  std::vector<jit::PlanCandidate> candidates_;
  std::vector<std::unique_ptr<PlannedLayer>> ready_;
  int threads_, repeats_ = 0;
  jit::KernelCache& kernels_;
};

std::string verdict_of(const ContestResult& result) {
  if (result.best == 0) return "there is no other candidate";
  const auto percent = [](double ratio) { return std::abs(1.0 - ratio) * 100.0; };
  const std::string noise = fmt::format("the planner's choice differs from itself by {:.1f}%",
                                        std::max(percent(result.twin.low), percent(result.twin.high)));
  if (result.won()) return fmt::format("{:.1f}% faster; {}", percent(result.ratio.median), noise);
  if (result.ratio.median >= 1.0) return "the planner's choice is the fastest";
  return fmt::format("not kept: {:.1f}% faster ({:.1f} to {:.1f}), which is within the noise: {}",
                     percent(result.ratio.median), (1.0 - result.ratio.high) * 100.0, (1.0 - result.ratio.low) * 100.0,
                     noise);
}

TunedLayer tune_layer(const jit::ConvSpec& spec, const jit::Machine& machine, int threads, const TuneOptions& options,
                      jit::KernelCache& kernels, const std::function<void(std::size_t, std::size_t)>& progress) {
  std::vector<jit::PlanCandidate> candidates = plan_candidates(spec, machine, threads);
  candidates.resize(std::min(candidates.size(), options.candidates + 1));
  Plans plans(spec, std::move(candidates), threads, kernels);
  const auto weight_bytes =
      static_cast<std::size_t>(spec.out_channels * spec.channels_per_group() * spec.kernel_h * spec.kernel_w);
  ContestRules rules;
  rules.seconds = options.seconds;
  rules.finalists = std::clamp<std::size_t>(most_bytes / weight_bytes, 2, most_finalists);
  rules.progress = progress;
  const ContestResult result = hold_contest(plans, rules);
  TunedLayer tuned;
  tuned.spec = spec.name();
  tuned.candidates = result.screened;
  tuned.planner = plans.plan(0).name();
  tuned.planner_us = result.incumbent_seconds * 1e6;
  tuned.best_us = tuned.planner_us;
  if (result.best != 0) {
    tuned.best = plans.plan(result.best).name();
    tuned.best_us = result.seconds * 1e6;
    tuned.ratio = result.ratio.median;
    tuned.ratio_low = result.ratio.low;
    tuned.ratio_high = result.ratio.high;
  }
  tuned.twin_low = result.twin.low;
  tuned.twin_high = result.twin.high;
  tuned.kept = result.won();
  tuned.verdict = verdict_of(result);
  return tuned;
}

std::filesystem::path file_of(const TuneOptions& options) {
  if (!options.file.empty()) return options.file;
  if (const auto file = default_tuning_file()) return *file;
  throw Error(ErrorKind::invalid_argument, "there is no file to keep tuned plans in: OCTAVO_TUNING is none", {},
              "name one: TuneOptions::file, octavo tune --output");
}

}  // namespace

std::vector<TunedLayer> tune_layers(const std::vector<LayerToTune>& layers, const TuneOptions& options,
                                    jit::KernelCache& kernels) {
  CompileOptions compile;
  compile.threads = options.threads;
  compile.isa = options.isa;
  const Isa isa = choose_isa(compile);
  if (isa == Isa::reference)
    throw Error(ErrorKind::unsupported, "the scalar reference has no plans to choose from", {},
                "tune on a machine, or with --isa, that octavo writes code for");
  const int threads = choose_threads(compile);
  const std::filesystem::path file = file_of(options);
  if (std::filesystem::exists(file)) (void)read_tuning_file(file);  // a broken one is found before the work, not after
  const jit::Machine machine = jit::Machine::detect();
  std::vector<std::pair<jit::ConvSpec, std::vector<std::string>>> distinct;
  for (const LayerToTune& layer : layers) {
    jit::ConvSpec spec = layer.spec;
    spec.isa = isa;
    spec.validate();
    auto same = std::find_if(distinct.begin(), distinct.end(), [&](const auto& other) { return other.first == spec; });
    if (same == distinct.end()) same = distinct.insert(distinct.end(), {spec, {}});
    same->second.push_back(layer.name);
  }
  std::vector<TunedLayer> results;
  for (const auto& [spec, names] : distinct) {
    const auto progress = [&](std::size_t done, std::size_t total) {
      if (options.progress) options.progress({results.size(), distinct.size(), done, total});
    };
    TunedLayer& tuned = results.emplace_back(tune_layer(spec, machine, threads, options, kernels, progress));
    tuned.layers = names;
    const jit::TuningKey key{machine.cpu_name, tuned.spec, threads};
    if (tuned.kept)
      merge_into_tuning_file(file, {{key, {tuned.best, tuned.planner, tuned.best_us * 1e-6, tuned.planner_us * 1e-6}}});
    else
      remove_from_tuning_file(file, {key});
  }
  return results;
}

}  // namespace octavo::runtime

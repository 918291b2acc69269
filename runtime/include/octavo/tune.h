// SPDX-License-Identifier: Apache-2.0
// Measured plans: Model::tune() tries many blockings of each integer layer on this machine and keeps those that beat
// the planner's choice; every later compilation takes them (CompileOptions::tuning). See docs/tuning.md.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "octavo/options.h"

namespace octavo {

/// How far a call of Model::tune() is.
struct TuneProgress {
  std::size_t layer = 0, layers = 0;       ///< distinct layers: the one at work, counted from 0, and all
  std::size_t done = 0, measurements = 0;  ///< of that layer, about
};

struct TuneOptions {
  int threads = 0;               ///< plans are for one thread count; 0: all cores this process may run on
  std::optional<Isa> isa;        ///< default: default_isa(); not the scalar reference, which has no plans
  AccuracyBudget accuracy;       ///< plans are for one budget: it says which algorithms a layer may use
  std::size_t candidates = 200;  ///< of a layer, at most: those of which the planner expects most
  double seconds = 10;           ///< for a layer, about, at most
  /// Where the records go, beside those that are there; empty: the file that later compilations read by default, or
  /// Error(invalid_argument) where there is none.
  std::filesystem::path file;
  std::function<void(const TuneProgress&)> progress;  ///< called on the calling thread; may be empty
};

/// What was found for one distinct layer.
struct TunedLayer {
  std::string spec;                    ///< its name: shape, window, epilogue, ISA
  std::vector<std::string> layers;     ///< of the model
  std::size_t candidates = 0;          ///< that ran, besides the planner's choice
  std::string planner, best;           ///< plans; `best` is empty without another candidate
  double planner_us = 0, best_us = 0;  ///< medians
  /// Time of `best` over the planner's choice: the median of pairs, and the interval that holds it in 95 of 100 cases.
  double ratio = 1, ratio_low = 1, ratio_high = 1;
  /// The same of a second copy of the planner's choice: the noise.
  double twin_low = 1, twin_high = 1;
  bool kept = false;    ///< `best` is in the file now
  std::string verdict;  ///< why, in a sentence
};

}  // namespace octavo

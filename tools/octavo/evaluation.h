// SPDX-License-Identifier: Apache-2.0
// One pass over labelled pictures with a network, or with two that are compared.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "octavo/image.h"
#include "octavo/program.h"
#include "tools/octavo/answers.h"
#include "tools/octavo/datasets.h"
#include "tools/octavo/pictures.h"

namespace octavo::tool {

/// One of the networks that are run: returns one number a class for each picture (before any softmax).
struct Contestant {
  Program program;
  Score score;
  double seconds = 0;  ///< in predict() alone
};

/// A picture on whose best class the two disagree.
struct ChangedAnswer {
  std::size_t picture = 0;  ///< of the data set
  std::filesystem::path file;
  std::size_t truth = 0, fp32 = 0, int8 = 0;
};

struct Evaluation {
  std::optional<Contestant> fp32, int8;  ///< at least one
  std::vector<ChangedAnswer> changed;
  SignalToNoise fidelity;  ///< of int8 against fp32
  std::vector<SkippedPicture> skipped;
  std::size_t pictures = 0;

  /// Runs every picture of `data` through every contestant, which were compiled for the same input shape. Throws
  /// Error(invalid_argument) when a class lies outside the network's outputs.
  void run(const Dataset& data, const ImageInput& description, int threads);
};

}  // namespace octavo::tool

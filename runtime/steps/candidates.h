// SPDX-License-Identifier: Apache-2.0
// The boxes of each class that may be among its best, found in one pass over the confidences of all.
#pragma once

#include <cstdint>

#include "runtime/steps/boxes.h"
#include "runtime/steps/scratch_carver.h"

namespace octavo::runtime {

/// Confidences are [priors][classes]. Immutable; works in memory that the caller carves.
class CandidateFinder {
 public:
  /// Of each class the `best` greatest confidences above `threshold` are wanted (1 <= best <= priors), the background
  /// has none (-1: every class has).
  CandidateFinder(std::int64_t priors, std::int64_t classes, std::int64_t background, std::int64_t best,
                  float threshold);

  struct Memory {
    ScoredBox* boxes;      ///< [classes][capacity()]: those of a class in the order of priors
    std::int64_t* counts;  ///< [classes]
    float* bars;           ///< what a confidence has to be above, for kRows rows of confidences
    std::uint8_t* flags;   ///< whether it is, for as many
    bool* open;            ///< [classes]: whether a class is looked for
    float* spare;          ///< for choosing among the boxes of a class
  };
  [[nodiscard]] Memory carve(ScratchCarver& carver) const;

  /// Most boxes in the list of a class.
  [[nodiscard]] std::int64_t capacity() const { return capacity_; }

  /// How many priors are looked at beforehand, which they are, and (in the source) why. They decide on the time alone.
  [[nodiscard]] std::int64_t samples() const { return samples_; }
  [[nodiscard]] std::int64_t sampled_prior(std::int64_t index) const;

  /// Fills boxes and counts: the best that are wanted of each class, and perhaps some that are not.
  void find(const float* confidence, const Memory& memory) const;

 private:
  static constexpr std::int64_t kRows = 16;  ///< looked at together: whole vectors, however many classes there are

  void set_bar(std::int64_t label, float bar, const Memory& memory) const;
  void raise_bars(const float* confidence, const Memory& memory) const;
  void scan(const float* confidence, const Memory& memory) const;
  void add(std::int64_t label, std::int64_t prior, float confidence, const Memory& memory) const;
  template <class Visit>
  void visit_above(const float* confidence, std::int64_t rows, std::int64_t ahead, const Memory& memory,
                   const Visit& visit) const;

  std::int64_t priors_, classes_, background_, best_, capacity_, samples_;
  float threshold_;
};

}  // namespace octavo::runtime

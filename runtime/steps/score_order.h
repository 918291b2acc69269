// SPDX-License-Identifier: Apache-2.0
// Boxes by their scores: cutting a list down to its best, and sorting it, in a time that does not depend on the scores.
//
// Both take boxes that stand in the order of their indices; of equal scores the earlier goes first, as in
// comes_first().
#pragma once

#include <cstdint>

#include "runtime/steps/boxes.h"

namespace octavo::runtime {

/// Moves the `best` first of `count` boxes (more than `best`, which is at least 1) to the front, where they keep the
/// order of their indices; gives the score of the last of them. `spare`: room for `count` numbers.
float keep_best_scores(ScoredBox* boxes, std::int64_t count, std::int64_t best, float* spare);

/// Puts the boxes into the order of comes_first(). `spare`: room for `count` boxes.
void sort_by_score(ScoredBox* boxes, std::int64_t count, ScoredBox* spare);

}  // namespace octavo::runtime

// SPDX-License-Identifier: Apache-2.0
// Boxes, and the greedy thinning of those that overlap (non-maximum suppression).
#pragma once

#include <cstddef>
#include <cstdint>

#include "graph/ops.h"

namespace octavo::runtime {

struct Box {
  float xmin, ymin, xmax, ymax;
};

/// A box that competes: its score, and where it comes from.
struct ScoredBox {
  float score;  ///< not NaN: see score_key()
  std::int32_t index;
};

/// The greater score first; of equal ones the earlier.
[[nodiscard]] inline bool comes_first(const ScoredBox& a, const ScoredBox& b) {
  return a.score != b.score ? a.score > b.score : a.index < b.index;
}

/// A NaN counts as the greatest of all, so that it shows instead of hiding.
[[nodiscard]] float score_key(float score);

/// How SSD's location code moves a prior.
[[nodiscard]] Box decode_box(graph::BoxCode code, const float* location, const float* prior, const float* variance);

/// Boxes kept so far, an array a coordinate: comparing with all of them is one vector loop. Owns no memory.
class KeptBoxes {
 public:
  /// `border`: what a box's width is more than xmax - xmin (0, or 1 for whole pixels).
  KeptBoxes(float* memory, std::int64_t capacity, float border);
  /// Numbers in the memory of so many boxes.
  [[nodiscard]] static std::int64_t floats(std::int64_t capacity) { return capacity * kArrays; }
  /// Whether the intersection with any box kept is more than `threshold` of the union.
  [[nodiscard]] bool overlaps(const Box& box, float threshold) const;
  /// At most `capacity` times.
  void keep(const Box& box);

 private:
  static constexpr std::int64_t kArrays = 5;
  float *xmin_, *ymin_, *xmax_, *ymax_, *area_;
  float border_;
  std::int64_t count_ = 0;
};

}  // namespace octavo::runtime

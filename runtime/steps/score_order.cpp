// SPDX-License-Identifier: Apache-2.0
// See runtime/steps/score_order.h. Sorting is a radix sort: four stable passes, a byte of the score each, lowest first.
#include "runtime/steps/score_order.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <functional>
#include <utility>

namespace octavo::runtime {
namespace {

constexpr std::size_t kBytes = 4, kValues = 256;
constexpr std::int64_t kFew = 64;  ///< up to so many are sorted faster by comparing

/// Ascends where the score descends; the two zeros are equal.
std::uint32_t descending_key(float score) {
  constexpr std::uint32_t kSign = 0x80000000U;
  const auto bits = std::bit_cast<std::uint32_t>(score == 0.0F ? 0.0F : score);
  return (bits & kSign) != 0 ? bits : ~(bits | kSign);
}

std::size_t byte_of(std::uint32_t key, std::size_t byte) { return key >> (8 * byte) & 0xFFU; }

}  // namespace

float keep_best_scores(ScoredBox* boxes, std::int64_t count, std::int64_t best, float* spare) {
  std::transform(boxes, boxes + count, spare, [](const ScoredBox& box) { return box.score; });
  std::nth_element(spare, spare + best - 1, spare + count, std::greater<>());
  const float last = spare[best - 1];
  std::int64_t equal = best - std::count_if(spare, spare + best, [last](float score) { return score > last; });
  std::int64_t kept = 0;
  for (std::int64_t i = 0; kept < best; ++i) {
    if (boxes[i].score < last || (boxes[i].score == last && equal-- <= 0)) continue;
    boxes[kept++] = boxes[i];
  }
  return last;
}

void sort_by_score(ScoredBox* boxes, std::int64_t count, ScoredBox* spare) {
  if (count <= kFew) {
    std::sort(boxes, boxes + count, comes_first);
    return;
  }
  std::array<std::array<std::int32_t, kValues>, kBytes> places{};
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint32_t key = descending_key(boxes[i].score);
    for (std::size_t byte = 0; byte < kBytes; ++byte) ++places[byte][byte_of(key, byte)];
  }
  ScoredBox *from = boxes, *to = spare;
  for (std::size_t byte = 0; byte < kBytes; ++byte) {
    std::array<std::int32_t, kValues>& place = places[byte];
    if (place[byte_of(descending_key(from[0].score), byte)] == count) continue;  // the same in all
    std::int32_t next = 0;
    for (std::int32_t& value : place) next += std::exchange(value, next);
    for (std::int64_t i = 0; i < count; ++i) to[place[byte_of(descending_key(from[i].score), byte)]++] = from[i];
    std::swap(from, to);
  }
  if (from != boxes) std::copy_n(from, count, boxes);
}

}  // namespace octavo::runtime

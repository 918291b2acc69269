// SPDX-License-Identifier: Apache-2.0
// See runtime/steps/candidates.h.
//
// A sample of the priors tells, for each class, which confidence about twice as many as are wanted are above. That is
// the bar of the pass over all of them, which therefore appends few, however many are above the threshold. Where a
// sample has misled (a list is shorter than is wanted, and its bar was above the threshold) that class is looked for
// again by the threshold alone; where it has misled the other way, a list that is full is cut down to its best, and the
// bar rises. So the result does not depend on the sample, only the time does.
#include "runtime/steps/candidates.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

#include "runtime/steps/score_order.h"
#include "runtime/vectorize.h"

namespace octavo::runtime {
namespace {

/// A bar is the confidence that so many of the sample reach: that gives the expected number within a fifth, mostly.
constexpr std::int64_t kSampleRank = 24;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// flags[i]: 1 where the confidence is above its bar, or is NaN, else 0. Whether there is any.
OCTAVO_VECTORIZED std::uint8_t mark_above(const float* confidence, const float* bars, std::int64_t count,
                                          std::uint8_t* flags) {
  std::uint8_t any = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::uint8_t flag = confidence[i] <= bars[i] ? 0 : 1;
    flags[i] = flag;
    any |= flag;
  }
  return any;
}

}  // namespace

CandidateFinder::CandidateFinder(std::int64_t priors, std::int64_t classes, std::int64_t background, std::int64_t best,
                                 float threshold)
    : priors_(priors),
      classes_(classes),
      background_(background),
      best_(best),
      capacity_(std::min(3 * best, priors)),
      samples_(priors * kSampleRank / (2 * best)),
      threshold_(threshold) {
  // Where few are wanted the first full list raises the bar as well; where many are, a sample is most of the priors.
  if (samples_ > std::min(capacity_, priors / 8)) samples_ = 0;
}

CandidateFinder::Memory CandidateFinder::carve(ScratchCarver& carver) const {
  return {carver.take<ScoredBox>(classes_ * capacity_),
          carver.take<std::int64_t>(classes_),
          carver.take<float>(kRows * classes_),
          carver.take<std::uint8_t>(kRows * classes_ + 8),
          carver.take<bool>(classes_),
          carver.take<float>(std::max(capacity_, samples_))};
}

/// One of each stretch, at a place that follows no pattern, since priors do.
std::int64_t CandidateFinder::sampled_prior(std::int64_t index) const {
  const std::int64_t begin = index * priors_ / samples_, end = (index + 1) * priors_ / samples_;
  const std::uint64_t mixed = static_cast<std::uint32_t>(index) * 2654435769U;  // 2^32 by the golden ratio
  return begin + static_cast<std::int64_t>(mixed * static_cast<std::uint64_t>(end - begin) >> 32U);
}

void CandidateFinder::set_bar(std::int64_t label, float bar, const Memory& memory) const {
  for (std::int64_t row = 0; row < kRows; ++row) memory.bars[row * classes_ + label] = bar;
}

/// visit(row, label, confidence) for those above the bars, in order; at most kRows rows.
template <class Visit>
void CandidateFinder::visit_above(const float* confidence, std::int64_t rows, const Memory& memory,
                                  const Visit& visit) const {
  const std::int64_t count = rows * classes_;
  if (mark_above(confidence, memory.bars, count, memory.flags) == 0) return;
  std::fill_n(memory.flags + count, 8, std::uint8_t{0});
  std::int64_t row = 0, row_begin = 0;
  for (std::int64_t i = 0; i < count; i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, memory.flags + i, sizeof word);
    for (; word != 0; word &= word - 1) {
      const std::int64_t at = i + std::countr_zero(word) / 8;
      for (; at >= row_begin + classes_; row_begin += classes_) ++row;
      visit(row, at - row_begin, confidence[at]);
    }
  }
}

void CandidateFinder::add(std::int64_t label, std::int64_t prior, float confidence, const Memory& memory) const {
  // The bar may have risen since the flags were set.
  if (!memory.open[label] || confidence <= memory.bars[label]) return;
  ScoredBox* const boxes = memory.boxes + label * capacity_;
  std::int64_t& count = memory.counts[label];
  if (count == capacity_) {
    const float last = keep_best_scores(boxes, count, best_, memory.spare);
    count = best_;
    set_bar(label, std::max(memory.bars[label], last), memory);
    if (confidence <= last) return;
  }
  boxes[count++] = {score_key(confidence), static_cast<std::int32_t>(prior)};
}

void CandidateFinder::scan(const float* confidence, const Memory& memory) const {
  for (std::int64_t first = 0; first < priors_; first += kRows) {
    visit_above(confidence + first * classes_, std::min(kRows, priors_ - first), memory,
                [&](std::int64_t row, std::int64_t label, float value) { add(label, first + row, value, memory); });
  }
}

/// Each bar from the sample, whose confidences are listed where the boxes are going to be.
void CandidateFinder::raise_bars(const float* confidence, const Memory& memory) const {
  for (std::int64_t i = 0; i < samples_; ++i) {
    visit_above(confidence + sampled_prior(i) * classes_, 1, memory,
                [&](std::int64_t, std::int64_t label, float value) {
                  memory.boxes[label * capacity_ + memory.counts[label]++].score = score_key(value);
                });
  }
  for (std::int64_t label = 0; label < classes_; ++label) {
    const ScoredBox* const sampled = memory.boxes + label * capacity_;
    const std::int64_t count = memory.counts[label];
    memory.counts[label] = 0;
    if (!memory.open[label] || count < kSampleRank) continue;
    std::transform(sampled, sampled + count, memory.spare, [](const ScoredBox& box) { return box.score; });
    std::nth_element(memory.spare, memory.spare + kSampleRank - 1, memory.spare + count, std::greater<>());
    // Just below it: where confidences are equal, they count.
    set_bar(label, std::max(threshold_, std::nextafter(memory.spare[kSampleRank - 1], -kInfinity)), memory);
  }
}

void CandidateFinder::find(const float* confidence, const Memory& memory) const {
  std::fill_n(memory.counts, classes_, 0);
  std::fill_n(memory.open, classes_, true);
  std::fill_n(memory.bars, kRows * classes_, threshold_);
  if (background_ >= 0 && background_ < classes_) {
    memory.open[background_] = false;
    set_bar(background_, kInfinity, memory);
  }
  if (samples_ > 0) raise_bars(confidence, memory);
  scan(confidence, memory);
  if (samples_ == 0) return;

  bool misled = false;
  for (std::int64_t label = 0; label < classes_; ++label) {
    const bool again = memory.open[label] && memory.counts[label] < best_ && memory.bars[label] > threshold_;
    memory.open[label] = again;
    set_bar(label, again ? threshold_ : kInfinity, memory);
    if (again) memory.counts[label] = 0;
    misled = misled || again;
  }
  if (misled) scan(confidence, memory);
}

}  // namespace octavo::runtime

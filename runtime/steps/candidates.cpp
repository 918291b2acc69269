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
constexpr std::int64_t kMostSampled = 2 * kSampleRank;  ///< confidences of a class that are listed at a time
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

constexpr std::int64_t kFlags = 64;  ///< looked at together
constexpr std::int64_t kLine = 16;   ///< confidences in a cache line

/// A bit for each of so many bytes that are 0 or 1, at most kFlags: one unforeseeable branch for all of them. Reads up
/// to seven bytes more.
std::uint64_t bits_of(const std::uint8_t* flags, std::int64_t count) {
  std::uint64_t bits = 0;
  for (std::int64_t i = 0; i < count; i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, flags + i, sizeof word);
    bits |= (word * 0x0102040810204080U >> 56U) << i;  // the eight lowest bits meet in the highest byte
  }
  return count == kFlags ? bits : bits & ((std::uint64_t{1} << count) - 1);
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
          carver.take<float>(capacity_)};
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

/// visit(row, label, confidence) for those above the bars, in order; at most kRows rows, of as many as lie ahead.
template <class Visit>
void CandidateFinder::visit_above(const float* confidence, std::int64_t rows, std::int64_t ahead, const Memory& memory,
                                  const Visit& visit) const {
  const std::int64_t count = rows * classes_;
  if (mark_above(confidence, memory.bars, count, memory.flags) == 0) return;
  std::fill_n(memory.flags + count, 8, std::uint8_t{0});
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::uint8_t* const flags = memory.flags + row * classes_;
    // Memory would rest while branches are missed: the rows that come next are asked for meanwhile.
    for (std::int64_t i = 0; i < classes_ && row + rows < ahead; i += kLine) {
      __builtin_prefetch(confidence + (row + rows) * classes_ + i);
    }
    for (std::int64_t first = 0; first < classes_; first += kFlags) {
      for (std::uint64_t bits = bits_of(flags + first, std::min(kFlags, classes_ - first)); bits != 0;
           bits &= bits - 1) {
        const std::int64_t label = first + std::countr_zero(bits);
        visit(row, label, confidence[row * classes_ + label]);
      }
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
    visit_above(confidence + first * classes_, std::min(kRows, priors_ - first), priors_ - first, memory,
                [&](std::int64_t row, std::int64_t label, float value) { add(label, first + row, value, memory); });
  }
}

/// Each bar from the sample. Only the best of it so far are listed (where the boxes are going to be): the bar of the
/// first row rises with them, so that most of the sample is passed over.
void CandidateFinder::raise_bars(const float* confidence, const Memory& memory) const {
  const auto cut = [&](std::int64_t label) {
    ScoredBox* const sampled = memory.boxes + label * capacity_;
    std::nth_element(sampled, sampled + kSampleRank - 1, sampled + memory.counts[label],
                     [](const ScoredBox& a, const ScoredBox& b) { return a.score > b.score; });
    memory.counts[label] = kSampleRank;
    return sampled[kSampleRank - 1].score;
  };
  for (std::int64_t i = 0; i < samples_; ++i) {
    visit_above(confidence + sampled_prior(i) * classes_, 1, 1, memory,
                [&](std::int64_t, std::int64_t label, float value) {
                  std::int64_t& count = memory.counts[label];
                  memory.boxes[label * capacity_ + count++] = {score_key(value), 0};
                  if (count == kMostSampled) memory.bars[label] = cut(label);
                });
  }
  for (std::int64_t label = 0; label < classes_; ++label) {
    // Just below it: where confidences are equal, they count.
    if (memory.open[label] && memory.counts[label] >= kSampleRank)
      set_bar(label, std::max(threshold_, std::nextafter(cut(label), -kInfinity)), memory);
    memory.counts[label] = 0;
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

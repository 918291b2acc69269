// SPDX-License-Identifier: Apache-2.0
// The contest on made-up clocks: who wins, and who must not.
#include "runtime/contest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <vector>

namespace octavo::runtime {
namespace {

/// Contestants whose runs take a known time, times noise. The clock is theirs: nothing waits.
class MadeUp final : public Contestants {
 public:
  /// `seconds`: of the incumbent, its twin, the challengers. Noise: uniform, up to that share more; now and then
  /// (`spikes` of 100 runs) ten times as long.
  MadeUp(std::vector<double> seconds, double noise, int spikes, unsigned seed)
      : seconds_(std::move(seconds)), noise_(noise), spikes_(spikes), random_(seed) {}

  [[nodiscard]] std::size_t count() const override { return seconds_.size(); }
  void enter(std::size_t index) override {
    EXPECT_TRUE(present_.insert(index).second) << index << " is there already";
    most_present_ = std::max(most_present_, present_.size());
  }
  void leave(std::size_t index) override { EXPECT_EQ(present_.erase(index), 1U) << index << " is not there"; }
  [[nodiscard]] double run(std::size_t index) override {
    EXPECT_TRUE(present_.contains(index)) << index << " runs without having entered";
    double seconds = seconds_[index] * (1.0 + noise_ * std::uniform_real_distribution<double>()(random_));
    if (static_cast<int>(random_() % 100) < spikes_) seconds *= 10;
    now_ += seconds;
    ++runs_;
    return seconds;
  }

  [[nodiscard]] ContestResult hold(ContestRules rules) {
    rules.now = [this] { return now_; };
    const ContestResult result = hold_contest(*this, rules);
    EXPECT_TRUE(present_.empty()) << "some never left";
    return result;
  }
  [[nodiscard]] std::size_t most_present() const { return most_present_; }
  [[nodiscard]] double spent() const { return now_; }
  [[nodiscard]] std::size_t runs() const { return runs_; }

 private:
  std::vector<double> seconds_;
  double noise_, now_ = 0;
  int spikes_;
  std::mt19937 random_;
  std::set<std::size_t> present_;
  std::size_t most_present_ = 0, runs_ = 0;
};

/// An incumbent of 1 ms, its twin, and `challengers` that are all a little slower, but for one.
std::vector<double> field(std::size_t challengers, std::size_t best, double best_ratio) {
  std::vector<double> seconds(challengers + 2, 1e-3);
  for (std::size_t i = 2; i < seconds.size(); ++i) seconds[i] *= 1.02 + 0.01 * static_cast<double>(i % 50);
  if (challengers > 0) seconds[best] = 1e-3 * best_ratio;
  return seconds;
}

TEST(Contest, FindsTheFastestOfTwoHundredInNoise) {
  int found = 0;
  for (unsigned seed = 0; seed < 20; ++seed) {
    MadeUp contestants(field(200, 2 + 9 * seed, 0.9), 0.05, 3, seed);
    const ContestResult result = contestants.hold({});
    EXPECT_EQ(result.screened, 200U);
    if (result.best == 2 + 9 * seed && result.won()) ++found;
    EXPECT_NEAR(result.ratio.median, 0.9, 0.03);
  }
  EXPECT_GE(found, 18);  // a disturbed first look costs a challenger its second
}

TEST(Contest, RefusesToTakeNoiseForAGain) {
  int wrong = 0;
  for (unsigned seed = 0; seed < 100; ++seed) {
    std::vector<double> equal(202, 1e-3);
    MadeUp contestants(equal, 0.2, 5, seed);
    if (contestants.hold({}).won()) ++wrong;
  }
  EXPECT_LE(wrong, 5);  // an interval misses in 5 of 100 cases, half of them below; the twin's has to lie above it too
}

TEST(Contest, AGainBelowWhatTheTwinDiffersByIsNone) {
  std::vector<double> seconds = field(10, 5, 0.97);
  seconds[1] *= 0.96;  // the same plan, in luckier memory
  EXPECT_FALSE(MadeUp(seconds, 0.01, 0, 1).hold({}).won());
  seconds[1] = 1e-3;
  EXPECT_TRUE(MadeUp(seconds, 0.01, 0, 1).hold({}).won());
}

TEST(Contest, ASlowerChallengerNeverWins) {
  for (unsigned seed = 0; seed < 50; ++seed) EXPECT_FALSE(MadeUp(field(30, 3, 1.02), 0.1, 5, seed).hold({}).won());
}

TEST(Contest, WithoutChallengersThereIsNoWinner) {
  const ContestResult result = MadeUp(field(0, 0, 1), 0.1, 0, 1).hold({});
  EXPECT_EQ(result.best, 0U);
  EXPECT_FALSE(result.won());
  EXPECT_GT(result.incumbent_seconds, 0);
}

TEST(Contest, EndsAboutWhenItsTimeIsUp) {
  ContestRules rules;
  rules.seconds = 1.0;
  MadeUp contestants(field(20000, 7, 0.9), 0.1, 1, 1);
  const ContestResult result = contestants.hold(rules);
  EXPECT_LT(result.screened, 20000U);
  EXPECT_GT(result.screened, 50U);
  EXPECT_LT(contestants.spent(), 1.5);
}

TEST(Contest, EvenWithoutTimeThereIsAResultOfFreshRounds) {
  ContestRules rules;
  rules.seconds = 0;
  const ContestResult result = MadeUp(field(20, 7, 0.9), 0.01, 0, 1).hold(rules);
  EXPECT_GE(result.screened, 1U);
  EXPECT_GE(result.rounds, rules.least_duel_rounds);
}

TEST(Contest, FewContestantsExistAtATime) {
  ContestRules rules;
  rules.finalists = 5;
  MadeUp contestants(field(200, 7, 0.9), 0.01, 0, 1);
  (void)contestants.hold(rules);
  EXPECT_LE(contestants.most_present(), 7U);
}

TEST(Contest, LooksOnlyOnceAtTheHopeless) {
  std::vector<double> seconds(202, 2e-3);
  seconds[0] = seconds[1] = 1e-3;
  MadeUp contestants(seconds, 0.01, 0, 1);
  (void)contestants.hold({});
  EXPECT_LT(contestants.runs(), 200U * 3 + 500U);
}

TEST(Contest, SaysHowFarItIs) {
  std::size_t last = 0, total = 0;
  ContestRules rules;
  rules.progress = [&](std::size_t done, std::size_t of) {
    EXPECT_GE(done, last);
    EXPECT_LE(done, of);
    last = done;
    total = of;
  };
  (void)MadeUp(field(50, 7, 0.9), 0.01, 0, 1).hold(rules);
  EXPECT_GT(total, 50U);
  EXPECT_GE(last, total / 2);
}

TEST(MedianInterval, HoldsTheTrueMedianInNineteenOfTwentyCases) {
  std::mt19937 random(1);
  std::lognormal_distribution<double> skewed;  // median 1
  int held = 0;
  constexpr int cases = 2000;
  for (int i = 0; i < cases; ++i) {
    std::vector<double> values(static_cast<std::size_t>(15 + i % 60));
    std::generate(values.begin(), values.end(), [&] { return skewed(random); });
    const MedianInterval interval = median_interval(values);
    EXPECT_LE(interval.low, interval.median);
    EXPECT_LE(interval.median, interval.high);
    if (interval.low <= 1 && 1 <= interval.high) ++held;
  }
  EXPECT_GE(held, cases * 95 / 100);
  EXPECT_LE(held, cases * 99 / 100);
}

TEST(MedianInterval, OfOneValueIsThatValue) {
  const MedianInterval interval = median_interval({7});
  EXPECT_EQ(interval.median, 7);
  EXPECT_EQ(interval.low, 7);
  EXPECT_EQ(interval.high, 7);
}

}  // namespace
}  // namespace octavo::runtime

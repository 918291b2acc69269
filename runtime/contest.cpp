// SPDX-License-Identifier: Apache-2.0
#include "runtime/contest.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <random>
#include <utility>

namespace octavo::runtime {
namespace {

constexpr std::size_t incumbent = 0, twin = 1, first_challenger = 2;
constexpr std::size_t rounds_of_stage = 6;

double median_of(std::vector<double> values) { return median_interval(std::move(values)).median; }

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

class Contest {
 public:
  Contest(Contestants& contestants, const ContestRules& rules)
      : contestants_(contestants),
        rules_(rules),
        now_(rules.now ? rules.now : steady_seconds),
        start_(now_()),
        total_(contestants.count() - first_challenger + expected_rounds()) {}

  ContestResult hold() {
    contestants_.enter(incumbent);
    (void)contestants_.run(incumbent);  // warms up
    std::vector<std::size_t> finalists = screen();
    for (const std::size_t index : finalists) enter(index);
    contestants_.enter(twin);
    while (finalists.size() > 1) halve(finalists);
    if (!finalists.empty()) result_.best = finalists.front();
    duel();
    if (result_.best != 0) contestants_.leave(result_.best);
    contestants_.leave(twin);
    contestants_.leave(incumbent);
    return result_;
  }

 private:
  [[nodiscard]] double spent() const { return now_() - start_; }
  [[nodiscard]] std::size_t expected_rounds() const { return rules_.finalists + rules_.least_duel_rounds; }
  void advance() {
    if (rules_.progress) rules_.progress(std::min(++done_, total_), total_);
  }
  void enter(std::size_t index) {
    contestants_.enter(index);
    (void)contestants_.run(index);
  }

  /// The challengers whose ratio was best.
  std::vector<std::size_t> screen() {
    constexpr double hopeless = 1.15;  // times the best so far: no second look
    std::vector<std::pair<double, std::size_t>> ratios;
    double best = 1.0;
    for (std::size_t index = first_challenger; index < contestants_.count(); ++index) {
      if (spent() > rules_.seconds / 2 && !ratios.empty()) break;
      enter(index);
      double base = contestants_.run(incumbent), time = contestants_.run(index);
      if (time < base * best * hopeless) {
        base = std::min(base, contestants_.run(incumbent));
        time = std::min(time, contestants_.run(index));
      }
      contestants_.leave(index);
      ratios.emplace_back(time / base, index);
      best = std::min(best, time / base);
      advance();
    }
    result_.screened = ratios.size();
    std::sort(ratios.begin(), ratios.end());
    ratios.resize(std::min(ratios.size(), rules_.finalists));
    std::vector<std::size_t> finalists;
    for (const auto& [ratio, index] : ratios) finalists.push_back(index);
    return finalists;
  }

  /// Runs all in turn, in random order; a ratio of each.
  void run_round(const std::vector<std::size_t>& indices, std::vector<std::vector<double>>& times) {
    std::vector<std::size_t> order(indices.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::shuffle(order.begin(), order.end(), random_);
    for (const std::size_t place : order) times[place].push_back(contestants_.run(indices[place]));
    advance();
  }

  static std::vector<double> ratios_of(const std::vector<double>& times, const std::vector<double>& base) {
    std::vector<double> ratios;
    for (std::size_t round = 0; round < times.size(); ++round) ratios.push_back(times[round] / base[round]);
    return ratios;
  }

  /// A stage: a few rounds, then the slower half leaves.
  void halve(std::vector<std::size_t>& finalists) {
    std::vector<std::size_t> all = {incumbent};
    all.insert(all.end(), finalists.begin(), finalists.end());
    std::vector<std::vector<double>> times(all.size());
    for (std::size_t round = 0; round < rounds_of_stage; ++round) run_round(all, times);
    std::vector<std::pair<double, std::size_t>> ranking;
    for (std::size_t i = 1; i < all.size(); ++i) ranking.emplace_back(median_of(ratios_of(times[i], times[0])), all[i]);
    std::sort(ranking.begin(), ranking.end());
    const std::size_t kept = spent() > rules_.seconds ? 1 : (ranking.size() + 1) / 2;
    finalists.clear();
    for (std::size_t i = 0; i < ranking.size(); ++i) {
      if (i < kept)
        finalists.push_back(ranking[i].second);
      else
        contestants_.leave(ranking[i].second);
    }
  }

  void duel() {
    std::vector<std::size_t> all = {incumbent, twin};
    if (result_.best != 0) all.push_back(result_.best);
    std::vector<std::vector<double>> times(all.size());
    const auto wide = [&](const MedianInterval& i) {
      return std::max(i.high - i.median, i.median - i.low) > rules_.precise_enough;
    };
    for (std::size_t round = 0; round < rules_.most_duel_rounds; ++round) {
      if (round >= rules_.least_duel_rounds &&
          (spent() > rules_.seconds || !(wide(result_.ratio) || wide(result_.twin))))
        break;
      run_round(all, times);
      result_.twin = median_interval(ratios_of(times[1], times[0]));
      result_.ratio = median_interval(ratios_of(times.back(), times[0]));
      result_.rounds = round + 1;
    }
    result_.incumbent_seconds = median_of(times[0]);
    result_.seconds = median_of(times.back());
  }

  Contestants& contestants_;
  const ContestRules& rules_;
  std::function<double()> now_;
  double start_;
  std::size_t done_ = 0, total_;
  std::minstd_rand random_{1};
  ContestResult result_;
};

}  // namespace

MedianInterval median_interval(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  const std::size_t last = values.size() - 1;
  // The number of values below the true median is binomial, n draws of 1/2: within 1.96 deviations of sqrt(n) / 2.
  const double reach = 1.96 * std::sqrt(n) / 2.0;
  const auto low = static_cast<std::size_t>(std::max(0.0, std::floor(n / 2.0 - reach)));
  const std::size_t high = std::min(last, static_cast<std::size_t>(std::ceil(n / 2.0 + reach)));
  const double median = 0.5 * (values[last / 2] + values[values.size() / 2]);
  return {median, values[low], values[high]};
}

ContestResult hold_contest(Contestants& contestants, const ContestRules& rules) {
  return Contest(contestants, rules).hold();
}

}  // namespace octavo::runtime

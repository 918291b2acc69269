// SPDX-License-Identifier: Apache-2.0
// The command's parts: best answers, signal-to-noise, tables, options.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "octavo/error.h"
#include "tools/octavo/answers.h"
#include "tools/octavo/console.h"
#include "tools/octavo/machine_limits.h"
#include "tools/octavo/report.h"
#include "tools/octavo/text.h"
#include "tools/octavo/timing.h"

namespace octavo::tool {
namespace {

TEST(BestAnswers, AreLargestFirstLowestIndexOfEqualsAndNaNLast) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> values = {1, nan, 3, 3, -std::numeric_limits<float>::infinity()};
  std::vector<std::size_t> order;
  for (const Answer& answer : best_answers(values, 9)) order.push_back(answer.index);
  EXPECT_EQ(order, (std::vector<std::size_t>{2, 3, 0, 4, 1}));
  EXPECT_EQ(best_answers(values, 2).size(), 2U);
}

TEST(Score, NeverCountsANaNAsRight) {
  Score score;
  score.add(best_answers(std::vector<float>(3, std::numeric_limits<float>::quiet_NaN()), 5), 0);
  EXPECT_EQ(score.pictures, 1U);
  EXPECT_EQ(score.top5, 0U);
}

TEST(SignalToNoise, OfNoiseOfKnownPowerIsThatPower) {
  std::mt19937 generator(7);
  std::normal_distribution<float> normal;
  std::vector<float> reference(100'000);
  std::vector<float> other(reference.size());
  for (std::size_t i = 0; i < reference.size(); ++i) {
    reference[i] = normal(generator);
    other[i] = reference[i] + 0.01F * normal(generator);
  }
  SignalToNoise fidelity;
  fidelity.add(reference, other);
  EXPECT_NEAR(fidelity.decibels(), 40, 0.1);
  SignalToNoise equal;
  equal.add(reference, reference);
  EXPECT_TRUE(std::isinf(equal.decibels()));
  EXPECT_TRUE(std::isnan(SignalToNoise().decibels()));
}

TEST(OneValueAClass, IsARowOrAPixel) {
  EXPECT_TRUE(one_value_a_class({8, 10}));
  EXPECT_TRUE(one_value_a_class({8, 10, 1, 1}));
  EXPECT_FALSE(one_value_a_class({8, 10, 2, 1}));
  EXPECT_FALSE(one_value_a_class({8}));
}

TEST(Table, AlignsColumnsByCharactersNotBytes) {
  Table table({{"name"}, {"ms", Table::Align::right}});
  table.add({"é", "1.5"});
  table.add({"longer", "10.5"});
  EXPECT_EQ(table.text(), "name      ms\né        1.5\nlonger  10.5\n");
}

TEST(HumanBytes, UsesPowersOfTen) {
  EXPECT_EQ(human_bytes(999), "999 B");
  EXPECT_EQ(human_bytes(1'234'000), "1.23 MB");
}

TEST(ParseNumbers, TakesListsAndRefusesTheRest) {
  EXPECT_EQ(parse_numbers("104,117.5,-1e2", "--mean"), (std::vector<float>{104, 117.5, -100}));
  for (const char* bad : {"", "1,", ",1", "1;2", "nan", "inf", "1 "}) {
    EXPECT_THROW((void)parse_numbers(bad, "--mean"), Error) << bad;
  }
}

TEST(ParseSize, TakesOneNumberOrTwo) {
  EXPECT_EQ(parse_size("224", "--crop"), (std::pair<std::int64_t, std::int64_t>{224, 224}));
  EXPECT_EQ(parse_size("240x320", "--crop"), (std::pair<std::int64_t, std::int64_t>{240, 320}));
  for (const char* bad : {"", "0", "x", "1x", "-3", "99999", "224 x 224"}) {
    EXPECT_THROW((void)parse_size(bad, "--crop"), Error) << bad;
  }
}

TEST(SpreadOf, IsTheMedianAndTheTenths) {
  std::vector<double> values;
  for (int i = 100; i >= 0; --i) values.push_back(i);
  const Spread spread = spread_of(values);
  EXPECT_EQ(spread.median, 50);
  EXPECT_EQ(spread.lowest, 0);
  EXPECT_EQ(spread.p10, 10);
  EXPECT_EQ(spread.p90, 90);
}

TEST(HtmlReport, EscapesNamesThatLookLikeMarkup) {
  HtmlReport page("a <b>", "x & y");
  page.add({.title = "t", .unit = "ms", .series = {"s"}, .bars = {{"<script>", {1}}}});
  page.add_table("t", {"h"}, {{"<script>"}});
  EXPECT_EQ(page.html().find("<script>"), std::string::npos);
  EXPECT_NE(page.html().find("&lt;script&gt;"), std::string::npos);
}

TEST(HtmlReport, DrawsNoBarForNaN) {
  HtmlReport page("a", "b");
  page.add({.title = "t", .unit = "ms", .series = {"s", "t"}, .bars = {{"x", {1, std::nan("")}}}});
  const std::string html = page.html();
  EXPECT_NE(html.find("<rect class=\"s0\""), std::string::npos);
  EXPECT_EQ(html.find("<rect class=\"s1\""), std::string::npos);
}

/// The places of what follows `attribute` in the page.
std::vector<double> places(const std::string& html, const std::string& attribute) {
  std::vector<double> found;
  for (std::size_t at = html.find(attribute); at != std::string::npos; at = html.find(attribute, at + 1)) {
    found.push_back(std::stod(html.substr(at + attribute.size())));
  }
  return found;
}

TEST(RooflineChart, KeepsItsDotsWithinThePictureAndInOrder) {
  RooflineChart chart{.title = "t",
                      .x_title = "x",
                      .y_title = "y",
                      .series = {"s"},
                      .oblique = {{"m", 30}},
                      .level = {{"peak", 200}},
                      .dots = {}};
  for (const double value : {0.02, 1.0, 35.0, 4000.0}) chart.dots.push_back({0, value, value, "dot <"});
  HtmlReport page("a", "b");
  page.add(chart);
  const std::string html = page.html();
  const std::vector<double> x = places(html, " cx=\""), y = places(html, " cy=\"");
  ASSERT_EQ(x.size(), 4U);
  ASSERT_EQ(y.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_GE(x[i], 70);
    EXPECT_LE(x[i], 850);
    EXPECT_GE(y[i], 16);
    EXPECT_LE(y[i], 420);
    if (i > 0) {
      EXPECT_GT(x[i], x[i - 1]);
      EXPECT_LT(y[i], y[i - 1]);
    }
  }
  EXPECT_NE(html.find("dot &lt;"), std::string::npos);
}

TEST(RooflineChart, WithoutDotsIsNoPicture) {
  HtmlReport page("a", "b");
  page.add(RooflineChart{
      .title = "t", .x_title = "x", .y_title = "y", .series = {}, .oblique = {}, .level = {}, .dots = {}});
  EXPECT_EQ(page.html().find("<svg"), std::string::npos);
}

TEST(MachineLimits, AreThoseOfTheCodeThatRuns) {
  EXPECT_FALSE(measure_limits(Isa::reference, 1));
  const Isa isa = default_isa();
  if (isa == Isa::reference) GTEST_SKIP() << "this machine has no ISA that octavo writes code for";
  const auto limits = measure_limits(isa, 1);
  ASSERT_TRUE(limits);
  EXPECT_GT(limits->int8_rate, limits->fp32_rate);
  EXPECT_GT(limits->fp32_rate, 1e9);
  EXPECT_GT(limits->cache_bandwidth, 1e8);
  EXPECT_GT(limits->memory_bandwidth, 1e8);
}

}  // namespace
}  // namespace octavo::tool

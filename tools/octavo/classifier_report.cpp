// SPDX-License-Identifier: Apache-2.0
// See classifier_report.h.
#include "tools/octavo/classifier_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "octavo/error.h"
#include "tools/octavo/console.h"
#include "tools/octavo/drawing.h"
#include "tools/octavo/report.h"

namespace octavo::tool {
namespace {

double share(std::size_t part, std::size_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0.0;
}

Json score_json(const std::optional<Contestant>& contestant) {
  if (!contestant) return nullptr;
  const Score& score = contestant->score;
  return {
      {"top1", share(score.top1, score.pictures)},
      {"top5", share(score.top5, score.pictures)},
      {"top1_count", score.top1},
      {"top5_count", score.top5},
      {"ms_per_picture", contestant->seconds * 1e3 / static_cast<double>(std::max<std::size_t>(1, score.pictures))}};
}

/// As small as the page shows it; nothing where the file is gone since.
std::string picture_of(const Dataset& data, const ChangedAnswer& answer) {
  try {
    return png_uri(thumbnail(data.pictures.read(answer.picture), 96));
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

Json classifier_json(const Evaluation& result, const std::string& name, const std::string& value) {
  const bool both = result.fp32 && result.int8;
  Json changed = Json::array();
  for (const ChangedAnswer& answer : result.changed) {
    changed.push_back(
        {{"file", answer.file.string()}, {"class", answer.truth}, {"fp32", answer.fp32}, {"int8", answer.int8}});
  }
  Json skipped = Json::array();
  for (const SkippedPicture& picture : result.skipped) {
    skipped.push_back({{"file", picture.file.string()}, {"reason", picture.reason}});
  }
  return {{"model", name},
          {"images", result.pictures},
          {"fp32", score_json(result.fp32)},
          {"int8", score_json(result.int8)},
          {"changed", both ? Json(result.changed.size()) : Json(nullptr)},
          {"sqnr_db", both ? Json(result.fidelity.decibels()) : Json(nullptr)},
          {"measured_on", value},
          {"changed_answers", changed},
          {"skipped", skipped}};
}

std::string classifier_text(const Evaluation& result, const std::string& name, const std::string& value) {
  Table table({{""},
               {"top-1", Table::Align::right},
               {"top-5", Table::Align::right},
               {"right", Table::Align::right},
               {"ms a picture", Table::Align::right}});
  const auto add = [&](const char* label, const std::optional<Contestant>& c) {
    if (!c) return;
    const std::size_t count = c->score.pictures;
    table.add({label, fmt::format("{:.2f}%", 100 * share(c->score.top1, count)),
               fmt::format("{:.2f}%", 100 * share(c->score.top5, count)), fmt::format("{}", c->score.top1),
               fmt::format("{:.2f}", c->seconds * 1e3 / static_cast<double>(std::max<std::size_t>(1, count)))});
  };
  add("fp32", result.fp32);
  add("int8", result.int8);
  std::string text = fmt::format("{}: {} pictures\n{}", name, result.pictures, table.text());
  if (result.fp32 && result.int8) {
    text += fmt::format("answers that differ: {} of {}\nsignal-to-noise of {}: {:.1f} dB\n", result.changed.size(),
                        result.pictures, value, result.fidelity.decibels());
  }
  return text;
}

std::string classifier_html(const Evaluation& result, const Dataset& data, const std::string& name,
                            const std::string& value, const std::vector<std::string>& classes) {
  constexpr std::size_t shown = 100;
  std::string summary = fmt::format("{} pictures.", result.pictures);
  const bool both = result.fp32 && result.int8;
  if (both) {
    summary += fmt::format(" Answers that differ: {}; signal-to-noise of {}: {:.1f} dB.", result.changed.size(), value,
                           result.fidelity.decibels());
  }
  HtmlReport page("octavo eval: " + name, summary);
  BarChart accuracy{.title = "Accuracy", .unit = "%", .series = {}, .bars = {{"top-1", {}}, {"top-5", {}}}};
  BarChart speed{.title = "Time a picture", .unit = "ms", .series = {}, .bars = {{"predict", {}}}};
  const auto add = [&](const char* label, const std::optional<Contestant>& c) {
    if (!c) return;
    const std::size_t count = std::max<std::size_t>(1, c->score.pictures);
    accuracy.series.emplace_back(label);
    speed.series.emplace_back(label);
    accuracy.bars[0].values.push_back(100 * share(c->score.top1, count));
    accuracy.bars[1].values.push_back(100 * share(c->score.top5, count));
    speed.bars[0].values.push_back(c->seconds * 1e3 / static_cast<double>(count));
  };
  add("int8", result.int8);
  add("fp32", result.fp32);
  page.add(accuracy);
  page.add(speed);
  if (both) {
    const auto class_text = [&](std::size_t c) {
      return c < classes.size() ? fmt::format("{} {}", c, classes[c]) : fmt::format("{}", c);
    };
    std::vector<std::vector<std::string>> rows;
    for (const ChangedAnswer& answer : result.changed) {
      if (rows.size() == shown) break;
      const char* verdict = answer.int8 == answer.truth   ? "int8 is right"
                            : answer.fp32 == answer.truth ? "fp32 is right"
                                                          : "both are wrong";
      rows.push_back({picture_of(data, answer), answer.file.filename().string(), class_text(answer.truth),
                      class_text(answer.fp32), class_text(answer.int8), verdict});
    }
    page.add_table(fmt::format("Answers that differ ({} of {})", rows.size(), result.changed.size()),
                   {"picture", "file", "class", "fp32 says", "int8 says", ""}, rows);
  }
  return page.html();
}

}  // namespace octavo::tool

// SPDX-License-Identifier: Apache-2.0
// See detector_scores.h.
#include "tools/octavo/detector_scores.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "octavo/error.h"
#include "tools/octavo/console.h"
#include "tools/octavo/detector_report.h"
#include "tools/octavo/drawing.h"
#include "tools/octavo/report.h"

namespace octavo::tool {
namespace {

using Named = std::vector<std::pair<const char*, std::optional<double>>>;

/// The numbers of a side: COCO's twelve, or VOC's one. Keys as in JSON.
Named numbers_of(const DetectorResult& result) {
  if (result.voc) return {{"map", result.voc->mean}};
  const metrics::CocoScores& s = result.coco.value();
  return {{"ap", s.ap},
          {"ap50", s.ap50},
          {"ap75", s.ap75},
          {"ap_small", s.ap_small},
          {"ap_medium", s.ap_medium},
          {"ap_large", s.ap_large},
          {"ar1", s.ar1},
          {"ar10", s.ar10},
          {"ar100", s.ar100},
          {"ar_small", s.ar_small},
          {"ar_medium", s.ar_medium},
          {"ar_large", s.ar_large}};
}

const std::vector<std::optional<double>>& of_categories(const DetectorResult& result) {
  return result.voc ? result.voc->average_precision : result.coco->ap_of_category;
}

std::string percent(const std::optional<double>& value) { return value ? fmt::format("{:.2f}", 100 * *value) : "-"; }
Json json_of(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

std::vector<std::pair<const char*, const DetectorResult*>> sides_of(const DetectorEvaluation& result) {
  std::vector<std::pair<const char*, const DetectorResult*>> sides;
  if (result.fp32) sides.emplace_back("fp32", &*result.fp32);
  if (result.int8) sides.emplace_back("int8", &*result.int8);
  if (result.given) sides.emplace_back("given", &*result.given);
  return sides;
}

double ratio(std::size_t part, std::size_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 1.0;
}

double milliseconds(const DetectorResult& result, std::size_t pictures) {
  return result.seconds * 1e3 / static_cast<double>(std::max<std::size_t>(1, pictures));
}

std::string metric_name(const DetectionData& data) {
  if (data.coco) return "COCO average precision and recall";
  return data.averaging == metrics::VocAveraging::area ? "VOC average precision (area), overlap 0.5"
                                                       : "VOC average precision (11 points), overlap 0.5";
}

std::string agreement_text(const Agreement& agreement) {
  return fmt::format("fp32's detections above 0.5: {}; int8 has {} of them ({:.1f}%) at an overlap of 0.9 or more",
                     agreement.certain, agreement.found, 100 * ratio(agreement.found, agreement.certain));
}

/// The picture with the detections of one side that are above 0.5: those that the other side lacks with labels, the
/// others as thin frames.
std::string drawing(const DetectionData& data, std::size_t image, const DetectorResult& side,
                    const std::vector<metrics::Detection>& lacking) {
  const Picture picture = read_picture(data.files.at(image));
  Picture small = to_rgb(thumbnail(picture, 360));  // two of them are as wide as the page
  const double x = static_cast<double>(small.width) / static_cast<double>(picture.width);
  const double y = static_cast<double>(small.height) / static_cast<double>(picture.height);
  const auto shrunk = [&](const metrics::Detection& d) {
    return DetectedObject{static_cast<std::int64_t>(d.category),
                          static_cast<float>(d.score),
                          static_cast<float>(d.box.x * x),
                          static_cast<float>(d.box.y * y),
                          static_cast<float>((d.box.x + d.box.width) * x),
                          static_cast<float>((d.box.y + d.box.height) * y)};
  };
  for (const metrics::Detection& d : side.detections) {
    if (d.image != image || d.score <= 0.5) continue;
    const DetectedObject o = shrunk(d);
    draw_frame(small, o.left, o.top, o.right, o.bottom, colour_of(o.label), 1);
  }
  std::vector<DetectedObject> labelled;
  std::vector<std::string> names;
  for (const auto& category : data.truth.categories) names.push_back(category.name);
  std::transform(lacking.begin(), lacking.end(), std::back_inserter(labelled), shrunk);
  return png_uri(drawn(small, labelled, names));
}

/// "; int8 lacks face 52%, face 50%", if it lacks any.
std::string lacking_text(const DetectionData& data, const char* side,
                         const std::vector<metrics::Detection>& detections) {
  std::string text;
  for (const metrics::Detection& d : detections) {
    text += fmt::format("{}{} {:.0f}%", text.empty() ? fmt::format("; {} lacks ", side) : ", ",
                        data.truth.categories[d.category].name, 100 * d.score);
  }
  return text;
}

void add_differences(HtmlReport& page, const DetectorEvaluation& result, const DetectionData& data) {
  constexpr std::size_t kShown = 60;
  const auto& differences = result.agreement->differences;
  if (differences.empty()) return;
  std::vector<std::vector<std::string>> rows;
  for (const auto& [image, only_fp32, only_int8] : differences) {
    if (rows.size() == kShown) break;
    try {
      rows.push_back({data.truth.images[image].name + lacking_text(data, "int8", only_fp32) +
                          lacking_text(data, "fp32", only_int8),
                      drawing(data, image, *result.fp32, only_fp32), drawing(data, image, *result.int8, only_int8)});
    } catch (const Error&) {  // gone since
      continue;
    }
  }
  page.add_table(fmt::format("Pictures that differ ({} of {})", rows.size(), differences.size()),
                 {"picture", "fp32", "int8"}, rows);
}

}  // namespace

std::string detector_text(const DetectorEvaluation& result, const DetectionData& data, const std::string& name) {
  const auto sides = sides_of(result);
  std::vector<Table::Column> columns{{""}};
  for (const auto& [title, side] : sides) columns.push_back({title, Table::Align::right});
  Table totals(columns), categories(columns);
  const Named first = numbers_of(*sides.front().second);
  for (std::size_t i = 0; i < first.size(); ++i) {
    std::vector<std::string> cells{first[i].first};
    for (const auto& [title, side] : sides) cells.push_back(percent(numbers_of(*side)[i].second));
    totals.add(std::move(cells));
  }
  for (std::size_t c = 0; c < data.truth.categories.size(); ++c) {
    if (!of_categories(*sides.front().second)[c]) continue;
    std::vector<std::string> cells{data.truth.categories[c].name};
    for (const auto& [title, side] : sides) cells.push_back(percent(of_categories(*side)[c]));
    categories.add(std::move(cells));
  }
  std::string text = fmt::format("{}: {} pictures, {}\n{}\n{}", name, result.pictures, metric_name(data),
                                 categories.text(), totals.text());
  for (const auto& [title, side] : sides) {
    if (side->seconds > 0)
      text += fmt::format("{}: {:.2f} ms a picture\n", title, milliseconds(*side, result.pictures));
    if (side->not_numbers > 0)
      text +=
          fmt::format("{}: {} detections that are no numbers, or infinite, are left out\n", title, side->not_numbers);
  }
  if (result.agreement) text += agreement_text(*result.agreement) + "\n";
  return text;
}

Json detector_json(const DetectorEvaluation& result, const DetectionData& data, const std::string& name) {
  Json document = {{"model", name},
                   {"metric", metric_name(data)},
                   {"images", result.pictures},
                   {"fp32", nullptr},
                   {"int8", nullptr},
                   {"given", nullptr}};
  for (const auto& [title, side] : sides_of(result)) {
    Json scores;
    for (const auto& [key, value] : numbers_of(*side)) scores[key] = json_of(value);
    Json each;
    for (std::size_t c = 0; c < data.truth.categories.size(); ++c) {
      each[data.truth.categories[c].name] = json_of(of_categories(*side)[c]);
    }
    scores["categories"] = std::move(each);
    scores["detections"] = side->detections.size();
    scores["not_numbers"] = side->not_numbers;
    if (side->seconds > 0) scores["ms_per_picture"] = milliseconds(*side, result.pictures);
    document[title] = std::move(scores);
  }
  if (result.agreement) {
    Json changed = Json::array();
    for (const auto& difference : result.agreement->differences)
      changed.push_back(data.truth.images[difference.image].name);
    document["agreement"] = {{"fp32_above_half", result.agreement->certain},
                             {"found_by_int8", result.agreement->found},
                             {"share", ratio(result.agreement->found, result.agreement->certain)},
                             {"changed_pictures", std::move(changed)}};
  }
  Json skipped = Json::array();
  for (const SkippedPicture& picture : result.skipped) {
    skipped.push_back({{"file", picture.file.string()}, {"reason", picture.reason}});
  }
  document["skipped"] = std::move(skipped);
  return document;
}

std::string detector_html(const DetectorEvaluation& result, const DetectionData& data, const std::string& name) {
  auto sides = sides_of(result);
  std::reverse(sides.begin(), sides.end());  // octavo's side in the first colour, as on every page
  std::string summary = fmt::format("{} pictures, {}.", result.pictures, metric_name(data));
  if (result.agreement) summary += " " + agreement_text(*result.agreement) + ".";
  HtmlReport page("octavo eval: " + name, summary);
  BarChart totals{.title = "Scores", .unit = "%", .series = {}, .bars = {}};
  BarChart categories{.title = "Average precision of each category", .unit = "%", .series = {}, .bars = {}};
  const auto percents = [&](auto score) {
    std::vector<double> values;
    for (const auto& [title, side] : sides) values.push_back(100 * score(*side).value_or(0));
    return values;
  };
  for (const auto& [title, side] : sides) {
    totals.series.emplace_back(title);
    categories.series.emplace_back(title);
  }
  const Named first = numbers_of(*sides.front().second);
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (!first[i].second) continue;  // nothing of the kind is there to find
    totals.bars.push_back(
        {first[i].first, percents([&](const DetectorResult& side) { return numbers_of(side)[i].second; })});
  }
  for (std::size_t c = 0; c < data.truth.categories.size(); ++c) {
    if (!of_categories(*sides.front().second)[c]) continue;
    categories.bars.push_back(
        {data.truth.categories[c].name, percents([&](const DetectorResult& side) { return of_categories(side)[c]; })});
  }
  page.add(totals);
  page.add(categories);
  if (result.agreement && !data.files.empty()) add_differences(page, result, data);
  return page.html();
}

}  // namespace octavo::tool

// SPDX-License-Identifier: Apache-2.0
// The roofline picture as SVG.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tools/octavo/html_text.h"
#include "tools/octavo/report.h"

namespace octavo::tool {
namespace {

constexpr double kLeft = 70, kRight = 850, kTop = 16, kBottom = 420;

/// From a value to a place, logarithmically; `from` and `to` are whole powers of ten.
struct LogAxis {
  double from, to, begin, end;

  [[nodiscard]] double at(double value) const {
    return begin + (end - begin) * (std::log10(value) - from) / (to - from);
  }
  [[nodiscard]] double least() const { return std::pow(10.0, from); }
  [[nodiscard]] double most() const { return std::pow(10.0, to); }
};

LogAxis axis_over(double least, double most, double begin, double end) {
  const double from = std::floor(std::log10(least)), to = std::ceil(std::log10(most));
  return {from, std::max(to, from + 1), begin, end};
}

std::string grid(const LogAxis& x, const LogAxis& y, const RooflineChart& chart) {
  std::string svg;
  for (double power = x.from; power <= x.to; ++power) {
    const double at = x.at(std::pow(10.0, power));
    svg += fmt::format(
        "<line class=\"axis\" x1=\"{0:.1f}\" y1=\"{1}\" x2=\"{0:.1f}\" y2=\"{2}\"/>"
        "<text class=\"value\" x=\"{0:.1f}\" y=\"{3}\" text-anchor=\"middle\">{4:g}</text>\n",
        at, kTop, kBottom, kBottom + 18, std::pow(10.0, power));
  }
  for (double power = y.from; power <= y.to; ++power) {
    const double at = y.at(std::pow(10.0, power));
    svg += fmt::format(
        "<line class=\"axis\" x1=\"{0}\" y1=\"{1:.1f}\" x2=\"{2}\" y2=\"{1:.1f}\"/>"
        "<text class=\"value\" x=\"{3}\" y=\"{1:.1f}\" text-anchor=\"end\" "
        "dominant-baseline=\"central\">{4:g}</text>\n",
        kLeft, at, kRight, kLeft - 8, std::pow(10.0, power));
  }
  svg += fmt::format("<text x=\"{:.0f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", (kLeft + kRight) / 2,
                     kBottom + 40, escaped(chart.x_title));
  svg += fmt::format("<text transform=\"translate(16,{:.0f}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
                     (kTop + kBottom) / 2, escaped(chart.y_title));
  return svg;
}

/// A level roof begins where the steepest oblique one reaches it; its label stands there, left of most layers' dots.
std::string level_roof(const LogAxis& x, const LogAxis& y, const RooflineChart::Roof& roof, double steepest) {
  const double begin = steepest > 0 ? std::max(x.least(), roof.value / steepest) : x.least();
  const double at = y.at(roof.value);
  return fmt::format(
      "<line class=\"roof\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{}\" y2=\"{:.1f}\"/>"
      "<text class=\"value halo\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n",
      x.at(begin), at, kRight, at, x.at(begin) + 10, at - 6, escaped(roof.label));
}

/// An oblique roof ends where it reaches the highest level one. Its label runs along it from its lower end, where the
/// fewest layers are.
std::string oblique_roof(const LogAxis& x, const LogAxis& y, const RooflineChart::Roof& roof, double highest,
                         bool above) {
  const double begin = std::max(x.least(), y.least() / roof.value);
  const double end = std::min(x.most(), (highest > 0 ? highest : y.most()) / roof.value);
  if (end <= begin) return {};
  const double x1 = x.at(begin), y1 = y.at(begin * roof.value), x2 = x.at(end), y2 = y.at(end * roof.value);
  const double angle = std::atan2(y2 - y1, x2 - x1) * 57.29578;
  return fmt::format(
      "<line class=\"roof\" x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{2:.1f}\" y2=\"{3:.1f}\"/>"
      "<text class=\"value halo\" transform=\"translate({0:.1f},{1:.1f}) rotate({4:.2f})\" dx=\"10\" "
      "dy=\"{5}\">{6}</text>\n",
      x1, y1, x2, y2, angle, above ? -6 : 14, escaped(roof.label));
}

}  // namespace

void HtmlReport::add(const RooflineChart& chart) {
  if (chart.dots.empty()) return;
  double least_x = chart.dots.front().x, most_x = least_x, least_y = chart.dots.front().y, most_y = least_y;
  for (const RooflineChart::Dot& dot : chart.dots) {
    least_x = std::min(least_x, dot.x);
    most_x = std::max(most_x, dot.x);
    least_y = std::min(least_y, dot.y);
    most_y = std::max(most_y, dot.y);
  }
  double highest = 0, steepest = 0;
  for (const RooflineChart::Roof& roof : chart.level) highest = std::max(highest, roof.value);
  for (const RooflineChart::Roof& roof : chart.oblique) steepest = std::max(steepest, roof.value);
  const LogAxis x = axis_over(least_x, most_x, kLeft, kRight);
  const LogAxis y = axis_over(least_y, std::max(most_y, highest * 1.2), kBottom, kTop);

  body_ += fmt::format("<h2>{}</h2>\n", escaped(chart.title));
  add_key(chart.series);
  body_ += fmt::format("<div class=\"scroll\"><svg viewBox=\"0 0 870 {:.0f}\" role=\"img\" aria-label=\"{}\">\n",
                       kBottom + 52, escaped(chart.title));
  body_ += grid(x, y, chart);
  for (const RooflineChart::Roof& roof : chart.oblique)
    body_ += oblique_roof(x, y, roof, highest, roof.value == steepest);
  for (const RooflineChart::Roof& roof : chart.level) body_ += level_roof(x, y, roof, steepest);
  for (const RooflineChart::Dot& dot : chart.dots) {
    body_ += fmt::format("<circle class=\"dot s{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"6\"><title>{}</title></circle>\n",
                         dot.series, x.at(dot.x), y.at(dot.y), escaped(dot.text));
  }
  body_ += "</svg></div>\n";
}

}  // namespace octavo::tool

// SPDX-License-Identifier: Apache-2.0
// The results page: see report.h. Colours are variables of the page, so that one chart serves both schemes.
#include "tools/octavo/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "tools/octavo/drawing.h"
#include "tools/octavo/html_text.h"

namespace octavo::tool {
namespace {

constexpr std::string_view style = R"(
:root{color-scheme:light dark;--page:#fcfcfb;--ink:#14181f;--soft:#5b6472;--rule:#dfe2e6;
--s0:#2a78d6;--s1:#eb6834;--s2:#1baf7a;--s3:#eda100}
@media(prefers-color-scheme:dark){:root{--page:#1a1a19;--ink:#f0f1f3;--soft:#a3abb8;--rule:#383835;
--s0:#3987e5;--s1:#d95926;--s2:#199e70;--s3:#c98500}}
body{background:var(--page);color:var(--ink);font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}p{color:var(--soft)}
svg{width:100%;min-width:40rem;height:auto;display:block}svg text{fill:var(--ink);font:12px system-ui,sans-serif}svg .value{fill:var(--soft)}
.s0{fill:var(--s0);background:var(--s0)}.s1{fill:var(--s1);background:var(--s1)}
.s2{fill:var(--s2);background:var(--s2)}.s3{fill:var(--s3);background:var(--s3)}
.axis{stroke:var(--rule)}.roof{stroke:var(--soft);stroke-width:1.5;fill:none}.halo{paint-order:stroke;stroke:var(--page);stroke-width:4px}.dot{stroke:var(--page);stroke-width:1}.key{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin:0 .4em 0 1em}.key:first-child{margin-left:0}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:14px}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--rule);font-variant-numeric:tabular-nums}
th{color:var(--soft);font-weight:600}td img{max-width:480px;max-height:480px;display:block}
)";

/// As many characters of UTF-8 as fit a label's column.
std::string shortened(const std::string& label, std::size_t most) {
  if (label.size() <= most) return label;
  std::size_t end = most - 1;
  while (end > 0 && (static_cast<unsigned char>(label[end]) & 0xC0U) == 0x80U) --end;
  return label.substr(0, end) + "…";
}

/// About three digits, never an exponent.
std::string value_text(double value, const std::string& unit) {
  const int decimals = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
  return fmt::format("{:.{}f} {}", value, decimals, unit);
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t b = 0; b < 3; ++b) {
      group = group << 8U | (i + b < bytes.size() ? static_cast<unsigned char>(bytes[i + b]) : 0U);
    }
    for (std::size_t d = 0; d < 4; ++d) {
      out += i + d > bytes.size() ? '=' : digits[group >> (18 - 6 * d) & 63U];
    }
  }
  return out;
}

}  // namespace

HtmlReport::HtmlReport(std::string_view title, std::string_view summary)
    : title_(escaped(title)), body_(fmt::format("<h1>{}</h1>\n<p>{}</p>\n", title_, escaped(summary))) {}

void HtmlReport::add_key(const std::vector<std::string>& series) {
  body_ += "<div>";
  for (std::size_t s = 0; s < series.size(); ++s) {
    body_ += fmt::format("<span class=\"key s{}\"></span>{}", s, escaped(series[s]));
  }
  body_ += "</div>\n";
}

void HtmlReport::add(const BarChart& chart) {
  constexpr double label_width = 220;
  constexpr double bars_width = 560;
  constexpr double bar_height = 12;
  constexpr double gap = 2;
  constexpr double between = 10;
  const double group = static_cast<double>(chart.series.size()) * (bar_height + gap) + between;
  double largest = 0;
  for (const BarChart::Bar& bar : chart.bars) {
    for (const double value : bar.values) largest = std::fmax(largest, value);
  }
  const double scale = largest > 0 ? bars_width / largest : 0;

  body_ += fmt::format("<h2>{}</h2>\n", escaped(chart.title));
  if (chart.series.size() > 1) add_key(chart.series);
  const double height = group * static_cast<double>(chart.bars.size());
  // On a narrow screen a chart scrolls sideways: text as small as the screen would be no text.
  body_ += fmt::format("<div class=\"scroll\"><svg viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{}\">\n",
                       label_width + bars_width + 90, height, escaped(chart.title));
  for (std::size_t b = 0; b < chart.bars.size(); ++b) {
    const BarChart::Bar& bar = chart.bars[b];
    const double top = static_cast<double>(b) * group + between / 2;
    body_ += fmt::format(
        "<text x=\"{:.0f}\" y=\"{:.1f}\" text-anchor=\"end\" "
        "dominant-baseline=\"central\">{}<title>{}</title></text>\n",
        label_width - 8, top + (group - between - gap) / 2, escaped(shortened(bar.label, 28)), escaped(bar.label));
    for (std::size_t s = 0; s < bar.values.size(); ++s) {
      if (std::isnan(bar.values[s])) continue;
      const double y = top + static_cast<double>(s) * (bar_height + gap);
      const double width = bar.values[s] * scale;
      const std::string value = escaped(value_text(bar.values[s], chart.unit));
      body_ += fmt::format(
          "<rect class=\"s{}\" x=\"{:.0f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.0f}\" rx=\"2\"><title>{}, {}: "
          "{}</title></rect>"
          "<text class=\"value\" x=\"{:.1f}\" y=\"{:.1f}\" dominant-baseline=\"central\">{}</text>\n",
          s, label_width, y, width, bar_height, escaped(bar.label), escaped(chart.series[s]), value,
          label_width + width + 5, y + bar_height / 2, value);
    }
  }
  body_ += fmt::format("<line class=\"axis\" x1=\"{0:.0f}\" y1=\"0\" x2=\"{0:.0f}\" y2=\"{1:.0f}\"/>\n</svg></div>\n",
                       label_width, height);
}

void HtmlReport::add_table(std::string_view title, const std::vector<std::string>& header,
                           const std::vector<std::vector<std::string>>& rows) {
  body_ += fmt::format("<h2>{}</h2>\n<div class=\"scroll\"><table>\n<tr>", escaped(title));
  for (const std::string& cell : header) body_ += "<th>" + escaped(cell) + "</th>";
  body_ += "</tr>\n";
  for (const auto& row : rows) {
    body_ += "<tr>";
    for (const std::string& cell : row) {
      body_ += cell.rfind("data:image/", 0) == 0 ? "<td><img alt=\"\" src=\"" + cell + "\"></td>"
                                                 : "<td>" + escaped(cell) + "</td>";
    }
    body_ += "</tr>\n";
  }
  body_ += "</table></div>\n";
}

void HtmlReport::add_text(std::string_view paragraph) { body_ += "<p>" + escaped(paragraph) + "</p>\n"; }

std::string HtmlReport::html() const {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" "
      "content=\"width=device-width,initial-scale=1\">\n<title>{}</title>\n<style>{}</style></head>\n"
      "<body>\n{}</body></html>\n",
      title_, style, body_);
}

std::string png_uri(const Picture& picture) { return "data:image/png;base64," + base64(to_png(picture)); }

}  // namespace octavo::tool

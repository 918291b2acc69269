// SPDX-License-Identifier: Apache-2.0
// A results page: one HTML file without anything from elsewhere, readable in light and dark.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "octavo/image.h"

namespace octavo::tool {

/// Horizontal bars, one a series, grouped by label. At most four series.
struct BarChart {
  struct Bar {
    std::string label;
    std::vector<double> values;  ///< of each series, not negative; NaN: no bar
  };
  std::string title, unit;
  std::vector<std::string> series;
  std::vector<Bar> bars;
};

/// Speed over arithmetic intensity, both on logarithmic scales, under the roofs that a machine's bandwidths (oblique)
/// and rates (level) are. At most four series.
struct RooflineChart {
  struct Roof {
    std::string label;
    double value;  ///< of x for each x: y = value * x; or level: y = value
  };
  struct Dot {
    std::size_t series;
    double x, y;       ///< both > 0
    std::string text;  ///< shown when the dot is pointed at
  };
  std::string title, x_title, y_title;
  std::vector<std::string> series;
  std::vector<Roof> oblique, level;
  std::vector<Dot> dots;
};

class HtmlReport {
 public:
  HtmlReport(std::string_view title, std::string_view summary);
  void add(const BarChart& chart);
  void add(const RooflineChart& chart);
  void add_text(std::string_view paragraph);
  /// Cells are text; one that begins with "data:image/" is shown as a picture.
  void add_table(std::string_view title, const std::vector<std::string>& header,
                 const std::vector<std::vector<std::string>>& rows);
  [[nodiscard]] std::string html() const;

 private:
  void add_key(const std::vector<std::string>& series);

  std::string title_, body_;
};

/// The picture as a data: URI for add_table(), as PNG.
[[nodiscard]] std::string png_uri(const Picture& picture);

}  // namespace octavo::tool

// SPDX-License-Identifier: Apache-2.0
// See detector_report.h.
#include "tools/octavo/detector_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace octavo::tool {

std::string label_name(const std::vector<std::string>& labels, std::int64_t label) {
  const auto index = static_cast<std::size_t>(label);
  return index < labels.size() && !labels[index].empty() ? labels[index] : fmt::format("class {}", label);
}

std::string objects_text(std::span<const DetectedObject> objects, const std::vector<std::string>& labels) {
  std::string text;
  for (const DetectedObject& object : objects) {
    text += fmt::format("  {:8.4f}  {:7.1f} {:7.1f} {:7.1f} {:7.1f}  {}\n", object.score, object.left, object.top,
                        object.right, object.bottom, label_name(labels, object.label));
  }
  return text.empty() ? "  nothing found\n" : text;
}

Json objects_json(std::span<const DetectedObject> objects, const std::vector<std::string>& labels) {
  Json list = Json::array();
  for (const DetectedObject& object : objects) {
    const auto index = static_cast<std::size_t>(object.label);
    list.push_back({{"class", object.label},
                    {"label", index < labels.size() ? Json(labels[index]) : Json(nullptr)},
                    {"score", object.score},
                    {"box", {object.left, object.top, object.right, object.bottom}}});
  }
  return list;
}

Picture drawn(const Picture& picture, std::span<const DetectedObject> objects, const std::vector<std::string>& labels) {
  Picture result = to_rgb(picture);
  const auto longer = static_cast<int>(std::max(picture.height, picture.width));
  const int thickness = std::max(1, longer / 300);
  const int scale = std::max(1, longer / 400);
  for (std::size_t i = objects.size(); i-- > 0;) {
    const DetectedObject& object = objects[i];
    const Colour colour = colour_of(object.label);
    draw_frame(result, object.left, object.top, object.right, object.bottom, colour, thickness);
    const std::string text = fmt::format("{} {:.0f}%", label_name(labels, object.label), 100 * object.score);
    draw_label(result, object.left, object.top - static_cast<float>(label_height(scale)), text, colour, scale);
  }
  return result;
}

}  // namespace octavo::tool

// SPDX-License-Identifier: Apache-2.0
// Resize and Upsample.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>

#include "graph/check.h"
#include "graph/import/onnx_fold.h"
#include "graph/import/onnx_operators.h"

namespace octavo::graph {
namespace {

template <class Enum>
Enum word(const OnnxNode& node, std::string_view attribute, std::string_view fallback,
          const std::map<std::string_view, Enum>& words) {
  const std::string text = node.attributes().text(attribute, fallback);
  const auto found = words.find(text);
  if (found == words.end()) OnnxNode::unsupported(fmt::format("{} '{}'", attribute, text));
  return found->second;
}

ResizeKind kind_of(const OnnxNode& node) {
  return word<ResizeKind>(node, "mode", "nearest",
                          {{"nearest", ResizeKind::nearest},
                           {"linear", ResizeKind::linear},
                           {"bilinear", ResizeKind::linear},
                           {"cubic", ResizeKind::cubic}});
}

/// Axes that keep their size are left out.
void add_axis(Resize& op, std::size_t axis, std::int64_t in, std::optional<std::int64_t> size,
              std::optional<float> scale) {
  if (scale ? *scale == 1.0F : *size == in) return;
  op.axes.push_back(static_cast<std::int64_t>(axis));
  if (size) op.sizes.push_back(*size);
  if (scale) op.scales.push_back(*scale);
}

std::vector<float> scales_in(const OnnxNode& node, std::size_t input) {
  const Data<float> scales = to_floats(node.constant(input, "scales"));
  return {scales.values.begin(), scales.values.end()};
}

void finish(OnnxNode& node, Resize op) {
  if (op.axes.empty()) {
    node.result(node.input());
  } else {
    node.result(node.add(std::move(op), {node.input()}));
  }
}

/// One scale for all axes, so that none becomes larger (or smaller) than asked.
void keep_aspect(const OnnxNode& node, const std::vector<std::int64_t>& axes, std::vector<std::int64_t>& sizes,
                 const std::string& policy, std::vector<float>& scales) {
  const bool not_larger = policy == "not_larger";
  if (!not_larger && policy != "not_smaller") OnnxNode::unsupported(fmt::format("the policy '{}'", policy));
  double scale = 0;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const double own =
        static_cast<double>(sizes[i]) / static_cast<double>(node.shape()[static_cast<std::size_t>(axes[i])]);
    scale = i == 0 ? own : not_larger ? std::min(scale, own) : std::max(scale, own);
  }
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto in = static_cast<double>(node.shape()[static_cast<std::size_t>(axes[i])]);
    sizes[i] = static_cast<std::int64_t>(std::floor(in * scale + 0.5));
    scales.push_back(static_cast<float>(scale));
  }
}

}  // namespace

void convert_onnx_resize(OnnxNode& node) {
  if (node.shape().empty()) OnnxNode::malformed("its input is a scalar");
  Resize op;
  op.kind = kind_of(node);
  op.coordinates = node.opset() < 11
                       ? ResizeCoordinates::asymmetric
                       : word<ResizeCoordinates>(node, "coordinate_transformation_mode", "half_pixel",
                                                 {{"half_pixel", ResizeCoordinates::half_pixel},
                                                  {"pytorch_half_pixel", ResizeCoordinates::pytorch_half_pixel},
                                                  {"half_pixel_symmetric", ResizeCoordinates::half_pixel_symmetric},
                                                  {"asymmetric", ResizeCoordinates::asymmetric},
                                                  {"align_corners", ResizeCoordinates::align_corners}});
  op.rounding = node.opset() < 11 ? ResizeRounding::floor
                                  : word<ResizeRounding>(node, "nearest_mode", "round_prefer_floor",
                                                         {{"round_prefer_floor", ResizeRounding::prefer_floor},
                                                          {"round_prefer_ceil", ResizeRounding::prefer_ceil},
                                                          {"floor", ResizeRounding::floor},
                                                          {"ceil", ResizeRounding::ceil}});
  op.cubic = node.attributes().number("cubic_coeff_a", -0.75F);
  op.exclude_outside = node.attributes().flag("exclude_outside", false);
  op.antialias = node.attributes().flag("antialias", false);

  std::vector<std::int64_t> axes = canonical_axes(node.attributes().integers("axes"), node.rank());
  if (axes.empty()) {
    for (std::int64_t d = 0; d < node.rank(); ++d) axes.push_back(d);
  }
  const std::size_t scales_input = node.opset() < 11 ? 1 : 2;
  std::vector<float> scales;
  if (node.has_input(scales_input)) scales = scales_in(node, scales_input);
  std::vector<std::int64_t> sizes;
  if (scales.empty()) sizes = to_integers(node.constant(3, "sizes"));
  require((scales.empty() ? sizes.size() : scales.size()) == axes.size(), "{} scales and {} sizes for {} axes",
          scales.size(), sizes.size(), axes.size());
  const std::string policy = node.attributes().text("keep_aspect_ratio_policy", "stretch");
  if (!sizes.empty() && policy != "stretch") keep_aspect(node, axes, sizes, policy, scales);
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<std::size_t>(axes[i]);
    add_axis(op, axis, node.shape()[axis], sizes.empty() ? std::nullopt : std::optional(sizes[i]),
             scales.empty() ? std::nullopt : std::optional(scales[i]));
  }
  finish(node, std::move(op));
}

void convert_onnx_upsample(OnnxNode& node) {
  Resize op;
  op.kind = kind_of(node);
  op.coordinates = ResizeCoordinates::asymmetric;
  op.rounding = ResizeRounding::floor;
  const std::vector<float> scales = node.opset() < 9 ? node.attributes().numbers("scales") : scales_in(node, 1);
  require(scales.size() == node.shape().size(), "{} scales for {}", scales.size(), to_text(node.shape()));
  for (std::size_t d = 0; d < scales.size(); ++d) add_axis(op, d, node.shape()[d], std::nullopt, scales[d]);
  finish(node, std::move(op));
}

}  // namespace octavo::graph

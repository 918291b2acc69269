// SPDX-License-Identifier: Apache-2.0
// The layers of Faster R-CNN (Proposal, ROIPooling) and those that enlarge maps (Upsample, Interp).
#include <fmt/core.h>

#include <charconv>
#include <string>
#include <string_view>

#include "graph/import/caffe_layers.h"

namespace octavo::graph {
namespace {

/// The numbers that follow 'key': in the text of a Python dictionary; empty when it does not have the key.
std::vector<double> numbers_of(std::string_view text, std::string_view key) {
  std::vector<double> numbers;
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return numbers;
  std::size_t i = text.find(':', at);
  if (i == std::string_view::npos) return numbers;
  const std::size_t open = text.find_first_not_of(" \t\n", i + 1);
  const bool listed = open != std::string_view::npos && (text[open] == '[' || text[open] == '(');
  const std::size_t end = listed ? text.find_first_of("])", open) : text.find_first_of(",}", i);
  text = text.substr(0, end);
  for (i = listed ? open + 1 : i + 1; i < text.size();) {
    double number = 0;
    const auto [stop, problem] = std::from_chars(text.data() + i, text.data() + text.size(), number);
    if (problem == std::errc{}) {
      numbers.push_back(number);
      i = static_cast<std::size_t>(stop - text.data());
    } else {
      ++i;
    }
  }
  return numbers;
}

std::vector<float> as_floats(const std::vector<double>& numbers) { return {numbers.begin(), numbers.end()}; }

/// The input's shape, which has to be a picture's.
const Shape& picture_shape(const CaffeLayerContext& layer) {
  const Shape& x = layer.shape();
  if (x.size() != 4) CaffeLayerContext::unsupported(fmt::format("its input has {} dimensions, not 4", x.size()));
  return x;
}

}  // namespace

void convert_proposal(CaffeLayerContext& layer) {
  const auto& param = layer.param().proposal_param();
  Proposal op;
  op.feat_stride = param.feat_stride();
  op.base_size = param.base_size();
  op.min_size = param.min_size();
  if (param.ratio_size() > 0) op.ratios.assign(param.ratio().begin(), param.ratio().end());
  if (param.scale_size() > 0) op.scales.assign(param.scale().begin(), param.scale().end());
  op.pre_nms_top_n = param.pre_nms_topn();
  op.post_nms_top_n = param.post_nms_topn();
  op.nms_threshold = param.nms_thresh();
  layer.add(std::move(op));
}

// Its other settings are not in the prototxt but in py-faster-rcnn's configuration, whose defaults are those of the op.
void convert_python(CaffeLayerContext& layer) {
  const auto& param = layer.param().python_param();
  if (param.layer() != "ProposalLayer") {
    CaffeLayerContext::unsupported(
        fmt::format("it runs the Python class '{}' of module '{}'", param.layer(), param.module()),
        "of Python layers, octavo knows py-faster-rcnn's ProposalLayer");
  }
  Proposal op;
  if (const auto stride = numbers_of(param.param_str(), "feat_stride"); !stride.empty()) {
    if (stride[0] < 1 || stride[0] > 1e6) CaffeLayerContext::malformed("its feat_stride is not a number of pixels");
    op.feat_stride = static_cast<std::int64_t>(stride[0]);
  }
  if (const auto scales = numbers_of(param.param_str(), "scales"); !scales.empty()) op.scales = as_floats(scales);
  if (const auto ratios = numbers_of(param.param_str(), "ratios"); !ratios.empty()) op.ratios = as_floats(ratios);
  layer.add(std::move(op));
}

void convert_roi_pooling(CaffeLayerContext& layer) {
  const auto& param = layer.param().roi_pooling_param();
  layer.add(
      RoiPooling{.pooled_h = param.pooled_h(), .pooled_w = param.pooled_w(), .spatial_scale = param.spatial_scale()});
}

void convert_upsample(CaffeLayerContext& layer) {
  layer.require_bottoms(1, 1);  // with a second one, SegNet's: the places of a pooling layer's maxima
  (void)picture_shape(layer);
  const auto scale = static_cast<float>(layer.param().upsample_param().scale());
  layer.add(Resize{.kind = ResizeKind::nearest,
                   .coordinates = ResizeCoordinates::asymmetric,
                   .rounding = ResizeRounding::floor,
                   .axes = {2, 3},
                   .scales = {scale, scale}});
}

void convert_interp(CaffeLayerContext& layer) {
  const auto& param = layer.param().interp_param();
  if (param.pad_beg() != 0 || param.pad_end() != 0)
    CaffeLayerContext::unsupported("it crops or pads (pad_beg, pad_end)");
  const Shape& x = picture_shape(layer);
  const std::int64_t zoom = param.zoom_factor(), shrink = param.shrink_factor();
  if (zoom < 1 || shrink < 1) CaffeLayerContext::malformed("zoom_factor and shrink_factor have to be at least 1");
  const auto sized = [&](std::int64_t given, std::int64_t size) {
    if (given > 0) return given;
    const std::int64_t shrunk = (size - 1) / shrink + 1;
    if (shrunk > std::int64_t{1} << 30) CaffeLayerContext::malformed("its output is too large");
    return shrunk + (shrunk - 1) * (zoom - 1);
  };
  layer.add(Resize{.kind = ResizeKind::linear,
                   .coordinates = ResizeCoordinates::align_corners,
                   .axes = {2, 3},
                   .sizes = {sized(param.height(), x[2]), sized(param.width(), x[3])}});
}

}  // namespace octavo::graph

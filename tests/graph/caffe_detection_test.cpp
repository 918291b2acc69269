// SPDX-License-Identifier: Apache-2.0
// Layers of detection networks: their text in, the expected op out.
#include <gmock/gmock.h>

#include <cmath>

#include "tests/graph/caffe_files.h"

namespace octavo::graph {
namespace {

using testing::ElementsAre;
using testing::FloatEq;
using testing::HasSubstr;

class CaffeDetection : public testing::Test {
 protected:
  Graph import(const std::string& dims, const std::string& layers) {
    return files.import_text(after_input(dims, layers));
  }
  Error refused(const std::string& dims, const std::string& layers) {
    return error_of([&] { (void)import(dims, layers); });
  }
  CaffeFiles files;
};

TEST_F(CaffeDetection, NormalizeHasAFactorForEachChannelUnlessShared) {
  const Graph each = import("1 6 4 4", layer("Normalize",
                                             "norm_param { across_spatial: false channel_shared: false eps: 0.5 "
                                             "scale_filler { type: \"constant\" value: 20 } }"));
  const auto& op = op_of<Normalize>(each, "l");
  EXPECT_FALSE(op.across_spatial);
  EXPECT_EQ(op.epsilon, 0.5F);
  EXPECT_THAT(op.factor->shape, ElementsAre(6));
  EXPECT_NEAR(op.factor->f32.values[0], 20, 8);  // seeded around the filler's value
  const Graph shared = import("1 6 4 4", layer("Normalize", ""));
  EXPECT_TRUE(op_of<Normalize>(shared, "l").across_spatial);
  EXPECT_THAT(op_of<Normalize>(shared, "l").factor->shape, ElementsAre(1));
}

TEST_F(CaffeDetection, PriorBoxTakesSizesRatiosAndTheirInverses) {
  const Graph graph =
      import("1 3 300 200",
             "layer { name: 'm' type: 'Pooling' bottom: 'x' top: 'm' pooling_param { kernel_size: 50 stride: 50 } }"
             "layer { name: 'l' type: 'PriorBox' bottom: 'm' bottom: 'x' top: 'y' prior_box_param {"
             " min_size: 30.5 max_size: 60 aspect_ratio: 2 aspect_ratio: 1 aspect_ratio: 3 aspect_ratio: 2 "
             " clip: true variance: 0.1 variance: 0.1 variance: 0.2 variance: 0.2 step: 8 offset: 0.25 } }");
  const auto& op = op_of<PriorBox>(graph, "l");
  EXPECT_THAT(op.min_sizes, ElementsAre(30.5F));
  EXPECT_THAT(op.max_sizes, ElementsAre(60.0F));
  EXPECT_THAT(op.aspect_ratios, ElementsAre(2.0F, 0.5F, 3.0F, FloatEq(1.0F / 3)));
  EXPECT_THAT(op.variances, ElementsAre(0.1F, 0.1F, 0.2F, 0.2F));
  EXPECT_TRUE(op.clip);
  EXPECT_FALSE(op.truncate_sizes);
  EXPECT_EQ(op.step_h, 8);
  EXPECT_EQ(op.step_w, 8);
  EXPECT_EQ(op.offset, 0.25F);
  EXPECT_THAT(output_shape(graph), ElementsAre(1, 2, 6 * 4 * 6 * 4));
}

TEST_F(CaffeDetection, PriorBoxRefusesWhatContradictsItself) {
  const auto with = [](const std::string& param) {
    return "layer { name: 'l' type: 'PriorBox' bottom: 'x' bottom: 'x' top: 'y' prior_box_param { " + param + " } }";
  };
  EXPECT_THAT(refused("1 3 8 8", with("")).what(), HasSubstr("no minimal size"));
  EXPECT_THAT(refused("1 3 8 8", with("min_size: -1")).what(), HasSubstr("above 0"));
  EXPECT_THAT(refused("1 3 8 8", with("min_size: 4 max_size: 3")).what(), HasSubstr("not above the minimal"));
  EXPECT_THAT(refused("1 3 8 8", with("min_size: 4 step: 3 step_h: 2")).what(), HasSubstr("given twice"));
  EXPECT_THAT(refused("1 3 8 8", with("min_size: 4 variance: [0.1, 0.1]")).what(), HasSubstr("expected 1 or 4"));
}

std::string detector(const std::string& param) {
  return "input: 'loc' input: 'conf' input: 'prior' input_shape { dim: [2, 40] } input_shape { dim: [2, 30] } "
         "input_shape { dim: [1, 2, 40] } layer { name: 'l' type: 'DetectionOutput' bottom: 'loc' bottom: 'conf' "
         "bottom: 'prior' top: 'y' detection_output_param { " +
         param + " } }";
}

TEST_F(CaffeDetection, DetectionOutput) {
  const Graph graph = files.import_text(detector(
      "num_classes: 3 share_location: true background_label_id: 1 code_type: CENTER_SIZE keep_top_k: 20 "
      "confidence_threshold: 0.01 variance_encoded_in_target: true "
      "nms_param { nms_threshold: 0.45 top_k: 4 eta: 0.9 } save_output_param { label_map_file: 'x' } visualize: true"));
  const auto& op = op_of<DetectionOutput>(graph, "l");
  EXPECT_EQ(op.classes, 3);
  EXPECT_EQ(op.background, 1);
  EXPECT_TRUE(op.share_location);
  EXPECT_EQ(op.code, BoxCode::center_size);
  EXPECT_TRUE(op.variance_in_target);
  EXPECT_EQ(op.nms_threshold, 0.45F);
  EXPECT_EQ(op.nms_eta, 0.9F);
  EXPECT_EQ(op.nms_top_k, 4);
  EXPECT_EQ(op.keep_top_k, 20);
  EXPECT_EQ(op.confidence_threshold, 0.01F);
  EXPECT_THAT(output_shape(graph), ElementsAre(2, 1, 12, 7));  // 4 of each of 3 classes are fewer than 20
}

TEST_F(CaffeDetection, DetectionOutputHasCaffesDefaults) {
  const Graph graph = files.import_text(detector("num_classes: 3"));
  const auto& op = op_of<DetectionOutput>(graph, "l");
  EXPECT_EQ(op.background, 0);
  EXPECT_EQ(op.code, BoxCode::corner);
  EXPECT_EQ(op.nms_threshold, 0.3F);
  EXPECT_EQ(op.nms_top_k, -1);
  EXPECT_EQ(op.keep_top_k, -1);
  EXPECT_LT(op.confidence_threshold, -1e20F);
}

TEST_F(CaffeDetection, DetectionOutputRefusesInputsThatDoNotFit) {
  const auto what = [&](const std::string& param) {
    return std::string(error_of([&] { (void)files.import_text(detector(param)); }).what());
  };
  EXPECT_THAT(what("num_classes: 4"), HasSubstr("do not fit 10 priors and 4 classes"));
  EXPECT_THAT(what("num_classes: 3 share_location: false"), HasSubstr("do not fit 10 priors"));
  EXPECT_THAT(what("num_classes: 0"), HasSubstr("classes"));
  EXPECT_THAT(what("num_classes: 3 nms_param { eta: 0 }"), HasSubstr("nms_eta"));
  EXPECT_THAT(what("num_classes: 3 keep_top_k: 0"), HasSubstr("keep_top_k"));
}

constexpr const char* kRegionInputs =
    "input: 'score' input: 'delta' input: 'info' input_shape { dim: [1, 18, 6, 7] } input_shape { dim: [1, 36, 6, 7] } "
    "input_shape { dim: [1, 3] } ";

TEST_F(CaffeDetection, ProposalAsALayerAndAsPyFasterRcnnsPythonLayer) {
  const std::string bottoms = "bottom: 'score' bottom: 'delta' bottom: 'info' top: 'rois' ";
  const Graph native = files.import_text(
      kRegionInputs +
      ("layer { name: 'p' type: 'Proposal' " + bottoms +
       "proposal_param { feat_stride: 8 min_size: 4 pre_nms_topn: 99 post_nms_topn: 12 nms_thresh: 0.5 } }"));
  const auto& op = op_of<Proposal>(native, "p");
  EXPECT_EQ(op.feat_stride, 8);
  EXPECT_EQ(op.min_size, 4.0F);
  EXPECT_EQ(op.pre_nms_top_n, 99);
  EXPECT_EQ(op.nms_threshold, 0.5F);
  EXPECT_THAT(output_shape(native), ElementsAre(12, 5));

  const Graph python =
      files.import_text(kRegionInputs + ("layer { name: 'p' type: 'Python' " + bottoms +
                                         "python_param { module: 'rpn.proposal_layer' layer: 'ProposalLayer' "
                                         "param_str: \"{'feat_stride': 32, 'scales': [4, 8.5, 16]}\" } }"));
  EXPECT_EQ(op_of<Proposal>(python, "p").feat_stride, 32);
  EXPECT_THAT(op_of<Proposal>(python, "p").scales, ElementsAre(4.0F, 8.5F, 16.0F));
  EXPECT_THAT(op_of<Proposal>(python, "p").ratios, ElementsAre(0.5F, 1.0F, 2.0F));
  EXPECT_THAT(output_shape(python), ElementsAre(300, 5));

  const Error other = error_of([&] {
    (void)files.import_text(kRegionInputs + ("layer { name: 'p' type: 'Python' " + bottoms +
                                             "python_param { module: 'mine' layer: 'Other' } }"));
  });
  EXPECT_EQ(other.kind(), ErrorKind::unsupported);
  EXPECT_THAT(other.what(), HasSubstr("'Other'"));
}

TEST_F(CaffeDetection, RoiPooling) {
  const Graph graph = files.import_text(
      "input: 'x' input: 'rois' input_shape { dim: [1, 8, 20, 30] } input_shape { dim: [9, 5] } "
      "layer { name: 'l' type: 'ROIPooling' bottom: 'x' bottom: 'rois' top: 'y' "
      "roi_pooling_param { pooled_w: 6 pooled_h: 7 spatial_scale: 0.0625 } }");
  EXPECT_EQ(op_of<RoiPooling>(graph, "l").spatial_scale, 0.0625F);
  EXPECT_THAT(output_shape(graph), ElementsAre(9, 8, 7, 6));
}

TEST_F(CaffeDetection, UpsampleRepeatsAndInterpMeetsBothEnds) {
  const Graph up = import("1 2 3 5", layer("Upsample", "upsample_param { scale: 2 }"));
  EXPECT_EQ(op_of<Resize>(up, "l").kind, ResizeKind::nearest);
  EXPECT_EQ(op_of<Resize>(up, "l").coordinates, ResizeCoordinates::asymmetric);
  EXPECT_EQ(op_of<Resize>(up, "l").rounding, ResizeRounding::floor);
  EXPECT_THAT(output_shape(up), ElementsAre(1, 2, 6, 10));
  const Graph sized = import("1 2 3 5", layer("Interp", "interp_param { height: 9 width: 7 }"));
  EXPECT_EQ(op_of<Resize>(sized, "l").kind, ResizeKind::linear);
  EXPECT_EQ(op_of<Resize>(sized, "l").coordinates, ResizeCoordinates::align_corners);
  EXPECT_THAT(output_shape(sized), ElementsAre(1, 2, 9, 7));
  const Graph zoomed = import("1 2 3 5", layer("Interp", "interp_param { zoom_factor: 8 }"));
  EXPECT_THAT(output_shape(zoomed), ElementsAre(1, 2, 17, 33));
  EXPECT_EQ(refused("1 2 3 5", layer("Interp", "interp_param { pad_beg: -1 }")).kind(), ErrorKind::unsupported);
  for (const char* type : {"Upsample", "Interp"}) {
    EXPECT_THAT(refused("1 2 3", layer(type, "")).what(), HasSubstr("3 dimensions")) << type;
  }
}

}  // namespace
}  // namespace octavo::graph

// SPDX-License-Identifier: Apache-2.0
// Each layer type: its text in, the expected op out.
#include <gmock/gmock.h>

#include "tests/graph/caffe_files.h"

namespace octavo::graph {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class CaffeLayers : public testing::Test {
 protected:
  Graph import(const std::string& dims, const std::string& layers) {
    return files.import_text(after_input(dims, layers));
  }
  CaffeFiles files;
};

TEST_F(CaffeLayers, ConvolutionTakesKernelStridePadAndDilationOnceForBothDirections) {
  const Graph graph = import("2 6 9 11", layer("Convolution",
                                               "convolution_param { num_output: 4 group: 2 kernel_size: 3 stride: 2 "
                                               "pad: 1 dilation: 2 }"));
  const auto& op = op_of<Convolution>(graph, "l");
  EXPECT_EQ(op.out_channels, 4);
  EXPECT_EQ(op.groups, 2);
  EXPECT_EQ(op.kernel, (Pair{3, 3}));
  EXPECT_EQ(op.stride, (Pair{2, 2}));
  EXPECT_EQ(op.dilation, (Pair{2, 2}));
  EXPECT_EQ(op.pad_begin, (Pair{1, 1}));
  EXPECT_EQ(op.pad_end, (Pair{1, 1}));
  EXPECT_THAT(op.weights->shape, ElementsAre(4, 3, 3, 3));
  ASSERT_TRUE(op.bias);
  EXPECT_THAT(op.bias->shape, ElementsAre(4));
  EXPECT_THAT(output_shape(graph), ElementsAre(2, 4, 4, 5));
}

TEST_F(CaffeLayers, ConvolutionTakesEachDirectionAlone) {
  const auto by_name = import("1 2 9 11", layer("Convolution",
                                                "convolution_param { num_output: 4 kernel_h: 3 kernel_w: 5 stride_h: 1 "
                                                "stride_w: 2 pad_h: 0 pad_w: 2 bias_term: false }"));
  const auto by_list =
      import("1 2 9 11", layer("Convolution",
                               "convolution_param { num_output: 4 kernel_size: [3, 5] stride: 1 stride: 2 "
                               "pad: 0 pad: 2 bias_term: false }"));
  for (const Graph* graph : {&by_name, &by_list}) {
    const auto& op = op_of<Convolution>(*graph, "l");
    EXPECT_EQ(op.kernel, (Pair{3, 5}));
    EXPECT_EQ(op.stride, (Pair{1, 2}));
    EXPECT_EQ(op.pad_begin, (Pair{0, 2}));
    EXPECT_EQ(op.bias, nullptr);
    EXPECT_THAT(output_shape(*graph), ElementsAre(1, 4, 7, 6));
  }
}

TEST_F(CaffeLayers, ConvolutionOnSeveralBottomsUsesTheSameWeights) {
  const Graph graph = files.import_text(
      "input: 'a' input: 'b' input_shape { dim: [1, 2, 5, 5] } input_shape { dim: [1, 2, 7, 7] }"
      "layer { name: 'l' type: 'Convolution' bottom: 'a' bottom: 'b' top: 'c' top: 'd'"
      " convolution_param { num_output: 3 kernel_size: 3 } }");
  EXPECT_EQ(op_of<Convolution>(graph, "l").weights, op_of<Convolution>(graph, "l/1").weights);
  EXPECT_THAT(output_shape(graph, 0), ElementsAre(1, 3, 3, 3));
  EXPECT_THAT(output_shape(graph, 1), ElementsAre(1, 3, 5, 5));
}

TEST_F(CaffeLayers, DepthwiseTypesOfBranchesAreGroupedConvolutions) {
  const Graph graph =
      import("1 6 9 9", layer("DepthwiseConvolution", "convolution_param { num_output: 6 kernel_size: 3 }"));
  EXPECT_EQ(op_of<Convolution>(graph, "l").groups, 6);
}

TEST_F(CaffeLayers, Deconvolution) {
  const Graph graph =
      import("1 6 5 5",
             layer("Deconvolution", "convolution_param { num_output: 4 group: 2 kernel_size: 4 stride: 2 pad: 1 }"));
  const auto& op = op_of<Deconvolution>(graph, "l");
  EXPECT_THAT(op.weights->shape, ElementsAre(6, 2, 4, 4));
  EXPECT_THAT(output_shape(graph), ElementsAre(1, 4, 10, 10));
  const Graph wide =
      import("1 6 5 5", layer("Deconvolution", "convolution_param { num_output: 4 kernel_h: 2 kernel_w: 3 }"));
  EXPECT_THAT(op_of<Deconvolution>(wide, "l").weights->shape, ElementsAre(6, 4, 2, 3));
}

TEST_F(CaffeLayers, InnerProductFromAnAxisOn) {
  const Graph graph = import("2 3 4 5", layer("InnerProduct", "inner_product_param { num_output: 7 axis: -2 }"));
  const auto& op = op_of<Linear>(graph, "l");
  EXPECT_EQ(op.axis, 2);
  EXPECT_THAT(op.weights->shape, ElementsAre(7, 20));
  EXPECT_THAT(output_shape(graph), ElementsAre(2, 3, 7));
}

TEST_F(CaffeLayers, InnerProductTransposedHasTheSameWeightsAsOneThatIsNot) {
  caffe::NetParameter weights;
  auto& stored = add_layer(weights, "l");
  add_blob(stored, {3, 2}, {1, 2, 3, 4, 5, 6});
  const Graph graph = files.import_both(
      after_input("1 3",
                  layer("InnerProduct", "inner_product_param { num_output: 2 transpose: true bias_term: false }")),
      weights);
  const auto& op = op_of<Linear>(graph, "l");
  EXPECT_THAT(op.weights->shape, ElementsAre(2, 3));
  EXPECT_THAT(op.weights->f32.values, ElementsAre(1, 3, 5, 2, 4, 6));
  EXPECT_EQ(op.bias, nullptr);
}

TEST_F(CaffeLayers, Embed) {
  const Graph graph = import("2 3", layer("Embed", "embed_param { num_output: 4 input_dim: 10 }"));
  EXPECT_THAT(op_of<Embed>(graph, "l").weights->shape, ElementsAre(10, 4));
  EXPECT_THAT(output_shape(graph), ElementsAre(2, 3, 4));
}

struct UnaryCase {
  std::string type, params;
  UnaryKind kind;
  float alpha, beta, gamma;
};
class CaffeUnary : public testing::TestWithParam<UnaryCase> {};

TEST_P(CaffeUnary, HasItsParameters) {
  const CaffeFiles files;
  const UnaryCase& c = GetParam();
  const Graph graph = files.import_text(after_input("1 2 3 4", layer(c.type, c.params)));
  const auto& op = op_of<Unary>(graph, "l");
  EXPECT_EQ(op.kind, c.kind);
  EXPECT_FLOAT_EQ(op.alpha, c.alpha);
  EXPECT_FLOAT_EQ(op.beta, c.beta);
  EXPECT_FLOAT_EQ(op.gamma, c.gamma);
  EXPECT_THAT(output_shape(graph), ElementsAre(1, 2, 3, 4));
}
INSTANTIATE_TEST_SUITE_P(
    All, CaffeUnary,
    testing::Values(UnaryCase{"ReLU", "", UnaryKind::relu, 0, 0, 0},
                    UnaryCase{"ReLU", "relu_param { negative_slope: 0.1 }", UnaryKind::relu, 0.1F, 0, 0},
                    UnaryCase{"ReLU6", "", UnaryKind::relu6, 0, 0, 0}, UnaryCase{"ELU", "", UnaryKind::elu, 1, 0, 0},
                    UnaryCase{"ELU", "elu_param { alpha: 0.5 }", UnaryKind::elu, 0.5F, 0, 0},
                    UnaryCase{"Sigmoid", "", UnaryKind::sigmoid, 0, 0, 0},
                    UnaryCase{"TanH", "", UnaryKind::tanh, 0, 0, 0}, UnaryCase{"AbsVal", "", UnaryKind::abs, 0, 0, 0},
                    UnaryCase{"Power", "power_param { power: 2 scale: 3 shift: 4 }", UnaryKind::power, 4, 3, 2},
                    UnaryCase{"Power", "", UnaryKind::power, 0, 1, 1},
                    UnaryCase{"Exp", "exp_param { base: 2 scale: 3 shift: 4 }", UnaryKind::exp, 2, 4, 3},
                    UnaryCase{"Exp", "", UnaryKind::exp, -1, 0, 1},
                    UnaryCase{"Log", "log_param { base: 10 scale: 3 shift: 4 }", UnaryKind::log, 10, 4, 3},
                    UnaryCase{"Threshold", "threshold_param { threshold: 0.25 }", UnaryKind::threshold, 0.25F, 0, 0}));

TEST_F(CaffeLayers, PReLUHasASlopeAChannelUnlessTheyShareOne) {
  EXPECT_THAT(op_of<PRelu>(import("1 5 3 3", layer("PReLU", "")), "l").slopes->shape, ElementsAre(5));
  EXPECT_THAT(
      op_of<PRelu>(import("1 5 3 3", layer("PReLU", "prelu_param { channel_shared: true }")), "l").slopes->shape,
      ElementsAre(1));
}

Graph batch_norm(const CaffeFiles& files, float factor) {
  caffe::NetParameter weights;
  auto& stored = add_layer(weights, "l");
  add_blob(stored, {2}, {4, 8});
  add_blob(stored, {2}, {2, 6});
  add_blob(stored, {1}, {factor});
  return files.import_both(after_input("1 2 3 3", layer("BatchNorm", "batch_norm_param { eps: 0.001 }")), weights);
}

TEST_F(CaffeLayers, BatchNormDividesItsSumsByTheirFactor) {
  const Graph graph = batch_norm(files, 4);
  const auto& op = op_of<BatchNorm>(graph, "l");
  EXPECT_THAT(op.mean->f32.values, ElementsAre(1, 2));
  EXPECT_THAT(op.variance->f32.values, ElementsAre(0.5, 1.5));
  EXPECT_FLOAT_EQ(op.epsilon, 0.001F);
}

TEST_F(CaffeLayers, BatchNormWithAFactorOfZeroHasMeanAndVarianceZero) {
  const Graph graph = batch_norm(files, 0);
  EXPECT_THAT(op_of<BatchNorm>(graph, "l").mean->f32.values, ElementsAre(0, 0));
  EXPECT_THAT(op_of<BatchNorm>(graph, "l").variance->f32.values, ElementsAre(0, 0));
}

TEST_F(CaffeLayers, BatchNormByTheStatisticsOfTheBatchIsRefused) {
  const Error error =
      error_of([&] { import("1 2 3 3", layer("BatchNorm", "batch_norm_param { use_global_stats: false }")); });
  EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  EXPECT_THAT(error.what(), HasSubstr("use_global_stats"));
}

TEST_F(CaffeLayers, ScaleSpansItsAxes) {
  const Graph channels = import("2 3 4 5", layer("Scale", "scale_param { bias_term: true }"));
  EXPECT_THAT(op_of<Scale>(channels, "l").factor->shape, ElementsAre(3));
  EXPECT_THAT(op_of<Scale>(channels, "l").offset->shape, ElementsAre(3));
  const Graph picture = import("2 3 4 5", layer("Scale", "scale_param { axis: 1 num_axes: -1 }"));
  EXPECT_THAT(op_of<Scale>(picture, "l").factor->shape, ElementsAre(3, 4, 5));
  EXPECT_EQ(op_of<Scale>(picture, "l").offset, nullptr);
  const Graph scalar = import("2 3 4 5", layer("Scale", "scale_param { num_axes: 0 }"));
  EXPECT_TRUE(op_of<Scale>(scalar, "l").factor->shape.empty());
}

TEST_F(CaffeLayers, ScaleAndBiasTakeASecondBottom) {
  const std::string inputs = "input: 'x' input: 'z' input_shape { dim: [2, 3, 4, 5] } input_shape { dim: [2, 3] }";
  const Graph scale = files.import_text(
      inputs +
      "layer { name: 'l' type: 'Scale' bottom: 'x' bottom: 'z' top: 'y' scale_param { axis: 0 bias_term: true } }");
  EXPECT_EQ(scale.find_node("l")->inputs.size(), 2U);
  EXPECT_EQ(op_of<Scale>(scale, "l").factor, nullptr);
  EXPECT_THAT(op_of<Scale>(scale, "l").offset->shape, ElementsAre(2, 3));
  const Graph bias = files.import_text(
      inputs + "layer { name: 'l' type: 'Bias' bottom: 'x' bottom: 'z' top: 'y' bias_param { axis: 0 } }");
  EXPECT_TRUE(op_of<Scale>(bias, "l").second_is_offset);
}

TEST_F(CaffeLayers, Bias) {
  const Graph graph = import("2 3 4 5", layer("Bias", "bias_param { axis: 2 num_axes: 2 }"));
  EXPECT_EQ(op_of<Scale>(graph, "l").factor, nullptr);
  EXPECT_THAT(op_of<Scale>(graph, "l").offset->shape, ElementsAre(4, 5));
}

TEST_F(CaffeLayers, LrnWithinAChannelIgnoresK) {
  const auto across = import("1 8 5 5", layer("LRN", "lrn_param { local_size: 3 alpha: 2 beta: 0.5 k: 4 }"));
  EXPECT_TRUE(op_of<Lrn>(across, "l").across_channels);
  EXPECT_EQ(op_of<Lrn>(across, "l").size, 3);
  EXPECT_FLOAT_EQ(op_of<Lrn>(across, "l").alpha, 2);
  EXPECT_FLOAT_EQ(op_of<Lrn>(across, "l").beta, 0.5);
  EXPECT_FLOAT_EQ(op_of<Lrn>(across, "l").k, 4);
  const auto within = import("1 8 5 5", layer("LRN", "lrn_param { norm_region: WITHIN_CHANNEL k: 4 }"));
  EXPECT_FALSE(op_of<Lrn>(within, "l").across_channels);
  EXPECT_FLOAT_EQ(op_of<Lrn>(within, "l").k, 1);
  EXPECT_EQ(error_of([&] { import("1 8 5 5", layer("LRN", "lrn_param { local_size: 4 }")); }).kind(),
            ErrorKind::malformed);
}

TEST_F(CaffeLayers, PoolingRoundsUpUnlessToldOtherwise) {
  const auto ceil = import("1 2 8 8", layer("Pooling", "pooling_param { pool: MAX kernel_size: 3 stride: 2 }"));
  EXPECT_TRUE(op_of<Pool>(ceil, "l").ceil_mode);
  EXPECT_THAT(output_shape(ceil), ElementsAre(1, 2, 4, 4));
  for (const std::string mode : {"round_mode: FLOOR", "ceil_mode: false"}) {
    const auto floor =
        import("1 2 8 8", layer("Pooling", "pooling_param { pool: AVE kernel_size: 3 stride: 2 " + mode + " }"));
    EXPECT_EQ(op_of<Pool>(floor, "l").kind, PoolKind::average);
    EXPECT_THAT(output_shape(floor), ElementsAre(1, 2, 3, 3));
  }
}

TEST_F(CaffeLayers, PoolingEachDirectionAlone) {
  const auto graph =
      import("1 2 8 8",
             layer("Pooling", "pooling_param { kernel_h: 2 kernel_w: 4 stride_h: 1 stride_w: 3 pad_h: 1 pad_w: 0 }"));
  const auto& op = op_of<Pool>(graph, "l");
  EXPECT_EQ(op.kernel, (Pair{2, 4}));
  EXPECT_EQ(op.stride, (Pair{1, 3}));
  EXPECT_EQ(op.pad_begin, (Pair{1, 0}));
  EXPECT_TRUE(op.include_padding);
}

TEST_F(CaffeLayers, GlobalPoolingOfBothKinds) {
  for (const std::string kind : {"MAX", "AVE"}) {
    const auto graph = import("1 2 8 9", layer("Pooling", "pooling_param { global_pooling: true pool: " + kind + " }"));
    EXPECT_TRUE(op_of<Pool>(graph, "l").global);
    EXPECT_THAT(output_shape(graph), ElementsAre(1, 2, 1, 1));
  }
}

TEST_F(CaffeLayers, StochasticPoolingIsTheSelfWeightedMean) {
  const auto graph = import("1 2 8 8", layer("Pooling", "pooling_param { pool: STOCHASTIC kernel_size: 2 stride: 2 }"));
  EXPECT_EQ(op_of<Eltwise>(graph, "l").kind, EltwiseKind::product);
  EXPECT_EQ(op_of<Unary>(graph, "l/inverse").gamma, -1.0F);
  EXPECT_THAT(output_shape(graph), ElementsAre(1, 2, 4, 4));
}

TEST_F(CaffeLayers, DropoutAndSplitAreCopies) {
  EXPECT_NO_THROW(op_of<Identity>(import("1 4", layer("Dropout", "dropout_param { dropout_ratio: 0.7 }")), "l"));
  const auto split =
      files.import_text(after_input("1 4", "layer { name: 'l' type: 'Split' bottom: 'x' top: 'a' top: 'b' }"));
  EXPECT_EQ(split.outputs.size(), 2U);
}

TEST_F(CaffeLayers, SoftmaxAndConcatAlongAnyAxis) {
  EXPECT_EQ(op_of<Softmax>(import("1 4 2", layer("Softmax", "softmax_param { axis: -1 }")), "l").axis, 2);
  const std::string two = "layer { name: 'l' type: 'Concat' bottom: 'x' bottom: 'x' top: 'y' ";
  EXPECT_THAT(output_shape(files.import_text(after_input("1 4 2", two + "}"))), ElementsAre(1, 8, 2));
  EXPECT_THAT(output_shape(files.import_text(after_input("1 4 2", two + "concat_param { axis: -1 } }"))),
              ElementsAre(1, 4, 4));
  EXPECT_THAT(output_shape(files.import_text(after_input("1 4 2", two + "concat_param { concat_dim: 0 } }"))),
              ElementsAre(2, 4, 2));
}

TEST_F(CaffeLayers, SliceAtPointsOrInEqualParts) {
  const std::string head = "layer { name: 'l' type: 'Slice' bottom: 'x' top: 'a' top: 'b' top: 'c' ";
  const auto points = files.import_text(after_input("1 9 2", head + "slice_param { slice_point: 2 slice_point: 3 } }"));
  EXPECT_THAT(output_shape(points, 0), ElementsAre(1, 2, 2));
  EXPECT_THAT(output_shape(points, 1), ElementsAre(1, 1, 2));
  EXPECT_THAT(output_shape(points, 2), ElementsAre(1, 6, 2));
  const auto equal = files.import_text(after_input("1 9 2", head + "}"));
  EXPECT_THAT(output_shape(equal, 2), ElementsAre(1, 3, 2));
  const auto old = files.import_text(after_input("6 9 2", head + "slice_param { slice_dim: 0 } }"));
  EXPECT_THAT(output_shape(old, 1), ElementsAre(2, 9, 2));
}

TEST_F(CaffeLayers, EltwiseOfAnyNumberOfBottomsWithCoefficients) {
  const std::string head = "layer { name: 'l' type: 'Eltwise' bottom: 'x' bottom: 'x' bottom: 'x' top: 'y' ";
  const auto sum = files.import_text(after_input("1 4", head + "eltwise_param { coeff: 1 coeff: -2 coeff: 0.5 } }"));
  EXPECT_EQ(op_of<Eltwise>(sum, "l").kind, EltwiseKind::sum);
  EXPECT_THAT(op_of<Eltwise>(sum, "l").coefficients, ElementsAre(1, -2, 0.5));
  const auto product = files.import_text(after_input("1 4", head + "eltwise_param { operation: PROD } }"));
  EXPECT_EQ(op_of<Eltwise>(product, "l").kind, EltwiseKind::product);
  const auto max = files.import_text(after_input("1 4", head + "eltwise_param { operation: MAX } }"));
  EXPECT_EQ(op_of<Eltwise>(max, "l").kind, EltwiseKind::max);
  EXPECT_THROW(files.import_text(after_input("1 4", head + "eltwise_param { coeff: 1 coeff: -2 } }")), Error);
}

TEST_F(CaffeLayers, FlattenReshapePermuteTileReductionArgMax) {
  EXPECT_THAT(output_shape(import("2 3 4 5", layer("Flatten", ""))), ElementsAre(2, 60));
  EXPECT_THAT(output_shape(import("2 3 4 5", layer("Flatten", "flatten_param { axis: 1 end_axis: -2 }"))),
              ElementsAre(2, 12, 5));
  EXPECT_THAT(output_shape(import("2 3 4 5", layer("Reshape", "reshape_param { shape { dim: 0 dim: -1 dim: 6 } }"))),
              ElementsAre(2, 10, 6));
  EXPECT_THAT(output_shape(
                  import("2 3 4 5", layer("Reshape", "reshape_param { shape { dim: 2 dim: 6 } axis: 1 num_axes: 2 }"))),
              ElementsAre(2, 2, 6, 5));
  EXPECT_THAT(
      output_shape(import("2 3 4 5", layer("Permute", "permute_param { order: 0 order: 2 order: 3 order: 1 }"))),
      ElementsAre(2, 4, 5, 3));
  EXPECT_THAT(output_shape(import("2 3 4 5", layer("Permute", "permute_param { order: 3 }"))), ElementsAre(5, 2, 3, 4));
  EXPECT_THAT(output_shape(import("2 3 4 5", layer("Tile", "tile_param { axis: 2 tiles: 3 }"))),
              ElementsAre(2, 3, 12, 5));
  const auto mean = import("2 3 4 5", layer("Reduction", "reduction_param { operation: MEAN axis: 2 coeff: 2 }"));
  EXPECT_EQ(op_of<Reduction>(mean, "l").kind, ReductionKind::mean);
  EXPECT_FLOAT_EQ(op_of<Reduction>(mean, "l").coefficient, 2);
  EXPECT_THAT(output_shape(mean), ElementsAre(2, 3));
  EXPECT_THAT(output_shape(import("2 3 4 5", layer("ArgMax", "argmax_param { top_k: 4 out_max_val: true }"))),
              ElementsAre(2, 2, 4, 1));
  EXPECT_THAT(output_shape(import("2 3 4 5", layer("ArgMax", "argmax_param { top_k: 2 axis: 1 }"))),
              ElementsAre(2, 2, 4, 5));
}

TEST_F(CaffeLayers, CropTakesTheSizeOfTheSecondBottom) {
  const auto graph = files.import_text(
      "input: 'x' input: 'z' input_shape { dim: [1, 3, 9, 9] } input_shape { dim: [1, 3, 5, 6] }"
      "layer { name: 'l' type: 'Crop' bottom: 'x' bottom: 'z' top: 'y' crop_param { offset: 2 offset: 1 } }");
  EXPECT_THAT(op_of<Crop>(graph, "l").offsets, ElementsAre(2, 1));
  EXPECT_THAT(output_shape(graph), ElementsAre(1, 3, 5, 6));
  const auto at_the_beginning = files.import_text(
      "input: 'x' input: 'z' input_shape { dim: [1, 3, 9, 9] } input_shape { dim: [1, 3, 5, 6] }"
      "layer { name: 'l' type: 'Crop' bottom: 'x' bottom: 'z' top: 'y' }");
  EXPECT_THAT(op_of<Crop>(at_the_beginning, "l").offsets, ElementsAre(0));
}

}  // namespace
}  // namespace octavo::graph

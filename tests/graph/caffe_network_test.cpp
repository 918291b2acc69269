// SPDX-License-Identifier: Apache-2.0
// What concerns the network as a whole: phases, in-place layers, inputs, losses, generations of the format, errors.
#include <gmock/gmock.h>

#include "tests/graph/caffe_files.h"

namespace octavo::graph {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class CaffeNetwork : public testing::Test {
 protected:
  CaffeFiles files;
};

std::vector<std::string> output_names(const Graph& graph) {
  std::vector<std::string> names;
  for (const ValueId value : graph.outputs) names.push_back(graph.values[value].name);
  return names;
}

TEST_F(CaffeNetwork, InPlaceLayersMakeNewValuesAndTheLastOneHasTheBlobsName) {
  const Graph graph = files.import_text(after_input("1 4", R"(
    layer { name: "fc" type: "InnerProduct" bottom: "x" top: "fc" inner_product_param { num_output: 3 } }
    layer { name: "relu" type: "ReLU" bottom: "fc" top: "fc" }
    layer { name: "drop" type: "Dropout" bottom: "fc" top: "fc" }
    layer { name: "fc2" type: "InnerProduct" bottom: "fc" top: "y" inner_product_param { num_output: 2 } })"));
  EXPECT_EQ(graph.values[graph.find_node("fc")->outputs[0]].name, "fc@fc");
  EXPECT_EQ(graph.values[graph.find_node("relu")->outputs[0]].name, "fc@relu");
  EXPECT_EQ(graph.values[graph.find_node("drop")->outputs[0]].name, "fc");
  EXPECT_EQ(graph.find_node("relu")->inputs, graph.find_node("fc")->outputs);
  EXPECT_EQ(graph.find_node("fc2")->inputs, graph.find_node("drop")->outputs);
  EXPECT_THAT(output_names(graph), ElementsAre("y"));
}

TEST_F(CaffeNetwork, RulesChooseTheLayersOfTheTestPhase) {
  const std::string text = after_input("1 4", R"(
    layer { name: "a" type: "ReLU" bottom: "x" top: "a" include { phase: TRAIN } }
    layer { name: "b" type: "ReLU" bottom: "x" top: "b" include { phase: TEST } }
    layer { name: "c" type: "ReLU" bottom: "x" top: "c" exclude { phase: TEST } }
    layer { name: "d" type: "ReLU" bottom: "x" top: "d" exclude { phase: TRAIN } }
    layer { name: "e" type: "ReLU" bottom: "x" top: "e" include { stage: "deploy" } }
    layer { name: "f" type: "ReLU" bottom: "x" top: "f" include { not_stage: "deploy" phase: TEST } }
    layer { name: "g" type: "ReLU" bottom: "x" top: "g" include { min_level: 1 } include { stage: "big" } }
    layer { name: "h" type: "ReLU" bottom: "x" top: "h" include { max_level: 0 } })");
  EXPECT_THAT(output_names(files.import_text(text)), ElementsAre("b", "d", "f", "h"));
  CaffeImportOptions options;
  options.stages = {"deploy"};
  EXPECT_THAT(output_names(files.import_text(text, options)), ElementsAre("b", "d", "e", "h"));
  options.level = 1;
  EXPECT_THAT(output_names(files.import_text(text, options)), ElementsAre("b", "d", "e", "g"));
  EXPECT_THAT(output_names(files.import_text("state { stage: 'big' }" + text)), ElementsAre("b", "d", "f", "g", "h"));
}

TEST_F(CaffeNetwork, IncludeAndExcludeTogetherAreRefused) {
  const Error error = error_of([&] {
    files.import_text(
        after_input("1 4", "layer { name: 'a' type: 'ReLU' bottom: 'x' top: 'y' include {} exclude {} }"));
  });
  EXPECT_EQ(error.kind(), ErrorKind::malformed);
  EXPECT_THAT(error.what(), HasSubstr("'a'"));
}

TEST_F(CaffeNetwork, ThreeWaysToSayAnInput) {
  const std::string layer = " layer { name: 'r' type: 'ReLU' bottom: 'data' top: 'y' }";
  for (const std::string input :
       {"input: 'data' input_dim: 2 input_dim: 3 input_dim: 4 input_dim: 5",
        "input: 'data' input_shape { dim: [2, 3, 4, 5] }",
        "layer { name: 'in' type: 'Input' top: 'data' input_param { shape { dim: 2 dim: 3 dim: 4 dim: 5 } } }",
        "layer { name: 'in' type: 'DummyData' top: 'data' dummy_data_param { num: 2 channels: 3 height: 4 width: 5 } }",
        "layer { name: 'in' type: 'MemoryData' top: 'data' top: 'label' memory_data_param { batch_size: 2 channels: 3 "
        "height: 4 "
        "width: 5 } }"}) {
    const Graph graph = files.import_text(input + layer);
    ASSERT_EQ(graph.inputs().size(), 1U) << input;
    EXPECT_EQ(graph.inputs()[0]->name, "data");
    EXPECT_THAT(output_shape(graph), ElementsAre(2, 3, 4, 5));
  }
}

TEST_F(CaffeNetwork, PicturesOfADatabaseHaveTheSizeThatIsToldOrGiven) {
  const std::string layer = " layer { name: 'r' type: 'ReLU' bottom: 'data' top: 'y' }";
  const auto data = [&](const std::string& type, const std::string& rest) {
    return "layer { name: 'd' type: '" + type + "' top: 'data' top: 'label' " + rest + " }" + layer;
  };
  EXPECT_THAT(output_shape(files.import_text(
                  data("Data", "transform_param { crop_size: 7 mean_value: 1 mean_value: 2 mean_value: 3 }"))),
              ElementsAre(1, 3, 7, 7));
  EXPECT_THAT(output_shape(files.import_text(
                  data("ImageData", "image_data_param { new_height: 6 new_width: 8 is_color: false }"))),
              ElementsAre(1, 1, 6, 8));
  const std::string unknown = data("Data", "data_param { source: 'somewhere' }");
  const Error error = error_of([&] { files.import_text(unknown); });
  EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  EXPECT_THAT(error.what(), HasSubstr("deploy prototxt"));
  CaffeImportOptions options;
  options.input_shapes["data"] = {1, 1, 28, 28};
  EXPECT_THAT(output_shape(files.import_text(unknown, options)), ElementsAre(1, 1, 28, 28));
}

const char* const kTraining = R"(
  layer { name: "d" type: "Data" top: "data" top: "label" transform_param { crop_size: 4 force_gray: true } }
  layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc" inner_product_param { num_output: 3 } }
  layer { name: "acc" type: "Accuracy" bottom: "fc" bottom: "label" top: "acc" accuracy_param { top_k: 5 strange: 1 } }
  layer { name: "loss" type: "SoftmaxWithLoss" bottom: "fc" bottom: "label" top: "loss" loss_param { normalize: true } }
)";

TEST_F(CaffeNetwork, ASoftmaxWithLossLeavesItsSoftmax) {
  const Graph graph = files.import_text(kTraining);
  EXPECT_NO_THROW(op_of<Softmax>(graph, "loss"));
  EXPECT_THAT(output_names(graph), ElementsAre("loss"));
  EXPECT_EQ(graph.inputs().size(), 1U) << "labels are no input";
}

TEST_F(CaffeNetwork, ASoftmaxWithLossBesideASoftmaxIsDropped) {
  const Graph graph =
      files.import_text(kTraining + std::string("layer { name: 'prob' type: 'Softmax' bottom: 'fc' top: 'prob' }"));
  EXPECT_EQ(graph.find_node("loss"), nullptr);
  EXPECT_THAT(output_names(graph), ElementsAre("prob"));
}

TEST_F(CaffeNetwork, TheHeadOfTheGreatestLossWeightComesFirst) {
  const Graph graph = files.import_text(after_input("1 4", R"(
    layer { name: "aux" type: "SoftmaxWithLoss" bottom: "x" bottom: "label" top: "aux" loss_weight: 0.3 }
    layer { name: "fc" type: "InnerProduct" bottom: "x" top: "fc" inner_product_param { num_output: 3 } }
    layer { name: "main" type: "SoftmaxWithLoss" bottom: "fc" bottom: "label" top: "l" top: "prob" })"));
  EXPECT_THAT(output_names(graph), ElementsAre("prob", "aux"));
}

TEST_F(CaffeNetwork, OtherLossesAreDroppedAndSilencedBlobsAreNoOutputs) {
  const Graph graph = files.import_text(after_input("1 4", R"(
    layer { name: "a" type: "ReLU" bottom: "x" top: "a" }
    layer { name: "b" type: "TanH" bottom: "x" top: "b" }
    layer { name: "s" type: "Silence" bottom: "b" }
    layer { name: "e" type: "EuclideanLoss" bottom: "a" bottom: "label" top: "e" })"));
  EXPECT_THAT(output_names(graph), ElementsAre("a"));
  EXPECT_EQ(graph.find_node("b"), nullptr);
}

TEST_F(CaffeNetwork, V1LayersMeanTheSame) {
  const Graph graph = files.import_text(R"(
    input: "data" input_dim: 1 input_dim: 2 input_dim: 8 input_dim: 8
    layers { name: "c" type: CONVOLUTION bottom: "data" top: "c" blobs_lr: 1 weight_decay: 0
             convolution_param { num_output: 4 kernel_size: 3 pad: 1 weight_filler { type: "xavier" } } }
    layers { name: "r" type: RELU bottom: "c" top: "c" }
    layers { name: "n" type: LRN bottom: "c" top: "n" lrn_param { local_size: 3 } }
    layers { name: "p" type: POOLING bottom: "n" top: "p" pooling_param { pool: AVE kernel_size: 2 stride: 2 } }
    layers { name: "i" type: INNER_PRODUCT bottom: "p" top: "i" inner_product_param { num_output: 5 } }
    layers { name: "s" type: SOFTMAX_LOSS bottom: "i" bottom: "label" top: "s" include { phase: TRAIN } }
    layers { name: "t" type: SOFTMAX bottom: "i" top: "t" }
  )");
  EXPECT_EQ(op_of<Convolution>(graph, "c").pad_begin, (Pair{1, 1}));
  EXPECT_EQ(op_of<Lrn>(graph, "n").size, 3);
  EXPECT_EQ(op_of<Pool>(graph, "p").kind, PoolKind::average);
  EXPECT_THAT(output_names(graph), ElementsAre("t"));
  EXPECT_THAT(output_shape(graph), ElementsAre(1, 5));
}

TEST_F(CaffeNetwork, V0LayersMeanTheSameAndTheirPaddingLayersAreFolded) {
  const Graph graph = files.import_text(R"(
    input: "data" input_dim: 1 input_dim: 2 input_dim: 8 input_dim: 8
    layers { layer { name: "pad" type: "padding" pad: 2 } bottom: "data" top: "padded" }
    layers { layer { name: "c" type: "conv" num_output: 4 kernelsize: 5 stride: 1 biasterm: false } bottom: "padded" top: "c" }
    layers { layer { name: "r" type: "relu" } bottom: "c" top: "c" }
    layers { layer { name: "p" type: "pool" pool: MAX kernelsize: 2 stride: 2 } bottom: "c" top: "p" }
    layers { layer { name: "i" type: "innerproduct" num_output: 5 } bottom: "p" top: "i" }
    layers { layer { name: "s" type: "softmax" } bottom: "i" top: "s" }
  )");
  const auto& conv = op_of<Convolution>(graph, "c");
  EXPECT_EQ(conv.pad_begin, (Pair{2, 2}));
  EXPECT_EQ(conv.bias, nullptr);
  EXPECT_THAT(output_shape(graph), ElementsAre(1, 5));
}

TEST_F(CaffeNetwork, AnUnknownLayerIsNamedWithItsTypeAndPlace) {
  const Error error = error_of([&] {
    files.import_text(after_input(
        "1 4", "\nlayer {\n name: 'swirl'\n type: 'Swirl' bottom: 'x' top: 'y'\n swirl_param { a: { b: 1 } } }"));
  });
  EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  EXPECT_THAT(error.what(), HasSubstr("'swirl'"));
  EXPECT_THAT(error.what(), HasSubstr("Swirl"));
  EXPECT_THAT(error.where(), HasSubstr("net.prototxt:3"));
  const Error old = error_of([&] {
    files.import_text(
        "input: 'x' input_dim: [1, 1, 1, 1]\nlayers { name: 'a' type: RELU bottom: 'x' top: 'a' }\n"
        "layers { name: 'swirl' type: SWIRL bottom: 'a' top: 'y' }");
  });
  EXPECT_EQ(old.kind(), ErrorKind::unsupported);
  EXPECT_THAT(old.what(), HasSubstr("'swirl'"));
  EXPECT_THAT(old.what(), HasSubstr("SWIRL"));
  EXPECT_THAT(old.where(), HasSubstr("net.prototxt:3:"));
}

TEST_F(CaffeNetwork, AnUnknownFieldIsAnErrorWithLineAndColumnUnlessOnlyTrainingReadsIt) {
  const Error error = error_of([&] {
    files.import_text(after_input("1 4 5 5",
                                  "layer { name: 'c' type: 'Convolution' bottom: 'x' top: 'y'\n"
                                  "  convolution_param { num_output: 2 kernel_size: 1 twist: 3 } }"));
  });
  EXPECT_EQ(error.kind(), ErrorKind::malformed);
  EXPECT_THAT(error.what(), HasSubstr("'twist'"));
  EXPECT_THAT(error.where(), HasSubstr("net.prototxt:3:"));
  EXPECT_NO_THROW(files.import_text(
      after_input("1 4 5 5",
                  "layer { name: 'c' type: 'Convolution' bottom: 'x' top: 'y' param { rate: 2 }"
                  "  convolution_param { num_output: 2 kernel_size: 1 weight_filler { shape: 'odd' } } }")));
}

TEST_F(CaffeNetwork, SyntaxErrorsHaveLineAndColumn) {
  const Error error = error_of([&] { files.import_text("name: 'n'\nlayer { name: }\n"); });
  EXPECT_EQ(error.kind(), ErrorKind::malformed);
  EXPECT_THAT(error.where(), HasSubstr("net.prototxt:2:15"));
}

TEST_F(CaffeNetwork, WhatIsWrongWithALayerComesWithItsPlace) {
  const Error error = error_of([&] {
    files.import_text(after_input(
        "1 4 5 5",
        "\n\nlayer { name: 'p' type: 'Pooling' bottom: 'x' top: 'y' pooling_param { kernel_size: 2 pad: 3 } }"));
  });
  EXPECT_EQ(error.kind(), ErrorKind::malformed);
  EXPECT_THAT(error.where(), HasSubstr("net.prototxt:4, layer 'p' (Pooling)"));
  const Error unmade =
      error_of([&] { files.import_text(after_input("1 4", "layer { name: 'r' type: 'ReLU' bottom: 'z' top: 'y' }")); });
  EXPECT_THAT(unmade.what(), HasSubstr("'z'"));
  const Error twice = error_of([&] {
    files.import_text(after_input(
        "1 4",
        "layer { name: 'r' type: 'ReLU' bottom: 'x' top: 'y' } layer { name: 's' type: 'ReLU' bottom: 'x' top: 'y' }"));
  });
  EXPECT_THAT(twice.what(), HasSubstr("made by another layer"));
}

TEST_F(CaffeNetwork, LayersOfOneNameAreToldApart) {
  const Graph graph = files.import_text(after_input(
      "1 4",
      "layer { name: 'r' type: 'ReLU' bottom: 'x' top: 'y' } layer { name: 'r' type: 'TanH' bottom: 'y' top: 'z' }"));
  EXPECT_NO_THROW(op_of<Unary>(graph, "r"));
  EXPECT_NO_THROW(op_of<Unary>(graph, "r_2"));
}

TEST_F(CaffeNetwork, MissingFilesAreNamed) {
  const Error error = error_of([&] { (void)import_caffe("no/such/net.prototxt", {}); });
  EXPECT_EQ(error.kind(), ErrorKind::io);
  EXPECT_THAT(error.what(), HasSubstr("no/such/net.prototxt"));
}

}  // namespace
}  // namespace octavo::graph

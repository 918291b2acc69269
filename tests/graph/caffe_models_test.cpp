// SPDX-License-Identifier: Apache-2.0
// Real models: they load, have the published number of parameters, and infer the expected shapes.
#include <gmock/gmock.h>

#include <set>

#include "tests/graph/caffe_files.h"

namespace octavo::graph {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::filesystem::path shared(const std::string& path) {
  return std::filesystem::path(OCTAVO_SHARED_DATA) / "caffe" / path;
}

#define SKIP_WITHOUT(path) \
  if (!std::filesystem::exists(path)) GTEST_SKIP() << (path) << " is absent"

/// Numbers in all blobs that a network holds: a blob shared by two nodes counts once.
std::int64_t parameters(const Graph& graph) {
  std::set<const Blob*> blobs;
  for (const Node& node : graph.nodes) {
    std::visit(
        [&](const auto& op) {
          std::decay_t<decltype(op)>::fields(op, [&](const char*, const auto& field) {
            if constexpr (std::is_same_v<std::decay_t<decltype(field)>, BlobPtr>) {
              if (field) blobs.insert(field.get());
            }
          });
        },
        node.op);
  }
  std::int64_t count = 0;
  for (const Blob* blob : blobs) count += element_count(blob->shape);
  return count;
}

struct ModelCase {
  std::string prototxt, caffemodel;
  Shape input, output;
  std::int64_t parameters;
  std::string last;
};
class CaffeModel : public testing::TestWithParam<ModelCase> {};

TEST_P(CaffeModel, LoadsWithItsShapesAndParameters) {
  const ModelCase& model = GetParam();
  SKIP_WITHOUT(shared(model.prototxt));
  const Graph graph = import_caffe(shared(model.prototxt),
                                   model.caffemodel.empty() ? std::filesystem::path() : shared(model.caffemodel));
  ASSERT_EQ(graph.inputs().size(), 1U);
  EXPECT_EQ(std::get<Input>(graph.inputs()[0]->op).shape, model.input);
  ASSERT_EQ(graph.outputs.size(), 1U);
  EXPECT_EQ(output_shape(graph), model.output);
  EXPECT_EQ(graph.values[graph.outputs[0]].name, model.last);
  EXPECT_EQ(parameters(graph), model.parameters);
}

INSTANTIATE_TEST_SUITE_P(Weights, CaffeModel,
                         testing::Values(ModelCase{"googlenet/deploy.prototxt",
                                                   "googlenet/googlenet.caffemodel",
                                                   {10, 3, 224, 224},
                                                   {10, 1000},
                                                   6998552,
                                                   "prob"},
                                         ModelCase{"squeezenet1.1/deploy.prototxt",
                                                   "squeezenet1.1/squeezenet1.1.caffemodel",
                                                   {10, 3, 227, 227},
                                                   {10, 1000, 1, 1},
                                                   1235496,
                                                   "prob"},
                                         ModelCase{"lenet/lenet.prototxt",
                                                   "lenet/lenet_iter_10000.caffemodel",
                                                   {64, 1, 28, 28},
                                                   {64, 10},
                                                   431080,
                                                   "prob"},
                                         ModelCase{"cifar10_quick/cifar10_quick.prototxt",
                                                   "cifar10_quick/cifar10_quick_iter_5000.caffemodel",
                                                   {1, 3, 32, 32},
                                                   {1, 10},
                                                   145578,
                                                   "prob"},
                                         ModelCase{"cifar10_vgg/deploy.prototxt",
                                                   "cifar10_vgg/cifar10_vgg.caffemodel",
                                                   {1, 3, 32, 32},
                                                   {1, 10},
                                                   3754858,
                                                   "prob"}),
                         [](const auto& test) { return "n" + std::to_string(test.index); });

INSTANTIATE_TEST_SUITE_P(
    Topologies, CaffeModel,
    testing::Values(
        ModelCase{"topologies/bvlc_alexnet_deploy.prototxt", "", {10, 3, 227, 227}, {10, 1000}, 60965224, "prob"},
        ModelCase{"topologies/VGG_CNN_S_deploy.prototxt", "", {10, 3, 224, 224}, {10, 1000}, 102908520, "prob"},
        ModelCase{"topologies/nin_imagenet_deploy.prototxt", "", {10, 3, 224, 224}, {10, 1000, 1, 1}, 7595176, "pool4"},
        ModelCase{"topologies/age_net_deploy_age.prototxt", "", {1, 3, 227, 227}, {1, 8}, 11415048, "prob"}),
    [](const auto& test) { return "n" + std::to_string(test.index); });

TEST(CaffeModels, DeepResidualNetworksLoadWithSeededWeights) {
  for (const std::string depth : {"50", "101", "152"}) {
    const auto prototxt = shared("topologies/ResNet_ResNet-" + depth + "-deploy.prototxt");
    SKIP_WITHOUT(prototxt);
    const Graph graph = import_caffe(prototxt, {});
    EXPECT_THAT(output_shape(graph), ElementsAre(1, 1000)) << depth;
  }
}

TEST(CaffeModels, ACaffemodelThatCarriesItsTopologyNeedsNoPrototxt) {
  const auto file = shared("lenet/lenet_iter_10000.caffemodel");
  SKIP_WITHOUT(file);
  CaffeImportOptions options;  // it carries the network of training: its pictures come from a database
  options.input_shapes["data"] = {1, 1, 28, 28};
  const Graph graph = import_caffe_binary(file, options);
  EXPECT_EQ(parameters(graph), 431080);
  EXPECT_THAT(output_shape(graph), ElementsAre(1, 10));
}

TEST(CaffeModels, ACaffemodelOfWeightsAloneAsksForThePrototxt) {
  const auto file = shared("squeezenet1.1/squeezenet1.1.caffemodel");
  SKIP_WITHOUT(file);
  CaffeImportOptions options;
  options.input_shapes["data"] = {1, 3, 227, 227};
  EXPECT_THAT(error_of([&] { (void)import_caffe_binary(file, options); }).what(), HasSubstr("give the prototxt"));
}

TEST(CaffeModels, ATrainingNetworkLoadsForPrediction) {
  const auto prototxt = shared("cifar10_quick/cifar10_quick_train_test.prototxt");
  SKIP_WITHOUT(prototxt);
  // The size of its pictures is that of the mean file, which lies beside it.
  const Graph graph = import_caffe(prototxt, shared("cifar10_quick/cifar10_quick_iter_5000.caffemodel"));
  ASSERT_EQ(graph.inputs().size(), 1U);
  EXPECT_EQ(std::get<Input>(graph.inputs()[0]->op).shape, (Shape{1, 3, 32, 32}));
  ASSERT_EQ(graph.outputs.size(), 1U);
  EXPECT_THAT(output_shape(graph), ElementsAre(1, 10));
  EXPECT_EQ(parameters(graph), 145578);
  const auto lenet = shared("lenet/lenet_train_test.prototxt");
  EXPECT_EQ(error_of([&] { (void)import_caffe(lenet, {}); }).kind(), ErrorKind::unsupported);
}

TEST(CaffeModels, ADetectorEndsInRowsOfBoxes) {
  const auto prototxt = shared("yufacedetectnet/yufacedetectnet-open-v1.prototxt");
  SKIP_WITHOUT(prototxt);
  const Graph graph = import_caffe(prototxt, shared("yufacedetectnet/yufacedetectnet-open-v1.caffemodel"));
  ASSERT_EQ(graph.outputs.size(), 1U);
  const Shape boxes = output_shape(graph);
  ASSERT_EQ(boxes.size(), 4U);
  EXPECT_EQ(boxes[1], 1);
  EXPECT_EQ(boxes[3], 7);
}

TEST(CaffeModels, MeanFile) {
  const auto file = shared("cifar10_quick/mean.binaryproto");
  SKIP_WITHOUT(file);
  const BlobPtr mean = read_caffe_mean(file);
  EXPECT_THAT(mean->shape, ElementsAre(3, 32, 32));
  for (const float value : mean->f32.values) EXPECT_TRUE(value > 60 && value < 160) << value;
}

}  // namespace
}  // namespace octavo::graph

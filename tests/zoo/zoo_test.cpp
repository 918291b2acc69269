// SPDX-License-Identifier: Apache-2.0
// The zoo's networks are the published ones, and the files are whole and the same everywhere.
#include "tools/zoo/zoo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include "graph/import/caffe.h"
#include "graph/import/seeded_values.h"
#include "octavo/error.h"

namespace octavo::zoo {
namespace {

using graph::Graph;
using graph::Shape;

class Zoo : public testing::Test {
 protected:
  void SetUp() override {
    folder = std::filesystem::temp_directory_path() /
             ("octavo.zoo." + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) + "." +
              std::to_string(::getpid()));
  }
  void TearDown() override { std::filesystem::remove_all(folder); }
  std::filesystem::path folder;
};

std::string content(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

TEST_F(Zoo, EveryNetworkHasItsPublishedParametersAndLoadsFromItsFiles) {
  // As counted by the frameworks that published them, and the running statistics of BatchNorm: mean, variance, and the
  // factor of each layer. ResNet-50's first convolution has a bias in its Caffe release.
  const std::map<std::string, std::int64_t> published{
      {"lenet", 431080},
      {"alexnet", 60965224},
      {"vgg16", 138357544},
      {"vgg19", 143667240},
      {"googlenet", 6998552},
      {"resnet50", 25557032 + 2 * 26560 + 53 + 64},
      {"squeezenet1.0", 1248424},
      {"squeezenet1.1", 1235496},
      {"mobilenet-v1", 4231976 + 2 * 10944 + 27},
      {"mobilenet-v2", 3504872 + 2 * 17056 + 52},
  };
  for (const ZooNetwork& network : zoo_networks()) {
    const std::string name(network.name);
    if (!published.contains(name)) continue;  // the large ones: below
    EXPECT_FALSE(network.description.empty()) << name;
    double last = 0.0;
    const ZooFiles files = write_zoo(name, folder, 1, [&](double done) {
      EXPECT_GE(done, last);
      last = done;
    });
    EXPECT_EQ(last, 1.0) << name;
    EXPECT_EQ(files.parameters, published.at(name)) << name;
    EXPECT_EQ(files.bytes, static_cast<std::int64_t>(std::filesystem::file_size(files.caffemodel))) << name;
    const Graph graph = graph::import_caffe(files.prototxt, files.caffemodel);
    ASSERT_EQ(graph.outputs.size(), 1U) << name;
    const Shape& output = graph.values[graph.outputs[0]].shape;
    EXPECT_EQ(graph::element_count(output), name == "lenet" ? 10 : 1000) << name;
    std::filesystem::remove(files.caffemodel);
  }
}

struct LargeNetwork {
  const char* name;
  std::int64_t parameters;
  Shape output;
};

TEST_F(Zoo, TheLargeNetworksHaveTheirPublishedParametersAndShapes) {
  // The statistics of BatchNorm as above; the detectors' outputs are rows of seven numbers.
  const LargeNetwork networks[] = {
      {"inception-v3", 23834568 + 2 * 17216 + 94, {1, 1000}},
      {"densenet161", 28681000 + 2 * 109968 + 161, {1, 1000, 1, 1}},
      {"resnet101", 44549160 + 2 * 52672 + 104, {1, 1000}},
      {"resnet152", 60192808 + 2 * 75712 + 155, {1, 1000}},
      {"ssd300-vgg16", 26285486, {1, 1, 200, 7}},
      {"ssd512-vgg16", 27188676, {1, 1, 200, 7}},
      {"ssd300-vgg16-coco", 34305206, {1, 1, 200, 7}},
      {"ssd512-vgg16-coco", 36038196, {1, 1, 200, 7}},
      {"ssd300-mobilenet-v1", 5821468, {1, 1, 200, 7}},
  };
  for (const LargeNetwork& network : networks) {
    EXPECT_EQ(zoo_parameters(network.name), network.parameters) << network.name;
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "net.prototxt") << zoo_topology(network.name);
    const Graph graph = graph::import_caffe(folder / "net.prototxt", {}, {});
    ASSERT_EQ(graph.outputs.size(), 1U) << network.name;
    EXPECT_EQ(graph.values[graph.outputs[0]].shape, network.output) << network.name;
  }
}

TEST_F(Zoo, DetectorsHaveAsManyPriorsAsPublished) {
  const std::map<std::string, std::int64_t> priors{
      {"ssd300-vgg16", 8732}, {"ssd512-vgg16", 24564}, {"ssd300-mobilenet-v1", 1917}};
  for (const auto& [name, count] : priors) {
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "net.prototxt") << zoo_topology(name);
    const Graph graph = graph::import_caffe(folder / "net.prototxt", {}, {});
    const graph::Node* concat = graph.find_node("mbox_priorbox");
    ASSERT_NE(concat, nullptr);
    EXPECT_EQ(graph.values[concat->outputs[0]].shape, (Shape{1, 2, 4 * count})) << name;
  }
}

TEST_F(Zoo, TopologiesAreThoseOfThePublishedPrototxts) {
  const std::map<std::string, std::string> published{
      {"resnet101", "topologies/ResNet_ResNet-101-deploy.prototxt"},
      {"resnet152", "topologies/ResNet_ResNet-152-deploy.prototxt"},
      {"alexnet", "topologies/bvlc_alexnet_deploy.prototxt"},
      {"googlenet", "googlenet/deploy.prototxt"},
      {"resnet50", "topologies/ResNet_ResNet-50-deploy.prototxt"},
      {"squeezenet1.1", "squeezenet1.1/deploy.prototxt"},
  };
  for (const auto& [name, file] : published) {
    const auto prototxt = std::filesystem::path(OCTAVO_SHARED_DATA) / "caffe" / file;
    if (!std::filesystem::exists(prototxt)) GTEST_SKIP() << prototxt << " is absent";
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "net.prototxt") << zoo_topology(name);
    graph::CaffeImportOptions options;
    Graph ours = graph::import_caffe(folder / "net.prototxt", {}, options);
    options.input_shapes["data"] = std::get<graph::Input>(ours.inputs()[0]->op).shape;
    Graph theirs = graph::import_caffe(prototxt, {}, options);
    ours.name = theirs.name;
    EXPECT_EQ(graph::print(ours), graph::print(theirs)) << name;
  }
}

TEST_F(Zoo, TheFilesHoldTheWeightsThatTheTopologyAloneGetsFromTheSameSeed) {
  const ZooFiles files = write_zoo("mobilenet-v1", folder, 7);
  graph::CaffeImportOptions options;
  options.seed = 7;
  const Graph stored = graph::import_caffe(files.prototxt, files.caffemodel);
  const Graph seeded = graph::import_caffe(files.prototxt, {}, options);
  ASSERT_EQ(stored.nodes.size(), seeded.nodes.size());
  for (std::size_t i = 0; i < stored.nodes.size(); ++i) {
    const auto* a = std::get_if<graph::Convolution>(&stored.nodes[i].op);
    if (a == nullptr) continue;
    const auto& b = std::get<graph::Convolution>(seeded.nodes[i].op);
    EXPECT_TRUE(std::ranges::equal(a->weights->f32.values, b.weights->f32.values)) << stored.nodes[i].name;
  }
}

TEST_F(Zoo, ACaffemodelCarriesItsWholeTopology) {
  const ZooFiles files = write_zoo("squeezenet1.1", folder);
  EXPECT_EQ(graph::print(graph::import_caffe_binary(files.caffemodel)),
            graph::print(graph::import_caffe(files.prototxt, files.caffemodel)));
}

TEST_F(Zoo, TheSameSeedGivesTheSameFilesAndAnotherSeedOthers) {
  const std::string first = content(write_zoo("lenet", folder, 5).caffemodel);
  EXPECT_EQ(content(write_zoo("lenet", folder, 5).caffemodel), first);
  EXPECT_NE(content(write_zoo("lenet", folder, 6).caffemodel), first);
}

TEST_F(Zoo, AnUnknownNameIsAnErrorThatListsTheKnownOnes) {
  try {
    write_zoo("vgg17", folder);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::invalid_argument);
    EXPECT_THAT(error.what(), testing::HasSubstr("vgg16"));
  }
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST(SeededValues, AreTheSameOnEveryMachine) {
  std::vector<float> values(4);
  graph::fill_seeded(values, {0.0F, 1.0F}, graph::blob_stream(0, "conv1", 0));
  // From the definition, computed apart in another language.
  EXPECT_THAT(values, testing::ElementsAre(0x1.433e7cp-3F, -0x1.5a3bfep-1F, 0x1.bf6916p-2F, -0x1.92608ep-2F));
}

TEST(SeededValues, HaveTheirCenterAndDeviationAndAnyPartIsThatOfTheWhole) {
  std::vector<float> values(100000);
  graph::fill_seeded(values, {2.0F, 3.0F}, 42);
  double sum = 0, squares = 0;
  for (const float value : values) {
    sum += value;
    squares += value * value;
  }
  const double mean = sum / 1e5;
  EXPECT_NEAR(mean, 2.0, 0.05);
  EXPECT_NEAR(std::sqrt(squares / 1e5 - mean * mean), 3.0, 0.05);
  std::vector<float> part(100);
  graph::fill_seeded(part, {2.0F, 3.0F}, 42, 5000);
  EXPECT_TRUE(std::equal(part.begin(), part.end(), values.begin() + 5000));
}

}  // namespace
}  // namespace octavo::zoo

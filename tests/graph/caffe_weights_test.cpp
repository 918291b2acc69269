// SPDX-License-Identifier: Apache-2.0
// Blobs in every form in which Caffe has written them, and how they find their layers.
#include "graph/import/caffe_weights.h"

#include <gmock/gmock.h>

#include "tests/graph/caffe_files.h"

namespace octavo::graph {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class CaffeWeightsTest : public testing::Test {
 protected:
  CaffeFiles files;
  const std::string text = after_input(
      "1 3", "layer { name: 'fc' type: 'InnerProduct' bottom: 'x' top: 'y' inner_product_param { num_output: 2 } }");

  Linear import(const caffe::NetParameter& weights) { return op_of<Linear>(files.import_both(text, weights), "fc"); }
  Error refused(const caffe::NetParameter& weights) {
    return error_of([&] { (void)files.import_both(text, weights); });
  }
};

void set_legacy(caffe::BlobProto& blob, int num, int channels, int height, int width) {
  blob.set_num(num);
  blob.set_channels(channels);
  blob.set_height(height);
  blob.set_width(width);
}

TEST_F(CaffeWeightsTest, OfTodaysFormat) {
  caffe::NetParameter net;
  auto& layer = add_layer(net, "fc");
  add_blob(layer, {2, 3}, {1, 2, 3, 4, 5, 6});
  add_blob(layer, {2}, {7, 8});
  const Linear op = import(net);
  EXPECT_THAT(op.weights->f32.values, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(op.bias->f32.values, ElementsAre(7, 8));
}

TEST_F(CaffeWeightsTest, OfV1LayersWithFourDimensionalShapes) {
  caffe::NetParameter net;
  auto& layer = *net.add_layers();
  layer.set_name("fc");
  auto& weights = *layer.add_blobs();
  set_legacy(weights, 1, 1, 2, 3);
  for (int i = 1; i <= 6; ++i) weights.add_data(static_cast<float>(i));
  auto& bias = *layer.add_blobs();
  set_legacy(bias, 1, 1, 1, 2);
  for (int i = 7; i <= 8; ++i) bias.add_data(static_cast<float>(i));
  const Linear op = import(net);
  EXPECT_THAT(op.weights->shape, ElementsAre(2, 3));
  EXPECT_THAT(op.weights->f32.values, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(op.bias->f32.values, ElementsAre(7, 8));
}

TEST_F(CaffeWeightsTest, OfV0Layers) {
  caffe::NetParameter net;
  auto& layer = *net.add_layers()->mutable_layer();
  layer.set_name("fc");
  auto& weights = *layer.add_blobs();
  set_legacy(weights, 1, 1, 2, 3);
  for (int i = 1; i <= 6; ++i) weights.add_data(static_cast<float>(i));
  auto& bias = *layer.add_blobs();
  set_legacy(bias, 1, 1, 1, 2);
  bias.add_data(7);
  bias.add_data(8);
  EXPECT_THAT(import(net).weights->f32.values, ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(CaffeWeightsTest, InDoubles) {
  caffe::NetParameter net;
  auto& layer = add_layer(net, "fc");
  add_blob(layer, {2, 3}, {});
  for (int i = 1; i <= 6; ++i) layer.mutable_blobs(0)->add_double_data(i + 0.5);
  add_blob(layer, {2}, {7, 8});
  EXPECT_THAT(import(net).weights->f32.values, ElementsAre(1.5, 2.5, 3.5, 4.5, 5.5, 6.5));
}

TEST_F(CaffeWeightsTest, NotPackedOrInSeveralPieces) {
  // shape { dim: 4 }, then the numbers 1 (alone), 2 and 3 (packed), 4 (alone), all in field 5.
  std::string message("\x3A\x02\x08\x04", 4);
  const auto number = [](float value) { return std::string(reinterpret_cast<const char*>(&value), 4); };
  message += "\x2D" + number(1) + "\x2A\x08" + number(2) + number(3) + "\x2D" + number(4);
  const CaffeBlob blob = decode_caffe_blob(std::as_bytes(std::span(message)), nullptr, "here");
  EXPECT_THAT(blob.shape, ElementsAre(4));
  EXPECT_THAT(blob.values.values, ElementsAre(1, 2, 3, 4));
}

TEST_F(CaffeWeightsTest, AlignedNumbersAreUsedWhereTheyLieAndOthersCopied) {
  caffe::BlobProto proto;
  proto.mutable_shape()->add_dim(3);
  for (int i = 1; i <= 3; ++i) proto.add_data(static_cast<float>(i));
  const std::string message = proto.SerializeAsString();
  const auto buffer = std::make_shared<std::vector<float>>(16);
  auto* const base = reinterpret_cast<std::byte*>(buffer->data());
  int in_place = 0;
  for (std::size_t offset = 0; offset < 4; ++offset) {
    std::memcpy(base + offset, message.data(), message.size());
    const CaffeBlob blob = decode_caffe_blob({base + offset, message.size()}, buffer, "here");
    EXPECT_THAT(blob.values.values, ElementsAre(1, 2, 3));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(blob.values.values.data()) % alignof(float), 0U);
    if (blob.values.owner == buffer) ++in_place;
  }
  EXPECT_EQ(in_place, 1);
}

TEST_F(CaffeWeightsTest, WrittenIntoThePrototxt) {
  const Graph graph = files.import_text(after_input("1 2",
                                                    "layer { name: 'fc' type: 'InnerProduct' bottom: 'x' top: 'y' "
                                                    "inner_product_param { num_output: 1 bias_term: false }"
                                                    " blobs { shape { dim: 1 dim: 2 } data: [0.5, -0.5] } }"));
  EXPECT_THAT(op_of<Linear>(graph, "fc").weights->f32.values, ElementsAre(0.5, -0.5));
}

TEST_F(CaffeWeightsTest, OfAnotherShapeAreRefused) {
  caffe::NetParameter net;
  auto& layer = add_layer(net, "fc");
  add_blob(layer, {3, 2}, {1, 2, 3, 4, 5, 6});
  add_blob(layer, {2}, {7, 8});
  const Error error = refused(net);
  EXPECT_EQ(error.kind(), ErrorKind::malformed);
  EXPECT_THAT(error.what(), HasSubstr("[2,3]"));
  EXPECT_THAT(error.what(), HasSubstr("[3,2]"));
  EXPECT_THAT(error.what(), HasSubstr("'fc'"));
}

TEST_F(CaffeWeightsTest, OfAnotherNumberAreRefused) {
  caffe::NetParameter net;
  add_blob(add_layer(net, "fc"), {2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(refused(net).what(), HasSubstr("needs 2 blobs"));
}

TEST_F(CaffeWeightsTest, ThatAreMissingAreAnErrorUnlessTheyNeedNotBeThere) {
  caffe::NetParameter net;
  add_blob(add_layer(net, "another"), {1}, {1});
  EXPECT_THAT(refused(net).what(), HasSubstr("belong together"));
  CaffeImportOptions options;
  options.require_weights = false;
  EXPECT_EQ(op_of<Linear>(files.import_both(text, net, options), "fc").weights->f32.values.size(), 6U);
}

TEST_F(CaffeWeightsTest, WithAShapeThatTheirNumbersDoNotFillAreRefused) {
  caffe::NetParameter net;
  add_blob(add_layer(net, "fc"), {2, 3}, {1, 2, 3, 4, 5});
  EXPECT_THAT(refused(net).what(), HasSubstr("needs 6 numbers and holds 5"));
}

TEST(CaffeBlobShape, IsTheSameUpToLeadingOnesAndForVectorsUpToAllOnes) {
  EXPECT_TRUE(same_blob_shape({1, 1, 4, 6}, {4, 6}));
  EXPECT_TRUE(same_blob_shape({1, 1, 1, 1}, {1}));
  EXPECT_TRUE(same_blob_shape({1, 5, 1, 1}, {5}));
  EXPECT_FALSE(same_blob_shape({4, 6, 1, 1}, {4, 6}));
  EXPECT_FALSE(same_blob_shape({8, 4, 1, 3}, {8, 4, 3, 1}));
  EXPECT_FALSE(same_blob_shape({6, 4}, {4, 6}));
  EXPECT_FALSE(same_blob_shape({6}, {2, 3}));
}

}  // namespace
}  // namespace octavo::graph

// SPDX-License-Identifier: Apache-2.0
// Broken and hostile files: an octavo::Error or a network, never anything else. Meant to run under sanitizers, too.
#include <gmock/gmock.h>

#include <functional>
#include <random>

#include "graph/import/caffe_model_file.h"
#include "tests/graph/caffe_files.h"

namespace octavo::graph {
namespace {

using testing::HasSubstr;

const char* const kText = R"(name: "small"
input: "data" input_shape { dim: 1 dim: 1 dim: 4 dim: 4 }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 2 kernel_size: 1 } }
layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "conv" batch_norm_param { eps: 1e-3 } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }  # in place
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool" pooling_param { pool: AVE kernel_size: 2 stride: 2 } }
layer { name: "fc" type: "InnerProduct" bottom: "pool" top: "fc" inner_product_param { num_output: 1 } }
)";

std::vector<float> numbers(std::size_t count) { return std::vector<float>(count, 0.25F); }

std::string model_bytes() {
  caffe::NetParameter net;
  net.set_name("small");
  auto& conv = add_layer(net, "conv");
  add_blob(conv, {2, 1, 1, 1}, numbers(2));
  add_blob(conv, {2}, numbers(2));
  auto& bn = add_layer(net, "bn");
  add_blob(bn, {2}, numbers(2));
  add_blob(bn, {2}, numbers(2));
  add_blob(bn, {1}, numbers(1));
  auto& fc = add_layer(net, "fc");
  add_blob(fc, {1, 8}, numbers(8));
  add_blob(fc, {1}, numbers(1));
  return net.SerializeAsString();
}

/// True if it loads, false if it is refused by an Error; anything else fails the test.
bool loads(const std::function<void()>& load) {
  try {
    load();
    return true;
  } catch (const Error& error) {
    EXPECT_TRUE(error.kind() == ErrorKind::malformed || error.kind() == ErrorKind::unsupported) << error.what();
    EXPECT_FALSE(error.where().empty() && std::string(error.what()).empty());
  } catch (const std::exception& other) {
    ADD_FAILURE() << "not an octavo::Error: " << other.what();
  }
  return false;
}

class CaffeHostile : public testing::Test {
 protected:
  bool loads_with(const std::string& text, const std::string& model) {
    const auto prototxt = files.write("net.prototxt", text);
    const auto caffemodel = files.write("net.caffemodel", model);
    return loads([&] { (void)import_caffe(prototxt, caffemodel); });
  }
  bool loads_text(const std::string& text) {
    return loads([&] { (void)files.import_text(text); });
  }
  bool loads_model(const std::string& model) {
    const auto file = files.write("net.caffemodel", model);
    return loads([&] {
      const CaffeModelFile opened(file);
      for (const char* layer : {"conv", "bn", "fc", ""}) {
        for (std::size_t i = 0; i < opened.blob_count(layer); ++i) (void)opened.blob(layer, i);
      }
      (void)opened.topology();
    });
  }
  CaffeFiles files;
};

TEST_F(CaffeHostile, TheFilesThemselvesLoad) {
  EXPECT_TRUE(loads_with(kText, model_bytes()));
  EXPECT_TRUE(loads_model(model_bytes()));
}

TEST_F(CaffeHostile, ACaffemodelCutAnywhereIsRefused) {
  const std::string whole = model_bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(loads_with(kText, whole.substr(0, size))) << size;
    const auto file = files.write("cut.caffemodel", whole.substr(0, size));
    EXPECT_FALSE(loads([&] { (void)import_caffe_binary(file); })) << size;
  }
}

TEST_F(CaffeHostile, APrototxtCutAnywhereLoadsOrIsRefused) {
  const std::string whole = kText;
  for (std::size_t size = 0; size < whole.size(); ++size) loads_with(whole.substr(0, size), model_bytes());
}

TEST_F(CaffeHostile, FlippedBitsLoadOrAreRefused) {
  std::mt19937_64 random(20260101);
  const std::string text = kText, model = model_bytes();
  int loaded = 0;
  for (int i = 0; i < 1000; ++i) {
    std::string bad_text = text, bad_model = model;
    std::string& bad = i % 2 == 0 ? bad_text : bad_model;
    for (int flips = 0; flips <= i % 3; ++flips) bad[random() % bad.size()] ^= static_cast<char>(1U << (random() % 8));
    loaded += loads_with(bad_text, bad_model) ? 1 : 0;
    if (i % 2 == 1) loads_model(bad_model);
  }
  EXPECT_GT(loaded, 0) << "a flipped bit of a weight harms nobody";
}

TEST_F(CaffeHostile, BytesOverwrittenByExtremesLoadOrAreRefused) {
  const std::string model = model_bytes();
  for (std::size_t at = 0; at < model.size(); ++at) {
    for (const char value : {'\x00', '\x7F', '\xFF'}) {
      std::string bad = model;
      bad[at] = value;
      loads_with(kText, bad);
    }
  }
}

TEST_F(CaffeHostile, SizesBeyondTheFileAreRefusedBeforeAnythingIsAllocated) {
  const auto blob_of = [](const Shape& shape) {
    caffe::NetParameter net;
    add_blob(add_layer(net, "conv"), shape, numbers(4));
    return net.SerializeAsString();
  };
  const std::int64_t huge = std::int64_t{1} << 40;
  for (const Shape& shape : {Shape{huge, huge}, Shape{huge}, Shape{-4}, Shape{-2, -2}, Shape{0}, Shape{5}, Shape{},
                             Shape(40, 1), Shape{std::numeric_limits<std::int64_t>::min(), 2}}) {
    EXPECT_FALSE(loads_model(blob_of(shape))) << testing::PrintToString(shape);
  }
  // Network, layer and blob whose lengths claim what is not there.
  for (const std::string length :
       {"\xFF\xFF\xFF\xFF\x0F", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F", "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"}) {
    EXPECT_FALSE(loads_model("\xA2\x06" + length));
    EXPECT_FALSE(loads_model("\xA2\x06\x0C\x3A" + length));
    EXPECT_FALSE(loads_model("\xA2\x06\x0E\x3A\x0C\x2A" + length));
  }
}

TEST_F(CaffeHostile, TooManyOfAnythingIsRefused) {
  std::string layers;
  for (int i = 0; i < 20000; ++i) layers += std::string("\xA2\x06\x00", 3);
  EXPECT_FALSE(loads_model(layers));
  caffe::NetParameter net;
  auto& layer = add_layer(net, "conv");
  for (int i = 0; i < 20; ++i) add_blob(layer, {1}, {1});
  EXPECT_FALSE(loads_model(net.SerializeAsString()));
  EXPECT_FALSE(loads_model(std::string("\xA2\x06", 2)));

  std::string text;
  for (int i = 0; i < 20000; ++i) text += "layer{}";
  EXPECT_FALSE(loads_text(text));
  text.clear();
  for (int i = 0; i < 300000; ++i) text += "state{}";
  EXPECT_FALSE(loads_text(text));
  EXPECT_FALSE(loads_text(std::string(std::size_t{17} << 20, ' ')));
  text = "layer { name: 's' type: 'Split' bottom: 'x'";
  for (int i = 0; i < 200000; ++i) text += " top: 't" + std::to_string(i) + "'";
  EXPECT_FALSE(loads_text(after_input("1", text + " }")));
  text.clear();  // thousands of one name, in place: every name has to be made unique, which must not take forever
  for (int i = 0; i < 4000; ++i) text += "layer { name: 'r' type: 'ReLU' bottom: 'x' top: 'x' }";
  EXPECT_TRUE(loads_text(after_input("1", text)));
}

TEST_F(CaffeHostile, DeepNestingIsRefused) {
  for (const char* open : {"layer {", "a {", "a <", "a: [{", "convolution_param { weight_filler {"}) {
    std::string text;
    for (int i = 0; i < 100000; ++i) text += open;
    EXPECT_FALSE(loads_text(text)) << open;
  }
  EXPECT_FALSE(loads_model(std::string(100000, '\x0B')));
  EXPECT_FALSE(loads_text("a: " + std::string(1000000, '[')));
}

TEST_F(CaffeHostile, ValuesOutOfRangeAreRefused) {
  const auto conv = [&](const std::string& fields) {
    return after_input(
        "1 2 6 6", "layer { name: 'c' type: 'Convolution' bottom: 'x' top: 'y' convolution_param { " + fields + " } }");
  };
  for (const std::string fields :
       {"num_output: 4294967295 kernel_size: 1", "num_output: 3 kernel_size: 4294967295",
        "num_output: 0 kernel_size: 1", "num_output: 3", "num_output: 3 kernel_size: 0",
        "num_output: 3 kernel_size: 1 stride: 0", "num_output: 3 kernel_size: 3 dilation: 4294967295",
        "num_output: 3 kernel_size: 7", "num_output: 3 kernel_size: 1 group: 0",
        "num_output: 3 kernel_size: 1 group: 2", "num_output: 1073741824 kernel_size: 4",
        "num_output: 3 kernel_size: 1 axis: 9", "num_output: 3 kernel_size: [1, 1, 1]",
        "num_output: 3 kernel_size: 1 kernel_h: 1 kernel_w: 1", "num_output: 3 kernel_size: 1 stride: 0 dilation: 0"}) {
    EXPECT_FALSE(loads_text(conv(fields))) << fields;
  }
  for (const std::string dims : {"0 2 6 6", "-1 2 6 6", "1099511627776 1099511627776", "9223372036854775807 2 6 6"}) {
    EXPECT_FALSE(loads_text(after_input(dims, "layer { name: 'r' type: 'ReLU' bottom: 'x' top: 'y' }"))) << dims;
  }
  const auto one = [&](const std::string& rest) {
    return loads_text(after_input("2 3 4 5", "layer { name: 'l' bottom: 'x' top: 'y' " + rest + " }"));
  };
  EXPECT_FALSE(one("type: 'Pooling' pooling_param { kernel_size: 0 }"));
  EXPECT_FALSE(one("type: 'Pooling' pooling_param { kernel_size: 2 stride: 0 }"));
  EXPECT_FALSE(one("type: 'Pooling' pooling_param { kernel_size: 4294967295 pad: 4294967294 }"));
  EXPECT_FALSE(one("type: 'Softmax' softmax_param { axis: 4 }"));
  EXPECT_FALSE(one("type: 'Softmax' softmax_param { axis: -2147483648 }"));
  EXPECT_FALSE(one("type: 'Flatten' flatten_param { axis: 3 end_axis: 1 }"));
  EXPECT_FALSE(one("type: 'Reshape' reshape_param { shape { dim: -1 dim: -1 } }"));
  EXPECT_FALSE(one("type: 'Reshape' reshape_param { shape { dim: 4611686018427387904 dim: 4 dim: -1 } }"));
  EXPECT_FALSE(one("type: 'Reshape' reshape_param { axis: -2147483648 shape { dim: 1 } }"));
  EXPECT_FALSE(one("type: 'Permute' permute_param { order: 0 order: 0 }"));
  EXPECT_FALSE(one("type: 'Permute' permute_param { order: 4294967295 }"));
  EXPECT_FALSE(
      one("type: 'Tile' tile_param { tiles: 2147483647 axis: 0 } } layer { name: 'm' type: 'Tile' bottom: 'y' top: 'z' "
          "tile_param { tiles: 2147483647 }"));
  EXPECT_FALSE(one("type: 'Tile' tile_param { tiles: -1 }"));
  EXPECT_FALSE(one("type: 'Slice' slice_param { slice_point: 9 }"));
  EXPECT_FALSE(one("type: 'ArgMax' argmax_param { top_k: 4294967295 }"));
  EXPECT_FALSE(one("type: 'Scale' scale_param { num_axes: 2147483647 }"));
  EXPECT_FALSE(one("type: 'Scale' scale_param { num_axes: -2 }"));
  EXPECT_FALSE(one("type: 'Embed' embed_param { num_output: 4294967295 input_dim: 4294967295 }"));
  EXPECT_FALSE(one("type: 'InnerProduct' inner_product_param { num_output: 4294967295 }"));
  EXPECT_FALSE(one("type: 'LRN' lrn_param { local_size: 0 }"));
  EXPECT_FALSE(one("type: 'BatchNorm' batch_norm_param { eps: -1 }"));
  EXPECT_FALSE(one("type: 'Eltwise'"));
  EXPECT_FALSE(one("type: 'Crop'"));
  EXPECT_FALSE(one("type: ''"));
}

TEST_F(CaffeHostile, TextThatIsNotAPrototxtIsRefused) {
  for (const std::string& text :
       {std::string("\x0A\x05small\0\x01", 9), std::string("<html><body>404</body></html>"),
        std::string("layer { name: \"unterminated }\n"), std::string("layer { name: 'a' # no end"),
        std::string("\xFF\xFE\x00l"), std::string("}"), std::string("name: \"\\"), std::string("#")}) {
    EXPECT_FALSE(loads_text(text)) << text;
  }
}

TEST_F(CaffeHostile, OtherKindsOfFilesAreNamed) {
  const auto told = [&](const std::string& content) {
    const auto file = files.write("net.caffemodel", content);
    return std::string(error_of([&] { CaffeModelFile opened(file); }).what());
  };
  EXPECT_THAT(told("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"), HasSubstr("git lfs pull"));
  EXPECT_THAT(told("\x89HDF\r\n\x1A\n"), HasSubstr("HDF5"));
  EXPECT_THAT(told(""), HasSubstr("empty"));
}

TEST_F(CaffeHostile, AMeanFileCutAnywhereIsRefused) {
  caffe::BlobProto mean;
  mean.set_num(1);
  mean.set_channels(3);
  mean.set_height(2);
  mean.set_width(2);
  for (int i = 0; i < 12; ++i) mean.add_data(1);
  const std::string whole = mean.SerializeAsString();
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const auto file = files.write("mean.binaryproto", whole.substr(0, size));
    EXPECT_EQ(loads([&] { (void)read_caffe_mean(file); }), size == whole.size()) << size;
  }
}

}  // namespace
}  // namespace octavo::graph

// SPDX-License-Identifier: Apache-2.0
// Broken and hostile BigDL files: each is an Error that says where, none is a crash or an allocation by a size that the
// file merely claims.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "graph/import/bigdl.h"
#include "graph/import/bigdl_module.h"
#include "graph/import/md5.h"
#include "octavo_bigdl.pb.h"
#include "tests/graph/caffe_files.h"

namespace octavo::graph {
namespace {

using testing::HasSubstr;

const std::filesystem::path kBigdlNetworks = std::filesystem::path(OCTAVO_SOURCE_DIR) / "tests/runtime/bigdl";

std::string saved_by_bigdl(const std::string& name) {
  std::ifstream file(kBigdlNetworks / (name + ".model"), std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// One that says what it takes.
bigdl::Module keras_network() {
  bigdl::Module module;
  module.ParseFromString(saved_by_bigdl("keras"));
  return module;
}

/// Linear(4 -> 2) with its numbers in the module.
bigdl::Module linear_module() {
  bigdl::Module module;
  module.set_type("com.intel.analytics.bigdl.nn.Linear");
  module.set_name("fc");
  for (const auto& [name, value] : {std::pair{"inputSize", 4}, {"outputSize", 2}}) {
    bigdl::Entry& entry = *module.add_attribute();
    entry.set_key(name);
    entry.mutable_value()->set_integer(value);
  }
  bigdl::Tensor& weight = *module.mutable_weight();
  weight.set_type(bigdl::FLOAT);
  for (const int size : {2, 4}) weight.add_size(size);
  for (const int stride : {4, 1}) weight.add_stride(stride);
  weight.set_offset(1);
  weight.set_dimensions(2);
  weight.mutable_storage()->set_type(bigdl::FLOAT);
  for (int i = 0; i < 8; ++i) weight.mutable_storage()->add_singles(0.5F);
  weight.mutable_storage()->set_id(7);
  return module;
}

TEST(BigdlHostile, TheSmallModuleItselfLoads) {
  const CaffeFiles files;
  const Graph graph = import_bigdl(files.write("net.bigdl", linear_module().SerializeAsString()));
  EXPECT_EQ(graph.values[graph.outputs[0]].shape, (Shape{1, 2}));
}

TEST(BigdlHostile, NumbersThatAreElsewhereAreAskedForOnce) {
  const CaffeFiles files;
  bigdl::Module module = linear_module();
  module.mutable_weight()->mutable_storage()->clear_singles();
  const std::string error =
      error_of([&] { (void)import_bigdl(files.write("net.bigdl", module.SerializeAsString())); }).what();
  EXPECT_THAT(error, HasSubstr("--weights"));
  EXPECT_EQ(error.find("--weights"), error.rfind("--weights")) << error;
}

TEST(BigdlHostile, AFileCutAnywhereIsAnError) {
  const CaffeFiles files;
  const std::string whole = saved_by_bigdl("keras");
  for (std::size_t size = 0; size + 1 < whole.size(); size += 97) {
    EXPECT_THROW((void)import_bigdl(files.write("cut.bigdl", whole.substr(0, size))), Error) << size;
  }
}

/// Whatever the bytes, an import either works or throws Error.
TEST(BigdlHostile, FlippedBytesAreAnErrorOrANetwork) {
  const CaffeFiles files;
  std::mt19937 random(7);
  int loaded = 0;
  for (const char* const name : {"keras", "branches", "pictures_quantized", "shapes"}) {
    const std::string whole = saved_by_bigdl(name);
    const std::map<std::string, std::map<std::string, Shape>> shapes{
        {"branches", {{"picture", {1, 3, 6, 5}}, {"row", {1, 5}}}},
        {"pictures_quantized", {{"input", {1, 4, 13, 11}}}},
        {"shapes", {{"input", {2, 8, 5}}}}};
    BigdlImportOptions options;
    if (shapes.contains(name)) options.input_shapes = shapes.at(name);
    for (int i = 0; i < 100; ++i) {
      std::string bytes = whole;
      for (int flips = 0; flips < 1 + i % 3; ++flips) bytes[random() % bytes.size()] = static_cast<char>(random());
      try {
        (void)import_bigdl(files.write("flipped.bigdl", bytes), options);
        ++loaded;
      } catch (const Error&) {
      }
    }
  }
  EXPECT_GT(loaded, 0);
}

struct HostileTensor {
  const char* what;
  void (*change)(bigdl::Tensor& weight);
};

TEST(BigdlHostile, TensorsThatReachTooFarAreErrors) {
  const CaffeFiles files;
  const HostileTensor cases[] = {
      {"past its storage", [](bigdl::Tensor& t) { t.set_offset(2); }},
      {"before its storage", [](bigdl::Tensor& t) { t.set_offset(0); }},
      {"a negative stride", [](bigdl::Tensor& t) { t.set_stride(0, -4); }},
      {"a stride past the end", [](bigdl::Tensor& t) { t.set_stride(0, 5); }},
      {"a size that multiplies to more than 63 bits",
       [](bigdl::Tensor& t) {
         t.clear_size();
         t.clear_stride();
         for (int i = 0; i < 4; ++i) t.add_size(2000000000);
         for (int i = 0; i < 4; ++i) t.add_stride(0);
         t.set_dimensions(4);
       }},
      {"numbers repeated beyond the budget",
       [](bigdl::Tensor& t) {
         t.set_size(0, 2000000000);
         t.set_stride(0, 0);
       }},
      {"nine dimensions",
       [](bigdl::Tensor& t) {
         for (int i = 0; i < 7; ++i) t.add_size(1), t.add_stride(1);
       }},
      {"sizes without strides", [](bigdl::Tensor& t) { t.clear_stride(); }},
      {"no storage", [](bigdl::Tensor& t) { t.clear_storage(); }},
      {"a storage of another kind", [](bigdl::Tensor& t) { t.mutable_storage()->clear_singles(); }},
      {"8-bit numbers", [](bigdl::Tensor& t) { t.set_kind(bigdl::QUANTIZED); }},
  };
  for (const HostileTensor& each : cases) {
    bigdl::Module module = linear_module();
    each.change(*module.mutable_weight());
    try {
      (void)import_bigdl(files.write("net.bigdl", module.SerializeAsString()));
      ADD_FAILURE() << each.what;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::malformed) << each.what << ": " << error.what();
      EXPECT_THAT(error.where(), HasSubstr("module 'fc' (Linear)")) << each.what;
    }
  }
}

TEST(BigdlHostile, NestingIsBounded) {
  const CaffeFiles files;
  bigdl::Module module = linear_module();
  for (int depth = 0; depth < 80; ++depth) {
    bigdl::Module outer;
    outer.set_type("com.intel.analytics.bigdl.nn.Sequential");
    *outer.add_part() = module;
    module = outer;
  }
  EXPECT_THROW((void)import_bigdl(files.write("net.bigdl", module.SerializeAsString())), Error);
}

TEST(BigdlHostile, GraphsOfLoopsAndOfMissingModulesAreErrors) {
  const CaffeFiles files;
  const auto graph_with = [&](const std::vector<std::string>& sources, const char* output) {
    bigdl::Module graph;
    graph.set_type("com.intel.analytics.bigdl.nn.StaticGraph");
    for (const auto& [name, text] : {std::pair{"inputNames", "fc"}, {"outputNames", output}}) {
      bigdl::Entry& entry = *graph.add_attribute();
      entry.set_key(name);
      entry.mutable_value()->mutable_array()->add_text(text);
    }
    *graph.add_part() = linear_module();
    bigdl::Module& relu = *graph.add_part();
    relu.set_type("com.intel.analytics.bigdl.nn.ReLU");
    relu.set_name("relu");
    for (const std::string& source : sources) relu.add_source(source);
    return files.write("graph.bigdl", graph.SerializeAsString());
  };
  EXPECT_NO_THROW((void)import_bigdl(graph_with({"fc"}, "relu")));
  EXPECT_THROW((void)import_bigdl(graph_with({"relu"}, "relu")), Error);
  EXPECT_THROW((void)import_bigdl(graph_with({}, "relu")), Error);
  EXPECT_THROW((void)import_bigdl(graph_with({"fc"}, "nowhere")), Error);
}

TEST(BigdlHostile, AnUnknownLayerIsNamed) {
  const CaffeFiles files;
  bigdl::Module module = linear_module();
  module.set_type("com.intel.analytics.bigdl.nn.VolumetricConvolution");
  try {
    (void)import_bigdl(files.write("net.bigdl", module.SerializeAsString()), {{}, {{"input", {1, 4}}}});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::unsupported);
    EXPECT_THAT(error.what(), HasSubstr("com.intel.analytics.bigdl.nn.VolumetricConvolution"));
    EXPECT_THAT(error.what(), HasSubstr("module 'fc'"));
  }
}

TEST(BigdlHostile, AnInputThatIsNotThereIsAnError) {
  const CaffeFiles files;
  const auto path = files.write("net.bigdl", linear_module().SerializeAsString());
  EXPECT_THROW((void)import_bigdl(path, {{}, {{"inptu", {1, 4}}}}), Error);
}

/// What it takes is asked of the layer before anything is made of it.
TEST(BigdlHostile, AFirstLayerWithoutItsSizesIsAnError) {
  const CaffeFiles files;
  bigdl::Module module = linear_module();
  module.clear_attribute();
  EXPECT_THROW((void)import_bigdl(files.write("net.bigdl", module.SerializeAsString())), Error);
}

TEST(BigdlHostile, WeightFilesAreChecked) {
  const CaffeFiles files;
  bigdl::Module module = linear_module();
  module.mutable_weight()->mutable_storage()->clear_singles();
  const auto path = files.write("net.bigdl", module.SerializeAsString());
  const auto word = [](std::uint32_t value) {
    return std::string{static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
                       static_cast<char>(value)};
  };
  std::string body = word(3721) + word(1) + word(7) + word(0) + word(8);
  for (int i = 0; i < 8; ++i) body += word(0x3f000000);  // 0.5
  const auto digest = md5(std::as_bytes(std::span(body)));
  const std::string whole = body + word(16) + std::string(reinterpret_cast<const char*>(digest.data()), digest.size());
  const auto import = [&](const std::string& bytes) { return import_bigdl(path, {files.write("net.bin", bytes), {}}); };
  EXPECT_NO_THROW((void)import(whole));
  EXPECT_THROW((void)import_bigdl(path), Error);
  for (std::size_t size = 0; size < whole.size(); size += 5) EXPECT_THROW((void)import(whole.substr(0, size)), Error);
  std::string damaged = whole;
  damaged[22] = 'x';
  EXPECT_THROW((void)import(damaged), Error);
  std::string claims = whole;
  claims.replace(16, 4, word(0x7fffffff));
  EXPECT_THROW((void)import(claims), Error);
}

TEST(Md5, IsThatOfRfc1321) {
  const auto hex = [](const std::string& text) {
    std::string digits;
    for (const std::byte byte : md5(std::as_bytes(std::span(text)))) {
      for (const int half : {std::to_integer<int>(byte) >> 4, std::to_integer<int>(byte) & 15}) {
        digits += "0123456789abcdef"[half];
      }
    }
    return digits;
  };
  EXPECT_EQ(hex(""), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(hex("abc"), "900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(hex("12345678901234567890123456789012345678901234567890123456789012345678901234567890"),
            "57edf4a22be3c955ac49da2e2107b67a");
}

TEST(Bigdl, IsToldByContent) {
  const auto told = [](const std::string& bytes) { return is_bigdl(std::as_bytes(std::span(bytes))); };
  EXPECT_TRUE(told(saved_by_bigdl("keras")));
  EXPECT_TRUE(told(keras_network().SerializeAsString()));
  EXPECT_FALSE(told(""));
  EXPECT_FALSE(told("\x0a\x04test"));
}

}  // namespace
}  // namespace octavo::graph

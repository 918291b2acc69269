// SPDX-License-Identifier: Apache-2.0
// Broken and hostile TensorFlow files: each is an Error that says where, none is a crash or an allocation by a size
// that the file merely claims.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "graph/import/snappy.h"
#include "graph/import/sorted_table.h"
#include "graph/import/tensorflow_file.h"
#include "tests/graph/tensorflow_files.h"

namespace octavo::graph {
namespace {

using testing::HasSubstr;

tensorflow::GraphDef small_graph() {
  TensorflowModel model;
  model.input("x", {1, 6, 6, 3});
  model.node("Conv2D", {"x", model.floats("w", {3, 3, 3, 4})}, "c", TensorflowModel::window("SAME"));
  model.node("BiasAdd", {"c", model.floats("b", {4})}, "n");
  model.node("Relu", {"n"}, "r");
  model.node("Shape", {"r"}, "s");
  const std::string one = model.integers("one", {1});
  model.node("StridedSlice", {"s", model.integers("zero", {0}), one, one}, "rows");
  model.node("ConcatV2", {"rows", model.integers("rest", {-1}), model.integer("axis", 0)}, "dims");
  model.node("Reshape", {"r", "dims"}, "f");
  model.node("MatMul", {"f", model.floats("v", {144, 2})}, "y");
  return model.finish();
}

/// What an import says; empty when it says nothing.
std::string complaint(const std::string& bytes, const TensorflowImportOptions& options = {}) {
  const TensorflowFiles files;
  try {
    (void)import_tensorflow(files.write("net.pb", bytes), options);
    return {};
  } catch (const Error& error) {
    EXPECT_THAT(error.where(), HasSubstr("net.pb"));
    return error.what();
  }
}

TEST(TensorflowHostile, TheSmallGraphItselfLoads) { EXPECT_EQ(complaint(small_graph().SerializeAsString()), ""); }

TEST(TensorflowHostile, AFileCutAnywhereIsAnErrorOrASmallerNetwork) {
  const std::string whole = small_graph().SerializeAsString();
  int broken = 0;
  for (std::size_t size = 0; size + 1 < whole.size(); size += 11) {
    const std::string text = complaint(whole.substr(0, size));
    broken += text.empty() ? 0 : 1;
  }
  EXPECT_GT(broken, 50);
  EXPECT_THAT(complaint(""), HasSubstr("the file is empty"));
}

/// Whatever the bytes, an import either works or throws Error. Most of the file is weights: bytes before them count.
TEST(TensorflowHostile, FlippedBytesAreAnErrorOrANetwork) {
  const TensorflowFiles files;
  const std::string whole = small_graph().SerializeAsString();
  std::mt19937 random(7);
  int loaded = 0;
  for (int i = 0; i < 500; ++i) {
    std::string bytes = whole;
    for (int flips = 0; flips < 1 + i % 3; ++flips) bytes[random() % bytes.size()] = static_cast<char>(random());
    try {
      (void)import_tensorflow(files.write("flipped.pb", bytes));
      ++loaded;
    } catch (const Error&) {
    }
  }
  EXPECT_GT(loaded, 0);
}

using Change = void (*)(tensorflow::GraphDef&);

tensorflow::AttrValue& attribute(tensorflow::GraphDef& graph, std::string_view node, const std::string& name) {
  for (auto& candidate : *graph.mutable_node()) {
    if (candidate.name() == node) return (*candidate.mutable_attr())[name];
  }
  throw std::invalid_argument("no such node");
}

tensorflow::NodeDef& node_of(tensorflow::GraphDef& graph, std::string_view name) {
  for (auto& candidate : *graph.mutable_node()) {
    if (candidate.name() == name) return candidate;
  }
  throw std::invalid_argument("no such node");
}

struct HostileCase {
  const char* what;
  Change change;
  const char* says;
};

class TensorflowHostileCases : public testing::TestWithParam<HostileCase> {};

TEST_P(TensorflowHostileCases, IsAnErrorThatSaysSo) {
  tensorflow::GraphDef graph = small_graph();
  GetParam().change(graph);
  EXPECT_THAT(complaint(graph.SerializeAsString()), HasSubstr(GetParam().says));
}

constexpr HostileCase kHostileCases[] = {
    {"ATensorThatClaimsMoreThanItHolds",
     [](tensorflow::GraphDef& g) {
       attribute(g, "w", "value").mutable_tensor()->mutable_tensor_shape()->mutable_dim(0)->set_size(1LL << 40);
     },
     "in 432 bytes"},
    {"AShapeThatOverflows",
     [](tensorflow::GraphDef& g) {
       auto& shape = *attribute(g, "w", "value").mutable_tensor()->mutable_tensor_shape();
       for (int i = 0; i < 4; ++i) shape.mutable_dim(i)->set_size(1LL << 31);
     },
     "too many elements"},
    {"ARepeatedNumberThatFillsMemory",
     [](tensorflow::GraphDef& g) {
       auto& tensor = *attribute(g, "w", "value").mutable_tensor();
       tensor.clear_tensor_content();
       tensor.add_float_val(1);
       tensor.mutable_tensor_shape()->mutable_dim(0)->set_size(1LL << 34);
     },
     "too many numbers"},
    {"ASizeBelowZero",
     [](tensorflow::GraphDef& g) {
       attribute(g, "w", "value").mutable_tensor()->mutable_tensor_shape()->mutable_dim(0)->set_size(-5);
     },
     "unknown size"},
    {"TooManyDimensions",
     [](tensorflow::GraphDef& g) {
       auto& shape = *attribute(g, "w", "value").mutable_tensor()->mutable_tensor_shape();
       for (int i = 0; i < 9; ++i) shape.add_dim()->set_size(1);
     },
     "more than 8 dimensions"},
    {"AnInputThatNobodyMakes", [](tensorflow::GraphDef& g) { node_of(g, "r").set_input(0, "nowhere"); },
     "'r' reads 'nowhere', which is not there"},
    {"AnOutputThatTheNodeDoesNotHave", [](tensorflow::GraphDef& g) { node_of(g, "r").set_input(0, "n:7"); },
     "output 7 of 'n'"},
    {"ACircle", [](tensorflow::GraphDef& g) { node_of(g, "n").set_input(0, "r"); }, "in a circle"},
    {"TwoNodesOfOneName", [](tensorflow::GraphDef& g) { node_of(g, "n").set_name("r"); }, "two nodes are called 'r'"},
    {"AnUnknownOperator", [](tensorflow::GraphDef& g) { node_of(g, "r").set_op("Sorcery"); },
     "node 'r' (Sorcery): octavo does not know the operator Sorcery"},
    {"AStrideOfZero", [](tensorflow::GraphDef& g) { attribute(g, "c", "strides").mutable_list()->set_i(1, 0); },
     "strides of 0"},
    {"AnAttributeOfAnotherKind",
     [](tensorflow::GraphDef& g) {
       attribute(g, "c", "padding").clear_s();
       attribute(g, "c", "padding").set_i(3);
     },
     "node 'c' (Conv2D): its padding is ''"},
    {"WeightsForOtherChannels",
     [](tensorflow::GraphDef& g) {
       auto& shape = *attribute(g, "w", "value").mutable_tensor()->mutable_tensor_shape();
       shape.mutable_dim(2)->set_size(4);
       shape.mutable_dim(3)->set_size(3);
     },
     "3 channels meet weights for 4"},
    {"AShapeThatCannotBe",
     [](tensorflow::GraphDef& g) {
       auto& tensor = *attribute(g, "rest", "value").mutable_tensor();
       tensor.set_tensor_content(std::string("\x07\0\0\0", 4));
     },
     "elements cannot become"},
    {"AnOpenShape",
     [](tensorflow::GraphDef& g) { attribute(g, "x", "shape").mutable_shape()->mutable_dim(1)->set_size(-1); },
     "--input-shape x=1x224x224x3"},
    {"NoNodes", [](tensorflow::GraphDef& g) { g.clear_node(); }, "there is no graph in it"},
};

INSTANTIATE_TEST_SUITE_P(All, TensorflowHostileCases, testing::ValuesIn(kHostileCases),
                         [](const auto& info) { return std::string(info.param.what); });

TEST(TensorflowHostile, FunctionsThatCallThemselvesOrTooManyAreErrors) {
  for (const int calls : {1, 2}) {
    TensorflowModel model;
    model.input("x", {1, 2});
    model.node("PartitionedCall", {"x"}, "y");
    tensorflow::GraphDef graph = model.finish();
    attribute(graph, "y", "f").mutable_func()->set_name("again");
    tensorflow::FunctionDef& body = *graph.mutable_library()->add_function();
    body.mutable_signature()->set_name("again");
    for (int i = 0; i < calls; ++i) {
      tensorflow::NodeDef& node = *body.add_node_def();
      node.set_name("call" + std::to_string(i));
      node.set_op("PartitionedCall");
      (*node.mutable_attr())["f"].mutable_func()->set_name("again");
    }
    EXPECT_THAT(complaint(graph.SerializeAsString()), HasSubstr("call each other too deeply"));
    body.mutable_node_def(0)->mutable_attr()->at("f").mutable_func()->set_name("missing");
    EXPECT_THAT(complaint(graph.SerializeAsString()), HasSubstr("calls 'missing', which is not there"));
  }
}

TEST(TensorflowHostile, AMergeOfNothingIsAnError) {
  const auto merge_of = [](const std::vector<std::string>& inputs) {
    TensorflowModel model;
    const std::string taken = model.floats("taken", {}, {1.0F});
    model.node("Switch", {model.input("x", {2}), taken}, "s");
    model.node("Merge", inputs, "m");
    model.node("Relu", {"m"}, "y");
    return complaint(model.finish().SerializeAsString());
  };
  EXPECT_EQ(merge_of({"s", "s:1"}), "");
  EXPECT_THAT(merge_of({"s", "s"}), HasSubstr("a branch that is not taken"));
  EXPECT_THAT(merge_of({}), HasSubstr("it has no inputs"));
}

/// With room for one, the longer value would decide how many numbers there are, and only one would count.
TEST(TensorflowHostile, RoomForOneBoxIsNotRepeated) {
  for (const std::int64_t most : {1, 5}) {
    TensorflowModel model;
    model.input("boxes", {6, 4});
    model.input("scores", {6});
    model.node("NonMaxSuppressionV2", {"boxes", "scores", model.integer("most", most), model.floats("overlap", {})},
               "kept");
    model.node("GatherV2", {"scores", "kept", model.integer("axis", 0)}, "found");
    model.node("Mul", {"found", model.floats("five", {5})}, "y");
    const std::string said = complaint(model.finish().SerializeAsString());
    EXPECT_EQ(said.find("values of different sizes") != std::string::npos, most == 1) << said;
  }
}

TEST(TensorflowHostile, TextAsInputSaysWhereElseToBegin) {
  TensorflowModel model;
  model.writer().node("Placeholder", "wav", {}).set("dtype", tensorflow::DT_STRING).set_shape("shape", {});
  model.node("Relu", {"wav"}, "y");
  EXPECT_THAT(complaint(model.finish().SerializeAsString()), HasSubstr("--tf-inputs"));
}

TEST(TensorflowHostile, TextIsBounded) {
  EXPECT_THAT(complaint("node { op: \"A\" } node { name: 3 }"), HasSubstr("line 1, column"));
  std::string deep = "node { op: \"A\" attr { key: \"f\" value { ";
  for (int i = 0; i < 100; ++i) deep += "func { attr { value { ";
  EXPECT_THAT(complaint(deep), HasSubstr("nested too deeply"));
}

TEST(SortedTable, EntriesAreReadAsTheyWereWritten) {
  const std::vector<std::pair<std::string, std::string>> entries{
      {"", "header"}, {"a", std::string(200, 'x')}, {"b", ""}};
  for (const bool snappy : {false, true}) {
    const std::string bytes = sorted_table(entries, snappy);
    const auto table = read_sorted_table(std::as_bytes(std::span(bytes)));
    ASSERT_EQ(table.size(), 3U);
    EXPECT_EQ(table.at("a").size(), 200U);
    EXPECT_TRUE(table.at("b").empty());
  }
}

TEST(SortedTable, BrokenTablesAreErrors) {
  const std::string whole = sorted_table({{"", "header"}, {"key", "value"}}, true);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::string cut = whole.substr(0, size);
    EXPECT_THROW((void)read_sorted_table(std::as_bytes(std::span(cut))), Error) << size;
  }
  std::mt19937 random(3);
  for (int i = 0; i < 3000; ++i) {
    std::string bytes = whole;
    bytes[random() % (bytes.size() - 8)] = static_cast<char>(random());
    try {
      (void)read_sorted_table(std::as_bytes(std::span(bytes)));
    } catch (const Error&) {
    }
  }
}

TEST(SortedTable, ABlockCountsAsOftenAsItIsNamed) {
  const auto read = [](int times) {
    const std::string bytes = sorted_table({}, false, times, 1U << 18U);  // a megabyte
    return read_sorted_table(std::as_bytes(std::span(bytes)));
  };
  EXPECT_TRUE(read(3).empty());
  EXPECT_THAT(error_of([&] { (void)read(300); }).what(), HasSubstr("too large"));
}

std::string uncompressed(const std::string& data) {
  const auto bytes = snappy_uncompressed(std::as_bytes(std::span(data)));
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(Snappy, LiteralsAndCopiesOfAllThreeKinds) {
  EXPECT_EQ(uncompressed(std::string("\x00", 1)), "");
  EXPECT_EQ(uncompressed("\x03\x08"
                         "abc"),
            "abc");
  // A copy may reach into what it is making: 8 more of "ab".
  EXPECT_EQ(uncompressed(std::string("\x0a\x04"
                                     "ab"
                                     "\x11\x02",
                                     6)),
            "ababababab");
  EXPECT_EQ(uncompressed(std::string("\x06\x08"
                                     "abc"
                                     "\x0a\x03\x00",
                                     8)),
            "abcabc");
  EXPECT_EQ(uncompressed(std::string("\x06\x08"
                                     "abc"
                                     "\x0b\x03\x00\x00\x00",
                                     10)),
            "abcabc");
}

TEST(Snappy, WhatDoesNotFitIsAnError) {
  for (const std::string& data : {std::string(), std::string("\xff\xff\xff\xff\x7f", 5),
                                  std::string("\x04\x08"
                                              "abc",
                                              5),
                                  std::string("\x02\x08"
                                              "abc",
                                              5),
                                  std::string("\x06\x08"
                                              "abc"
                                              "\x0a\x04\x00",
                                              8),
                                  std::string("\x06\x08"
                                              "abc"
                                              "\x0a\x00\x00",
                                              8),
                                  std::string("\x03\x08"
                                              "ab",
                                              4)}) {
    EXPECT_THROW((void)uncompressed(data), Error);
  }
}

TEST(TensorflowFormat, AFolderThatIsNoSavedModelIsAnErrorThatSaysWhatIsMissing) {
  const TensorflowFiles files;
  const auto folder = files.write("notes.txt", "").parent_path();
  const auto said = [&] { return std::string(error_of([&] { (void)import_tensorflow(folder); }).what()); };
  EXPECT_THAT(said(), testing::AllOf(HasSubstr(folder.string()), HasSubstr("a folder without saved_model.pb"),
                                     HasSubstr("give a model file, or the folder that saved_model.pb")));
  files.write("saved_model.pbtxt", "");
  EXPECT_THAT(said(), HasSubstr("saved_model.pbtxt is the form in text"));
  std::filesystem::create_directories(folder / "1");
  files.write("1/saved_model.pb", "");
  EXPECT_THAT(said(), HasSubstr("there is one in '" + (folder / "1").string() + "'"));
}

TEST(TensorflowFormat, OperatorsOfQuantizedGraphsPointToTheFloatGraph) {
  TensorflowModel model;
  model.input("x", {1, 2});
  model.node("QuantizedInstanceNorm", {"x"}, "y");
  EXPECT_THAT(complaint(model.finish().SerializeAsString()),
              testing::AllOf(HasSubstr("QuantizedInstanceNorm"), HasSubstr("convert the float graph")));
}

TEST(TensorflowFormat, IsToldByItsBeginning) {
  const std::string graph = small_graph().SerializeAsString();
  const auto bytes = [](const std::string& text) { return std::as_bytes(std::span(text)); };
  EXPECT_TRUE(is_tensorflow(bytes(graph)));
  EXPECT_TRUE(is_tensorflow(bytes(graph.substr(0, graph.size() / 2))));
  const std::string caffe =
      "\x0a\x04name\x1a\x04"
      "data";
  EXPECT_FALSE(is_tensorflow(bytes(caffe)));
  EXPECT_FALSE(is_tensorflow({}));
  EXPECT_TRUE(is_tensorflow_text("node {\n  name: \"x\"\n  op: \"Placeholder\"\n}"));
  EXPECT_FALSE(is_tensorflow_text("layer { name: \"conv\" type: \"Convolution\" }"));
}

}  // namespace
}  // namespace octavo::graph

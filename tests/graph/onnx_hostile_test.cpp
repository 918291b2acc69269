// SPDX-License-Identifier: Apache-2.0
// Broken and hostile ONNX files: each is an Error that says where, none is a crash or an allocation by a size that the
// file merely claims.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "graph/import/onnx_model_file.h"
#include "tests/graph/onnx_files.h"

namespace octavo::graph {
namespace {

using testing::HasSubstr;

onnx::ModelProto small_model() {
  OnnxModel model;
  model.input("x", {1, 3, 6, 6});
  model.node("Conv", {"x", model.floats("w", {4, 3, 3, 3}), model.floats("b", {4})}, "c");
  model.node("Relu", {"c"}, "r");
  model.node("Shape", {"r"}, "s");
  model.node("Slice", {"s", model.integers("begin", {0}), model.integers("end", {1})}, "n");
  model.node("Concat", {"n", model.integers("rest", {-1})}, "dims", [](auto n) { n.set("axis", std::int64_t{0}); });
  model.node("Reshape", {"r", "dims"}, "f");
  model.node("Gemm", {"f", model.floats("v", {64, 2})}, "y");
  return model.finish("y");
}

TEST(OnnxHostile, TheSmallModelItselfLoads) { EXPECT_NO_THROW((void)OnnxFiles().import(small_model())); }

TEST(OnnxHostile, AFileCutAnywhereIsAnError) {
  const OnnxFiles files;
  const std::string whole = small_model().SerializeAsString();
  for (std::size_t size = 0; size + 1 < whole.size(); size += 3) {
    const auto path = files.write("cut.onnx", whole.substr(0, size));
    EXPECT_THROW((void)import_onnx(path), Error) << size;
  }
}

/// Whatever the bytes, an import either works or throws Error. Most of the file is weights: bytes before them count.
TEST(OnnxHostile, FlippedBytesAreAnErrorOrANetwork) {
  const OnnxFiles files;
  const std::string whole = small_model().SerializeAsString();
  std::mt19937 random(7);
  int loaded = 0;
  for (int i = 0; i < 1500; ++i) {
    std::string bytes = whole;
    for (int flips = 0; flips < 1 + i % 3; ++flips) bytes[random() % bytes.size()] = static_cast<char>(random());
    try {
      (void)import_onnx(files.write("flipped.onnx", bytes));
      ++loaded;
    } catch (const Error&) {
    }
  }
  EXPECT_GT(loaded, 0);
}

struct Case {
  const char* what;
  ErrorKind kind;
  const char* says;
  void (*change)(onnx::ModelProto& model);
};

TEST(OnnxHostile, WhatIsWrongIsSaid) {
  const Case cases[] = {
      {"no graph", ErrorKind::malformed, "no graph", [](auto& m) { m.clear_graph(); }},
      {"opset 6", ErrorKind::unsupported, "operator set 6", [](auto& m) { m.mutable_opset_import(0)->set_version(6); }},
      {"a far opset", ErrorKind::unsupported, "operator set 99",
       [](auto& m) { m.mutable_opset_import(0)->set_version(99); }},
      {"an unknown operator", ErrorKind::unsupported, "Blur",
       [](auto& m) { m.mutable_graph()->mutable_node(1)->set_op_type("Blur"); }},
      {"a foreign operator", ErrorKind::unsupported, "acme.Relu",
       [](auto& m) { m.mutable_graph()->mutable_node(1)->set_domain("acme"); }},
      {"a value that nothing makes", ErrorKind::malformed, "'nothing' is not made",
       [](auto& m) { m.mutable_graph()->mutable_node(1)->set_input(0, "nothing"); }},
      {"a value made twice", ErrorKind::malformed, "made twice",
       [](auto& m) { m.mutable_graph()->mutable_node(1)->set_output(0, "c"); }},
      {"no input", ErrorKind::malformed, "no input 0",
       [](auto& m) { m.mutable_graph()->mutable_node(1)->clear_input(); }},
      {"a negative size", ErrorKind::malformed, "negative",
       [](auto& m) { m.mutable_graph()->mutable_initializer(0)->set_dims(0, -4); }},
      {"a size that the numbers do not have", ErrorKind::malformed, "bytes",
       [](auto& m) { m.mutable_graph()->mutable_initializer(0)->set_dims(0, std::int64_t{1} << 40); }},
      {"sizes whose product overflows", ErrorKind::malformed, "",
       [](auto& m) {
         for (int d = 0; d < 4; ++d) m.mutable_graph()->mutable_initializer(0)->set_dims(d, std::int64_t{1} << 40);
       }},
      {"strings", ErrorKind::unsupported, "strings",
       [](auto& m) { m.mutable_graph()->mutable_initializer(0)->set_data_type(8); }},
      {"an unknown type", ErrorKind::unsupported, "element type 77",
       [](auto& m) { m.mutable_graph()->mutable_initializer(0)->set_data_type(77); }},
      {"a kernel of another rank", ErrorKind::malformed, "108",
       [](auto& m) {
         auto& w = *m.mutable_graph()->mutable_initializer(0);
         w.clear_dims();
         w.add_dims(108);
       }},
      {"no output", ErrorKind::malformed, "no output", [](auto& m) { m.mutable_graph()->clear_output(); }},
  };
  for (const Case& each : cases) {
    onnx::ModelProto model = small_model();
    each.change(model);
    const Error error = error_of([&] { (void)OnnxFiles().import(model); });
    EXPECT_EQ(error.kind(), each.kind) << each.what << ": " << error.what();
    EXPECT_THAT(error.what(), HasSubstr(each.says)) << each.what;
    EXPECT_THAT(error.where(), HasSubstr("net.onnx")) << each.what;
  }
}

/// A few bytes must not make gigabytes.
TEST(OnnxHostile, FoldedConstantsAreBounded) {
  OnnxModel model;
  model.input("x", {1});
  model.node("ConstantOfShape", {model.integers("dims", {1 << 20, 1 << 20})}, "c");
  model.node("Add", {"x", "c"}, "y");
  const onnx::ModelProto proto = model.finish("y");
  EXPECT_THAT(error_of([&] { (void)OnnxFiles().import(proto); }).what(), HasSubstr("computed at import"));
  OnnxModel growing;  // each Concat doubles
  growing.input("x", {1});
  std::string last = growing.floats("c0", {1024});
  for (int i = 1; i < 40; ++i) {
    last =
        growing.node("Concat", {last, last}, "c" + std::to_string(i), [](auto n) { n.set("axis", std::int64_t{0}); });
  }
  growing.node("Add", {"x", last}, "y");
  const onnx::ModelProto chain = growing.finish("y");
  EXPECT_THAT(error_of([&] { (void)OnnxFiles().import(chain); }).what(), HasSubstr("computed at import"));
}

/// A loop that never ends, and graphs that hold themselves many times over.
TEST(OnnxHostile, LoopsAreBounded) {
  OnnxModel body;
  for (const char* name : {"i", "on", "value"}) body.input(name, {});
  body.node("Add", {"value", "value"}, "next");
  body.writer().output("on", {});
  OnnxModel model;
  model.input("x", {1});
  model.node("Loop", {model.integers("passes", {std::int64_t{1} << 60}), "", model.floats("c", {1})}, "sum");
  model.node("Add", {"x", "sum"}, "y");
  onnx::ModelProto proto = model.finish("y");
  auto& own = *proto.mutable_graph()->mutable_node(0)->add_attribute();
  own.set_name("body");
  *own.mutable_g() = body.finish("next").graph();
  EXPECT_THAT(error_of([&] { (void)OnnxFiles().import(proto); }).what(), HasSubstr("65"));
}

TEST(OnnxHostile, ARankThatBoxesHaveAndWhatIsPutBesideThemHasNot) {
  OnnxModel model;
  model.input("boxes", {1, 6, 4});
  model.input("scores", {1, 2, 6});
  model.node("NonMaxSuppression", {"boxes", "scores", model.integers("most", {4})}, "kept");
  model.node("Gather", {"kept", model.integers("two", {2})}, "column", [](auto n) { n.set("axis", std::int64_t{1}); });
  model.node("Squeeze", {"column", model.integers("last", {1})}, "which");
  model.node("Gather", {"boxes", "which"}, "left", [](auto n) { n.set("axis", std::int64_t{1}); });
  model.node("Concat", {"left", model.floats("flat", {4})}, "y", [](auto n) { n.set("axis", std::int64_t{0}); });
  const Error error = error_of([&] { (void)OnnxFiles().import(model.finish("y")); });
  EXPECT_THAT(error.what(), HasSubstr("[4] has no axis 1"));
  EXPECT_THAT(error.what(), HasSubstr("'y'"));
}

TEST(OnnxHostile, RoomForOneBoxIsNotRepeated) {
  for (const std::int64_t most : {1, 5}) {
    OnnxModel model;
    model.input("boxes", {1, 6, 4});
    model.input("scores", {1, 1, 6});
    model.node("NonMaxSuppression", {"boxes", "scores", model.integers("most", {most})}, "kept");
    model.node("Cast", {"kept"}, "rows", [](auto n) { n.set("to", std::int64_t{1}); });
    model.node("Mul", {"rows", model.floats("five", {5, 1})}, "y");
    const auto load = [&] { (void)OnnxFiles().import(model.finish("y")); };
    if (most == 1) {
      EXPECT_THAT(error_of(load).what(), HasSubstr("values of different sizes"));
    } else {
      EXPECT_NO_THROW(load());
    }
  }
}

TEST(OnnxHostile, OtherFilesAreNotTakenForOnnx) {
  const auto as_bytes = [](const std::string& text) { return std::as_bytes(std::span(text)); };
  EXPECT_TRUE(is_onnx(as_bytes(small_model().SerializeAsString())));
  EXPECT_FALSE(is_onnx(as_bytes("")));
  EXPECT_FALSE(is_onnx(as_bytes("layer { name: \"x\" }")));
  caffe::NetParameter net;
  net.set_name("net");
  net.add_layer()->set_name("x");
  EXPECT_FALSE(is_onnx(as_bytes(net.SerializeAsString())));
}

}  // namespace
}  // namespace octavo::graph

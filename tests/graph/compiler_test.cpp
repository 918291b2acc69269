// SPDX-License-Identifier: Apache-2.0
// The stages: what each one prints, what goes through them unharmed, and that any sound graph does.
#include "graph/compiler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "graph/passes/passes.h"
#include "tests/graph/evaluator.h"
#include "tests/graph/net.h"

namespace octavo::graph::test {
namespace {

using testing::HasSubstr;

TEST(Stages, HaveNames) {
  for (const Stage stage : {Stage::imported, Stage::canonical, Stage::quantized, Stage::inserted, Stage::fused}) {
    EXPECT_EQ(parse_stage(stage_name(stage)), stage);
  }
  EXPECT_THAT(error_of([] { return parse_stage("fuzed"); }), HasSubstr("the stages are imported"));
}

/// A residual block as a network has it before any pass.
Graph block() {
  Net net;
  const ValueId x = net.input("data", {1, 3, 8, 8});
  Convolution conv1 = convolution(3, 64, 3, 1);
  conv1.pad_begin = conv1.pad_end = {1, 1};
  ValueId a = net.add("conv1", conv1, {x});
  a = net.add("bn1", BatchNorm{.mean = random_blob({64}, 2), .variance = random_blob({64}, 3, 0.5F, 2)}, {a});
  a = net.add("scale1", Scale{.factor = random_blob({64}, 4), .offset = random_blob({64}, 5)}, {a});
  a = net.add("relu1", relu(), {a});
  const auto copies = net.add_many("split", Identity{}, {a}, 2);
  ValueId b = net.add("conv2", convolution(64, 64, 1, 6), {copies[0]});
  b = net.add("sum", Eltwise{}, {b, copies[1]});
  b = net.add("relu2", relu(), {b});
  b = net.add("fc", linear(4096, 10, 7), {net.add("drop", Identity{}, {b})});
  Graph graph = net.done({net.add("prob", Softmax{}, {b})});
  graph.name = "block";
  return graph;
}

TEST(Stages, PrintWhatTheyDo) {
  const std::string imported = print(compile_to(block(), Stage::imported));
  EXPECT_THAT(imported, HasSubstr("%bn1:[1,64,8,8] = BatchNorm(%conv1) {mean=f32[64] variance=f32[64]}  # bn1\n"));

  const Graph canonical = compile_to(block(), Stage::canonical);
  EXPECT_EQ(print(canonical),
            "graph block\n"
            "%data:[1,3,8,8] = Input() {shape=[1,3,8,8]}  # data\n"
            "%relu1:[1,64,8,8] = Convolution(%data) {out_channels=64 kernel=[3,3] pad_begin=[1,1] pad_end=[1,1] "
            "weights=f32[64,3,3,3] bias=f32[64] activation=relu}  # conv1\n"
            "%drop:[1,64,8,8] = Convolution(%relu1, %relu1) {out_channels=64 weights=f32[64,64,1,1] "
            "add_residual=true activation=relu}  # conv2\n"
            "%fc:[1,10] = Linear(%drop) {out_features=10 weights=f32[10,4096]}  # fc\n"
            "%prob:[1,10] = Softmax(%fc)  # prob\n"
            "return %prob\n");

  const Graph quantized = quantize_weights(canonical, {.keep_float = {"fc"}});
  EXPECT_EQ(print(compile_to(quantized, Stage::inserted)),
            "graph block\n"
            "%data:[1,3,8,8] = Input() {shape=[1,3,8,8]}  # data\n"
            "%conv1/integers:[1,3,8,8] = Quantize(%data)  # conv1/quantize\n"
            "%conv1/sums:[1,64,8,8] = IntegerConvolution(%conv1/integers) {out_channels=64 kernel=[3,3] "
            "pad_begin=[1,1] pad_end=[1,1] weights=s8[64,3,3,3]/3}  # conv1\n"
            "%relu1:[1,64,8,8] = Dequantize(%conv1/sums) {weights=s8[64,3,3,3]/3 bias=f32[64] activation=relu}  "
            "# conv1/dequantize\n"
            "%conv2/integers:[1,64,8,8] = Quantize(%relu1) {nonnegative=true}  # conv2/quantize\n"
            "%conv2/sums:[1,64,8,8] = IntegerConvolution(%conv2/integers) {out_channels=64 "
            "weights=s8[64,64,1,1]/64}  # conv2\n"
            "%drop:[1,64,8,8] = Dequantize(%conv2/sums, %relu1) {weights=s8[64,64,1,1]/64 add_residual=true "
            "activation=relu}  # conv2/dequantize\n"
            "%fc:[1,10] = Linear(%drop) {out_features=10 weights=f32[10,4096]}  # fc\n"
            "%prob:[1,10] = Softmax(%fc)  # prob\n"
            "return %prob\n");

  EXPECT_EQ(print(compile_to(quantized, Stage::fused)),
            "graph block\n"
            "%data:[1,3,8,8] = Input() {shape=[1,3,8,8]}  # data\n"
            "%relu1:[1,64,8,8] = FusedConvolution(%data) {out_channels=64 kernel=[3,3] pad_begin=[1,1] pad_end=[1,1] "
            "weights=s8[64,3,3,3]/3 bias=f32[64] activation=relu}  # conv1\n"
            "%drop:[1,64,8,8] = FusedConvolution(%relu1, %relu1) {out_channels=64 weights=s8[64,64,1,1]/64 "
            "add_residual=true activation=relu nonnegative=true}  # conv2\n"
            "%fc:[1,10] = Linear(%drop) {out_features=10 weights=f32[10,4096]}  # fc\n"
            "%prob:[1,10] = Softmax(%fc)  # prob\n"
            "return %prob\n");
}

TEST(CompileTo, NeverQuantizes) {
  EXPECT_EQ(print(compile_to(block(), Stage::fused)), print(compile_to(block(), Stage::canonical)));
}

TEST(CompileTo, GoesOnFromAnyStage) {
  const Graph quantized = quantize_weights(canonicalize(block()), {});
  const std::string fused = print(compile_to(quantized, Stage::fused));
  EXPECT_EQ(print(compile_to(compile_to(quantized, Stage::quantized), Stage::fused)), fused);
  EXPECT_EQ(print(compile_to(compile_to(quantized, Stage::inserted), Stage::fused)), fused);
  EXPECT_EQ(print(compile_to(compile_to(quantized, Stage::fused), Stage::fused)), fused);
}

TEST(CompileTo, DoesNotGoBack) {
  const Graph quantized = quantize_weights(canonicalize(block()), {});
  EXPECT_THAT(error_of([&] { return compile_to(quantized, Stage::canonical); }),
              HasSubstr("the network is already quantized: its canonical stage is gone"));
}

TEST(CompileTo, InfersShapesForOtherInputs) {
  const Graph graph = compile_to(block(), Stage::canonical, {{"data", {16, 3, 8, 8}}});
  EXPECT_EQ(graph.values[graph.outputs[0]].shape, (Shape{16, 10}));
}

TEST(Canonicalize, OfItsOwnResultChangesNothing) {
  const Graph once = canonicalize(block());
  EXPECT_EQ(print(canonicalize(once)), print(once));
}

TEST(InsertQuantization, FindsNamesThatAreFree) {
  Net net;
  const ValueId x = net.input("conv/quantize", {1, 64, 2, 2});
  const ValueId y = net.add("conv", convolution(64, 64, 1), {x});
  const Graph graph = insert_quantization(quantize_weights(net.done({y}), {}));
  verify(graph);
  EXPECT_EQ(graph.nodes[1].name, "conv/quantize_");
}

TEST(FuseQuantization, LeavesASharedQuantizeForWhoNeedsIt) {
  // Two layers behind one Quantize, one of them without its Dequantize being foldable: its sums are read twice.
  Net net;
  const ValueId x = net.input("data", {1, 64, 2, 2});
  const Graph quantized = quantize_weights(net.done({net.add("a", convolution(64, 64, 1), {x})}), {});
  Convolution conv = op_at<Convolution>(quantized, "a");
  const ValueId q = net.add("q", Quantize{.window = conv.window}, {x});
  const ValueId s = net.add("s", IntegerConvolution{conv}, {q});
  const ValueId t = net.add("t", IntegerConvolution{conv}, {q});
  const ValueId d = net.add("d", Dequantize{.weights = conv.weights}, {s});
  const ValueId e = net.add("e", Dequantize{.weights = conv.weights}, {t});
  const ValueId f = net.add("f", Dequantize{.weights = conv.weights}, {t});
  const Graph graph = fuse_quantization(net.done({d, e, f}));
  verify(graph);
  EXPECT_EQ(ops_of(graph), "Input Quantize IntegerConvolution FusedConvolution Dequantize Dequantize");
  EXPECT_NE(graph.find_node("s"), nullptr);
}

/// A random sound network of what the passes look at.
Graph random_graph(std::uint32_t seed) {
  std::mt19937 random(seed);
  Net net;
  std::vector<ValueId> values{net.input("data", {2, 4, 3, 3})};
  const auto any = [&] { return values[random() % 2 == 0 ? values.size() - 1 : random() % values.size()]; };
  for (int i = 0; i < 14; ++i) {
    const std::string name = "n" + std::to_string(i);
    switch (random() % 10) {
      case 0:
      case 1: {
        Convolution conv = convolution(4, 4, 3, static_cast<std::uint32_t>(random()));
        conv.pad_begin = conv.pad_end = {1, 1};
        if (random() % 2 == 0) conv.bias = random_blob({4}, static_cast<std::uint32_t>(random()));
        values.push_back(net.add(name, conv, {any()}));
        break;
      }
      case 2: {
        Convolution conv = convolution(1, 4, 1, static_cast<std::uint32_t>(random()));
        conv.groups = 4;
        values.push_back(net.add(name, conv, {any()}));
        break;
      }
      case 3:
        values.push_back(net.add(
            name, BatchNorm{.mean = random_blob({4}, i + 1U), .variance = random_blob({4}, i + 2U, 0.5F, 2)}, {any()}));
        break;
      case 4:
        values.push_back(
            net.add(name, Scale{.factor = random_blob({4}, i + 3U), .offset = random_blob({4}, i + 4U)}, {any()}));
        break;
      case 5:
        values.push_back(net.add(name, relu(random() % 2 == 0 ? 0.0F : 0.1F), {any()}));
        break;
      case 6:
        values.push_back(net.add(name, PRelu{.slopes = random_blob({4}, i + 5U)}, {any()}));
        break;
      case 7:
        for (const ValueId copy : net.add_many(name, Identity{}, {any()}, 1 + random() % 2)) values.push_back(copy);
        break;
      default:
        values.push_back(net.add(name, Eltwise{}, {any(), any()}));
        break;
    }
  }
  std::vector<ValueId> outputs{values.back()};
  if (random() % 2 == 0) outputs.push_back(values[random() % values.size()]);
  if (outputs.size() == 2 && outputs[0] == outputs[1]) outputs.pop_back();
  return net.done(outputs);
}

TEST(Canonicalize, PropertyRandomGraphsKeepTheirNumbersAndTheirOutputsNames) {
  std::size_t absorbed = 0;
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    const Graph before = random_graph(seed);
    const Graph after = canonicalize(before);
    verify(after);
    EXPECT_EQ(output_names(after), output_names(before));
    const auto inputs = random_inputs(before, seed);
    ASSERT_LT(largest_difference(evaluate(before, inputs), evaluate(after, inputs)), 1e-5)
        << print(before) << print(after);
    Graph alive = before;
    alive.remove_dead();
    absorbed += alive.nodes.size() - after.nodes.size();
  }
  EXPECT_GT(absorbed, 400U);
}

TEST(Canonicalize, PropertyEachPassLeavesASoundGraph) {
  for (std::uint32_t seed = 0; seed < 300; ++seed) {
    Graph graph = random_graph(seed);
    infer_shapes(graph);
    const auto names = output_names(graph);
    for (const auto pass :
         {fuse_activation, fold_scale, merge_scales, fuse_residual, drop_identity, batch_norm_to_scale, fold_scale}) {
      pass(graph);  // in an order that the compiler does not use: each stands for itself
      ASSERT_EQ(error_of([&] { verify(graph); }), "") << print(graph);
      ASSERT_EQ(output_names(graph), names);
    }
  }
}

TEST(CompileTo, PropertyRandomGraphsReachFusionWithEveryQuantizedLayerFused) {
  for (std::uint32_t seed = 0; seed < 100; ++seed) {
    const Graph quantized = quantize_weights(canonicalize(random_graph(seed)), {});
    const Graph fused = compile_to(quantized, Stage::fused);
    ASSERT_EQ(fused.nodes.size(), quantized.nodes.size());
    for (const Node& node : quantized.nodes) {
      const auto* conv = std::get_if<Convolution>(&node.op);
      if (conv == nullptr) continue;
      const auto& same = op_at<FusedConvolution>(fused, node.name).conv;
      EXPECT_EQ(same.weights, conv->weights);
      EXPECT_EQ(same.bias, conv->bias);
      EXPECT_EQ(same.add_residual, conv->add_residual);
      EXPECT_EQ(same.activation.kind, conv->activation.kind);
      EXPECT_EQ(same.window, conv->window);
    }
    EXPECT_EQ(output_names(fused), output_names(quantized));
  }
}

}  // namespace
}  // namespace octavo::graph::test

// SPDX-License-Identifier: Apache-2.0
// Networks whose layers fork and join: GoogLeNet, ResNet, SqueezeNet.
#include <fmt/core.h>

#include "tools/zoo/networks.h"

namespace octavo::zoo {
namespace {

using Name = CaffeSketch::Name;

/// Output channels of the six convolutions of an inception module.
struct Inception {
  const char* name;
  std::uint32_t one, three_reduce, three, five_reduce, five, pool_proj;
};

Name add_inception(CaffeSketch& net, const Name& bottom, const Inception& shape) {
  const Name prefix = fmt::format("inception_{}/", shape.name);
  const auto add = [&](const Name& part, const Name& from, const ConvolutionShape& conv) {
    return net.relu(prefix + "relu_" + part, net.convolution(prefix + part, from, conv));
  };
  const Name one = add("1x1", bottom, {.outputs = shape.one});
  const Name three_reduced = add("3x3_reduce", bottom, {.outputs = shape.three_reduce});
  const Name three = add("3x3", three_reduced, {.outputs = shape.three, .kernel = 3, .pad = 1});
  const Name five_reduced = add("5x5_reduce", bottom, {.outputs = shape.five_reduce});
  const Name five = add("5x5", five_reduced, {.outputs = shape.five, .kernel = 5, .pad = 2});
  const Name pooled = net.pool(prefix + "pool", bottom, {.kernel = 3, .stride = 1, .pad = 1});
  const Name projected = add("pool_proj", pooled, {.outputs = shape.pool_proj});
  return net.concat(prefix + "output", {one, three, five, projected});
}

/// Convolution without bias, BatchNorm, Scale; all three named after the same part.
Name add_normalized(CaffeSketch& net, const Name& part, const Name& bottom, ConvolutionShape shape) {
  shape.bias = false;
  const Name x = net.convolution("res" + part, bottom, shape);
  net.batch_norm("bn" + part, x);
  return net.scale("scale" + part, x);
}

/// A bottleneck: 1x1 to a quarter of the channels (with the stride), 3x3, 1x1; the first of a stage projects its input.
Name add_bottleneck(CaffeSketch& net, const Name& id, const Name& bottom, std::uint32_t outputs, bool first) {
  const std::uint32_t stride = first && outputs > 256 ? 2 : 1;
  Name shortcut = bottom;
  if (first) shortcut = add_normalized(net, id + "_branch1", bottom, {.outputs = outputs, .stride = stride});
  Name x = add_normalized(net, id + "_branch2a", bottom, {.outputs = outputs / 4, .stride = stride});
  x = net.relu("res" + id + "_branch2a_relu", x);
  x = add_normalized(net, id + "_branch2b", x, {.outputs = outputs / 4, .kernel = 3, .pad = 1});
  x = net.relu("res" + id + "_branch2b_relu", x);
  x = add_normalized(net, id + "_branch2c", x, {.outputs = outputs});
  return net.relu("res" + id + "_relu", net.sum("res" + id, shortcut, x));
}

Name add_fire(CaffeSketch& net, int id, const Name& bottom, std::uint32_t squeeze, std::uint32_t expand) {
  const Name prefix = fmt::format("fire{}/", id);
  const auto add = [&](const Name& part, const Name& relu, const Name& from, const ConvolutionShape& shape) {
    return net.relu(prefix + relu, net.convolution(prefix + part, from, shape));
  };
  const Name squeezed = add("squeeze1x1", "relu_squeeze1x1", bottom, {.outputs = squeeze});
  const Name one = add("expand1x1", "relu_expand1x1", squeezed, {.outputs = expand});
  const Name three = add("expand3x3", "relu_expand3x3", squeezed, {.outputs = expand, .kernel = 3, .pad = 1});
  return net.concat(prefix + "concat", {one, three});
}

/// The two versions differ in the first convolution, in where they pool (after conv1 and the fires of `pooled`) and in
/// the padding of the last convolution, which the first version has although it is 1x1.
CaffeSketch squeezenet(const char* version, const ConvolutionShape& first, std::array<int, 2> pooled,
                       std::uint32_t last_pad) {
  CaffeSketch net(fmt::format("SqueezeNet_v{}", version), 3, 227);
  Name x = net.relu("relu_conv1", net.convolution("conv1", "data", first));
  x = net.pool("pool1", x, {});
  constexpr std::array<std::uint32_t, 8> kSqueeze{16, 16, 32, 32, 48, 48, 64, 64};
  for (int fire = 2; fire <= 9; ++fire) {
    const std::uint32_t squeeze = kSqueeze.at(static_cast<std::size_t>(fire - 2));
    x = add_fire(net, fire, x, squeeze, 4 * squeeze);
    if (fire == pooled[0] || fire == pooled[1]) x = net.pool(fmt::format("pool{}", fire), x, {});
  }
  x = net.dropout("drop9", x, 0.5F);
  x = net.relu("relu_conv10", net.convolution("conv10", x, {.outputs = 1000, .pad = last_pad}));
  net.softmax("prob", net.global_average("pool10", x));
  return net;
}

}  // namespace

// Szegedy et al. 2014, without the auxiliary classifiers.
CaffeSketch googlenet() {
  CaffeSketch net("GoogleNet", 3, 224);
  Name x = net.convolution("conv1/7x7_s2", "data", {.outputs = 64, .kernel = 7, .stride = 2, .pad = 3});
  x = net.pool("pool1/3x3_s2", net.relu("conv1/relu_7x7", x), {});
  x = net.lrn("pool1/norm1", x, 5, 1e-4F, 0.75F);
  x = net.relu("conv2/relu_3x3_reduce", net.convolution("conv2/3x3_reduce", x, {.outputs = 64}));
  x = net.relu("conv2/relu_3x3", net.convolution("conv2/3x3", x, {.outputs = 192, .kernel = 3, .pad = 1}));
  x = net.pool("pool2/3x3_s2", net.lrn("conv2/norm2", x, 5, 1e-4F, 0.75F), {});
  x = add_inception(net, x, {"3a", 64, 96, 128, 16, 32, 32});
  x = add_inception(net, x, {"3b", 128, 128, 192, 32, 96, 64});
  x = net.pool("pool3/3x3_s2", x, {});
  x = add_inception(net, x, {"4a", 192, 96, 208, 16, 48, 64});
  x = add_inception(net, x, {"4b", 160, 112, 224, 24, 64, 64});
  x = add_inception(net, x, {"4c", 128, 128, 256, 24, 64, 64});
  x = add_inception(net, x, {"4d", 112, 144, 288, 32, 64, 64});
  x = add_inception(net, x, {"4e", 256, 160, 320, 32, 128, 128});
  x = net.pool("pool4/3x3_s2", x, {});
  x = add_inception(net, x, {"5a", 256, 160, 320, 32, 128, 128});
  x = add_inception(net, x, {"5b", 384, 192, 384, 48, 128, 128});
  x = net.pool("pool5/7x7_s1", x, {.average = true, .kernel = 7, .stride = 1});
  x = net.dropout("pool5/drop_7x7_s1", x, 0.4F);
  net.softmax("prob", net.inner_product("loss3/classifier", x, 1000));
  return net;
}

// He et al. 2015: stages of bottlenecks. The release of ResNet-50 has a bias in its first convolution and names blocks
// a, b, c, ...; the deeper ones name those of their longer stages a, b1, b2, ...
CaffeSketch resnet(int depth) {
  CaffeSketch net(fmt::format("ResNet-{}", depth), 3, 224);
  Name x = net.convolution("conv1", "data", {.outputs = 64, .kernel = 7, .stride = 2, .pad = 3, .bias = depth == 50});
  net.batch_norm("bn_conv1", x);
  net.scale("scale_conv1", x);
  x = net.pool("pool1", net.relu("conv1_relu", x), {});
  const std::array<int, 4> blocks{3, depth == 152 ? 8 : 4, depth == 152 ? 36 : depth == 101 ? 23 : 6, 3};
  std::uint32_t outputs = 256;
  for (std::size_t stage = 0; stage < blocks.size(); ++stage, outputs *= 2) {
    const bool numbered = depth != 50 && blocks.at(stage) > 3;
    for (int block = 0; block < blocks.at(stage); ++block) {
      const Name letter = numbered && block > 0 ? fmt::format("b{}", block) : Name(1, static_cast<char>('a' + block));
      x = add_bottleneck(net, fmt::format("{}{}", stage + 2, letter), x, outputs, block == 0);
    }
  }
  x = net.pool("pool5", x, {.average = true, .kernel = 7, .stride = 1});
  net.softmax("prob", net.inner_product("fc1000", x, 1000));
  return net;
}

// Iandola et al. 2016.
CaffeSketch squeezenet_1_0() { return squeezenet("1.0", {.outputs = 96, .kernel = 7, .stride = 2}, {4, 8}, 1); }
// Their version of 2.4 times less computation.
CaffeSketch squeezenet_1_1() { return squeezenet("1.1", {.outputs = 64, .kernel = 3, .stride = 2}, {3, 5}, 0); }

}  // namespace octavo::zoo

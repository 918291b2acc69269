// SPDX-License-Identifier: Apache-2.0
// Deep networks of many small blocks: Inception v3, DenseNet-161, MobileNet v2.
#include <fmt/core.h>

#include <array>
#include <vector>

#include "tools/zoo/networks.h"

namespace octavo::zoo {
namespace {

using Name = CaffeSketch::Name;

/// Convolution, BatchNorm, Scale, ReLU: all of Inception v3's convolutions.
Name add_unit(CaffeSketch& net, const Name& layer, const Name& bottom, ConvolutionShape shape) {
  shape.bias = false;
  const Name x = net.convolution(layer, bottom, shape);
  net.scale(layer + "_scale", net.batch_norm(layer + "_bn", x));
  return net.relu(layer + "_relu", x);
}

/// Convolutions in a row within a block; the layers are named "block_branch", "block_branch_2", ...
Name add_branch(CaffeSketch& net, const Name& name, Name x, const std::vector<ConvolutionShape>& shapes) {
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    x = add_unit(net, i == 0 ? name : fmt::format("{}_{}", name, i + 1), x, shapes[i]);
  }
  return x;
}

Name average_and_project(CaffeSketch& net, const Name& block, const Name& x, std::uint32_t outputs) {
  const Name pooled = net.pool(block + "_pool", x, {.average = true, .kernel = 3, .stride = 1, .pad = 1});
  return add_unit(net, block + "_pool_proj", pooled, {.outputs = outputs});
}

Name inception_a(CaffeSketch& net, const Name& block, const Name& x, std::uint32_t pooled) {
  const ConvolutionShape three{.outputs = 96, .kernel = 3, .pad = 1};
  return net.concat(block,
                    {add_branch(net, block + "_1x1", x, {{.outputs = 64}}),
                     add_branch(net, block + "_5x5", x, {{.outputs = 48}, {.outputs = 64, .kernel = 5, .pad = 2}}),
                     add_branch(net, block + "_3x3", x, {{.outputs = 64}, three, three}),
                     average_and_project(net, block, x, pooled)});
}

Name reduction_a(CaffeSketch& net, const Name& block, const Name& x) {
  const ConvolutionShape last{.outputs = 96, .kernel = 3, .stride = 2};
  return net.concat(block, {add_branch(net, block + "_3x3", x, {{.outputs = 384, .kernel = 3, .stride = 2}}),
                            add_branch(net, block + "_3x3_double", x,
                                       {{.outputs = 64}, {.outputs = 96, .kernel = 3, .pad = 1}, last}),
                            net.pool(block + "_pool", x, {})});
}

Name inception_b(CaffeSketch& net, const Name& block, const Name& x, std::uint32_t inner) {
  const auto row = [](std::uint32_t outputs) {
    return ConvolutionShape{.outputs = outputs, .kernel = 1, .kernel_w = 7};
  };
  const auto column = [](std::uint32_t outputs) {
    return ConvolutionShape{.outputs = outputs, .kernel = 7, .kernel_w = 1};
  };
  return net.concat(block, {add_branch(net, block + "_1x1", x, {{.outputs = 192}}),
                            add_branch(net, block + "_7x7", x, {{.outputs = inner}, row(inner), column(192)}),
                            add_branch(net, block + "_7x7_double", x,
                                       {{.outputs = inner}, column(inner), row(inner), column(inner), row(192)}),
                            average_and_project(net, block, x, 192)});
}

Name reduction_b(CaffeSketch& net, const Name& block, const Name& x) {
  const ConvolutionShape row{.outputs = 192, .kernel = 1, .kernel_w = 7},
      column{.outputs = 192, .kernel = 7, .kernel_w = 1};
  const auto last = [](std::uint32_t outputs) {
    return ConvolutionShape{.outputs = outputs, .kernel = 3, .stride = 2};
  };
  return net.concat(block, {add_branch(net, block + "_3x3", x, {{.outputs = 192}, last(320)}),
                            add_branch(net, block + "_7x7", x, {{.outputs = 192}, row, column, last(192)}),
                            net.pool(block + "_pool", x, {})});
}

Name inception_c(CaffeSketch& net, const Name& block, const Name& x) {
  const ConvolutionShape row{.outputs = 384, .kernel = 1, .kernel_w = 3},
      column{.outputs = 384, .kernel = 3, .kernel_w = 1};
  const Name three = add_branch(net, block + "_3x3", x, {{.outputs = 384}});
  const Name twice =
      add_branch(net, block + "_3x3_double", x, {{.outputs = 448}, {.outputs = 384, .kernel = 3, .pad = 1}});
  return net.concat(block,
                    {add_branch(net, block + "_1x1", x, {{.outputs = 320}}), add_unit(net, block + "_1x3", three, row),
                     add_unit(net, block + "_3x1", three, column), add_unit(net, block + "_double_1x3", twice, row),
                     add_unit(net, block + "_double_3x1", twice, column), average_and_project(net, block, x, 192)});
}

/// BatchNorm, Scale, ReLU, then the convolution: DenseNet's order.
Name add_preactivated(CaffeSketch& net, const Name& layer, const Name& bottom, ConvolutionShape shape) {
  shape.bias = false;
  const Name x = net.scale(layer + "/scale", net.batch_norm_apart(layer + "/bn", bottom));
  return net.convolution(layer, net.relu(layer + "/relu", x), shape);
}

}  // namespace

// Szegedy et al. 2015, without the auxiliary classifier.
CaffeSketch inception_v3() {
  CaffeSketch net("Inception_v3", 3, 299);
  Name x = add_branch(net, "conv1", "data",
                      {{.outputs = 32, .kernel = 3, .stride = 2},
                       {.outputs = 32, .kernel = 3},
                       {.outputs = 64, .kernel = 3, .pad = 1}});
  x = net.pool("pool1", x, {});
  x = net.pool("pool2", add_branch(net, "conv2", x, {{.outputs = 80}, {.outputs = 192, .kernel = 3}}), {});
  x = inception_a(net, "inception_a1", x, 32);
  x = inception_a(net, "inception_a2", x, 64);
  x = inception_a(net, "inception_a3", x, 64);
  x = reduction_a(net, "reduction_a", x);
  x = inception_b(net, "inception_b1", x, 128);
  x = inception_b(net, "inception_b2", x, 160);
  x = inception_b(net, "inception_b3", x, 160);
  x = inception_b(net, "inception_b4", x, 192);
  x = reduction_b(net, "reduction_b", x);
  x = inception_c(net, "inception_c1", x);
  x = inception_c(net, "inception_c2", x);
  net.softmax("prob", net.inner_product("classifier", net.global_average("pool3", x), 1000));
  return net;
}

// Huang et al. 2016: growth of 48 channels a layer, 96 at first.
CaffeSketch densenet161() {
  constexpr std::uint32_t kGrowth = 48;
  CaffeSketch net("DenseNet-161", 3, 224);
  Name x = net.convolution("conv1", "data", {.outputs = 96, .kernel = 7, .stride = 2, .pad = 3, .bias = false});
  net.scale("conv1/scale", net.batch_norm("conv1/bn", x));
  x = net.pool("pool1", net.relu("relu1", x), {});
  std::uint32_t channels = 96;
  constexpr std::array<int, 4> kLayers{6, 12, 36, 24};
  for (std::size_t block = 0; block < kLayers.size(); ++block) {
    const Name prefix = fmt::format("conv{}", block + 2);
    for (int layer = 1; layer <= kLayers.at(block); ++layer) {
      const Name name = fmt::format("{}_{}", prefix, layer);
      const Name narrow = add_preactivated(net, name + "/x1", x, {.outputs = 4 * kGrowth});
      const Name grown = add_preactivated(net, name + "/x2", narrow, {.outputs = kGrowth, .kernel = 3, .pad = 1});
      x = net.concat(fmt::format("concat_{}_{}", block + 2, layer), {x, grown});
      channels += kGrowth;
    }
    if (block + 1 == kLayers.size()) break;
    channels /= 2;
    x = add_preactivated(net, prefix + "_blk", x, {.outputs = channels});
    x = net.pool(fmt::format("pool{}", block + 2), x, {.average = true, .kernel = 2});
  }
  x = net.relu("relu5_blk", net.scale("conv5_blk/scale", net.batch_norm_apart("conv5_blk/bn", x)));
  net.softmax("prob", net.convolution("fc6", net.global_average("pool5", x), {.outputs = 1000}));
  return net;
}

// Sandler et al. 2018, width 1.0: blocks that widen six times, filter each channel, and narrow without a ReLU.
CaffeSketch mobilenet_v2() {
  CaffeSketch net("MOBILENET_V2", 3, 224);
  const auto normalized = [&](const Name& layer, const Name& bottom, ConvolutionShape shape) {
    shape.bias = false;
    return net.scale(layer + "/scale", net.batch_norm(layer + "/bn", net.convolution(layer, bottom, shape)));
  };
  const auto activated = [&](const Name& layer, const Name& bottom, const ConvolutionShape& shape) {
    return net.relu6("relu" + layer.substr(4), normalized(layer, bottom, shape));
  };
  Name x = activated("conv1", "data", {.outputs = 32, .kernel = 3, .stride = 2, .pad = 1});
  std::uint32_t channels = 32;
  struct Stage {
    std::uint32_t widening, outputs;
    int blocks;
    std::uint32_t stride;
  };
  int stage_number = 2;
  for (const Stage& stage : {Stage{1, 16, 1, 1}, Stage{6, 24, 2, 2}, Stage{6, 32, 3, 2}, Stage{6, 64, 4, 2},
                             Stage{6, 96, 3, 1}, Stage{6, 160, 3, 2}, Stage{6, 320, 1, 1}}) {
    for (int block = 1; block <= stage.blocks; ++block) {
      const Name name = fmt::format("conv{}_{}", stage_number, block);
      const std::uint32_t wide = channels * stage.widening, stride = block == 1 ? stage.stride : 1;
      Name y = x;
      if (stage.widening > 1) y = activated(name + "/expand", y, {.outputs = wide});
      y = activated(name + "/dwise", y, {.outputs = wide, .kernel = 3, .stride = stride, .pad = 1, .groups = wide});
      y = normalized(name + "/linear", y, {.outputs = stage.outputs});
      const bool same = stride == 1 && channels == stage.outputs;
      x = same ? net.sum("block_" + name.substr(4), x, y) : y;
      channels = stage.outputs;
    }
    ++stage_number;
  }
  x = net.global_average("pool10", activated("conv9", x, {.outputs = 1280}));
  net.softmax("prob", net.convolution("fc11", x, {.outputs = 1000}));
  return net;
}

}  // namespace octavo::zoo

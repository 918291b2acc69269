// SPDX-License-Identifier: Apache-2.0
// Networks that are one chain of layers: LeNet, AlexNet, VGG, MobileNet.
#include <fmt/core.h>

#include "tools/zoo/networks.h"

namespace octavo::zoo {
namespace {

using Name = CaffeSketch::Name;

/// fc6 and fc7 of 4096 with dropout, fc8 of 1000: AlexNet's classifier, and VGG's.
void add_classifier(CaffeSketch& net, Name x) {
  for (const int i : {6, 7}) {
    x = net.inner_product(fmt::format("fc{}", i), x, 4096);
    x = net.relu(fmt::format("relu{}", i), x);
    x = net.dropout(fmt::format("drop{}", i), x, 0.5F);
  }
  net.softmax("prob", net.inner_product("fc8", x, 1000));
}

}  // namespace

// LeCun et al. 1998, as Caffe's MNIST example has it.
CaffeSketch lenet() {
  CaffeSketch net("LeNet", 1, 28);
  Name x = net.convolution("conv1", "data", {.outputs = 20, .kernel = 5});
  x = net.pool("pool1", x, {.kernel = 2});
  x = net.convolution("conv2", x, {.outputs = 50, .kernel = 5});
  x = net.pool("pool2", x, {.kernel = 2});
  x = net.relu("relu1", net.inner_product("ip1", x, 500));
  net.softmax("prob", net.inner_product("ip2", x, 10));
  return net;
}

// Krizhevsky et al. 2012, in Caffe's order (normalization before pooling).
CaffeSketch alexnet() {
  CaffeSketch net("AlexNet", 3, 227);
  Name x = net.relu("relu1", net.convolution("conv1", "data", {.outputs = 96, .kernel = 11, .stride = 4}));
  x = net.pool("pool1", net.lrn("norm1", x, 5, 1e-4F, 0.75F), {});
  x = net.relu("relu2", net.convolution("conv2", x, {.outputs = 256, .kernel = 5, .pad = 2, .groups = 2}));
  x = net.pool("pool2", net.lrn("norm2", x, 5, 1e-4F, 0.75F), {});
  x = net.relu("relu3", net.convolution("conv3", x, {.outputs = 384, .kernel = 3, .pad = 1}));
  x = net.relu("relu4", net.convolution("conv4", x, {.outputs = 384, .kernel = 3, .pad = 1, .groups = 2}));
  x = net.relu("relu5", net.convolution("conv5", x, {.outputs = 256, .kernel = 3, .pad = 1, .groups = 2}));
  add_classifier(net, net.pool("pool5", x, {}));
  return net;
}

// Simonyan and Zisserman 2014, configurations D (16) and E (19): the last three blocks have one convolution more in E.
CaffeSketch vgg(int depth) {
  CaffeSketch net(fmt::format("VGG_ILSVRC_{}_layers", depth), 3, 224);
  Name x = "data";
  std::uint32_t channels = 64;
  for (int block = 1; block <= 5; ++block) {
    const int convolutions = block < 3 ? 2 : depth == 16 ? 3 : 4;
    for (int i = 1; i <= convolutions; ++i) {
      x = net.convolution(fmt::format("conv{}_{}", block, i), x, {.outputs = channels, .kernel = 3, .pad = 1});
      x = net.relu(fmt::format("relu{}_{}", block, i), x);
    }
    x = net.pool(fmt::format("pool{}", block), x, {.kernel = 2});
    if (channels < 512) channels *= 2;
  }
  add_classifier(net, x);
  return net;
}

// Howard et al. 2017, width 1.0 at 224: 3x3 depthwise and 1x1 convolutions in turn, each with BatchNorm, Scale, ReLU.
CaffeSketch mobilenet_v1() {
  CaffeSketch net("MOBILENET", 3, 224);
  const auto add = [&](const Name& layer, const Name& bottom, const ConvolutionShape& shape) {
    Name x = net.convolution(layer, bottom, shape);
    x = net.batch_norm(layer + "/bn", x);
    x = net.scale(layer + "/scale", x);
    return net.relu("relu" + layer.substr(4), x);
  };
  Name x = add("conv1", "data", {.outputs = 32, .kernel = 3, .stride = 2, .pad = 1, .bias = false});
  std::uint32_t channels = 32;
  struct Block {
    const char* name;
    std::uint32_t outputs, stride;
  };
  for (const Block& block :
       {Block{"conv2_1", 64, 1}, Block{"conv2_2", 128, 2}, Block{"conv3_1", 128, 1}, Block{"conv3_2", 256, 2},
        Block{"conv4_1", 256, 1}, Block{"conv4_2", 512, 2}, Block{"conv5_1", 512, 1}, Block{"conv5_2", 512, 1},
        Block{"conv5_3", 512, 1}, Block{"conv5_4", 512, 1}, Block{"conv5_5", 512, 1}, Block{"conv5_6", 1024, 2},
        Block{"conv6", 1024, 1}}) {
    const Name name = block.name;
    x = add(name + "/dw", x,
            {.outputs = channels, .kernel = 3, .stride = block.stride, .pad = 1, .groups = channels, .bias = false});
    x = add(name + "/sep", x, {.outputs = block.outputs, .bias = false});
    channels = block.outputs;
  }
  x = net.global_average("pool6", x);
  net.softmax("prob", net.convolution("fc7", x, {.outputs = 1000}));
  return net;
}

}  // namespace octavo::zoo

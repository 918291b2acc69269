// SPDX-License-Identifier: Apache-2.0
// Single-shot detectors (Liu et al. 2016): a classifier's convolutions, smaller maps behind them, and on each map
// convolutions that move and classify its priors.
#include <fmt/core.h>

#include <vector>

#include "tools/zoo/networks.h"

namespace octavo::zoo {
namespace {

using Name = CaffeSketch::Name;

/// A map, and the priors at each of its cells.
struct Source {
  Name map;
  PriorShape priors;
};

/// The heads on all maps, and what makes boxes of them. `kernel`: 3, or 1 for small networks.
void add_heads(CaffeSketch& net, const std::vector<Source>& sources, std::uint32_t classes, std::uint32_t kernel) {
  std::vector<Name> locations, confidences, priors;
  for (const Source& source : sources) {
    const Name& map = source.map;
    const PriorShape& shape = source.priors;
    const auto at_cell = static_cast<std::uint32_t>(1 + (shape.most > 0 ? 1 : 0) + 2 * shape.ratios.size());
    const auto head = [&](const char* part, std::uint32_t numbers) {
      const Name layer = map + "_mbox_" + part;
      net.convolution(layer, map, {.outputs = at_cell * numbers, .kernel = kernel, .pad = kernel / 2});
      return net.flatten_pixels(layer);
    };
    locations.push_back(head("loc", 4));
    confidences.push_back(head("conf", classes));
    priors.push_back(net.prior_box(map + "_mbox_priorbox", map, shape));
  }
  const Name location = net.concat_rows("mbox_loc", locations, 1);
  const Name confidence = net.concat_rows("mbox_conf", confidences, 1);
  const Name prior = net.concat_rows("mbox_priorbox", priors, 2);
  net.detection_output("detection_out", {location, net.class_probabilities(confidence, classes), prior}, classes);
}

/// VGG-16's convolutions; its fully connected layers as a dilated and a 1x1 one.
Name add_vgg_base(CaffeSketch& net) {
  Name x = "data";
  std::uint32_t channels = 64;
  for (int block = 1; block <= 5; ++block) {
    for (int i = 1; i <= (block < 3 ? 2 : 3); ++i) {
      x = net.convolution(fmt::format("conv{}_{}", block, i), x, {.outputs = channels, .kernel = 3, .pad = 1});
      x = net.relu(fmt::format("relu{}_{}", block, i), x);
    }
    const bool last = block == 5;
    x = net.pool(fmt::format("pool{}", block), x,
                 last ? PoolShape{.kernel = 3, .stride = 1, .pad = 1} : PoolShape{.kernel = 2});
    if (channels < 512) channels *= 2;
  }
  x = net.relu("relu6", net.convolution("fc6", x, {.outputs = 1024, .kernel = 3, .pad = 6, .dilation = 6}));
  return net.relu("relu7", net.convolution("fc7", x, {.outputs = 1024}));
}

/// "conv6_1", 1x1 to half the channels, and "conv6_2" to a smaller map.
Name add_smaller(CaffeSketch& net, int index, const Name& bottom, const ConvolutionShape& shape) {
  const auto add = [&](int part, const Name& from, const ConvolutionShape& conv) {
    const Name name = fmt::format("conv{}_{}", index, part);
    return net.relu(name + "_relu", net.convolution(name, from, conv));
  };
  return add(2, add(1, bottom, {.outputs = shape.outputs / 2}), shape);
}

}  // namespace

CaffeSketch ssd_vgg16(int size, std::uint32_t classes) {
  const bool large = size == 512, coco = classes == 81;
  CaffeSketch net(fmt::format("VGG_{}_SSD_{}x{}", coco ? "COCO" : "VOC0712", size, size), 3, size);
  const ConvolutionShape halved{.outputs = 256, .kernel = 3, .stride = 2, .pad = 1}, valid{.outputs = 256, .kernel = 3};
  std::vector<Name> maps{"conv4_3_norm", add_vgg_base(net)};
  maps.push_back(add_smaller(net, 6, maps.back(), {.outputs = 512, .kernel = 3, .stride = 2, .pad = 1}));
  maps.push_back(add_smaller(net, 7, maps.back(), halved));
  maps.push_back(add_smaller(net, 8, maps.back(), large ? halved : valid));
  maps.push_back(add_smaller(net, 9, maps.back(), large ? halved : valid));
  if (large) maps.push_back(add_smaller(net, 10, maps.back(), {.outputs = 256, .kernel = 4, .pad = 1}));
  net.normalize("conv4_3_norm", "conv4_3", 20);

  // Sizes of priors on each map, and the next one's: shares of the picture, published in pixels.
  const std::vector<float> sizes =
      large ? (coco ? std::vector<float>{20.48F, 51.2F, 133.12F, 215.04F, 296.96F, 378.88F, 460.8F, 542.72F}
                    : std::vector<float>{35.84F, 76.8F, 153.6F, 230.4F, 307.2F, 384.0F, 460.8F, 537.6F})
            : (coco ? std::vector<float>{21, 45, 99, 153, 207, 261, 315}
                    : std::vector<float>{30, 60, 111, 162, 213, 264, 315});
  const std::vector<float> steps =
      large ? std::vector<float>{8, 16, 32, 64, 128, 256, 512} : std::vector<float>{8, 16, 32, 64, 100, 300};
  std::vector<Source> sources;
  for (std::size_t i = 0; i < maps.size(); ++i) {
    const bool two_ratios = i > 0 && i + 2 < maps.size();
    sources.push_back(
        {maps[i], {sizes[i], sizes[i + 1], two_ratios ? std::vector<float>{2, 3} : std::vector<float>{2}, steps[i]}});
  }
  add_heads(net, sources, classes, 3);
  return net;
}

// MobileNet v1 at 300, as its Caffe release has it: the heads are 1x1.
CaffeSketch ssd300_mobilenet_v1() {
  CaffeSketch net("MobileNet-SSD", 3, 300);
  const auto add = [&](const Name& layer, const Name& bottom, ConvolutionShape shape) {
    shape.bias = false;
    Name x = net.convolution(layer, bottom, shape);
    x = net.scale(layer + "/scale", net.batch_norm(layer + "/bn", x));
    return net.relu(layer + "/relu", x);
  };
  Name x = add("conv0", "data", {.outputs = 32, .kernel = 3, .stride = 2, .pad = 1});
  std::uint32_t channels = 32;
  std::vector<Name> maps;
  for (int i = 1; i <= 13; ++i) {
    const bool halves = i == 2 || i == 4 || i == 6 || i == 12;
    const Name name = fmt::format("conv{}", i);
    x = add(name + "/dw", x,
            {.outputs = channels, .kernel = 3, .stride = halves ? 2U : 1U, .pad = 1, .groups = channels});
    if (i == 1 || halves) channels *= 2;
    x = add(name, x, {.outputs = channels});
    if (i == 11 || i == 13) maps.push_back(x);
  }
  for (const auto& [i, outputs] : {std::pair{14, 512U}, {15, 256U}, {16, 256U}, {17, 128U}}) {
    x = add(fmt::format("conv{}_1", i), x, {.outputs = outputs / 2});
    x = add(fmt::format("conv{}_2", i), x, {.outputs = outputs, .kernel = 3, .stride = 2, .pad = 1});
    maps.push_back(x);
  }
  const std::vector<float> sizes{105, 150, 195, 240, 285, 300};
  std::vector<Source> sources{{maps[0], {60, 0, {2}, 0}}};
  for (std::size_t i = 1; i < maps.size(); ++i) sources.push_back({maps[i], {sizes[i - 1], sizes[i], {2, 3}, 0}});
  add_heads(net, sources, 21, 1);
  return net;
}

}  // namespace octavo::zoo

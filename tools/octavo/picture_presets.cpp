// SPDX-License-Identifier: Apache-2.0
// See picture_presets.h. Sizes before cropping; the crop is the network's input.
#include "tools/octavo/picture_presets.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "octavo/error.h"

namespace octavo::tool {
namespace {

struct Preset {
  std::string_view name;
  std::int64_t resize = 0;  ///< 0: the network's input
  ChannelOrder order = ChannelOrder::bgr;
  std::array<float, 3> mean{104, 117, 123};
  float scale = 1;
};

constexpr std::array<float, 3> kImageNet{103.94F, 116.78F, 123.68F};
constexpr float kDeviation = 0.017F;  ///< about 1 / 58

constexpr std::array kPresets{
    Preset{"alexnet", 256},
    Preset{"densenet161", 256, ChannelOrder::bgr, kImageNet, kDeviation},
    Preset{"googlenet", 256},
    Preset{"inception-v3", 320, ChannelOrder::rgb, {128, 128, 128}, 1.0F / 128},
    Preset{"lenet", 0, ChannelOrder::gray, {0, 0, 0}, 1.0F / 256},
    Preset{"mobilenet-v1", 256, ChannelOrder::bgr, kImageNet, kDeviation},
    Preset{"mobilenet-v2", 256, ChannelOrder::bgr, kImageNet, kDeviation},
    Preset{"resnet101", 256},
    Preset{"resnet152", 256},
    Preset{"resnet50", 256},
    Preset{"squeezenet1.0", 256},
    Preset{"squeezenet1.1", 256},
    Preset{"ssd300-mobilenet-v1", 0, ChannelOrder::bgr, {127.5F, 127.5F, 127.5F}, 1 / 127.5F},
    Preset{"ssd300-vgg16", 0},
    Preset{"ssd300-vgg16-coco", 0},
    Preset{"ssd512-vgg16", 0},
    Preset{"ssd512-vgg16-coco", 0},
    Preset{"vgg16", 256},
    Preset{"vgg19", 256},
};

}  // namespace

std::string picture_preset_names() {
  std::vector<std::string_view> names;
  for (const Preset& preset : kPresets) names.push_back(preset.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

ImageInput picture_preset(std::string_view name) {
  const auto* const found =
      std::find_if(kPresets.begin(), kPresets.end(), [&](const Preset& preset) { return preset.name == name; });
  if (found == kPresets.end()) {
    throw Error(ErrorKind::invalid_argument, fmt::format("there is no preset '{}'", name), "--preset",
                "there are " + picture_preset_names());
  }
  ImageInput input;
  input.resize_h = input.resize_w = found->resize;
  input.order = found->order;
  if (found->order == ChannelOrder::gray) {
    input.mean = {};
  } else {
    input.mean.assign(found->mean.begin(), found->mean.end());
  }
  input.scale = {found->scale};
  return input;
}

}  // namespace octavo::tool

// SPDX-License-Identifier: Apache-2.0
// Picture options: see picture_options.h.
#include "tools/octavo/picture_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "octavo/error.h"
#include "tools/octavo/console.h"
#include "tools/octavo/picture_presets.h"
#include "tools/octavo/text.h"

namespace octavo::tool {
namespace {

std::string_view order_name(ChannelOrder order) {
  switch (order) {
    case ChannelOrder::rgb:
      return "rgb";
    case ChannelOrder::bgr:
      return "bgr";
    case ChannelOrder::gray:
      return "gray";
  }
  return "?";
}

std::string size_text(std::int64_t height, std::int64_t width) {
  return height == 0 ? "the input's size" : fmt::format("{}x{}", height, width);
}

/// Caffe's mean files are BGR; the planes are reversed for a network that takes RGB.
Tensor in_order(const Tensor& mean, ChannelOrder order) {
  if (order != ChannelOrder::rgb || mean.shape().front() != 3) return mean;
  Tensor reversed(mean.shape());
  const std::int64_t plane = mean.size() / 3;
  for (std::int64_t c = 0; c < 3; ++c) {
    std::copy_n(mean.data() + c * plane, plane, reversed.data() + (2 - c) * plane);
  }
  return reversed;
}

/// One value, or one a channel.
void check_count(const std::vector<float>& values, const Model& model, const char* option) {
  const std::vector<Shape> shapes = model.input_shapes();
  if (values.size() == 1 || shapes.empty() || shapes[0].size() != 4) return;
  if (static_cast<std::int64_t>(values.size()) != shapes[0][1]) {
    throw Error(ErrorKind::invalid_argument, fmt::format("{} values for {} channels", values.size(), shapes[0][1]),
                option, "one value, or one a channel");
  }
}

}  // namespace

void PictureArguments::declare(CLI::App& app) {
  const char* group = "Pictures (laid over what the model file says)";
  app.add_option("--preset", preset, "as the published weights of a network want them (docs/images.md), to start from")
      ->type_name("NETWORK")
      ->group(group);
  app.add_option("--resize", resize, "size before cropping (default: the network's input)")
      ->type_name("HxW")
      ->group(group);
  app.add_option("--resize-mode", resize_mode, "stretch, or shorter-side (aspect kept)")
      ->type_name("MODE")
      ->check(CLI::IsMember({"stretch", "shorter-side"}))
      ->group(group);
  app.add_flag("--antialias", antialias, "average when shrinking (default: plain bilinear, as Caffe's tools)")
      ->group(group);
  app.add_option("--crop", crop, "centre crop (default: the network's input)")->type_name("HxW")->group(group);
  app.add_option("--mean", mean, "subtracted: one value, or one a channel in channel order")
      ->type_name("V[,V,V]")
      ->group(group);
  app.add_option("--mean-file", mean_file, "subtracted: a Caffe mean.binaryproto (BGR, whatever the channel order)")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--scale", scale, "multiplied after the mean: one value, or one a channel")
      ->type_name("V[,V,V]")
      ->group(group);
  app.add_option("--channel-order", channel_order, "rgb, bgr (default) or gray")
      ->type_name("ORDER")
      ->check(CLI::IsMember({"rgb", "bgr", "gray"}))
      ->group(group);
}

bool PictureArguments::any() const {
  return antialias || !(preset.empty() && resize.empty() && resize_mode.empty() && crop.empty() && mean.empty() &&
                        mean_file.empty() && scale.empty() && channel_order.empty());
}

ImageInput PictureArguments::over(const Model& model) const {
  ImageInput input = preset.empty() ? model.image_input().value_or(ImageInput{}) : picture_preset(preset);
  const std::vector<Shape> shapes = model.input_shapes();
  if (!model.image_input() && preset.empty() && !shapes.empty() && shapes[0].size() == 4 && shapes[0][1] == 1) {
    input.order = ChannelOrder::gray;
  }
  if (!resize.empty()) std::tie(input.resize_h, input.resize_w) = parse_size(resize, "--resize");
  if (!resize_mode.empty()) {
    input.resize_mode = resize_mode == "stretch" ? ResizeMode::stretch : ResizeMode::shorter_side;
  }
  if (antialias) input.antialias = true;
  if (!crop.empty()) std::tie(input.crop_h, input.crop_w) = parse_size(crop, "--crop");
  if (!channel_order.empty()) {
    input.order = channel_order == "rgb"   ? ChannelOrder::rgb
                  : channel_order == "bgr" ? ChannelOrder::bgr
                                           : ChannelOrder::gray;
  }
  if (!mean.empty() && !mean_file.empty()) {
    throw Error(ErrorKind::invalid_argument, "give one of --mean and --mean-file");
  }
  if (!mean.empty()) {
    input.mean = parse_numbers(mean, "--mean");
    input.mean_image.reset();
    check_count(input.mean, model, "--mean");
  }
  if (!mean_file.empty()) {
    input.mean_image = in_order(read_mean_image(mean_file), input.order);
    input.mean.clear();
  }
  if (!scale.empty()) {
    input.scale = parse_numbers(scale, "--scale");
    check_count(input.scale, model, "--scale");
  }
  return input;
}

Model PictureArguments::described(const Model& model) const {
  return any() ? model.with_image_input(over(model)) : model;
}

void PictureArguments::note_if_undescribed(const Model& model) const {
  if (!any() && !model.image_input())
    note("the model does not say how its pictures are prepared; assumed: " + describe(over(model)));
}

std::string describe(const ImageInput& input) {
  std::string mean = "none";
  if (input.mean_image) {
    mean = "a picture of " + shape_text(input.mean_image->shape());
  } else if (!input.mean.empty()) {
    mean = fmt::format("{}", fmt::join(input.mean, ","));
  }
  return fmt::format("resize to {} ({}{}), crop {}, {}, mean {}, scale {}", size_text(input.resize_h, input.resize_w),
                     input.resize_mode == ResizeMode::stretch ? "stretch" : "shorter side",
                     input.antialias ? ", antialiased" : "", size_text(input.crop_h, input.crop_w),
                     order_name(input.order), mean, fmt::join(input.scale, ","));
}

}  // namespace octavo::tool

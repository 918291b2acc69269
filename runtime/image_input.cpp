// SPDX-License-Identifier: Apache-2.0
// From a picture to a network's input: colours, resize, centre crop, mean, scale.
#include <algorithm>
#include <string>
#include <tuple>

#include "graph/import/caffe.h"
#include "octavo/error.h"
#include "octavo/image.h"
#include "runtime/image_geometry.h"
#include "runtime/resize.h"

namespace octavo {
namespace runtime {
namespace {

[[noreturn]] void refuse(const std::string& what, const std::string& hint = {}) {
  throw Error(ErrorKind::invalid_argument, what, "image input", hint);
}

std::string size_text(std::int64_t height, std::int64_t width) {
  return std::to_string(width) + " x " + std::to_string(height);
}

/// ITU-R BT.601 luma, as OpenCV and Pillow convert.
Picture to_gray(const Picture& colour) {
  Picture gray{colour.height, colour.width, 1, {}};
  gray.pixels.reserve(colour.pixels.size() / 3);
  for (std::size_t i = 0; i + 2 < colour.pixels.size(); i += 3) {
    const unsigned r = colour.pixels[i], g = colour.pixels[i + 1], b = colour.pixels[i + 2];
    gray.pixels.push_back(static_cast<std::uint8_t>((r * 299 + g * 587 + b * 114 + 500) / 1000));
  }
  return gray;
}

/// What is taken off a value: one number, one a channel, or a picture (cropped like the input where it is larger).
class Mean {
 public:
  Mean(const ImageInput& input, PixelSize resized, PixelSize crop, std::int64_t channels) : numbers_(input.mean) {
    if (!numbers_.empty() && input.mean_image) refuse("both mean values and a mean image");
    if (numbers_.size() > 1 && std::cmp_not_equal(numbers_.size(), channels)) {
      refuse(std::to_string(numbers_.size()) + " mean values for " + std::to_string(channels) + " channels");
    }
    if (!input.mean_image) return;
    const Shape& shape = input.mean_image->shape();
    if (shape.size() != 3 || shape[0] != channels) {
      refuse("a mean image must be [channels, height, width], with " + std::to_string(channels) + " channels");
    }
    const PixelSize size{shape[1], shape[2]};
    if (size != resized && size != crop) {
      refuse("the mean image is " + size_text(size.height, size.width) + ", the resized picture " +
                 size_text(resized.height, resized.width) + " and the network's input " +
                 size_text(crop.height, crop.width),
             "a mean image has one of these two sizes");
    }
    image_ = input.mean_image->data();
    size_ = size;
    if (size == resized) {
      std::tie(top_, left_) = crop_corner(resized, crop);
    }
  }
  [[nodiscard]] float at(std::int64_t c, std::int64_t y, std::int64_t x) const {
    if (image_ != nullptr) return image_[(c * size_.height + y + top_) * size_.width + x + left_];
    if (numbers_.empty()) return 0.0F;
    return numbers_[numbers_.size() == 1 ? 0 : static_cast<std::size_t>(c)];
  }

 private:
  const std::vector<float>& numbers_;
  const float* image_ = nullptr;
  PixelSize size_{};
  std::int64_t top_ = 0, left_ = 0;
};

void check(const Picture& picture, const ImageInput& input, const Shape& shape) {
  if (shape.size() != 4 || shape[1] <= 0 || shape[2] <= 0 || shape[3] <= 0) {
    refuse("the network's input is not [N, C, H, W]: it does not take pictures");
  }
  if (picture.height <= 0 || picture.width <= 0 || (picture.channels != 1 && picture.channels != 3) ||
      std::cmp_not_equal(picture.pixels.size(), picture.height * picture.width * picture.channels)) {
    refuse("not a picture: " + size_text(picture.height, picture.width) + " of " + std::to_string(picture.channels) +
           " channels with " + std::to_string(picture.pixels.size()) + " bytes");
  }
  const std::int64_t channels = input.order == ChannelOrder::gray ? 1 : 3;
  if (shape[1] != channels) {
    refuse("the network takes " + std::to_string(shape[1]) + " channels, this input description gives " +
               std::to_string(channels),
           "set the channel order: gray for 1 channel, rgb or bgr for 3");
  }
  if (input.resize_h < 0 || input.resize_w < 0 || input.crop_h < 0 || input.crop_w < 0) refuse("a negative size");
  if (input.scale.size() != 1 && std::cmp_not_equal(input.scale.size(), channels)) {
    refuse(std::to_string(input.scale.size()) + " scales for " + std::to_string(channels) + " channels");
  }
}

}  // namespace
}  // namespace runtime

Tensor to_input(const Picture& picture, const ImageInput& input, const Shape& shape) {
  using namespace runtime;  // NOLINT(google-build-using-namespace): the helpers above
  check(picture, input, shape);
  const PixelSize network{shape[2], shape[3]};
  const PixelSize crop{input.crop_h != 0 ? input.crop_h : network.height,
                       input.crop_w != 0 ? input.crop_w : network.width};
  if (crop != network) {
    refuse("pictures are cropped to " + size_text(crop.height, crop.width) + ", but the network's input is " +
           size_text(network.height, network.width));
  }
  const PixelSize resized = resized_size({picture.height, picture.width}, input, network);
  if (resized.height < crop.height || resized.width < crop.width) {
    refuse("the picture is resized to " + size_text(resized.height, resized.width) +
               ", less than the network's input of " + size_text(crop.height, crop.width),
           "resize to the network's input size or more");
  }
  const std::int64_t channels = shape[1];
  const bool drop_colours = channels == 1 && picture.channels == 3;
  const Picture ready =
      resize(drop_colours ? to_gray(picture) : picture, resized.height, resized.width, input.antialias);
  const Mean mean(input, resized, crop, channels);
  const auto [top, left] = crop_corner(resized, crop);

  Tensor out(Shape{1, channels, crop.height, crop.width});
  float* to = out.data();
  for (std::int64_t c = 0; c < channels; ++c) {
    const float scale = input.scale[input.scale.size() == 1 ? 0 : static_cast<std::size_t>(c)];
    const std::int64_t from_channel = ready.channels == 1 ? 0 : (input.order == ChannelOrder::bgr ? 2 - c : c);
    for (std::int64_t y = 0; y < crop.height; ++y) {
      for (std::int64_t x = 0; x < crop.width; ++x) {
        const std::int64_t from = ((y + top) * ready.width + x + left) * ready.channels + from_channel;
        *to++ = (static_cast<float>(ready.pixels[static_cast<std::size_t>(from)]) - mean.at(c, y, x)) * scale;
      }
    }
  }
  return out;
}

Tensor read_mean_image(const std::filesystem::path& binaryproto) {
  const auto blob = graph::read_caffe_mean(binaryproto);
  return {blob->shape, graph::to_float(*blob)};
}

}  // namespace octavo

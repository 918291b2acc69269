// SPDX-License-Identifier: Apache-2.0
// From a picture file to the network's input: what a model file says of its pictures, and the function that does it.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "octavo/tensor.h"

namespace octavo {

enum class ResizeMode {
  stretch,       ///< to resize_h x resize_w, whatever the aspect
  shorter_side,  ///< aspect kept: the shorter side becomes min(resize_h, resize_w)
};
enum class ChannelOrder { rgb, bgr, gray };

/// value = (pixel(0..255) - mean) * scale, after resizing (bilinear, pixel centres, antialiased when shrinking when
/// `antialias`) and cropping the centre. Kept in the model file, so that predicting needs no flags.
struct ImageInput {
  std::int64_t resize_h = 0, resize_w = 0;  ///< 0: to the network's input size
  ResizeMode resize_mode = ResizeMode::stretch;
  bool antialias = false;               ///< false: plain bilinear, as Caffe's tools (OpenCV INTER_LINEAR) do
  std::int64_t crop_h = 0, crop_w = 0;  ///< 0: the network's input size
  ChannelOrder order = ChannelOrder::bgr;
  std::vector<float> mean;  ///< empty, one value, or one a channel (in `order`)
  std::optional<Tensor>
      mean_image;  ///< [C, H, W] in `order`; of the resized picture's size (then cropped with it) or of the input's
  std::vector<float> scale{1.0F};  ///< one value, or one a channel
};

/// 8-bit picture, interleaved RGB or gray.
struct Picture {
  std::int64_t height = 0, width = 0, channels = 0;
  std::vector<std::uint8_t> pixels;  ///< [height][width][channels]
};

/// Reads JPEG or PNG, by content. Throws Error(io, malformed, unsupported) that names the file. At most 2^28 pixels.
[[nodiscard]] Picture read_picture(const std::filesystem::path& file);
/// The mean picture of a Caffe `mean.binaryproto`: [C, H, W], in the file's channel order (BGR as Caffe writes it).
/// Throws Error(io, malformed).
[[nodiscard]] Tensor read_mean_image(const std::filesystem::path& binaryproto);
/// The network's input [1, C, H, W] for this picture; `shape` is the network's input shape.
[[nodiscard]] Tensor to_input(const Picture& picture, const ImageInput& input, const Shape& shape);

}  // namespace octavo

// SPDX-License-Identifier: Apache-2.0
// The name of a spec, its windows, and the ranges of its fields.
#include "jit/conv_spec.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "octavo/error.h"

namespace octavo::jit {
namespace {

constexpr std::int64_t max_channels = 1 << 24;
constexpr std::int64_t max_extent = 1 << 28;  ///< rows or columns of a picture, or rows of a batch
constexpr std::int64_t max_kernel = 1 << 12;  ///< taps, stride, dilation along one axis
constexpr std::int64_t max_padding = 1 << 16;
/// No tensor of a layer has more elements: all byte offsets then fit 48 bits.
constexpr std::int64_t max_elements = std::int64_t{1} << 44;
/// Products u8 x s8 of one window whose sum cannot overflow s32: 2^31 - 1 over 255 * 127.
constexpr std::int64_t max_window_products = std::numeric_limits<std::int32_t>::max() / (255 * 127);

[[noreturn]] void reject(const ConvSpec& spec, const std::string& what, const std::string& hint = {}) {
  // Not spec.name(): the name of a broken spec may be meaningless (groups = 0).
  throw Error(ErrorKind::invalid_argument, what,
              fmt::format("convolution {}x{} of {} -> {} channels", spec.kernel_h, spec.kernel_w, spec.in_channels,
                          spec.out_channels),
              hint);
}

void check_range(const ConvSpec& spec, const char* field, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value < low || value > high) reject(spec, fmt::format("{} is {}, not in {}..{}", field, value, low, high));
}

void check_ranges(const ConvSpec& spec) {
  check_range(spec, "in_channels", spec.in_channels, 1, max_channels);
  check_range(spec, "out_channels", spec.out_channels, 1, max_channels);
  check_range(spec, "groups", spec.groups, 1, max_channels);
  check_range(spec, "in_h", spec.in_h, 1, max_extent);
  check_range(spec, "in_w", spec.in_w, 1, max_extent);
  check_range(spec, "out_h", spec.out_h, 1, max_extent);
  check_range(spec, "out_w", spec.out_w, 1, max_extent);
  check_range(spec, "kernel_h", spec.kernel_h, 1, max_kernel);
  check_range(spec, "kernel_w", spec.kernel_w, 1, max_kernel);
  check_range(spec, "stride_h", spec.stride_h, 1, max_kernel);
  check_range(spec, "stride_w", spec.stride_w, 1, max_kernel);
  check_range(spec, "dilation_h", spec.dilation_h, 1, max_kernel);
  check_range(spec, "dilation_w", spec.dilation_w, 1, max_kernel);
  check_range(spec, "pad_top", spec.pad_top, 0, max_padding);
  check_range(spec, "pad_left", spec.pad_left, 0, max_padding);
  check_range(spec, "src_pixel_stride", spec.src_pixel_stride, 0, max_channels);
  check_range(spec, "dst_pixel_stride", spec.dst_pixel_stride, 0, max_channels);
  check_range(spec, "window.channels", spec.window.channels, 0, max_channels);
  check_range(spec, "window.tile_h", spec.window.tile_h, 0, max_extent);
  check_range(spec, "window.tile_w", spec.window.tile_w, 0, max_extent);
}

/// Factors are each at most 2^28 (check_ranges), so the division cannot surprise.
void check_elements(const ConvSpec& spec, const char* tensor, std::initializer_list<std::int64_t> sizes) {
  std::int64_t elements = 1;
  for (const std::int64_t size : sizes) {
    if (elements > max_elements / size) reject(spec, fmt::format("the {} has more than 2^44 elements", tensor));
    elements *= size;
  }
}

/// The padding that the output's size implies at the far side of an axis.
void check_far_padding(const ConvSpec& spec, const char* field, std::int64_t in, std::int64_t out, std::int64_t kernel,
                       std::int64_t stride, std::int64_t dilation, std::int64_t near) {
  const std::int64_t far = (out - 1) * stride + (kernel - 1) * dilation + 1 - near - in;
  if (far > max_padding) {
    reject(spec, fmt::format("{} = {} reaches {} beyond the input of {}", field, out, far, in),
           "a smaller output, or a larger input");
  }
}

std::string pair_of(const char* tag, std::int64_t a, std::int64_t b) {
  return a == b ? fmt::format("_{}{}", tag, a) : fmt::format("_{}{}x{}", tag, a, b);
}

/// A float as part of an identifier: shortest digits that read back equal, "0.1" as 0p1, "-1e-05" as m1em05.
std::string float_name(float value) {
  std::string text = fmt::format("{}", value);
  std::replace(text.begin(), text.end(), '.', 'p');
  std::replace(text.begin(), text.end(), '-', 'm');
  text.erase(std::remove(text.begin(), text.end(), '+'), text.end());
  return text;
}

std::string activation_name(const Epilogue& epilogue) {
  switch (epilogue.activation) {
    case ActivationKind::none:
      return "";
    case ActivationKind::relu:
      return "_relu";
    case ActivationKind::relu6:
      return "_relu6";
    case ActivationKind::leaky_relu:
      return "_leaky" + float_name(epilogue.slope);
    case ActivationKind::prelu:
      return "_prelu";
    case ActivationKind::sigmoid:
      return "_sigmoid";
    case ActivationKind::tanh:
      return "_tanh";
  }
  return "_unknown";
}

}  // namespace

std::string Epilogue::name() const {
  return std::string(bias ? "_bias" : "") + (residual ? "_residual" : "") + activation_name(*this) +
         (max_pool ? "_pool" : "");
}

std::string_view winograd_limit_name(WinogradLimit limit) {
  switch (limit) {
    case WinogradLimit::none:
      break;
    case WinogradLimit::tiles2x2:
      return "2x2";
    case WinogradLimit::tiles2x4:
      return "2x4";
    case WinogradLimit::tiles4x4:
      return "4x4";
  }
  return "none";
}

std::string ConvSpec::name() const {
  std::string name = fmt::format("{}{}x{}", depthwise() ? "dwconv" : "conv", kernel_h, kernel_w);
  name += pair_of("s", stride_h, stride_w);
  if (dilation_h != 1 || dilation_w != 1) name += pair_of("d", dilation_h, dilation_w);
  if (pad_top != 0 || pad_left != 0) name += pair_of("p", pad_top, pad_left);
  if (groups != 1 && !depthwise()) name += fmt::format("_g{}", groups);
  name += fmt::format("_ic{}_oc{}_{}x{}", in_channels, out_channels, in_h, in_w);
  if (out_h != in_h || out_w != in_w) name += fmt::format("_to{}x{}", out_h, out_w);
  if (src_stride() != in_channels) name += fmt::format("_src{}", src_stride());
  if (dst_stride() != out_channels) name += fmt::format("_dst{}", dst_stride());
  name += window.channels == 0 ? std::string("_wall") : fmt::format("_w{}", window.channels);
  if (window.tile_h != 0 || window.tile_w != 0) name += fmt::format("_t{}x{}", window.tile_h, window.tile_w);
  if (winograd != WinogradLimit::none) name += std::string("_wg") + std::string(winograd_limit_name(winograd));
  name += nonnegative_input ? "_u8" : "_s8";
  return name + epilogue.name() + "_" + std::string(isa_name(isa));
}

std::int64_t ConvSpec::window_channels() const {
  return window.channels == 0 ? channels_per_group() : std::min(window.channels, channels_per_group());
}

std::int64_t ConvSpec::windows() const { return (channels_per_group() + window_channels() - 1) / window_channels(); }

void ConvSpec::validate() const {
  check_ranges(*this);
  if (in_channels % groups != 0) reject(*this, fmt::format("groups = {} does not divide in_channels", groups));
  if (out_channels % groups != 0) reject(*this, fmt::format("groups = {} does not divide out_channels", groups));
  if (src_stride() < in_channels) {
    reject(*this, fmt::format("src_pixel_stride = {} is smaller than in_channels", src_pixel_stride));
  }
  if (dst_stride() < out_channels) {
    reject(*this, fmt::format("dst_pixel_stride = {} is smaller than out_channels", dst_pixel_stride));
  }
  check_far_padding(*this, "out_h", in_h, out_h, kernel_h, stride_h, dilation_h, pad_top);
  check_far_padding(*this, "out_w", in_w, out_w, kernel_w, stride_w, dilation_w, pad_left);
  check_elements(*this, "input", {in_h, in_w, src_stride()});
  check_elements(*this, "output", {out_h, out_w, dst_stride()});
  check_elements(*this, "weight tensor", {kernel_h, kernel_w, out_channels, channels_per_group()});
  if (kernel_h * kernel_w * window_channels() > max_window_products) {
    reject(*this,
           fmt::format("window.channels = {} sums {} products in 32 bits, which hold {} at most", window.channels,
                       kernel_h * kernel_w * window_channels(), max_window_products),
           "choose a smaller window");
  }
  if (epilogue.activation == ActivationKind::leaky_relu && !std::isfinite(epilogue.slope)) {
    reject(*this, "epilogue.slope is not finite");
  }
  if (epilogue.max_pool && epilogue.residual)
    reject(*this, "epilogue.max_pool and epilogue.residual exclude each other");
  if (epilogue.max_pool && (out_h % 2 != 0 || out_w % 2 != 0)) {
    reject(*this, fmt::format("epilogue.max_pool needs even sizes, not {}x{} outputs", out_h, out_w));
  }
}

}  // namespace octavo::jit

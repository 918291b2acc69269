// SPDX-License-Identifier: Apache-2.0
// Shape rules of ops that slide a window over an image.
#include <string_view>

#include "graph/check.h"
#include "graph/shape_rules.h"

namespace octavo::graph {
namespace {

void require_image(const Shape& x) { require(x.size() == 4, "the input has to be [N,C,H,W], not {}", to_text(x)); }

constexpr std::string_view kSides[] = {"height", "width"};

/// What a dilated kernel covers.
std::int64_t extent(std::int64_t kernel, std::int64_t dilation) {
  return checked_sum(checked_product(dilation, kernel - 1), 1);
}

std::int64_t convolved(const Convolution& op, const Shape& x, std::size_t side) {
  const std::int64_t padded = checked_sum(checked_sum(x[2 + side], op.pad_begin[side]), op.pad_end[side]);
  const std::int64_t covered = extent(op.kernel[side], op.dilation[side]);
  require(padded >= covered, "the kernel covers {} of a padded {} of {}", covered, kSides[side], padded);
  return (padded - covered) / op.stride[side] + 1;
}

std::int64_t deconvolved(const Deconvolution& op, const Shape& x, std::size_t side) {
  const std::int64_t spread = checked_product(op.stride[side], x[2 + side] - 1);
  const std::int64_t full = checked_sum(spread, extent(op.kernel[side], op.dilation[side]));
  const std::int64_t size = full - op.pad_begin[side] - op.pad_end[side];
  require(size > 0, "padding of {} + {} leaves nothing of an output {} of {}", op.pad_begin[side], op.pad_end[side],
          kSides[side], full);
  return size;
}

std::int64_t pooled(const Pool& op, const Shape& x, std::size_t side) {
  const std::int64_t stride = op.stride[side];
  const std::int64_t slack =
      checked_sum(checked_sum(x[2 + side], op.pad_begin[side]), op.pad_end[side]) - op.kernel[side];
  if (!op.ceil_mode) {
    require(slack >= 0, "the kernel covers {} of a padded {} of {}", op.kernel[side], kSides[side],
            slack + op.kernel[side]);
    return slack / stride + 1;
  }
  // Rounded towards +infinity: an image smaller than the kernel still gives one window, if the stride reaches it.
  const std::int64_t steps = slack >= 0 ? checked_sum(slack, stride - 1) / stride : -(-slack / stride);
  std::int64_t size = steps + 1;
  require(size > 0, "the kernel covers {} of a padded {} of {}", op.kernel[side], kSides[side],
          slack + op.kernel[side]);
  // The last window has to start inside the image or the padding before it, or it would see nothing.
  if ((size - 1) * stride >= x[2 + side] + op.pad_begin[side]) --size;
  return size;
}

}  // namespace

Shape shape_of(const Convolution& op, const Shapes& inputs) {
  const Shape& x = inputs[0];
  require_image(x);
  const std::int64_t in_channels = checked_product(op.weights->shape[1], op.groups);
  require(x[1] == in_channels, "{} input channels, but the weights {} in {} groups are for {}", x[1],
          to_text(op.weights->shape), op.groups, in_channels);
  Shape out{x[0], op.out_channels, convolved(op, x, 0), convolved(op, x, 1)};
  if (op.add_residual) {
    require(inputs[1] == out, "the residual {} has not the output's shape {}", to_text(inputs[1]), to_text(out));
  }
  check_activation(op.activation, out);
  return out;
}

Shape shape_of(const Deconvolution& op, const Shapes& inputs) {
  const Shape& x = inputs[0];
  require_image(x);
  require(x[1] == op.weights->shape[0], "{} input channels, but the weights {} are for {}", x[1],
          to_text(op.weights->shape), op.weights->shape[0]);
  Shape out{x[0], op.out_channels, deconvolved(op, x, 0), deconvolved(op, x, 1)};
  check_activation(op.activation, out);
  return out;
}

Shape shape_of(const Pool& op, const Shapes& inputs) {
  const Shape& x = inputs[0];
  require_image(x);
  if (op.global) return {x[0], x[1], 1, 1};
  return {x[0], x[1], pooled(op, x, 0), pooled(op, x, 1)};
}

Shape shape_of(const Lrn&, const Shapes& inputs) {
  require_image(inputs[0]);
  return inputs[0];
}

}  // namespace octavo::graph

// SPDX-License-Identifier: Apache-2.0
// Shape rules of ops that keep the shape: what has to hold is that their parameters fit it.
#include <algorithm>
#include <string_view>

#include "graph/axes.h"
#include "graph/check.h"
#include "graph/shape_rules.h"

namespace octavo::graph {
namespace {

/// Channels are dimension 1; the only dimension of a vector counts as the batch, so a vector has one channel.
std::int64_t channels_of(const Shape& shape) { return shape.size() < 2 ? 1 : shape[1]; }

void require_channels(const BlobPtr& blob, const Shape& x, std::string_view what) {
  const std::int64_t count = element_count(blob->shape);
  require(count == channels_of(x), "{} {} for the {} channels of {}", count, what, channels_of(x), to_text(x));
}

/// `part` has to be the dims of x from `axis` on, as far as it goes; a scalar (no dims) fits everywhere.
void require_part(const Shape& part, const Shape& x, std::int64_t axis, std::string_view what) {
  if (part.empty()) return;
  const auto begin = static_cast<std::size_t>(canonical_axis(axis, static_cast<std::int64_t>(x.size())));
  const bool fits = part.size() <= x.size() - begin &&
                    std::equal(part.begin(), part.end(), x.begin() + static_cast<std::ptrdiff_t>(begin));
  require(fits, "the {} {} does not fit {} from axis {} on", what, to_text(part), to_text(x), begin);
}

}  // namespace

void check_activation(const Activation& activation, const Shape& output) {
  if (activation.kind == jit::ActivationKind::prelu) require_channels(activation.slopes, output, "slopes");
}

Shape shape_of(const Unary&, const Shapes& inputs) { return inputs[0]; }

Shape shape_of(const PRelu& op, const Shapes& inputs) {
  if (element_count(op.slopes->shape) != 1) require_channels(op.slopes, inputs[0], "slopes");
  return inputs[0];
}

Shape shape_of(const BatchNorm& op, const Shapes& inputs) {
  require_channels(op.mean, inputs[0], "means");
  return inputs[0];
}

Shape shape_of(const Scale& op, const Shapes& inputs) {
  const Shape& x = inputs[0];
  if (op.factor) require_part(op.factor->shape, x, op.axis, "factor");
  if (op.offset) require_part(op.offset->shape, x, op.axis, "offset");
  if (inputs.size() > 1) require_part(inputs[1], x, op.axis, op.second_is_offset ? "offset" : "factor");
  return x;
}

Shape shape_of(const Softmax& op, const Shapes& inputs) {
  static_cast<void>(canonical_axis(op.axis, static_cast<std::int64_t>(inputs[0].size())));
  return inputs[0];
}

Shape shape_of(const Eltwise& op, const Shapes& inputs) {
  for (const Shape& other : inputs) {
    require(other == inputs[0], "{} and {} differ", to_text(inputs[0]), to_text(other));
  }
  check_activation(op.activation, inputs[0]);
  return inputs[0];
}

Shape shape_of(const Quantize&, const Shapes& inputs) { return inputs[0]; }

Shape shape_of(const Dequantize& op, const Shapes& inputs) {
  const Shape& sums = inputs[0];
  const std::int64_t channels = op.weights->shape[0];
  // A convolution has its channels on axis 1, a Linear its features on the last one.
  const std::int64_t found = op.weights->shape.size() == 4 ? channels_of(sums) : sums.back();
  require(found == channels, "{} output channels, but the weights {} have {}", found, to_text(op.weights->shape),
          channels);
  if (op.add_residual) {
    require(inputs[1] == sums, "the residual {} has not the output's shape {}", to_text(inputs[1]), to_text(sums));
  }
  check_activation(op.activation, sums);
  return sums;
}

}  // namespace octavo::graph

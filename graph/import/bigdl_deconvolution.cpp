// SPDX-License-Identifier: Apache-2.0
// SpatialFullConvolution: a transposed convolution, with adjW and adjH more pixels behind.
#include <fmt/core.h>

#include <algorithm>

#include "graph/check.h"
#include "graph/import/bigdl_layers.h"

namespace octavo::graph {

namespace {

/// The file has the constructor's whole numbers as one list, in its order.
enum class FullConvolutionNumber : std::size_t {
  in,
  out,
  kernel_w,
  kernel_h,
  stride_w,
  stride_h,
  pad_w,
  pad_h,
  added_w,
  added_h,
  groups,
  count
};

std::vector<std::int64_t> full_convolution_numbers(const BigdlLayer& layer) {
  std::vector<std::int64_t> numbers = layer.attributes().integers("intParams");
  if (numbers.size() != static_cast<std::size_t>(FullConvolutionNumber::count)) {
    BigdlLayer::malformed(fmt::format("its 'intParams' has {} numbers", numbers.size()));
  }
  return numbers;
}

}  // namespace

/// What adj adds goes off the padding behind; where that is too little, zeros are added to the result, and the bias
/// after them.
void convert_bigdl_full_convolution(BigdlLayer& layer) {
  using Number = FullConvolutionNumber;
  const std::vector<std::int64_t> numbers = full_convolution_numbers(layer);
  const auto number = [&](Number which) { return numbers[static_cast<std::size_t>(which)]; };
  const Shape x = layer.shape(layer.x_of_rank(4));
  Deconvolution op;
  op.out_channels = number(Number::out);
  op.groups = number(Number::groups);
  op.kernel = {number(Number::kernel_h), number(Number::kernel_w)};
  op.stride = {number(Number::stride_h), number(Number::stride_w)};
  op.pad_begin = {number(Number::pad_h), number(Number::pad_w)};
  const Pair added{number(Number::added_h), number(Number::added_w)};
  const std::int64_t in = number(Number::in);
  if (in != x[1]) BigdlLayer::malformed(fmt::format("it takes {} channels and is given {}", in, to_text(x)));
  require(op.groups > 0 && op.out_channels > 0 && op.out_channels % op.groups == 0, "{} outputs in {} groups",
          op.out_channels, op.groups);
  Pair grown{0, 0};
  for (std::size_t i = 0; i < 2; ++i) {
    require(op.kernel[i] > 0 && added[i] >= 0 && op.pad_begin[i] >= 0, "a kernel of {}, padding {} and {} pixels more",
            op.kernel[i], op.pad_begin[i], added[i]);
    op.pad_end[i] = std::max<std::int64_t>(op.pad_begin[i] - added[i], 0);
    grown[i] = std::max<std::int64_t>(added[i] - op.pad_begin[i], 0);
  }
  op.weights = layer.parameter(0, {in, op.out_channels / op.groups, op.kernel[0], op.kernel[1]});
  BlobPtr bias;
  if (!layer.attributes().flag("noBias", false) && layer.has_parameter(1)) bias = bigdl_bias(layer, 1, op.out_channels);
  const bool grows = grown != Pair{0, 0};
  if (!grows) op.bias = bias;
  ValueId y = layer.add_main(std::move(op), {layer.x()});
  if (grows) {
    y = layer.add(Pad{.begins = {0, 0, 0, 0}, .ends = {0, 0, grown[0], grown[1]}}, {y});
    if (bias) y = layer.add(Scale{.axis = 1, .offset = bias}, {y});
  }
  layer.result(y);
}

}  // namespace octavo::graph

// SPDX-License-Identifier: Apache-2.0
// BigDL's quantized layers. Their stored 8-bit weights are octavo's: one scale an output channel is a window of all
// input channels. (BigDL itself rounds them once more, to 6 bits and a sign, when it loads a model; octavo does not.)
#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "graph/check.h"
#include "graph/import/bigdl_layers.h"
#include "graph/import/bigdl_permuted.h"

namespace octavo::graph {
namespace {

/// Products u8 x s8 whose sum 32 bits are sure to hold.
constexpr std::int64_t kMaxRowProducts = std::numeric_limits<std::int32_t>::max() / (255 * 127);

/// Rows of weights as one window of all channels; as fp32 where a row is too long for 32-bit sums.
template <class Op>
void set_weights(const BigdlLayer& layer, Op& op, const Shape& shape, Data<std::int8_t> q, std::vector<float> scales) {
  Blob blob;
  blob.shape = shape;
  blob.q = std::move(q);
  blob.scales = std::move(scales);
  blob.window = shape[1];
  const std::int64_t row = element_count(shape) / shape[0];
  if (row > kMaxRowProducts) {
    layer.tensors().budget().take(element_count(shape));
    op.weights = make_blob(shape, to_float(blob));
    return;
  }
  op.weights = std::make_shared<const Blob>(std::move(blob));
  op.window = {.channels = 0};
}

/// BigDL's quantized layers always have a bias; zeros are none.
BlobPtr quantized_bias(const BigdlLayer& layer, std::int64_t channels) {
  if (!layer.module().bias) return nullptr;
  BlobPtr bias = BigdlLayer::reshaped(layer.tensors().blob(*layer.module().bias), {channels});
  const bool zeros = std::ranges::all_of(bias->f32.values, [](float value) { return value == 0.0F; });
  return zeros ? nullptr : bias;
}

}  // namespace

/// One tensor a group. The rows of channels-last layers are [kh][kw][in / groups].
void convert_bigdl_quantized_convolution(BigdlLayer& layer) {
  const bool last = layer.attributes().channels_last();
  const ValueId x = layer.channels_first(layer.x_of_rank(4), last);
  Convolution op = bigdl_convolution_of(layer, layer.shape(x));
  const std::int64_t outs = op.out_channels / op.groups, ins = layer.shape(x)[1] / op.groups;
  const Shape shape{op.out_channels, ins, op.kernel[0], op.kernel[1]};
  const std::vector<BigdlBytes> groups = layer.attributes().tensors("weights");
  if (static_cast<std::int64_t>(groups.size()) != op.groups) {
    BigdlLayer::malformed(fmt::format("{} tensors of weights for {} groups", groups.size(), op.groups));
  }
  std::vector<float> scales;
  std::vector<std::int8_t> joined;
  Data<std::int8_t> q;
  for (const BigdlBytes& group : groups) {
    const BigdlQuantized rows = layer.tensors().rows(group);
    if (rows.rows * rows.columns != element_count(shape) / op.groups ||
        static_cast<std::int64_t>(rows.scales.size()) != (outs == 1 ? rows.rows : outs)) {
      BigdlLayer::malformed(fmt::format("{} rows of {} weights for {}", rows.rows, rows.columns, to_text(shape)));
    }
    scales.insert(scales.end(), rows.scales.begin(), rows.scales.end());
    if (op.groups == 1 && !last) {
      q = rows.q;
      continue;
    }
    layer.tensors().budget().take(rows.rows * rows.columns);
    const auto part = last ? permuted<std::int8_t>(rows.q.values, {outs, op.kernel[0], op.kernel[1], ins}, {0, 3, 1, 2})
                           : std::vector<std::int8_t>(rows.q.values.begin(), rows.q.values.end());
    joined.insert(joined.end(), part.begin(), part.end());
  }
  if (!joined.empty()) q = std::move(joined);
  set_weights(layer, op, shape, std::move(q), std::move(scales));
  op.bias = quantized_bias(layer, op.out_channels);
  layer.result(layer.channels_last(layer.add_main(std::move(op), {x}), last));
}

void convert_bigdl_quantized_linear(BigdlLayer& layer) {
  const Shape shape{layer.attributes().integer("outputSize"), layer.attributes().integer("inputSize")};
  require(shape[0] > 0 && shape[1] > 0, "weights {}", to_text(shape));
  const auto tensor = layer.attributes().tensor("weight");
  if (!tensor) BigdlLayer::malformed("its weights are not in the file");
  BigdlQuantized rows = layer.tensors().rows(*tensor);
  if (rows.rows != shape[0] || rows.columns != shape[1]) {
    BigdlLayer::malformed(fmt::format("{} rows of {} weights for {}", rows.rows, rows.columns, to_text(shape)));
  }
  Linear op;
  op.out_features = shape[0];
  op.axis = layer.rank() - 1;
  set_weights(layer, op, shape, std::move(rows.q), std::move(rows.scales));
  op.bias = quantized_bias(layer, shape[0]);
  layer.result(layer.add_main(std::move(op), {layer.x()}));
}

}  // namespace octavo::graph

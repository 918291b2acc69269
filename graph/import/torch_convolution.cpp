// SPDX-License-Identifier: Apache-2.0
// Convolutions, and what they share: kernel, stride, padding, dilation as fields.
#include <fmt/core.h>

#include <algorithm>

#include "graph/check.h"
#include "graph/import/torch_layers.h"

namespace octavo::graph {
namespace {

/// Old files have one padding for both sides of both axes.
Pair torch_padding_of(const TorchModule& module) {
  if (const auto both = module.optional_integer("padding")) return {*both, *both};
  return module.pair("pad", 0);
}

std::int64_t torch_positive(const TorchModule& module, std::string_view name) {
  const std::int64_t value = module.integer(name);
  require(value > 0, "its '{}' is {}", name, value);
  return value;
}

std::int64_t torch_groups_of(const TorchModule& module) {
  const std::int64_t groups = module.integer("groups", 1);
  require(groups > 0, "{} groups", groups);
  return groups;
}

/// A bias, if the module has one.
BlobPtr torch_bias_of(const TorchLayer& layer, std::int64_t channels) {
  return layer.blob("bias") ? layer.blob("bias", {channels}) : nullptr;
}

template <class Op>
void set_torch_window(const TorchModule& module, Op& op) {
  op.kernel = module.pair("k");
  for (const std::int64_t size : op.kernel) require(size > 0, "a kernel of {}", size);
  op.stride = module.pair("d", 1);
  op.dilation = module.pair("dilation", 1);
  op.pad_begin = op.pad_end = torch_padding_of(module);
}

TorchActivity torch_on_images(TorchLayer& layer, const Convolution& op) {
  return layer.with_batch(layer.tensor(), 4, [&](ValueId x) { return layer.add(op, {x}); });
}

}  // namespace

TorchActivity convert_torch_convolution(TorchLayer& layer) {
  const TorchModule& module = layer.module();
  Convolution op;
  set_torch_window(module, op);
  op.groups = torch_groups_of(module);
  op.out_channels = torch_positive(module, "nOutputPlane");
  const std::int64_t ins = torch_positive(module, "nInputPlane");
  require(ins % op.groups == 0, "{} channels in {} groups", ins, op.groups);
  op.weights = layer.blob("weight", {op.out_channels, ins / op.groups, op.kernel[0], op.kernel[1]});
  op.bias = torch_bias_of(layer, op.out_channels);
  return torch_on_images(layer, op);
}

/// Only some input channels go into an output channel; the others get weights of 0.
TorchActivity convert_torch_convolution_map(TorchLayer& layer) {
  const TorchModule& module = layer.module();
  Convolution op;
  set_torch_window(module, op);
  op.out_channels = torch_positive(module, "nOutputPlane");
  const std::int64_t ins = torch_positive(module, "nInputPlane");
  const std::vector<std::int64_t> table = layer.integers("connTable");
  if (table.size() % 2 != 0) TorchLayer::malformed("its connTable is not a list of pairs");
  const auto connections = static_cast<std::int64_t>(table.size() / 2);
  const std::int64_t taps = checked_product(op.kernel[0], op.kernel[1]);
  const BlobPtr given = layer.blob("weight", {connections, op.kernel[0], op.kernel[1]});
  const Shape shape{op.out_channels, ins, op.kernel[0], op.kernel[1]};
  layer.budget().take(element_count(shape));
  std::vector<float> weights(static_cast<std::size_t>(element_count(shape)), 0.0F);
  for (std::int64_t i = 0; i < connections; ++i) {
    const std::int64_t from = table[static_cast<std::size_t>(2 * i)], to = table[static_cast<std::size_t>(2 * i + 1)];
    require(from >= 1 && from <= ins && to >= 1 && to <= op.out_channels, "a connection from channel {} to {}", from,
            to);
    const std::int64_t first = ((to - 1) * ins + from - 1) * taps;
    for (std::int64_t tap = 0; tap < taps; ++tap) {
      weights[static_cast<std::size_t>(first + tap)] += given->f32.values[static_cast<std::size_t>(i * taps + tap)];
    }
  }
  op.weights = make_blob(shape, std::move(weights));
  op.bias = torch_bias_of(layer, op.out_channels);
  return torch_on_images(layer, op);
}

/// Several filters a channel. Torch stores them filter by filter, and gives their results channel by channel.
TorchActivity convert_torch_depthwise_convolution(TorchLayer& layer) {
  const TorchModule& module = layer.module();
  Convolution op;
  set_torch_window(module, op);
  const std::int64_t filters = torch_positive(module, "nOutputPlane"), ins = torch_positive(module, "nInputPlane");
  op.groups = ins;
  op.out_channels = checked_product(filters, ins);
  const std::int64_t taps = checked_product(op.kernel[0], op.kernel[1]);
  const BlobPtr given = layer.blob("weight", {filters, ins, op.kernel[0], op.kernel[1]});
  const BlobPtr bias = layer.blob("bias") ? layer.blob("bias", {filters, ins}) : nullptr;
  layer.budget().take(element_count(given->shape) + op.out_channels);
  std::vector<float> weights, biases;
  for (std::int64_t channel = 0; channel < ins; ++channel) {
    for (std::int64_t filter = 0; filter < filters; ++filter) {
      const auto first = given->f32.values.begin() + (filter * ins + channel) * taps;
      weights.insert(weights.end(), first, first + taps);
      if (bias) biases.push_back(bias->f32.values[static_cast<std::size_t>(filter * ins + channel)]);
    }
  }
  op.weights = make_blob({op.out_channels, 1, op.kernel[0], op.kernel[1]}, std::move(weights));
  if (bias) op.bias = make_blob({op.out_channels}, std::move(biases));
  return torch_on_images(layer, op);
}

/// Transposed. What adjH and adjW add goes off the padding behind; where that is too little, zeros are added.
TorchActivity convert_torch_full_convolution(TorchLayer& layer) {
  const TorchModule& module = layer.module();
  Deconvolution op;
  set_torch_window(module, op);
  op.groups = torch_groups_of(module);
  op.out_channels = torch_positive(module, "nOutputPlane");
  const std::int64_t ins = torch_positive(module, "nInputPlane");
  require(op.out_channels % op.groups == 0, "{} channels in {} groups", op.out_channels, op.groups);
  op.weights = layer.blob("weight", {ins, op.out_channels / op.groups, op.kernel[0], op.kernel[1]});
  const BlobPtr bias = torch_bias_of(layer, op.out_channels);
  Pair added = module.pair("adj", 0);
  TorchActivity input = layer.input();
  if (input.is_table()) {  // the second tensor says the size
    if (input.table.size() != 2) TorchLayer::malformed(fmt::format("a table of {} comes in", input.table.size()));
    const Shape size = layer.shape(TorchLayer::tensor_of(input.table[1]));
    require(size.size() >= 2, "a size taken from {}", to_text(size));
    for (std::size_t side = 0; side < 2; ++side) {
      const std::int64_t wanted = size[size.size() - 2 + side];
      require(op.stride[side] > 0, "a stride of {}", op.stride[side]);
      added[side] = (wanted + 2 * op.pad_begin[side] - op.kernel[side]) % op.stride[side];
    }
    input = TorchActivity(input.table[0]);
  }
  Pair grown{0, 0};
  for (std::size_t side = 0; side < 2; ++side) {
    require(added[side] >= 0, "it adds {} pixels", added[side]);
    op.pad_end[side] -= added[side];
    grown[side] = std::max<std::int64_t>(-op.pad_end[side], 0);
    op.pad_end[side] += grown[side];
  }
  const bool grows = grown != Pair{0, 0};
  if (!grows) op.bias = bias;
  return layer.with_batch(TorchLayer::tensor_of(input), 4, [&](ValueId x) {
    ValueId y = layer.add(op, {x});
    if (grows) y = layer.add(Pad{.begins = {0, 0, 0, 0}, .ends = {0, 0, grown[0], grown[1]}}, {y});
    if (grows && bias) y = layer.add(Scale{.axis = 1, .offset = bias}, {y});
    return y;
  });
}

/// Over a sequence [frames][features]: an image of one row whose channels are the features.
TorchActivity convert_torch_temporal_convolution(TorchLayer& layer) {
  const TorchModule& module = layer.module();
  const std::int64_t ins = torch_positive(module, "inputFrameSize"), outs = torch_positive(module, "outputFrameSize");
  const std::int64_t kernel = torch_positive(module, "kW");
  Convolution op;
  op.out_channels = outs;
  op.kernel = {1, kernel};
  op.stride = {1, module.integer("dW", 1)};
  const BlobPtr given = layer.blob("weight", {outs, kernel, ins});
  layer.budget().take(element_count(given->shape));
  std::vector<float> weights;
  for (std::int64_t out = 0; out < outs; ++out) {
    for (std::int64_t in = 0; in < ins; ++in) {
      for (std::int64_t tap = 0; tap < kernel; ++tap) {
        weights.push_back(given->f32.values[static_cast<std::size_t>((out * kernel + tap) * ins + in)]);
      }
    }
  }
  op.weights = make_blob({outs, ins, 1, kernel}, std::move(weights));
  op.bias = torch_bias_of(layer, outs);
  return layer.with_batch(layer.tensor(), 3, [&](ValueId x) {
    const ValueId turned = layer.add_permute(x, {0, 2, 1});
    const Shape rows = layer.shape(turned);
    const ValueId y = layer.add(op, {layer.add_reshape(turned, {rows[0], rows[1], 1, rows[2]})});
    const Shape out = layer.shape(y);
    return layer.add_permute(layer.add_reshape(y, {out[0], out[1], out[3]}), {0, 2, 1});
  });
}

}  // namespace octavo::graph

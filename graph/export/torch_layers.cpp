// SPDX-License-Identifier: Apache-2.0
// Layers with weights, pools and normalization as modules of nn.
#include <algorithm>
#include <cmath>
#include <limits>

#include "graph/axes.h"
#include "graph/export/torch_exporter.h"

namespace octavo::graph {
namespace {

double torch_real(std::int64_t value) { return static_cast<double>(value); }

}  // namespace

void TorchStepExporter::add_activation(const Activation& activation, std::size_t rank) {
  using Kind = jit::ActivationKind;
  switch (activation.kind) {
    case Kind::none:
      break;
    case Kind::relu:
      add("ReLU", {{"threshold", 0.0}, {"val", 0.0}, {"inplace", false}});
      break;
    case Kind::relu6:
      add("ReLU6", {{"inplace", false}});
      break;
    case Kind::leaky_relu:
      add("LeakyReLU", {{"negval", static_cast<double>(activation.slope)}, {"inplace", false}});
      break;
    case Kind::prelu:
      add_prelu(*activation.slopes, rank);
      break;
    case Kind::sigmoid:
      add("Sigmoid");
      break;
    case Kind::tanh:
      add("Tanh");
      break;
  }
}

void TorchStepExporter::write(const Convolution& op) {
  const bool even = op.pad_begin == op.pad_end;
  const bool dilated = op.dilation != Pair{1, 1};
  if (dilated && op.groups > 1) cannot("a dilated convolution in groups");
  const auto row = apart([&] {
    if (!even) add_image_padding("SpatialZeroPadding", op.pad_begin, op.pad_end);
    const Pair pad = even ? op.pad_begin : Pair{0, 0};
    // nn itself has no groups; Torch's binding of cuDNN has.
    const Ref layer = out_.module(op.groups > 1 ? "cudnn.SpatialConvolution"
                                  : dilated     ? "SpatialDilatedConvolution"
                                                : "SpatialConvolution",
                                  {{"nInputPlane", torch_real(op.weights->shape[1] * op.groups)},
                                   {"nOutputPlane", torch_real(op.out_channels)},
                                   {"kW", torch_real(op.kernel[1])},
                                   {"kH", torch_real(op.kernel[0])},
                                   {"dW", torch_real(op.stride[1])},
                                   {"dH", torch_real(op.stride[0])},
                                   {"padW", torch_real(pad[1])},
                                   {"padH", torch_real(pad[0])},
                                   {"weight", out_.tensor(op.weights->shape, *op.weights)}});
    if (op.groups > 1) out_.document().set(layer, "groups", torch_real(op.groups));
    if (dilated) {
      out_.document().set(layer, "dilationW", torch_real(op.dilation[1]));
      out_.document().set(layer, "dilationH", torch_real(op.dilation[0]));
    }
    if (op.bias) out_.document().set(layer, "bias", out_.tensor({op.out_channels}, *op.bias));
    add(layer);
  });
  if (op.add_residual) {
    add_parallel({row, {}});
    add("CAddTable");
  } else {
    row_ = row;
  }
  add_activation(op.activation, 4);
}

/// What is cut off behind less than in front is adj; anything else is cut off afterwards.
void TorchStepExporter::write(const Deconvolution& op) {
  if (op.dilation != Pair{1, 1}) cannot("a dilated transposed convolution");
  if (op.groups != 1) cannot("a transposed convolution in groups");
  const Pair adj{op.pad_begin[0] - op.pad_end[0], op.pad_begin[1] - op.pad_end[1]};
  const bool direct = adj[0] >= 0 && adj[1] >= 0 && adj[0] < op.stride[0] && adj[1] < op.stride[1];
  const Ref layer = out_.module("SpatialFullConvolution", {{"nInputPlane", torch_real(op.weights->shape[0])},
                                                           {"nOutputPlane", torch_real(op.out_channels)},
                                                           {"kW", torch_real(op.kernel[1])},
                                                           {"kH", torch_real(op.kernel[0])},
                                                           {"dW", torch_real(op.stride[1])},
                                                           {"dH", torch_real(op.stride[0])},
                                                           {"padW", direct ? torch_real(op.pad_begin[1]) : 0.0},
                                                           {"padH", direct ? torch_real(op.pad_begin[0]) : 0.0},
                                                           {"adjW", direct ? torch_real(adj[1]) : 0.0},
                                                           {"adjH", direct ? torch_real(adj[0]) : 0.0},
                                                           {"weight", out_.tensor(op.weights->shape, *op.weights)}});
  if (op.bias) out_.document().set(layer, "bias", out_.tensor({op.out_channels}, *op.bias));
  add(layer);
  if (!direct) {
    add_image_padding("SpatialZeroPadding", {-op.pad_begin[0], -op.pad_begin[1]}, {-op.pad_end[0], -op.pad_end[1]});
  }
  add_activation(op.activation, 4);
}

/// Torch's Linear takes rows of features: anything else is seen so for the while.
void TorchStepExporter::write(const Linear& op) {
  const std::int64_t axis = canonical_axis(op.axis, rank());
  const Shape& x = in_shape();
  const std::int64_t features = op.weights->shape[1], rows = element_count(x) / features;
  const auto row = apart([&] {
    Shape seen = x, given = x;
    if (rank() > 1 || axis == 0) seen = axis == 0 ? Shape{features} : Shape{axis == 1 ? x[0] : rows, features};
    add_reshape(x, seen);
    const Ref layer = out_.module("Linear", {{"weight", out_.tensor(op.weights->shape, *op.weights)}});
    if (op.bias) out_.document().set(layer, "bias", out_.tensor({op.out_features}, *op.bias));
    add(layer);
    given.assign(x.begin(), x.begin() + axis);
    given.push_back(op.out_features);
    seen.back() = op.out_features;
    add_reshape(seen, given);
  });
  if (op.add_residual) {
    add_parallel({row, {}});
    add("CAddTable");
  } else {
    row_ = row;
  }
  add_activation(op.activation, out_shape().size());
}

void TorchStepExporter::add_prelu(const Blob& slopes, std::size_t rank) {
  const std::int64_t count = element_count(slopes.shape);
  if (count > 1 && rank != 2 && rank != 4)
    cannot("slopes for the channels of a value of " + std::to_string(rank) + " dimensions");
  add("PReLU", {{"nOutputPlane", count > 1 ? torch_real(count) : 0.0}, {"weight", out_.tensor({count}, slopes)}});
}

void TorchStepExporter::write(const PRelu& op) { add_prelu(*op.slopes, in_shape().size()); }

void TorchStepExporter::write(const BatchNorm& op) { write_batch_norm(op, nullptr); }

void TorchStepExporter::write_batch_norm(const BatchNorm& op, const Scale* scale) {
  const std::int64_t channels = element_count(op.mean->shape);
  Shape seen = in_shape();
  if (seen.size() < 2) cannot("batch normalization of a vector");
  const bool vectors = seen.size() == 2;
  if (!vectors && seen.size() != 4) seen = {seen[0], channels, element_count(seen) / (seen[0] * channels), 1};
  add_reshape(in_shape(), seen);
  TorchDocument& document = out_.document();
  const Ref layer = document.object(vectors ? "nn.BatchNormalization" : "nn.SpatialBatchNormalization", 2);
  document.set(layer, "output", document.tensor({}, {}));
  document.set(layer, "gradInput", document.tensor({}, {}));
  document.set(layer, "train", false);
  document.set(layer, "eps", static_cast<double>(op.epsilon));
  document.set(layer, "momentum", 0.1);
  document.set(layer, "running_mean", out_.tensor({channels}, *op.mean));
  document.set(layer, "running_var", out_.tensor({channels}, *op.variance));
  document.set(layer, "affine", scale != nullptr);
  if (scale != nullptr && scale->factor) document.set(layer, "weight", out_.tensor({channels}, *scale->factor));
  if (scale != nullptr && scale->offset) document.set(layer, "bias", out_.tensor({channels}, *scale->offset));
  add(layer);
  add_reshape(seen, in_shape());
}

void TorchStepExporter::write(const Lrn& op) {
  if (!op.across_channels) cannot("a normalization over neighbouring pixels within a channel");
  add("SpatialCrossMapLRN", {{"size", torch_real(op.size)},
                             {"alpha", static_cast<double>(op.alpha)},
                             {"beta", static_cast<double>(op.beta)},
                             {"k", static_cast<double>(op.k)}});
}

/// Torch pads both sides alike, and by less than half a window; more is padded beforehand.
void TorchStepExporter::write(const Pool& op) {
  const bool maximum = op.kind == PoolKind::max;
  if (op.global) {
    add(maximum ? "SpatialAdaptiveMaxPooling" : "SpatialAdaptiveAveragePooling", {{"W", 1.0}, {"H", 1.0}});
    return;
  }
  bool plain = op.pad_begin == op.pad_end;
  for (std::size_t side = 0; side < 2; ++side) plain = plain && 2 * op.pad_begin[side] <= op.kernel[side];
  if (!plain) {
    if (op.ceil_mode) cannot("a pool whose size is rounded up, with padding that differs or is large");
    if (!maximum && !op.include_padding) cannot("a mean without padding, where padding differs or is large");
    if (maximum) {
      const double least = -std::numeric_limits<double>::infinity();
      for (std::size_t side = 0; side < 2; ++side) {
        add_padding(static_cast<std::int64_t>(2 + side), op.pad_begin[side], false, least);
        add_padding(static_cast<std::int64_t>(2 + side), op.pad_end[side], true, least);
      }
    } else {
      add_image_padding("SpatialZeroPadding", op.pad_begin, op.pad_end);
    }
  }
  const Pair pad = plain ? op.pad_begin : Pair{0, 0};
  const Ref layer =
      out_.module(maximum ? "SpatialMaxPooling" : "SpatialAveragePooling", {{"kW", torch_real(op.kernel[1])},
                                                                            {"kH", torch_real(op.kernel[0])},
                                                                            {"dW", torch_real(op.stride[1])},
                                                                            {"dH", torch_real(op.stride[0])},
                                                                            {"padW", torch_real(pad[1])},
                                                                            {"padH", torch_real(pad[0])},
                                                                            {"ceil_mode", op.ceil_mode}});
  if (!maximum) {
    out_.document().set(layer, "count_include_pad", op.include_padding);
    out_.document().set(layer, "divide", true);
  }
  add(layer);
}

void TorchStepExporter::write(const Softmax& op) {
  const std::int64_t axis = canonical_axis(op.axis, rank());
  if (rank() <= 4 && axis == (rank() == 2 || rank() == 4 ? 1 : 0)) {
    add("SoftMax");
    return;
  }
  std::vector<std::int64_t> order, back(in_shape().size());
  for (std::int64_t d = 0; d < rank(); ++d) {
    if (d != axis) order.push_back(d);
  }
  order.push_back(axis);
  for (std::size_t d = 0; d < order.size(); ++d)
    back[static_cast<std::size_t>(order[d])] = static_cast<std::int64_t>(d);
  Shape moved;
  for (const std::int64_t d : order) moved.push_back(in_shape()[static_cast<std::size_t>(d)]);
  const Shape rows{element_count(moved) / moved.back(), moved.back()};
  add_permute(order);
  add_reshape(moved, rows);
  add("SoftMax");
  add_reshape(rows, moved);
  add_permute(back);
}

/// Of rows of `columns` numbers: (x - mean) / sqrt(variance + epsilon), as Torch's LayerNormalization is made.
void TorchStepExporter::write_rows(std::int64_t columns, bool centered, double epsilon) {
  if (centered) {
    const auto mean = apart([&] {
      add("Mean", {{"dimension", 2.0}, {"squeeze", true}, {"sizeAverage", true}});
      add("Replicate", {{"nfeatures", torch_real(columns)}, {"dim", 2.0}});
    });
    add(out_.container("ConcatTable", {out_.module("Identity"), out_.in_a_row(mean)}));
    add("CSubTable");
  }
  add("Normalize", {{"p", 2.0}, {"eps", epsilon * torch_real(columns)}});
}

void TorchStepExporter::write(const LayerNorm& op) {
  const std::int64_t axis = canonical_axis(op.axis, rank());
  const Shape row(in_shape().begin() + axis, in_shape().end());
  const std::int64_t columns = element_count(row), rows = element_count(in_shape()) / columns;
  const Shape seen{axis == 1 ? in_shape()[0] : rows, columns};
  add_reshape(in_shape(), seen);
  write_rows(columns, op.centered, static_cast<double>(op.epsilon));
  const double root = std::sqrt(torch_real(columns));
  const auto inverse = static_cast<float>(1.0 / root);
  const bool as_torch = op.factor && !op.offset &&
                        std::all_of(op.factor->f32.values.begin(), op.factor->f32.values.end(),
                                    [&](float factor) { return factor == inverse; });
  if (!as_torch) {  // Normalize leaves a sum of squares of 1, not a mean of 1
    add_multiply(root);
    if (op.factor) add("CMul", {{"weight", out_.tensor({1, columns}, *op.factor)}});
    if (op.offset) add("CAdd", {{"bias", out_.tensor({1, columns}, *op.offset)}});
  }
  add_reshape(seen, in_shape());
}

/// Each pixel over its channels, or each picture as a whole.
void TorchStepExporter::write(const Normalize& op) {
  const Shape& x = in_shape();
  const Shape moved{x[0], x[2], x[3], x[1]};
  const Shape seen = op.across_spatial ? Shape{x[0], element_count(x) / x[0]} : Shape{x[0] * x[2] * x[3], x[1]};
  if (!op.across_spatial) add_permute({0, 2, 3, 1});
  add_reshape(op.across_spatial ? x : moved, seen);
  add("Normalize", {{"p", 2.0}, {"eps", static_cast<double>(op.epsilon)}});
  add_reshape(seen, op.across_spatial ? x : moved);
  if (!op.across_spatial) add_permute({0, 3, 1, 2});
  add_scale("CMul", *op.factor, element_count(op.factor->shape) == 1 ? 0 : 1, 4);
}

}  // namespace octavo::graph

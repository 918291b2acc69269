// SPDX-License-Identifier: Apache-2.0
// Normalizations, LRN, and the Softmax family.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "graph/axes.h"
#include "graph/check.h"
#include "graph/import/onnx_operators.h"

namespace octavo::graph {
namespace {

/// A parameter for each channel (or group), as a vector.
BlobPtr vector_of(const OnnxNode& node, std::size_t input, std::string_view what, std::int64_t count) {
  const ConstantTensor& tensor = node.constant(input, what);
  if (tensor.count() != count) OnnxNode::malformed(fmt::format("{} {} for {}", tensor.count(), what, count));
  Blob blob;
  blob.shape = {count};
  blob.f32 = to_floats(tensor);
  return std::make_shared<const Blob>(std::move(blob));
}

bool all_are(const BlobPtr& blob, float value) {
  const auto& values = blob->f32.values;
  return std::all_of(values.begin(), values.end(), [&](float number) { return number == value; });
}

/// x * factor + offset a channel; nothing where that is x.
ImportedValue scaled_channels(OnnxNode& node, const ImportedValue& x, const BlobPtr& factor, const BlobPtr& offset) {
  if (all_are(factor, 1.0F) && all_are(offset, 0.0F)) return x;
  return node.add(Scale{.axis = 1, .factor = factor, .offset = offset}, {x});
}

std::int64_t channels_of(const OnnxNode& node) {
  if (node.rank() < 2) OnnxNode::malformed("its input has no channels");
  return node.shape()[1];
}

/// Mean 0 and variance 1 over all dimensions behind the first `kept`, which x is reshaped to.
ImportedValue normalized_rows(OnnxNode& node, const ImportedValue& x, const Shape& rows, float epsilon) {
  std::vector<std::int64_t> dims(rows);
  dims.back() = -1;
  ImportedValue y = node.add_reshape(x, rows, std::move(dims));
  y = node.add(LayerNorm{.axis = -1, .epsilon = epsilon}, {y});
  return node.add_reshape(y, x.shape);
}

/// LayerNormalization's and RMSNormalization's parameters fit the dims from the axis on, or are broadcast to them.
BlobPtr row_parameters(const OnnxNode& node, std::size_t input, const Shape& row) {
  if (!node.has_input(input) || !node.input(input).is_constant()) return nullptr;
  const ConstantTensor& tensor = *node.input(input).constant;
  return tensor.count() == element_count(row) ? to_blob(tensor) : nullptr;
}

/// The result, the rows' means, and 1 / their deviations.
std::vector<ImportedValue> with_statistics(OnnxNode& node, ImportedValue result, std::int64_t axis, float epsilon) {
  const ImportedValue& x = node.input();
  ReducedAxes over;
  over.kept = x.shape;
  for (std::int64_t d = axis; d < node.rank(); ++d) {
    over.axes.push_back(d);
    over.kept[static_cast<std::size_t>(d)] = 1;
  }
  over.shape = over.kept;
  const ImportedValue mean = add_reduction(node, ReductionKind::mean, x, over);
  const ImportedValue centered = add_arithmetic(node, BinaryKind::subtract, x, mean);
  const ImportedValue squares = node.add_unary(UnaryKind::power, centered, 0.0F, 1.0F, 2.0F);
  const ImportedValue variance = add_reduction(node, ReductionKind::mean, squares, over);
  return {std::move(result), mean, node.add_unary(UnaryKind::power, variance, epsilon, 1.0F, -0.5F)};
}

void normalize_rows(OnnxNode& node, bool centered) {
  const ImportedValue& x = node.input();
  if (x.shape.empty()) OnnxNode::malformed("its input is a scalar");
  const std::int64_t axis = OnnxNode::axis(node.attributes().integer("axis", -1), node.rank());
  const Shape row(x.shape.begin() + axis, x.shape.end());
  LayerNorm op;
  op.axis = axis - node.rank();
  op.centered = centered;
  op.epsilon = node.attributes().number("epsilon", 1e-5F);
  op.factor = row_parameters(node, 1, row);
  op.offset = op.factor ? row_parameters(node, 2, row) : nullptr;
  const bool factor_left = node.has_input(1) && !op.factor, offset_left = node.has_input(2) && !op.offset;
  const float epsilon = op.epsilon;
  ImportedValue y = node.add(std::move(op), {x});
  if (factor_left) y = add_arithmetic(node, BinaryKind::multiply, y, node.input(1));
  if (offset_left) y = add_arithmetic(node, BinaryKind::add, y, node.input(2));
  if (node.output_count() > 1) {
    node.results(with_statistics(node, std::move(y), axis, epsilon));
  } else {
    node.result(std::move(y));
  }
}

}  // namespace

void convert_onnx_batch_normalization(OnnxNode& node) {
  const std::int64_t channels = channels_of(node);
  if (node.attributes().flag("training_mode", false)) OnnxNode::unsupported("batch statistics (training mode)");
  if (!node.attributes().flag("spatial", true)) OnnxNode::unsupported("statistics for each pixel (spatial = 0)");
  BatchNorm op;
  op.epsilon = node.attributes().number("epsilon", 1e-5F);
  op.mean = vector_of(node, 3, "means", channels);
  op.variance = vector_of(node, 4, "variances", channels);
  const ImportedValue y = node.add(std::move(op), {node.input()});
  node.result(scaled_channels(node, y, vector_of(node, 1, "scales", channels), vector_of(node, 2, "biases", channels)));
}

void convert_onnx_instance_normalization(OnnxNode& node) {
  const ImportedValue& x = node.input();
  const std::int64_t channels = channels_of(node);
  const Shape rows{x.shape[0], channels, element_count(x.shape) / (x.shape[0] * channels)};
  const ImportedValue y = normalized_rows(node, x, rows, node.attributes().number("epsilon", 1e-5F));
  node.result(scaled_channels(node, y, vector_of(node, 1, "scales", channels), vector_of(node, 2, "biases", channels)));
}

void convert_onnx_group_normalization(OnnxNode& node) {
  const ImportedValue& x = node.input();
  const std::int64_t channels = channels_of(node);
  const std::int64_t groups = node.attributes().integer("num_groups", 0);
  require(groups > 0 && channels % groups == 0, "{} channels in {} groups", channels, groups);
  const Shape rows{x.shape[0], groups, element_count(x.shape) / (x.shape[0] * groups)};
  const ImportedValue y = normalized_rows(node, x, rows, node.attributes().number("epsilon", 1e-5F));
  const auto spread = [&](std::size_t input, std::string_view what) {
    if (node.opset() >= 21) return vector_of(node, input, what, channels);
    const BlobPtr each = vector_of(node, input, what, groups);  // a parameter a group
    node.budget().take(channels);
    std::vector<float> values;
    for (std::int64_t c = 0; c < channels; ++c) {
      values.push_back(each->f32.values[static_cast<std::size_t>(c / (channels / groups))]);
    }
    return make_blob({channels}, std::move(values));
  };
  node.result(scaled_channels(node, y, spread(1, "scales"), spread(2, "biases")));
}

void convert_onnx_layer_normalization(OnnxNode& node) { normalize_rows(node, true); }

void convert_onnx_rms_normalization(OnnxNode& node) { normalize_rows(node, false); }

void convert_onnx_lrn(OnnxNode& node) {
  Lrn op;
  op.size = node.attributes().integer("size", 1);
  op.alpha = node.attributes().number("alpha", 1e-4F);
  op.beta = node.attributes().number("beta", 0.75F);
  op.k = node.attributes().number("bias", 1.0F);
  node.result(node.add(op, {onnx_as_image(node, node.input())}));
}

/// (x - mean) / deviation over `axes`, here all but the channels.
void convert_onnx_mean_variance_normalization(OnnxNode& node) {
  const ImportedValue& x = node.input();
  ReducedAxes over = onnx_reduction(node);
  const ImportedValue mean = add_reduction(node, ReductionKind::mean, x, over);
  const ImportedValue centered = add_arithmetic(node, BinaryKind::subtract, x, mean);
  const ImportedValue squares = node.add_unary(UnaryKind::power, centered, 0.0F, 1.0F, 2.0F);
  const ImportedValue variance = add_reduction(node, ReductionKind::mean, squares, over);
  const ImportedValue deviation = node.add_unary(UnaryKind::power, variance, 1e-9F, 1.0F, 0.5F);
  node.result(add_arithmetic(node, BinaryKind::divide, centered, deviation));
}

/// x / norm; 0 where the norm is 0.
void convert_onnx_lp_normalization(OnnxNode& node) {
  const ImportedValue& x = node.input();
  const std::int64_t p = node.attributes().integer("p", 2);
  require(p == 1 || p == 2, "p is {}", p);
  ReducedAxes over;
  over.axes = {OnnxNode::axis(node.attributes().integer("axis", -1), node.rank())};
  over.kept = x.shape;
  over.kept[static_cast<std::size_t>(over.axes[0])] = 1;
  over.shape = over.kept;
  ImportedValue norm = add_reduction(node, p == 1 ? ReductionKind::abs_sum : ReductionKind::square_sum, x, over);
  if (p == 2) norm = node.add_unary(UnaryKind::power, norm, 0.0F, 1.0F, 0.5F);
  const ImportedValue quotient = add_arithmetic(node, BinaryKind::divide, x, norm);
  ImportedValue y = node.add(Select{}, {norm, quotient, OnnxNode::constant_value(0.0F)});
  y.type = x.type;
  node.result(std::move(y));
}

void convert_onnx_softmax(OnnxNode& node) {
  const ImportedValue& x = node.input();
  if (x.shape.empty()) OnnxNode::malformed("its input is a scalar");
  const bool logarithm = node.type() == "LogSoftmax";
  const bool flat = node.opset() < 13;  // over all dims from the axis on
  const std::int64_t axis = OnnxNode::axis(node.attributes().integer("axis", flat ? 1 : -1), node.rank());
  ImportedValue y = x;
  std::int64_t along = axis;
  if (flat && axis + 1 < node.rank()) {
    const std::int64_t rows = count_between(x.shape, 0, axis), row = count_between(x.shape, axis, node.rank());
    y = node.add_reshape(x, {rows, row}, {axis == 1 ? 0 : rows, -1});
    along = 1;
  }
  if (logarithm) {  // x - log(sum(exp(x))): the logarithm of a softmax that is 0 would be lost
    ReducedAxes over;
    over.axes = {along};
    over.kept = y.shape;
    over.kept[static_cast<std::size_t>(along)] = 1;
    over.shape = over.kept;
    y = add_arithmetic(node, BinaryKind::subtract, y, add_reduction(node, ReductionKind::log_sum_exp, y, over));
  } else {
    y = node.add(Softmax{.axis = along}, {y});
  }
  node.result(node.add_reshape(y, x.shape));
}

}  // namespace octavo::graph

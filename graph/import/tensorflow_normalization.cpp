// SPDX-License-Identifier: Apache-2.0
// TensorFlow's batch normalization, LRN, and the Softmax family.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "graph/check.h"
#include "graph/import/tensorflow_operators.h"

namespace octavo::graph {
namespace {

BlobPtr channel_blob(TensorflowNode& node, std::size_t input, std::string_view what, std::int64_t channels) {
  const ConstantTensor& tensor = node.constant(input, what);
  if (tensor.count() != channels)
    TensorflowNode::malformed(fmt::format("{} {} for {}", tensor.count(), what, channels));
  return to_blob(*reshaped(tensor, {channels}));
}

/// By the mean and variance of the batch itself, as a network that is still being trained has it.
void normalize_by_batch(TensorflowNode& node, const ImportedValue& x, float epsilon) {
  const std::int64_t channels = x.shape[1];
  const std::vector<std::int64_t> axes{0, 2, 3};
  const ImportedValue mean = node.reduce(ReductionKind::mean, x, axes, true);
  const ImportedValue centered = node.binary(BinaryKind::subtract, x, mean);
  const Unary square{.kind = UnaryKind::power, .alpha = 0.0F, .beta = 1.0F, .gamma = 2.0F};
  const ImportedValue variance = node.reduce(ReductionKind::mean, node.unary(square, centered), axes, true);
  const Unary inverse_root{.kind = UnaryKind::power, .alpha = epsilon, .beta = 1.0F, .gamma = -0.5F};
  const ImportedValue y = node.binary(BinaryKind::multiply, centered, node.unary(inverse_root, variance));
  Scale scale{.axis = 1};
  scale.factor = channel_blob(node, 1, "scales", channels);
  scale.offset = channel_blob(node, 2, "offsets", channels);
  const ImportedValue scaled = node.add(std::move(scale), {y});
  // The statistics, and the variance of a sample, which is what is stored.
  const auto count = static_cast<float>(element_count(x.shape) / channels);
  const ImportedValue sample = node.affine(variance, count > 1 ? count / (count - 1) : 1.0F, 0.0F);
  const ImportedValue means = node.reshape(mean, {channels}), variances = node.reshape(sample, {channels});
  node.result_picture(scaled);
  node.add_outputs({tensorflow_value(means), tensorflow_value(variances)});
}

bool all_numbers_are(const BlobPtr& blob, float value) {
  const auto& values = blob->f32.values;
  return std::all_of(values.begin(), values.end(), [&](float number) { return number == value; });
}

}  // namespace

void convert_tensorflow_batch_norm(TensorflowNode& node) {
  const ImportedValue x = node.picture();
  const std::int64_t channels = x.shape[1];
  const float epsilon = node.attributes().number("epsilon", 1e-4F);
  if (node.attributes().flag("is_training", true)) {
    normalize_by_batch(node, x, epsilon);
    return;
  }
  BatchNorm op;
  op.epsilon = epsilon;
  op.mean = channel_blob(node, 3, "means", channels);
  op.variance = channel_blob(node, 4, "variances", channels);
  ImportedValue y = node.add(std::move(op), {x});
  Scale scale{.axis = 1};
  scale.factor = channel_blob(node, 1, "scales", channels);
  scale.offset = channel_blob(node, 2, "offsets", channels);
  const bool changes = !all_numbers_are(scale.factor, 1.0F) || !all_numbers_are(scale.offset, 0.0F);
  if (changes) y = node.add(std::move(scale), {y});
  const TensorflowValue mean = node.value(3), variance = node.value(4);
  node.result_picture(std::move(y));
  node.add_outputs({mean, variance});
}

void convert_tensorflow_lrn(TensorflowNode& node) {
  Lrn op;
  const std::int64_t radius = node.attributes().integer("depth_radius", 5);
  require(radius >= 0 && radius < (std::int64_t{1} << 30), "a radius of {}", radius);
  op.size = 2 * radius + 1;
  op.alpha = node.attributes().number("alpha", 1.0F) * static_cast<float>(op.size);  // of the sum, not of the mean
  op.beta = node.attributes().number("beta", 0.5F);
  op.k = node.attributes().number("bias", 1.0F);
  node.result_image(node.add(op, {node.image()}));
}

void convert_tensorflow_softmax(TensorflowNode& node) {
  if (node.rank() == 0) TensorflowNode::malformed("its input is a scalar");
  const bool image = node.is_image();
  const ImportedValue x = image ? node.image() : node.in();
  const std::int64_t axis = image ? 1 : node.rank() - 1;
  ImportedValue y;
  if (node.type() == "LogSoftmax") {  // the logarithm of a softmax that is 0 would be lost
    y = node.binary(BinaryKind::subtract, x, node.reduce(ReductionKind::log_sum_exp, x, {axis}, true));
  } else {
    y = node.add(Softmax{.axis = axis}, {x});
  }
  image ? node.result_image(std::move(y)) : node.result(std::move(y));
}

void convert_tensorflow_l2_loss(TensorflowNode& node) {
  std::vector<std::int64_t> axes;
  for (std::int64_t d = 0; d < node.rank(); ++d) axes.push_back(d);
  const ImportedValue squares = node.reduce(ReductionKind::square_sum, node.in(), axes, false);
  node.result(node.affine(squares, 0.5F, 0.0F));
}

/// -sum(labels * log_softmax(x)), and its gradient, which no network reads that only predicts.
void convert_tensorflow_cross_entropy(TensorflowNode& node) {
  if (node.rank() != 2) TensorflowNode::malformed("its input is no matrix");
  const ImportedValue x = node.in(0);
  const ImportedValue total = node.reduce(ReductionKind::log_sum_exp, x, {1}, true);
  const ImportedValue logarithms = node.binary(BinaryKind::subtract, x, total);
  ImportedValue labels = node.in(1);
  if (node.type() == "SparseSoftmaxCrossEntropyWithLogits") {
    labels = tensorflow_one_hot(node, labels, x.shape[1], 1);
  }
  const ImportedValue each = node.binary(BinaryKind::multiply, labels, logarithms);
  node.result(node.affine(node.reduce(ReductionKind::sum, each, {1}, false), -1.0F, 0.0F));
}

}  // namespace octavo::graph

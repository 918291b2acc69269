// SPDX-License-Identifier: Apache-2.0
// See graph/import/tensorflow_batch_norm.h.
#include "graph/import/tensorflow_batch_norm.h"

#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "graph/import/fold.h"

namespace octavo::graph {
namespace {

using NormKind = TensorflowNormStep::Kind;

/// A vector of numbers that are known.
ConstantPtr known_vector(const TensorflowNode& node, std::size_t input) {
  const TensorflowValue& value = node.value(input);
  const bool vector = value.plain && value.plain->is_constant() && value.shape.size() == 1;
  return vector && value.type == ElementType::float32 ? value.plain->constant : nullptr;
}

const TensorflowNormStep* norm_step(const TensorflowNode& node, std::size_t input, NormKind kind) {
  const auto& step = node.value(input).norm;
  return step && step->kind == kind ? step.get() : nullptr;
}

std::optional<TensorflowNormStep> step_of_sum(TensorflowNode& node) {
  const ConstantPtr variance = known_vector(node, 0);
  const auto& epsilon = node.value(1).plain;
  if (!variance || !epsilon || !epsilon->is_constant() || epsilon->constant->count() != 1) return std::nullopt;
  return TensorflowNormStep{
      .kind = NormKind::sum, .variance = variance, .epsilon = static_cast<float>(epsilon->constant->real(0))};
}

std::optional<TensorflowNormStep> step_of_product(TensorflowNode& node) {
  const TensorflowNormStep* first = norm_step(node, 0, NormKind::factor);
  if (const ConstantPtr gamma = known_vector(node, 1); gamma && first != nullptr && !first->gamma) {
    TensorflowNormStep scaled = *first;
    scaled.gamma = gamma;
    return scaled;
  }
  const TensorflowValue& x = node.value(0);
  if (norm_step(node, 1, NormKind::factor) == nullptr || x.blocks || x.random) return std::nullopt;
  TensorflowNormStep product{.kind = NormKind::product, .factor = node.value(1).norm};
  product.image = x.is_image();
  if (!product.image && !x.plain) return std::nullopt;
  product.multiplied = product.image ? *x.image : *x.plain;
  return product;
}

std::optional<TensorflowNormStep> step_of_difference(TensorflowNode& node) {
  const TensorflowNormStep* product = norm_step(node, 1, NormKind::product);
  const ConstantPtr beta = known_vector(node, 0);
  if (!beta || product == nullptr || !product->multiplied.is_constant()) return std::nullopt;
  TensorflowNormStep shift = *product;
  shift.kind = NormKind::shift;
  shift.beta = beta;
  return shift;
}

std::optional<TensorflowNormStep> norm_step_of(TensorflowNode& node) {
  const std::string& type = node.type();
  if (type == "Add" || type == "AddV2") return step_of_sum(node);
  if (type == "Mul") return step_of_product(node);
  if (type == "Sub") return step_of_difference(node);
  if (type != "Rsqrt") return std::nullopt;
  const TensorflowNormStep* sum = norm_step(node, 0, NormKind::sum);
  if (sum == nullptr) return std::nullopt;
  TensorflowNormStep root = *sum;
  root.kind = NormKind::factor;
  return root;
}

/// Numbers that batch normalization has a meaning for, one for each channel.
bool is_norm_vector(const ConstantTensor& tensor, std::int64_t channels, double above) {
  if (tensor.shape != Shape{channels}) return false;
  for (std::size_t i = 0; i < static_cast<std::size_t>(channels); ++i) {
    if (!std::isfinite(tensor.real(i)) || tensor.real(i) <= above) return false;
  }
  return true;
}

}  // namespace

void remember_norm_step(TensorflowNode& node) {
  if (auto step = norm_step_of(node)) node.mark_norm(std::make_shared<const TensorflowNormStep>(std::move(*step)));
}

std::optional<TensorflowValue> spelled_batch_norm(TensorflowNode& node) {
  if (node.type() != "Add" && node.type() != "AddV2") return std::nullopt;
  const TensorflowNormStep* product = norm_step(node, 0, NormKind::product);
  const TensorflowNormStep* shift = norm_step(node, 1, NormKind::shift);
  if (product == nullptr || shift == nullptr || product->factor != shift->factor) return std::nullopt;
  const ImportedValue& x = product->multiplied;
  const TensorflowNormStep& factor = *product->factor;
  if (x.is_constant() || x.shape.size() != (product->image ? 4U : 2U)) return std::nullopt;
  constexpr double kAny = -std::numeric_limits<double>::infinity();
  const std::int64_t channels = x.shape[1];
  const ConstantTensor& mean = *shift->multiplied.constant;
  if (!(factor.epsilon >= 0.0F) || !is_norm_vector(*factor.variance, channels, -static_cast<double>(factor.epsilon)) ||
      !is_norm_vector(mean, channels, kAny) || !is_norm_vector(*shift->beta, channels, kAny) ||
      (factor.gamma && !is_norm_vector(*factor.gamma, channels, kAny))) {
    return std::nullopt;
  }
  BatchNorm norm;
  norm.mean = to_blob(mean);
  norm.variance = to_blob(*factor.variance);
  norm.epsilon = factor.epsilon;
  Scale scale{.axis = 1};
  if (factor.gamma) scale.factor = to_blob(*factor.gamma);
  scale.offset = to_blob(*shift->beta);
  ImportedValue y = node.add(std::move(scale), {node.add(std::move(norm), {x})});
  return product->image ? tensorflow_image(std::move(y)) : tensorflow_value(std::move(y));
}

}  // namespace octavo::graph

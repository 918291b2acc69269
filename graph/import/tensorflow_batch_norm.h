// SPDX-License-Identifier: Apache-2.0
// Batch normalization that is spelled out, as tf.nn.batch_normalization writes it:
//   m = rsqrt(variance + epsilon) * gamma;  y = x * m + (beta - mean * m)
// It becomes BatchNorm and Scale, as FusedBatchNorm does, so that its statistics are known as such.
#pragma once

#include <memory>
#include <optional>

#include "graph/import/tensorflow_node.h"

namespace octavo::graph {

/// What a value is in those formulas.
struct TensorflowNormStep {
  enum class Kind {
    sum,      ///< variance + epsilon
    factor,   ///< m, with gamma or without
    product,  ///< x * m, mean * m
    shift,    ///< beta - mean * m
  };
  Kind kind = Kind::sum;
  ConstantPtr variance{}, gamma{};  ///< of a sum and a factor
  float epsilon = 0.0F;
  std::shared_ptr<const TensorflowNormStep> factor{};  ///< of a product and a shift: by which
  ImportedValue multiplied{};                          ///< of a product: x or mean; of a shift: mean
  bool image = false;                                  ///< x is [N, C, H, W]
  ConstantPtr beta{};                                  ///< of a shift
};

/// What the node's result is, as far as it is a step: once a converter gave it.
void remember_norm_step(TensorflowNode& node);
/// The last step, y, as BatchNorm and Scale; nothing when the node is anything else.
[[nodiscard]] std::optional<TensorflowValue> spelled_batch_norm(TensorflowNode& node);

}  // namespace octavo::graph

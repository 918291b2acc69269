// SPDX-License-Identifier: Apache-2.0
// Types, shapes and tensors as TensorFlow's files hold them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "graph/import/constant_tensor.h"
#include "graph/import/import_budget.h"

namespace octavo::graph {

/// Types of quantized numbers are the integer types that hold them. Throws Error(unsupported) for complex numbers,
/// resources and later types.
[[nodiscard]] ElementType tensorflow_type(std::uint64_t number);

/// A TensorShapeProto.
struct TensorflowShape {
  bool known_rank = false;
  Shape dims;  ///< -1: open
};
[[nodiscard]] TensorflowShape decode_tensorflow_shape(std::span<const std::byte> message);

/// Decodes a TensorProto. fp32 numbers that lie aligned are used where they are. A tensor that says fewer numbers than
/// its shape has repeats the last one: these are taken off the budget. Throws Error: malformed, unsupported (strings).
[[nodiscard]] ConstantPtr decode_tensorflow_tensor(std::span<const std::byte> message,
                                                   const std::shared_ptr<const void>& owner, ImportBudget& budget);

}  // namespace octavo::graph

// SPDX-License-Identifier: Apache-2.0
// A tensor of an ONNX file: from its bytes to numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "graph/import/constant_tensor.h"

namespace octavo::graph {

/// Throws Error(unsupported) for complex, 8-bit floating-point and later types.
[[nodiscard]] ElementType onnx_type(std::uint64_t number);

/// Where the numbers of a file lie.
struct OnnxTensorSource {
  std::shared_ptr<const void> owner;  ///< of the bytes; null: numbers are copied
  std::filesystem::path folder;       ///< of external data
};

/// Decodes a TensorProto. fp32 numbers that lie aligned are used where they are. No allocation is larger than what the
/// message, or the external file, holds. Throws Error: malformed, unsupported (strings), io (external data that is
/// missing, cut short or outside the folder).
[[nodiscard]] ConstantPtr decode_onnx_tensor(std::span<const std::byte> message, const OnnxTensorSource& source);

/// The external file that holds a TensorProto's numbers, relative to the model's folder; empty when they lie in the
/// model.
[[nodiscard]] std::filesystem::path external_file_of(std::span<const std::byte> message);

}  // namespace octavo::graph

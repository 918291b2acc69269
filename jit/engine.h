// SPDX-License-Identifier: Apache-2.0
// What stands behind a Layer: the scalar reference, or machine code for a kind of layer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "jit/kernel.h"

namespace octavo::jit {

/// Parts [first, last) of a tile's quantization.
struct PartRange {
  std::int64_t first, last;
};

/// How the layer does its two steps; behind it, machine code or the reference.
class Engine {
 public:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  virtual ~Engine() = default;
  [[nodiscard]] virtual std::int64_t tiles() const noexcept = 0;
  [[nodiscard]] virtual std::int64_t channel_blocks() const noexcept = 0;
  [[nodiscard]] virtual std::size_t scratch_bytes() const noexcept = 0;
  [[nodiscard]] virtual std::size_t workspace_bytes() const noexcept { return 0; }
  [[nodiscard]] virtual std::size_t packed_bytes() const noexcept = 0;
  /// Pieces of a tile's quantization that know nothing of each other.
  [[nodiscard]] virtual std::int64_t quantize_parts() const noexcept { return 1; }
  virtual void quantize(std::int64_t tile, PartRange parts, const float* image, std::byte* scratch,
                        std::byte* workspace) const noexcept = 0;
  virtual void compute(std::int64_t tile, std::int64_t block, const std::byte* scratch, const float* residual,
                       float* dst, std::byte* workspace) const noexcept = 0;
  [[nodiscard]] virtual std::vector<std::shared_ptr<const Kernel>> kernels() const = 0;
};

}  // namespace octavo::jit

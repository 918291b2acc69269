// SPDX-License-Identifier: Apache-2.0
// Numbers in and out of a network.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace octavo {

using Shape = std::vector<std::int64_t>;

/// Dense fp32 numbers in row-major order; pictures are [N, C, H, W]. A plain value.
class Tensor {
 public:
  Tensor() = default;
  /// Zeros. Throws Error(invalid_argument) on a negative dimension or an overflowing size.
  explicit Tensor(Shape shape);
  /// Throws Error(invalid_argument) unless values.size() is the product of the dimensions.
  Tensor(Shape shape, std::vector<float> values);

  [[nodiscard]] const Shape& shape() const noexcept { return shape_; }
  [[nodiscard]] std::int64_t size() const noexcept { return static_cast<std::int64_t>(values_.size()); }
  [[nodiscard]] float* data() noexcept { return values_.data(); }
  [[nodiscard]] const float* data() const noexcept { return values_.data(); }
  [[nodiscard]] std::span<const float> values() const noexcept { return values_; }

 private:
  Shape shape_;
  std::vector<float> values_;
};

}  // namespace octavo

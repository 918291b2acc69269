// SPDX-License-Identifier: Apache-2.0
// Constant numbers of a network: fp32, or windowed s8 with scales. Immutable and shared; may lie in a mapped file.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace octavo::graph {

using Shape = std::vector<std::int64_t>;

/// Product of the dimensions; throws Error(invalid_argument) on a negative dimension or on overflow of 63 bits.
[[nodiscard]] std::int64_t element_count(const Shape& shape);

/// Read-only numbers and whatever keeps them alive (a vector, a mapped file).
template <class T>
struct Data {
  std::span<const T> values;
  std::shared_ptr<const void> owner;

  Data() = default;
  Data(std::vector<T> numbers) {  // NOLINT(google-explicit-constructor): a vector is data
    auto held = std::make_shared<const std::vector<T>>(std::move(numbers));
    values = *held;
    owner = std::move(held);
  }
  Data(std::span<const T> numbers, std::shared_ptr<const void> keeper) : values(numbers), owner(std::move(keeper)) {}
};

/// fp32 when `q` is empty; otherwise real = q * scale, one scale for `window` input channels of an output channel.
struct Blob {
  Shape shape;              ///< weights of a convolution: [out][in / groups][kh][kw]; of a Linear: [out][in]
  Data<float> f32;          ///< element_count(shape) values, or empty
  Data<std::int8_t> q;      ///< element_count(shape) values in -127..127, or empty
  Data<float> scales;       ///< [out][windows]
  std::int64_t window = 0;  ///< input channels a window (never 0 when quantized: "all" is stored as in / groups)

  [[nodiscard]] bool quantized() const noexcept { return !q.values.empty(); }
};
using BlobPtr = std::shared_ptr<const Blob>;

[[nodiscard]] BlobPtr make_blob(Shape shape, std::vector<float> values);
/// Dequantizes, or copies.
[[nodiscard]] std::vector<float> to_float(const Blob& blob);

}  // namespace octavo::graph

// SPDX-License-Identifier: Apache-2.0
// Tensors: checked sizes.
#include "octavo/tensor.h"

#include <new>
#include <stdexcept>
#include <string>
#include <utility>

#include "graph/blob.h"
#include "graph/check.h"
#include "octavo/error.h"

namespace octavo {
namespace {

std::vector<float> zeros(const Shape& shape) {
  const std::int64_t count = graph::element_count(shape);
  try {
    return std::vector<float>(static_cast<std::size_t>(count));
  } catch (const std::bad_alloc&) {
  } catch (const std::length_error&) {
  }
  throw Error(ErrorKind::resource, "no memory for a tensor of shape " + graph::to_text(shape));
}

}  // namespace

Tensor::Tensor(Shape shape) : shape_(std::move(shape)), values_(zeros(shape_)) {}

Tensor::Tensor(Shape shape, std::vector<float> values) : shape_(std::move(shape)), values_(std::move(values)) {
  const std::int64_t count = graph::element_count(shape_);
  if (count != size()) {
    throw Error(ErrorKind::invalid_argument, "a tensor of shape " + graph::to_text(shape_) + " has " +
                                                 std::to_string(count) + " values, but " + std::to_string(size()) +
                                                 " were given");
  }
}

}  // namespace octavo

// SPDX-License-Identifier: Apache-2.0
// Outputs with room for more than counts, beside outputs of other frameworks that are as large as what counts.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "graph/axes.h"
#include "graph/blob.h"
#include "octavo/tensor.h"

namespace octavo::test {

/// What counts of a value with room for the most that there may be, if all behind it along one axis is -1; else as it
/// is.
[[nodiscard]] inline Tensor without_rest(const Tensor& actual, const Shape& shape) {
  const Shape& room = actual.shape();
  const std::int64_t count = graph::element_count(shape);
  if (room.size() != shape.size() || room == shape || count == 0) return actual;
  const auto along =
      static_cast<std::size_t>(std::mismatch(room.begin(), room.end(), shape.begin()).first - room.begin());
  const std::int64_t inner =
      graph::count_between(room, static_cast<std::int64_t>(along) + 1, static_cast<std::int64_t>(room.size()));
  std::vector<float> kept;
  for (std::int64_t i = 0; i < actual.size(); ++i) {
    const float value = actual.values()[static_cast<std::size_t>(i)];
    if (i / inner % room[along] < shape[along]) {
      kept.push_back(value);
    } else if (value != -1.0F) {
      return actual;
    }
  }
  if (static_cast<std::int64_t>(kept.size()) != count) return actual;
  return Tensor(shape, std::move(kept));
}

}  // namespace octavo::test

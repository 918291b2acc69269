// SPDX-License-Identifier: Apache-2.0
// Shapes in messages.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace octavo::runtime {

/// "[1, 3, 224, 224]"
[[nodiscard]] inline std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + "]";
}

}  // namespace octavo::runtime

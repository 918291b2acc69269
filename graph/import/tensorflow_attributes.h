// SPDX-License-Identifier: Apache-2.0
// The attributes of one TensorFlow node, decoded when they are asked for.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/import/import_budget.h"
#include "graph/import/tensorflow_file.h"
#include "graph/import/tensorflow_tensor.h"

namespace octavo::graph {

/// Each getter throws Error(malformed) when the attribute is of another kind.
class TensorflowAttributes {
 public:
  TensorflowAttributes(const TensorflowNodeDef& node, std::shared_ptr<const void> owner, ImportBudget& budget)
      : node_(node), owner_(std::move(owner)), budget_(budget) {}

  [[nodiscard]] bool has(std::string_view name) const { return find(name).has_value(); }
  [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t fallback) const;
  [[nodiscard]] bool flag(std::string_view name, bool fallback) const;
  [[nodiscard]] float number(std::string_view name, float fallback) const;
  [[nodiscard]] std::string text(std::string_view name, std::string_view fallback) const;
  [[nodiscard]] std::vector<std::int64_t> integers(std::string_view name) const;  ///< empty when it is absent
  [[nodiscard]] std::optional<ElementType> type(std::string_view name) const;
  [[nodiscard]] std::optional<TensorflowShape> shape(std::string_view name) const;
  [[nodiscard]] ConstantPtr tensor(std::string_view name) const;  ///< null when it is absent

 private:
  [[nodiscard]] std::optional<std::span<const std::byte>> find(std::string_view name) const;

  const TensorflowNodeDef& node_;
  std::shared_ptr<const void> owner_;
  ImportBudget& budget_;
};

}  // namespace octavo::graph

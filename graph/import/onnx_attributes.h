// SPDX-License-Identifier: Apache-2.0
// The attributes of one ONNX node, decoded when they are asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/import/onnx_graph_proto.h"
#include "graph/import/onnx_tensor.h"

namespace octavo::graph {

/// Each getter throws Error(malformed) when the attribute is of another type.
class OnnxAttributes {
 public:
  OnnxAttributes(const OnnxNodeProto& node, const OnnxTensorSource& source) : node_(node), source_(source) {}

  [[nodiscard]] bool has(std::string_view name) const { return find(name).has_value(); }
  [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t fallback) const;
  [[nodiscard]] bool flag(std::string_view name, bool fallback) const { return integer(name, fallback ? 1 : 0) != 0; }
  [[nodiscard]] float number(std::string_view name, float fallback) const;
  [[nodiscard]] std::string text(std::string_view name, std::string_view fallback) const;
  [[nodiscard]] std::vector<std::int64_t> integers(std::string_view name) const;  ///< empty when it is absent
  [[nodiscard]] std::vector<float> numbers(std::string_view name) const;
  [[nodiscard]] ConstantPtr tensor(std::string_view name) const;  ///< null when it is absent
  /// A graph's message. Throws Error(malformed) when it is absent.
  [[nodiscard]] std::span<const std::byte> graph(std::string_view name) const;

 private:
  [[nodiscard]] std::optional<std::span<const std::byte>> find(std::string_view name) const;

  const OnnxNodeProto& node_;
  const OnnxTensorSource& source_;
};

}  // namespace octavo::graph

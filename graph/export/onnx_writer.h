// SPDX-License-Identifier: Apache-2.0
// An ONNX model that grows node by node.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "graph/blob.h"
#include "octavo_onnx.pb.h"

namespace octavo::graph {

/// A node under construction: attributes are chained.
class OnnxNodeWriter {
 public:
  explicit OnnxNodeWriter(onnx::NodeProto& node) : node_(node) {}
  OnnxNodeWriter& set(std::string_view name, std::int64_t value);
  OnnxNodeWriter& set(std::string_view name, float value);
  OnnxNodeWriter& set(std::string_view name, std::string_view value);
  OnnxNodeWriter& set(std::string_view name, const std::vector<std::int64_t>& values);

 private:
  onnx::AttributeProto& attribute(std::string_view name, onnx::AttributeProto::Type type);
  onnx::NodeProto& node_;
};

class OnnxWriter {
 public:
  /// Reserves the graph's own names: those that stand for parts are made different from them.
  explicit OnnxWriter(const std::vector<std::string>& reserved) : names_(reserved.begin(), reserved.end()) {}

  /// `name` itself, or with a number behind it if it is taken.
  [[nodiscard]] std::string unique(const std::string& name);
  OnnxNodeWriter node(std::string_view type, const std::string& name, const std::vector<std::string>& inputs,
                      const std::vector<std::string>& outputs);
  /// Constants; the name that they got.
  std::string floats(const std::string& name, const Shape& shape, std::span<const float> values);
  std::string integers(const std::string& name, const std::vector<std::int64_t>& values);
  std::string bytes(const std::string& name, const Shape& shape, std::span<const std::int8_t> values);
  void input(const std::string& name, const Shape& shape);
  void output(const std::string& name, const Shape& shape);

  /// Throws Error(unsupported) beyond 2 GB.
  [[nodiscard]] std::string finish(const std::string& graph_name);

 private:
  std::string tensor(const std::string& name, const Shape& shape, int type, const void* data, std::size_t size);

  onnx::ModelProto model_;
  std::unordered_set<std::string> names_;
};

}  // namespace octavo::graph

// SPDX-License-Identifier: Apache-2.0
// A TensorFlow graph that grows node by node.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "graph/blob.h"
#include "octavo_tensorflow.pb.h"

namespace octavo::graph {

/// A node under construction: attributes are chained.
class TensorflowNodeWriter {
 public:
  explicit TensorflowNodeWriter(tensorflow::NodeDef& node) : node_(node) {}
  TensorflowNodeWriter& set(std::string_view name, tensorflow::DataType type);
  TensorflowNodeWriter& set(std::string_view name, std::int64_t value);
  TensorflowNodeWriter& set(std::string_view name, bool value);
  TensorflowNodeWriter& set(std::string_view name, float value);
  TensorflowNodeWriter& set(std::string_view name, std::string_view value);
  TensorflowNodeWriter& set(std::string_view name, const std::vector<std::int64_t>& values);
  /// -1: an open dimension.
  TensorflowNodeWriter& set_shape(std::string_view name, const Shape& shape);
  [[nodiscard]] const std::string& name() const { return node_.name(); }

 private:
  tensorflow::AttrValue& attribute(std::string_view name) { return (*node_.mutable_attr())[std::string(name)]; }
  tensorflow::NodeDef& node_;
};

class TensorflowWriter {
 public:
  /// The graph's own names, which nothing else takes.
  explicit TensorflowWriter(const std::vector<std::string>& values);

  /// The name of one of the graph's values, in the letters that TensorFlow allows.
  [[nodiscard]] const std::string& own(const std::string& value) const { return own_.at(value); }
  /// A name for what stands between, with a number behind it if it is taken.
  [[nodiscard]] std::string unique(const std::string& name);
  TensorflowNodeWriter node(std::string_view type, const std::string& name, const std::vector<std::string>& inputs);
  /// Constants; the name that they got: a new one, or one of the graph's own.
  std::string floats(const std::string& name, const Shape& shape, std::span<const float> values);
  std::string own_floats(const std::string& value, const Shape& shape, std::span<const float> values);
  std::string integers(const std::string& name, const std::vector<std::int64_t>& values);
  std::string integer(const std::string& name, std::int64_t value);
  std::string pairs(const std::string& name, const std::vector<std::int64_t>& values);

  /// Throws Error(unsupported) beyond 2 GB.
  [[nodiscard]] std::string finish();

 private:
  std::string narrow_integers(const std::string& name, const Shape& shape, const std::vector<std::int64_t>& values);
  std::string constant(std::string own, tensorflow::DataType type, const Shape& shape, std::string bytes);

  tensorflow::GraphDef graph_;
  std::unordered_set<std::string> names_;
  std::unordered_map<std::string, std::string> own_;
};

}  // namespace octavo::graph

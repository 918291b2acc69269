// SPDX-License-Identifier: Apache-2.0
// What the converter of one ONNX node sees.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/import/node_builder.h"
#include "graph/import/onnx_attributes.h"
#include "graph/import/onnx_tensor.h"

namespace octavo::graph {

class OnnxNode : public NodeBuilder {
 public:
  OnnxNode(const OnnxNodeProto& proto, const OnnxTensorSource& source, std::int64_t opset,
           std::vector<std::optional<ImportedValue>> inputs, GraphWriter& writer, ImportBudget& budget);

  [[nodiscard]] const std::string& type() const { return type_; }
  [[nodiscard]] std::int64_t opset() const { return opset_; }
  [[nodiscard]] const OnnxAttributes& attributes() const { return attributes_; }

  [[nodiscard]] std::size_t input_count() const { return inputs_.size(); }
  [[nodiscard]] bool has_input(std::size_t i) const { return i < inputs_.size() && inputs_[i].has_value(); }
  /// Throws Error(malformed) when the node has no such input.
  [[nodiscard]] const ImportedValue& input(std::size_t i = 0) const;
  /// What the converter is to see in place of an input; it may be one that the node does not have.
  void set_input(std::size_t i, ImportedValue value);
  [[nodiscard]] const Shape& shape(std::size_t i = 0) const { return input(i).shape; }
  [[nodiscard]] std::int64_t rank(std::size_t i = 0) const { return static_cast<std::int64_t>(shape(i).size()); }
  /// The numbers of an input that have to be known at import; throws Error(unsupported) when a node makes them.
  [[nodiscard]] const ConstantTensor& constant(std::size_t i, std::string_view what) const {
    return known_numbers(input(i), what);
  }
  /// An input of whole numbers that is known; nothing when the node has no such input.
  [[nodiscard]] std::optional<std::vector<std::int64_t>> integers(std::size_t i, std::string_view what) const;
  [[nodiscard]] float scalar(std::size_t i, std::string_view what) const { return known_number(input(i), what); }

 private:
  std::string type_;
  OnnxAttributes attributes_;
  std::int64_t opset_;
  std::vector<std::optional<ImportedValue>> inputs_;
};

}  // namespace octavo::graph

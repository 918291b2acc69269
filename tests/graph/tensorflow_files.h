// SPDX-License-Identifier: Apache-2.0
// TensorFlow files for tests, made node by node.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "graph/export/tensorflow_writer.h"
#include "graph/import/tensorflow.h"
#include "tests/graph/caffe_files.h"

namespace octavo::graph {

/// A graph in the making.
class TensorflowModel {
 public:
  using Attributes = std::function<void(TensorflowNodeWriter)>;

  std::string input(const std::string& name, const Shape& shape) {
    writer_.node("Placeholder", name, {}).set("dtype", tensorflow::DT_FLOAT).set_shape("shape", shape);
    return name;
  }
  std::string floats(const std::string& name, const Shape& shape, std::vector<float> values = {}) {
    values.resize(static_cast<std::size_t>(element_count(shape)), 0.5F);
    return writer_.floats(name, shape, values);
  }
  std::string integers(const std::string& name, const std::vector<std::int64_t>& values) {
    return writer_.integers(name, values);
  }
  std::string pairs(const std::string& name, const std::vector<std::int64_t>& values) {
    return writer_.pairs(name, values);
  }
  std::string integer(const std::string& name, std::int64_t value) { return writer_.integer(name, value); }
  std::string node(
      const std::string& type, const std::vector<std::string>& inputs, const std::string& output,
      const Attributes& attributes = [](TensorflowNodeWriter) {}) {
    attributes(writer_.node(type, output, inputs).set("T", tensorflow::DT_FLOAT));
    return output;
  }
  /// A convolution or pool of stride 1.
  static Attributes window(std::string_view padding, const std::vector<std::int64_t>& strides = {1, 1, 1, 1}) {
    return [=](TensorflowNodeWriter n) { n.set("padding", padding).set("strides", strides); };
  }
  TensorflowWriter& writer() { return writer_; }

  [[nodiscard]] tensorflow::GraphDef finish() {
    tensorflow::GraphDef graph;
    graph.ParseFromString(writer_.finish());
    return graph;
  }

 private:
  TensorflowWriter writer_{{}};
};

/// A folder for files that goes away with the test.
class TensorflowFiles : public CaffeFiles {
 public:
  Graph import(const tensorflow::GraphDef& graph, const TensorflowImportOptions& options = {}) const {
    return import_tensorflow(write("net.pb", graph.SerializeAsString()), options);
  }
};

/// A checkpoint's index: a table of one block, uncompressed or of Snappy's literals, and the header's entry. The index
/// may name the block several times, and the block have room for more restarts than it needs.
[[nodiscard]] inline std::string sorted_table(const std::vector<std::pair<std::string, std::string>>& entries,
                                              bool snappy = false, int times = 1, std::uint32_t restarts = 1) {
  const auto varint = [](std::uint64_t value) {
    std::string bytes;
    for (; value >= 128; value >>= 7U) bytes += static_cast<char>(value | 128U);
    return bytes + static_cast<char>(value);
  };
  const auto fixed = [](std::uint64_t value, std::size_t size) {
    std::string bytes;
    for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(value >> (8 * i));
    return bytes;
  };
  const auto entry = [&](const std::string& key, const std::string& value) {
    return varint(0) + varint(key.size()) + varint(value.size()) + key + value;
  };
  const auto ending = [&](std::uint32_t count) { return std::string(std::size_t{4} * count, '\0') + fixed(count, 4); };
  std::string block;
  for (const auto& [key, value] : entries) block += entry(key, value);
  block += ending(restarts);
  if (snappy) {
    std::string packed = varint(block.size());
    for (std::size_t at = 0; at < block.size(); at += 60) {
      const std::string literal = block.substr(at, 60);
      packed += static_cast<char>((literal.size() - 1) << 2U) + literal;
    }
    block = packed;
  }
  std::string file = block + static_cast<char>(snappy ? 1 : 0) + fixed(0, 4);
  std::string index;
  for (int i = 0; i < times; ++i) index += entry("z", varint(0) + varint(block.size()));
  index += ending(1);
  const std::string footer = varint(0) + varint(0) + varint(file.size()) + varint(index.size());
  file += index + static_cast<char>(0) + fixed(0, 4);
  return file + footer + std::string(40 - footer.size(), '\0') + fixed(0xdb4775248b80fb57U, 8);
}

}  // namespace octavo::graph

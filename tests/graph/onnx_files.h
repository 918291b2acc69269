// SPDX-License-Identifier: Apache-2.0
// ONNX files for tests, made node by node.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "graph/export/onnx_writer.h"
#include "graph/import/onnx.h"
#include "tests/graph/caffe_files.h"

namespace octavo::graph {

/// A model in the making: nodes with one output, named after it.
class OnnxModel {
 public:
  using Attributes = std::function<void(OnnxNodeWriter)>;

  std::string input(const std::string& name, const Shape& shape) {
    writer_.input(name, shape);
    return name;
  }
  std::string floats(const std::string& name, const Shape& shape, std::vector<float> values = {}) {
    values.resize(static_cast<std::size_t>(element_count(shape)), 0.5F);
    return writer_.floats(name, shape, values);
  }
  std::string integers(const std::string& name, const std::vector<std::int64_t>& values) {
    return writer_.integers(name, values);
  }
  std::string bytes(const std::string& name, const Shape& shape, const std::vector<std::int8_t>& values) {
    return writer_.bytes(name, shape, values);
  }
  std::string node(
      const std::string& type, const std::vector<std::string>& inputs, const std::string& output,
      const Attributes& attributes = [](OnnxNodeWriter) {}) {
    attributes(writer_.node(type, output, inputs, {output}));
    return output;
  }
  OnnxWriter& writer() { return writer_; }

  [[nodiscard]] onnx::ModelProto finish(const std::string& output, std::int64_t opset = 21) {
    writer_.output(output, {});
    onnx::ModelProto model;
    model.ParseFromString(writer_.finish("test"));
    model.mutable_opset_import(0)->set_version(opset);
    return model;
  }

 private:
  OnnxWriter writer_{{}};
};

/// A folder for files that goes away with the test.
class OnnxFiles : public CaffeFiles {
 public:
  Graph import(const onnx::ModelProto& model, const OnnxImportOptions& options = {}) const {
    return import_onnx(write("net.onnx", model.SerializeAsString()), options);
  }
};

}  // namespace octavo::graph

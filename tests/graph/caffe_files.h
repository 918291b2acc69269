// SPDX-License-Identifier: Apache-2.0
// Caffe files for tests: a prototxt from a string, a caffemodel from lists of numbers.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "graph/import/caffe.h"
#include "octavo/error.h"
#include "octavo_caffe.pb.h"
#include "tests/runtime/temporary_folder.h"

namespace octavo::graph {

/// A folder that goes away with the test.
class CaffeFiles {
 public:
  std::filesystem::path write(const std::string& name, const std::string& content) const {
    return folder_.put(name, {content.begin(), content.end()});
  }

  /// The text as a network with seeded weights.
  Graph import_text(const std::string& text, const CaffeImportOptions& options = {}) const {
    return import_caffe(write("net.prototxt", text), {}, options);
  }
  Graph import_both(const std::string& text, const caffe::NetParameter& weights,
                    const CaffeImportOptions& options = {}) const {
    return import_caffe(write("net.prototxt", text), write("net.caffemodel", weights.SerializeAsString()), options);
  }

 private:
  octavo::test::TemporaryFolder folder_;
};

inline void add_blob(caffe::LayerParameter& layer, const Shape& shape, const std::vector<float>& values) {
  auto& blob = *layer.add_blobs();
  for (const auto dim : shape) blob.mutable_shape()->add_dim(dim);
  for (const float value : values) blob.add_data(value);
}

inline caffe::LayerParameter& add_layer(caffe::NetParameter& net, const std::string& name) {
  auto& layer = *net.add_layer();
  layer.set_name(name);
  return layer;
}

/// An Input of this shape called "x", then the layer's text.
inline std::string after_input(const std::string& dims, const std::string& layers) {
  std::string shape;
  for (const char c : dims) shape += c == ' ' ? std::string(" dim: ") : std::string(1, c);
  return "layer { name: \"x\" type: \"Input\" top: \"x\" input_param { shape { dim: " + shape + " } } }\n" + layers;
}

template <class T>
const T& op_of(const Graph& graph, const std::string& node) {
  const Node* found = graph.find_node(node);
  EXPECT_NE(found, nullptr) << node;
  static const T none{};
  if (found == nullptr || !std::holds_alternative<T>(found->op)) {
    ADD_FAILURE() << node << " is not a " << T::kName;
    return none;
  }
  return std::get<T>(found->op);
}

inline Shape output_shape(const Graph& graph, std::size_t output = 0) {
  return graph.values.at(graph.outputs.at(output)).shape;
}

/// The text of a layer `l` from `x` to `y`.
inline std::string layer(const std::string& type, const std::string& rest) {
  return "layer { name: \"l\" type: \"" + type + "\" bottom: \"x\" top: \"y\" " + rest + " }\n";
}

template <class Call>
Error error_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no octavo::Error was thrown";
  return Error(ErrorKind::io, "none");
}

}  // namespace octavo::graph

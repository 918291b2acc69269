// SPDX-License-Identifier: Apache-2.0
// A BigDL file's tree of modules, read where it lies: names, classes and connections at once, attributes and tensors
// when they are asked for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/blob.h"

namespace octavo::graph {

using BigdlBytes = std::span<const std::byte>;

/// Which of BigDL's packages a class is of; the release (bigdl, bigdl.dllib, zoo) does not matter.
enum class BigdlFamily {
  nn,         ///< layers and containers
  quantized,  ///< nn.quantized
  keras,      ///< Keras-style layers: wrappers around the nn modules that do the work
  other,      ///< TensorFlow's operations, MKL-DNN's layers, users' own
};

struct BigdlModule {
  std::string name;        ///< its own, or made of class and postfix, as BigDL does
  std::string class_name;  ///< whole, as in the file
  std::string type;        ///< the class without its package
  BigdlFamily family = BigdlFamily::other;
  std::int64_t id = 0;
  std::vector<std::string> sources;  ///< in a graph: names of the modules whose results it takes
  std::vector<BigdlModule> parts;
  std::map<std::string, BigdlBytes, std::less<>> attributes;  ///< by name: an AttrValue
  bool has_parameters = false;                                ///< `parameters` hold the weights, not weight and bias
  std::vector<BigdlBytes> parameters;                         ///< BigDLTensor each
  std::optional<BigdlBytes> weight, bias;
  std::optional<BigdlBytes> input_shape;
};

/// Throws Error(malformed) with the byte; keeps to graph/import/bigdl_limits.h.
[[nodiscard]] BigdlModule read_bigdl_module(BigdlBytes message);

/// Dimensions of a Shape message; the batch may be -1. Nothing when it is absent or of several values.
[[nodiscard]] std::optional<Shape> read_bigdl_shape(const std::optional<BigdlBytes>& message);

/// Whether the bytes are those of a BigDL module, as far as its outermost fields tell.
[[nodiscard]] bool is_bigdl(BigdlBytes bytes);

}  // namespace octavo::graph

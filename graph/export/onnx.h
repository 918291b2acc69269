// SPDX-License-Identifier: Apache-2.0
// A graph as an ONNX model.
#pragma once

#include <string>

#include "graph/graph.h"

namespace octavo::graph {

/// The bytes of an ONNX file (operator set 21). fp32 weights as they are; 8-bit ones as int8 numbers behind
/// DequantizeLinear, by channel or in blocks along the input channels, so that no digit is lost. Activations stay fp32:
/// octavo quantizes them as it runs, which ONNX cannot say. Takes a graph at any stage up to `quantized`, shapes known.
/// Throws Error(unsupported) that names the first node that ONNX cannot say, or a model beyond the 2 GB of an ONNX
/// file.
[[nodiscard]] std::string export_onnx(const Graph& graph);

}  // namespace octavo::graph

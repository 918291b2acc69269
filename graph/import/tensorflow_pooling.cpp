// SPDX-License-Identifier: Apache-2.0
// TensorFlow's pools.
#include <fmt/core.h>

#include "graph/check.h"
#include "graph/import/tensorflow_operators.h"

namespace octavo::graph {

ImportedValue tensorflow_pooled(TensorflowNode& node, const ImportedValue& x) {
  const std::vector<std::int64_t> sizes = node.attributes().integers("ksize");
  if (sizes.size() != 4) TensorflowNode::malformed(fmt::format("a kernel of {} dimensions", sizes.size()));
  const std::size_t first = node.channels_first() ? 2 : 1, channels = node.channels_first() ? 1 : 3;
  if (sizes[0] != 1 || sizes[channels] != 1) TensorflowNode::unsupported("a pool over batch or channels");
  const Pair kernel{sizes[first], sizes[first + 1]};
  require(kernel[0] > 0 && kernel[1] > 0, "a kernel of {} x {}", kernel[0], kernel[1]);
  const TensorflowWindow window = tensorflow_window(node, x.shape, kernel);
  Pool op;
  op.kind = node.type().ends_with("MaxPool") ? PoolKind::max : PoolKind::average;
  op.kernel = kernel;
  op.stride = window.stride;
  op.pad_begin = window.pad_begin;
  op.pad_end = window.pad_end;
  if (op.kind == PoolKind::average) op.include_padding = false;
  const bool whole = kernel == Pair{x.shape[2], x.shape[3]} && op.pad_begin == Pair{0, 0} && op.pad_end == Pair{0, 0};
  if (whole) op = {.kind = op.kind, .global = true};
  return node.add(op, {x});
}

void convert_tensorflow_pool(TensorflowNode& node) { node.result_picture(tensorflow_pooled(node, node.picture())); }

}  // namespace octavo::graph

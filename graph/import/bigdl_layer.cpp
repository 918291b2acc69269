// SPDX-License-Identifier: Apache-2.0
// See graph/import/bigdl_layer.h.
#include "graph/import/bigdl_layer.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "graph/check.h"
#include "graph/import/bigdl_limits.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

void flatten_into(const BigdlActivity& activity, std::size_t depth, std::size_t& visited,
                  std::vector<ValueId>& values) {
  if (++visited > 4 * kMaxBigdlList || depth > kMaxBigdlDepth) {
    throw Error(ErrorKind::malformed, "a table of too many values");
  }
  if (activity.value) values.push_back(*activity.value);
  if (!activity.table) return;
  for (const BigdlActivity& item : *activity.table) flatten_into(item, depth + 1, visited, values);
}

}  // namespace

BigdlActivity bigdl_table(std::vector<BigdlActivity> items) {
  return {std::nullopt, std::make_shared<const std::vector<BigdlActivity>>(std::move(items))};
}

std::vector<ValueId> flat_values(const BigdlActivity& activity) {
  std::vector<ValueId> values;
  std::size_t visited = 0;
  flatten_into(activity, 0, visited, values);
  return values;
}

BigdlLayer::BigdlLayer(const BigdlModule& module, BigdlActivity input, BigdlTensors& tensors, GraphWriter& writer)
    : module_(module),
      input_(std::move(input)),
      tensors_(tensors),
      writer_(writer),
      first_node_(writer.graph().nodes.size()) {}

void BigdlLayer::malformed(std::string what, std::string hint) {
  throw Error(ErrorKind::malformed, std::move(what), {}, std::move(hint));
}

void BigdlLayer::unsupported(std::string what, std::string hint) {
  throw Error(ErrorKind::unsupported, std::move(what), {}, std::move(hint));
}

ValueId BigdlLayer::x() const {
  if (!input_.value) malformed("it takes one value and is given a table of them");
  return *input_.value;
}

std::vector<ValueId> BigdlLayer::items(std::size_t least) const {
  if (!input_.table) malformed("it takes a table of values and is given one value");
  std::vector<ValueId> values;
  for (const BigdlActivity& item : *input_.table) {
    if (!item.value) malformed("it takes a table of values and is given a table of tables");
    values.push_back(*item.value);
  }
  if (values.size() < least) malformed(fmt::format("it takes {} values and is given {}", least, values.size()));
  return values;
}

ValueId BigdlLayer::x_of_rank(std::size_t rank) const {
  if (shape().size() != rank) {
    unsupported(fmt::format("its input {} has {} dimensions, not {}", to_text(shape()), shape().size(), rank),
                "octavo runs batches: the first dimension counts pictures");
  }
  return x();
}

std::int64_t BigdlLayer::axis(std::int64_t dimension, std::int64_t rank) {
  const std::int64_t axis = dimension < 0 ? dimension + rank : dimension - 1;
  if (dimension == 0 || axis < 0 || axis >= rank) {
    malformed(fmt::format("its dimension {} of a value of {} dimensions", dimension, rank));
  }
  return axis;
}

std::int64_t BigdlLayer::batched_axis(std::int64_t dimension, std::int64_t ranks, std::int64_t rank) {
  const bool batch = dimension > 0 && ranks > 0 && rank == ranks + 1;
  return axis(batch ? dimension + 1 : dimension, rank);
}

bool BigdlLayer::has_parameter(std::size_t which) const {
  if (module_.has_parameters) return which < module_.parameters.size();
  return which == 0 ? module_.weight.has_value() : which == 1 && module_.bias.has_value();
}

BlobPtr BigdlLayer::parameter(std::size_t which) const {
  if (!has_parameter(which)) {
    malformed(which == 0 ? "its weights are not in the file" : "its biases are not in the file",
              "a network whose weights are in a file of their own needs that file, too");
  }
  if (module_.has_parameters) return tensors_.blob(module_.parameters[which]);
  return tensors_.blob(which == 0 ? *module_.weight : *module_.bias);
}

BlobPtr BigdlLayer::reshaped(const BlobPtr& blob, const Shape& shape) {
  if (blob->shape == shape) return blob;
  if (element_count(shape) != element_count(blob->shape)) {
    malformed(fmt::format("its weights are {}, not {}", to_text(blob->shape), to_text(shape)));
  }
  Blob other = *blob;
  other.shape = shape;
  return std::make_shared<const Blob>(std::move(other));
}

BlobPtr BigdlLayer::parameter(std::size_t which, const Shape& shape) const { return reshaped(parameter(which), shape); }

std::vector<ValueId> BigdlLayer::add_many(Op op, std::vector<ValueId> inputs, std::size_t outputs) {
  if (writer_.graph().nodes.size() >= kMaxBigdlNodes) malformed(fmt::format("more than {} nodes", kMaxBigdlNodes));
  if (outputs > kMaxBigdlList) malformed(fmt::format("a table of {} values", outputs));
  const std::string name = fmt::format("{}/{}", module_.name, op_name(op));
  return writer_.add(name, std::move(op), std::move(inputs), outputs);
}

ValueId BigdlLayer::add(Op op, std::vector<ValueId> inputs) { return add_many(std::move(op), std::move(inputs), 1)[0]; }

ValueId BigdlLayer::add_main(Op op, std::vector<ValueId> inputs) {
  const ValueId value = add(std::move(op), std::move(inputs));
  main_node_ = writer_.graph().nodes.size() - 1;
  return value;
}

ValueId BigdlLayer::add_unary(UnaryKind kind, ValueId x, float alpha, float beta, float gamma) {
  return add(Unary{.kind = kind, .alpha = alpha, .beta = beta, .gamma = gamma}, {x});
}

ValueId BigdlLayer::add_affine(ValueId x, float scale, float shift) {
  return add_unary(UnaryKind::power, x, shift, scale, 1.0F);
}

ValueId BigdlLayer::add_reshape_dims(ValueId x, std::vector<std::int64_t> dims) {
  return add(Reshape{.dims = std::move(dims)}, {x});
}

ValueId BigdlLayer::add_reshape(ValueId x, const Shape& wanted) {
  const Shape& before = shape(x);
  if (before == wanted) return x;
  std::vector<std::int64_t> dims = wanted;
  if (dims.size() > 1 && !before.empty() && dims[0] == before[0]) dims[0] = 0;
  return add_reshape_dims(x, std::move(dims));
}

ValueId BigdlLayer::add_permute(ValueId x, const std::vector<std::int64_t>& order) {
  return std::ranges::is_sorted(order) ? x : add(Permute{.order = order}, {x});
}

ValueId BigdlLayer::add_constant(BlobPtr blob) { return add(Constant{std::move(blob)}, {}); }

BigdlActivity BigdlLayer::finish() {
  Graph& graph = writer_.graph();
  bool named = main_node_.has_value();
  if (named) writer_.rename_node(*main_node_, module_.name);
  if (result_.value) {
    for (std::size_t n = first_node_; n < graph.nodes.size(); ++n) {
      const auto& made = graph.nodes[n].outputs;
      if (std::ranges::find(made, *result_.value) == made.end()) continue;
      writer_.rename_value(*result_.value, module_.name);
      if (!named) writer_.rename_node(n, module_.name);
      named = true;
    }
  }
  if (!named && graph.nodes.size() > first_node_) writer_.rename_node(graph.nodes.size() - 1, module_.name);
  return std::move(result_);
}

}  // namespace octavo::graph

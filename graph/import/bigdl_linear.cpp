// SPDX-License-Identifier: Apache-2.0
// Products with matrices, and tables of vectors.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "graph/check.h"
#include "graph/import/bigdl_layers.h"

namespace octavo::graph {
namespace {

/// A matrix turned: its last two dimensions exchanged.
ValueId matrix_of(BigdlLayer& layer, ValueId x, bool turn) {
  std::vector<std::int64_t> order(layer.shape(x).size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
  if (order.size() < 2) BigdlLayer::malformed(fmt::format("{} is no matrix", to_text(layer.shape(x))));
  if (turn) std::swap(order[order.size() - 2], order[order.size() - 1]);
  return layer.add_permute(x, order);
}

/// x less 1; where x is something plus 1, that.
ValueId counted_from_zero(BigdlLayer& layer) {
  const Node* const before = layer.producer(layer.x());
  const auto* const sum = before == nullptr ? nullptr : std::get_if<Unary>(&before->op);
  const bool plus_one =
      sum != nullptr && sum->kind == UnaryKind::power && sum->alpha == 1.0F && sum->beta == 1.0F && sum->gamma == 1.0F;
  return plus_one ? before->inputs[0] : layer.add_affine(layer.x(), 1.0F, -1.0F);
}

}  // namespace

void convert_bigdl_linear(BigdlLayer& layer) {
  const std::int64_t in = layer.attributes().integer("inputSize"), out = layer.attributes().integer("outputSize");
  if (layer.shape().back() != in) {
    BigdlLayer::malformed(fmt::format("it takes {} features and is given {}", in, to_text(layer.shape())));
  }
  Linear op;
  op.out_features = out;
  op.axis = layer.rank() - 1;
  op.weights = layer.parameter(0, {out, in});
  if (layer.has_parameter(1) && layer.attributes().flag("withBias", true)) op.bias = bigdl_bias(layer, 1, out);
  layer.result(layer.add_main(std::move(op), {layer.x()}));
}

/// Indices count from 1.
void convert_bigdl_lookup_table(BigdlLayer& layer) {
  const BigdlAttributes& attributes = layer.attributes();
  if (attributes.number("maxNorm", std::numeric_limits<double>::max()) < 1e30) {
    BigdlLayer::unsupported("a table of vectors that are shortened to a greatest length as they are used");
  }
  const std::int64_t rows = attributes.integer("nIndex"), columns = attributes.integer("nOutput");
  BlobPtr table = layer.parameter(0, {rows, columns});
  const double padding = attributes.number("paddingValue", 0);
  if (attributes.flag("maskZero", false) && padding >= 1 && padding <= static_cast<double>(rows)) {
    layer.tensors().budget().take(element_count(table->shape));
    std::vector<float> masked(table->f32.values.begin(), table->f32.values.end());
    std::fill_n(masked.begin() + (static_cast<std::int64_t>(padding) - 1) * columns, columns, 0.0F);
    table = make_blob({rows, columns}, std::move(masked));
  }
  layer.result(layer.add_main(Embed{.weights = std::move(table)}, {counted_from_zero(layer)}));
}

void convert_bigdl_mm(BigdlLayer& layer) {
  const std::vector<ValueId> values = layer.items(2);
  if (values.size() != 2) BigdlLayer::malformed(fmt::format("a product of {} matrices", values.size()));
  const ValueId a = matrix_of(layer, values[0], layer.attributes().flag("transA", false));
  const ValueId b = matrix_of(layer, values[1], layer.attributes().flag("transB", false));
  layer.result(layer.add_main(MatMul{}, {a, b}));
}

}  // namespace octavo::graph

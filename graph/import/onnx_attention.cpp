// SPDX-License-Identifier: Apache-2.0
// Attention (operator set 23 and later) as the arithmetic that it stands for.
#include <fmt/core.h>

#include <cmath>
#include <limits>

#include "graph/check.h"
#include "graph/import/onnx_operators.h"

namespace octavo::graph {
namespace {

/// [batch, sequence, heads * size] as [batch, heads, sequence, size].
ImportedValue in_heads(OnnxNode& node, const ImportedValue& x, std::int64_t heads) {
  if (x.shape.size() == 4) return x;
  if (x.shape.size() != 3) OnnxNode::malformed("its input is neither of 3 nor of 4 dimensions");
  require(heads > 0 && x.shape[2] % heads == 0, "{} features for {} heads", x.shape[2], heads);
  const ImportedValue y = node.add_reshape(x, {x.shape[0], x.shape[1], heads, x.shape[2] / heads}, {0, 0, heads, -1});
  return node.add_permute(y, {0, 2, 1, 3});
}

/// Each head serves several of the queries'.
ImportedValue repeated(OnnxNode& node, const ImportedValue& x, std::int64_t heads) {
  const Shape& s = x.shape;
  if (s[1] == heads) return x;
  require(heads % s[1] == 0, "{} heads of keys for {} of queries", s[1], heads);
  ImportedValue y = node.add_reshape(x, {s[0], s[1], 1, s[2], s[3]}, {s[0], s[1], 1, s[2], s[3]});
  y = node.add(Tile{.axis = 2, .tiles = heads / s[1]}, {y});
  return node.add_reshape(y, {s[0], heads, s[2], s[3]});
}

ImportedValue minus_infinity() { return OnnxNode::constant_value(-std::numeric_limits<float>::infinity()); }

/// Queries see no key behind them (causal), or none beyond a window; `past` keys come before the first query.
ImportedValue windowed(OnnxNode& node, const ImportedValue& scores, std::int64_t past) {
  const std::int64_t left = node.attributes().integer("left_window_size", -1);
  const std::int64_t right =
      node.attributes().flag("is_causal", false) ? 0 : node.attributes().integer("right_window_size", -1);
  if (left < 0 && right < 0) return scores;
  const std::int64_t rows = scores.shape[2], columns = scores.shape[3];
  node.budget().take(checked_product(rows, columns));
  std::vector<float> seen;
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t own = r + past;
    for (std::int64_t c = 0; c < columns; ++c) {
      seen.push_back((right < 0 || c - own <= right) && (left < 0 || own - c <= left) ? 1.0F : 0.0F);
    }
  }
  const ImportedValue mask =
      OnnxNode::constant_value(make_tensor(ElementType::float32, {rows, columns}, std::move(seen)));
  return node.add(Select{}, {mask, scores, minus_infinity()});
}

/// A query that the mask lets see nothing has weights of 0, not 0 / 0.
ImportedValue blind_rows_cleared(OnnxNode& node, const ImportedValue& masked, const ImportedValue& weights) {
  ReducedAxes over;
  over.axes = {3};
  over.kept = masked.shape;
  over.kept[3] = 1;
  over.shape = over.kept;
  const ImportedValue greatest = add_reduction(node, ReductionKind::max, masked, over);
  const ImportedValue blind = node.add_binary(BinaryKind::equal, greatest, minus_infinity());
  return node.add(Select{}, {blind, OnnxNode::constant_value(0.0F), weights});
}

}  // namespace

void convert_onnx_attention(OnnxNode& node) {
  const OnnxAttributes& attributes = node.attributes();
  const std::int64_t query_heads = attributes.integer("q_num_heads", 0);
  const std::int64_t key_heads = attributes.integer("kv_num_heads", query_heads);
  if (node.has_input(6)) OnnxNode::unsupported("key lengths that differ from row to row");
  const ImportedValue q = in_heads(node, node.input(0), query_heads);
  ImportedValue k = in_heads(node, node.input(1), key_heads);
  ImportedValue v = in_heads(node, node.input(2), key_heads);
  std::int64_t past = 0;
  if (node.has_input(4)) {
    require(node.rank(4) == 4 && node.rank(5) == 4, "the cache is not of 4 dimensions");
    past = node.shape(4)[2];
    k = node.add(Concat{.axis = 2}, {node.input(4), k});
    v = node.add(Concat{.axis = 2}, {node.input(5), v});
  }
  const ImportedValue present_k = k, present_v = v;
  k = repeated(node, k, q.shape[1]);
  v = repeated(node, v, q.shape[1]);
  const float scale = attributes.number("scale", 1.0F / std::sqrt(static_cast<float>(q.shape[3])));
  ImportedValue scores = node.add(MatMul{}, {q, node.add_permute(k, {0, 1, 3, 2})});
  scores = node.add_affine(scores, scale, 0.0F);
  const ImportedValue raw = scores;
  if (const float cap = attributes.number("softcap", 0.0F); cap > 0.0F) {
    scores = node.add_affine(scores, 1.0F / cap, 0.0F);
    scores = node.add_affine(node.add_unary(UnaryKind::tanh, scores), cap, 0.0F);
  }
  const ImportedValue capped = scores;
  scores = windowed(node, scores, past);
  if (node.has_input(3)) {
    const ImportedValue& mask = node.input(3);
    if (mask.shape.empty() || mask.shape.back() != scores.shape[3]) {
      OnnxNode::unsupported("a mask for some of the keys only");
    }
    const Shape shape = scores.shape;
    scores = mask.type == ElementType::boolean ? node.add(Select{}, {mask, scores, minus_infinity()})
                                               : node.add_binary(BinaryKind::add, scores, mask);
    require(scores.shape == shape, "the mask {} for scores {}", to_text(mask.shape), to_text(shape));
  }
  const ImportedValue masked = scores;
  scores = node.add(Softmax{.axis = 3}, {scores});
  if (node.has_input(3)) scores = blind_rows_cleared(node, masked, scores);
  ImportedValue y = node.add(MatMul{}, {scores, v});
  if (node.shape(0).size() == 3) {
    y = node.add_permute(y, {0, 2, 1, 3});
    y = node.add_reshape(y, {y.shape[0], y.shape[1], y.shape[2] * y.shape[3]}, {0, 0, -1});
  }
  y.type = node.input(0).type;
  const std::int64_t mode = attributes.integer("qk_matmul_output_mode", 0);
  const ImportedValue stages[] = {raw, capped, masked, scores};
  require(mode >= 0 && mode <= 3, "qk_matmul_output_mode is {}", mode);
  node.results({y, present_k, present_v, stages[mode]});
}

}  // namespace octavo::graph

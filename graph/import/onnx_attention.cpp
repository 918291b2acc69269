// SPDX-License-Identifier: Apache-2.0
// Attention (operator set 23 and later) as the arithmetic that it stands for.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "graph/axes.h"
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

/// What is added to the scores of each query and key: 0 or the mask's number where the query sees the key, else -Inf.
class AttentionBias {
 public:
  /// `scores`: [batch, heads, queries, keys]; `past` keys come before the first query.
  AttentionBias(OnnxNode& node, const Shape& scores, std::int64_t past) : node_(node), scores_(scores), past_(past) {
    if (node.has_input(3)) add_mask(node.input(3));
    add_windows();
  }

  /// Nothing when every query sees every key.
  [[nodiscard]] const std::optional<ImportedValue>& value() const { return bias_; }

  /// A query that sees nothing has weights of 0, not 0 / 0.
  [[nodiscard]] ImportedValue blind_rows_cleared(const ImportedValue& weights) const {
    ReducedAxes over;
    over.axes = {static_cast<std::int64_t>(bias_->shape.size()) - 1};
    over.kept = bias_->shape;
    over.kept.back() = 1;
    over.shape = over.kept;
    if (bias_->is_constant()) {
      const ConstantPtr greatest = reduced(ReductionKind::max, *bias_->constant, over, node_.budget());
      const auto& rows = greatest->floats.values;
      const bool all_see = std::none_of(rows.begin(), rows.end(), [](float row) { return row == -kInfinity; });
      if (all_see) return weights;
    }
    const ImportedValue greatest = add_reduction(node_, ReductionKind::max, *bias_, over);
    const ImportedValue blind = node_.add_binary(BinaryKind::equal, greatest, number(-kInfinity));
    return node_.add(Select{}, {blind, number(0.0F), weights});
  }

 private:
  static constexpr float kInfinity = std::numeric_limits<float>::infinity();
  static ImportedValue number(float value) { return OnnxNode::constant_value(value); }

  [[nodiscard]] std::int64_t queries() const { return scores_[2]; }
  [[nodiscard]] std::int64_t keys() const { return scores_[3]; }

  /// Numbers that are added, or truth values; of fewer keys than there are, the others are hidden.
  void add_mask(const ImportedValue& mask) {
    if (mask.shape.empty() || mask.shape.size() > 4 || mask.shape.back() > keys()) {
      OnnxNode::malformed(fmt::format("a mask {} for scores {}", to_text(mask.shape), to_text(scores_)));
    }
    const bool of_truth = mask.type == ElementType::boolean;
    ImportedValue bias = of_truth ? node_.add(Select{}, {mask, number(0.0F), number(-kInfinity)}) : mask;
    bias.type = ElementType::float32;
    if (const std::int64_t missing = keys() - mask.shape.back(); missing > 0) {
      Pad pad;
      pad.begins.assign(bias.shape.size(), 0);
      pad.ends = pad.begins;
      pad.ends.back() = missing;
      pad.value = -kInfinity;
      bias = node_.add(std::move(pad), {bias});
    }
    require(broadcast(bias.shape, scores_) == scores_, "a mask {} for scores {}", to_text(mask.shape),
            to_text(scores_));
    bias_ = std::move(bias);
  }

  /// Queries see no key behind them (causal), none beyond a window, and none that does not count (input 6).
  void add_windows() {
    const OnnxAttributes& attributes = node_.attributes();
    const std::int64_t left = attributes.integer("left_window_size", -1);
    const std::int64_t given_right = attributes.integer("right_window_size", -1);
    const std::int64_t right = attributes.flag("is_causal", false) ? 0 : given_right;
    if (node_.has_input(6)) {
      const ImportedValue& given = node_.input(6);
      require(element_count(given.shape) == scores_[0] && past_ == 0, "{} lengths for scores {}",
              element_count(given.shape), to_text(scores_));
      const ImportedValue lengths = node_.add_reshape(given, {scores_[0], 1, 1, 1});
      // The last query stands at the last key that counts. Number of the key, seen from there:
      if (right >= 0) hide(distances(queries()), BinaryKind::less_or_equal, shifted(lengths, right));
      if (left >= 0) hide(distances(queries()), BinaryKind::greater_or_equal, shifted(lengths, -left));
      hide(places(), BinaryKind::less, lengths);
      return;
    }
    if (right >= 0) hide(distances(-past_), BinaryKind::less_or_equal, number(static_cast<float>(right)));
    if (left >= 0) hide(distances(-past_), BinaryKind::greater_or_equal, number(static_cast<float>(-left)));
  }

  [[nodiscard]] ImportedValue shifted(const ImportedValue& lengths, std::int64_t by) const {
    return by == 0 ? lengths : node_.add_affine(lengths, 1.0F, static_cast<float>(by));
  }

  /// The number of each key.
  [[nodiscard]] ImportedValue places() const {
    std::vector<float> numbers;
    for (std::int64_t key = 0; key < keys(); ++key) numbers.push_back(static_cast<float>(key));
    return OnnxNode::constant_value(make_tensor(ElementType::float32, {keys()}, std::move(numbers)));
  }

  /// How far behind each query each key is, and `shift` more.
  [[nodiscard]] ImportedValue distances(std::int64_t shift) const {
    node_.budget().take(checked_product(queries(), keys()));
    std::vector<float> numbers;
    for (std::int64_t query = 0; query < queries(); ++query) {
      for (std::int64_t key = 0; key < keys(); ++key) numbers.push_back(static_cast<float>(key - query + shift));
    }
    return OnnxNode::constant_value(make_tensor(ElementType::float32, {queries(), keys()}, std::move(numbers)));
  }

  /// Where `a kind b` does not hold, the key is hidden.
  void hide(const ImportedValue& a, BinaryKind kind, const ImportedValue& b) {
    const bool known = b.is_constant() && (!bias_ || bias_->is_constant());
    const ImportedValue before = bias_ ? *bias_ : number(0.0F);
    if (known) {
      const ConstantPtr seen = combined(kind, *a.constant, *b.constant, node_.budget());
      bias_ = OnnxNode::constant_value(selected(*seen, *before.constant, *number(-kInfinity).constant, node_.budget()));
    } else {
      bias_ = node_.add(Select{}, {node_.add_binary(kind, a, b), before, number(-kInfinity)});
    }
  }

  OnnxNode& node_;
  Shape scores_;
  std::int64_t past_;
  std::optional<ImportedValue> bias_;
};

}  // namespace

void convert_onnx_attention(OnnxNode& node) {
  const OnnxAttributes& attributes = node.attributes();
  const std::int64_t query_heads = attributes.integer("q_num_heads", 0);
  const std::int64_t key_heads = attributes.integer("kv_num_heads", query_heads);
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
  const AttentionBias bias(node, scores.shape, past);
  if (bias.value()) scores = node.add_binary(BinaryKind::add, scores, *bias.value());
  const ImportedValue masked = scores;
  scores = node.add(Softmax{.axis = 3}, {scores});
  if (bias.value()) scores = bias.blind_rows_cleared(scores);
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

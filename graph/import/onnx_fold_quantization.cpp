// SPDX-License-Identifier: Apache-2.0
// Folding of QuantizeLinear and DequantizeLinear: what 8-bit files keep their weights in.
#include <algorithm>
#include <cmath>

#include "graph/axes.h"
#include "graph/check.h"
#include "graph/import/onnx_fold.h"

namespace octavo::graph {
namespace {

/// Which scale belongs to which element.
class Scales {
 public:
  Scales(const OnnxNode& node, const ConstantTensor& x, const ConstantTensor& scale) {
    if (scale.count() == 1) return;
    axis_ = canonical_axis(node.attributes().integer("axis", 1), static_cast<std::int64_t>(x.shape.size()));
    const auto rank = static_cast<std::int64_t>(x.shape.size());
    size_ = x.shape[static_cast<std::size_t>(axis_)];
    inner_ = count_between(x.shape, axis_ + 1, rank);
    block_ = node.attributes().integer("block_size", 0);
    if (block_ == 0) {
      require(scale.count() == size_, "{} scales for an axis of {}", scale.count(), size_);
      return;
    }
    require(block_ > 0, "a block of {}", block_);
    Shape expected = x.shape;
    blocks_ = (size_ - 1) / block_ + 1;
    expected[static_cast<std::size_t>(axis_)] = blocks_;
    require(scale.shape == expected, "scales {} for {} in blocks of {}", to_text(scale.shape), to_text(x.shape),
            block_);
  }

  [[nodiscard]] std::size_t of(std::int64_t element) const {
    if (size_ == 0) return 0;
    const std::int64_t at = element / inner_ % size_;
    if (block_ == 0) return static_cast<std::size_t>(at);
    const std::int64_t outer = element / inner_ / size_;
    return static_cast<std::size_t>((outer * blocks_ + at / block_) * inner_ + element % inner_);
  }
  [[nodiscard]] std::int64_t axis() const { return axis_; }
  [[nodiscard]] std::int64_t block() const { return block_; }

 private:
  std::int64_t axis_ = 0, size_ = 0, inner_ = 1, block_ = 0, blocks_ = 0;
};

/// 0 where the node has none.
double zero_of(const OnnxNode& node, std::size_t at) {
  if (!node.has_input(2)) return 0;
  const ConstantTensor& zero = node.constant(2, "zero points");
  require(zero.count() > static_cast<std::int64_t>(at), "{} zero points", zero.count());
  return zero.real(at);
}

bool all_zero(const ConstantTensor& tensor) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(tensor.count()); ++i) {
    if (tensor.real(i) != 0) return false;
  }
  return true;
}

/// The 8-bit numbers as they are, if they are symmetric.
std::shared_ptr<const QuantizedConstant> kept_bits(const OnnxNode& node, const ConstantTensor& x,
                                                   const ConstantTensor& scale, const Scales& scales) {
  if (x.type != ElementType::int8 || (node.has_input(2) && !all_zero(node.constant(2, "zero points")))) return nullptr;
  std::vector<std::int8_t> q;
  q.reserve(static_cast<std::size_t>(x.count()));
  for (const std::int64_t value : x.integers.values) q.push_back(static_cast<std::int8_t>(value));
  auto kept = std::make_shared<QuantizedConstant>();
  kept->q = std::move(q);
  const Data<float> numbers = to_floats(scale);
  kept->scales.assign(numbers.values.begin(), numbers.values.end());
  kept->axis = scales.axis();
  kept->block = scales.block();
  return kept;
}

}  // namespace

ConstantPtr fold_onnx_quantization(const OnnxNode& node, ImportBudget& budget) {
  const bool quantize = node.type() == "QuantizeLinear";
  if (!quantize && node.type() != "DequantizeLinear") return nullptr;
  const ConstantTensor& x = node.constant(0, "input");
  const ConstantTensor& scale = node.constant(1, "scales");
  require(scale.count() > 0, "no scale");
  budget.take(x.count());
  const Scales scales(node, x, scale);
  if (quantize) {
    const ElementType type = node.has_input(2) ? node.input(2).type : ElementType::uint8;
    const ElementRange range = range_of(type);
    std::vector<std::int64_t> values;
    for (std::int64_t i = 0; i < x.count(); ++i) {
      const std::size_t at = scales.of(i);
      const auto quotient =
          static_cast<float>(x.real(static_cast<std::size_t>(i))) / static_cast<float>(scale.real(at));
      const double shifted = static_cast<double>(std::nearbyint(quotient)) + zero_of(node, at);
      values.push_back(std::clamp(truncated(ElementType::int64, shifted), range.low, range.high));
    }
    return make_tensor(type, x.shape, std::move(values));
  }
  std::vector<float> values;
  for (std::int64_t i = 0; i < x.count(); ++i) {
    const std::size_t at = scales.of(i);
    const double centered = x.real(static_cast<std::size_t>(i)) - zero_of(node, at);
    values.push_back(static_cast<float>(centered) * static_cast<float>(scale.real(at)));
  }
  const ConstantPtr plain = make_tensor(scale.type, x.shape, std::move(values));
  auto result = std::make_shared<ConstantTensor>(*plain);
  result->quantized = kept_bits(node, x, scale, scales);
  return result;
}

}  // namespace octavo::graph

// SPDX-License-Identifier: Apache-2.0
// SpaceToBatchND and BatchToSpaceND. A convolution between the two is a dilated one, and becomes one.
#include <fmt/core.h>

#include <utility>

#include "graph/check.h"
#include "graph/import/tensorflow_operators.h"

namespace octavo::graph {
namespace {

struct BlockPlan {
  std::vector<std::int64_t> blocks;        ///< of the dimensions behind the batch
  std::vector<std::int64_t> begins, ends;  ///< what is padded, or cropped, of these
};

BlockPlan block_plan(TensorflowNode& node) {
  BlockPlan plan;
  plan.blocks = node.integers(1, "block shape");
  const std::vector<std::int64_t> pairs = node.integers(2, "paddings");
  const auto count = static_cast<std::int64_t>(plan.blocks.size());
  require(count < node.rank() && pairs.size() == 2 * plan.blocks.size(), "{} blocks and {} paddings for {}", count,
          pairs.size(), to_text(node.shape()));
  if (node.rank() + count > static_cast<std::int64_t>(kMaxTensorflowRank)) {
    TensorflowNode::unsupported(fmt::format("{} blocks of {}", count, to_text(node.shape())));
  }
  for (const std::int64_t block : plan.blocks) require(block > 0 && block < 65536, "a block of {}", block);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    require(pairs[i] >= 0 && pairs[i] < (std::int64_t{1} << 40), "a padding of {}", pairs[i]);
    (i % 2 == 0 ? plan.begins : plan.ends).push_back(pairs[i]);
  }
  return plan;
}

/// The convolution on what was there before its input was cut into blocks; nothing where the crops go beyond that.
bool convert_dilated(TensorflowNode& node, const BlockPlan& plan) {
  const auto& blocks = node.value().blocks;
  if (!blocks || !blocks->convolution || plan.blocks.size() != 2) return false;
  if (blocks->size != Pair{plan.blocks[0], plan.blocks[1]}) return false;
  Convolution op = *blocks->convolution;
  for (std::size_t side = 0; side < 2; ++side) {
    op.pad_begin[side] = blocks->pad_begin[side] - plan.begins[side];
    op.pad_end[side] = blocks->pad_end[side] - plan.ends[side];
    if (op.pad_begin[side] < 0 || op.pad_end[side] < 0) return false;
  }
  node.result_image(node.add(std::move(op), {blocks->source}));
  return true;
}

}  // namespace

void convert_tensorflow_space_to_batch(TensorflowNode& node) {
  const BlockPlan plan = block_plan(node);
  const std::size_t count = plan.blocks.size();
  Pad pad;
  pad.begins.assign(node.shape().size(), 0);
  pad.ends = pad.begins;
  bool pads = false;
  Shape padded = node.shape();
  for (std::size_t i = 0; i < count; ++i) {
    pad.begins[i + 1] = plan.begins[i];
    pad.ends[i + 1] = plan.ends[i];
    pads = pads || plan.begins[i] != 0 || plan.ends[i] != 0;
    padded[i + 1] += plan.begins[i] + plan.ends[i];
    require(padded[i + 1] % plan.blocks[i] == 0, "{} for blocks of {}", to_text(padded), plan.blocks[i]);
  }
  // [N, h, b, w, b, C] -> [b, b, N, h, w, C]
  Shape cut{padded[0]}, joined_shape{padded[0]};
  std::vector<std::int64_t> order;
  for (std::size_t i = 0; i < count; ++i) {
    order.push_back(static_cast<std::int64_t>(2 * i + 2));
    cut.insert(cut.end(), {padded[i + 1] / plan.blocks[i], plan.blocks[i]});
    joined_shape[0] = checked_product(joined_shape[0], plan.blocks[i]);
    joined_shape.push_back(padded[i + 1] / plan.blocks[i]);
  }
  order.push_back(0);
  for (std::size_t i = 0; i < count; ++i) order.push_back(static_cast<std::int64_t>(2 * i + 1));
  for (std::size_t d = count + 1; d < padded.size(); ++d) {
    order.push_back(static_cast<std::int64_t>(d + count));
    cut.push_back(padded[d]);
    joined_shape.push_back(padded[d]);
  }
  ImportedValue x = node.in();
  if (pads) x = node.add(std::move(pad), {x});
  node.result(node.reshape(node.permute(node.reshape(x, cut), order), joined_shape));
  if (node.rank() == 4 && count == 2) {
    auto blocks = std::make_shared<TensorflowBlocks>();
    blocks->source = node.image();
    blocks->size = {plan.blocks[0], plan.blocks[1]};
    blocks->pad_begin = {plan.begins[0], plan.begins[1]};
    blocks->pad_end = {plan.ends[0], plan.ends[1]};
    node.mark_blocks(std::move(blocks));
  }
}

void convert_tensorflow_batch_to_space(TensorflowNode& node) {
  const BlockPlan plan = block_plan(node);
  if (convert_dilated(node, plan)) return;
  const std::size_t count = plan.blocks.size();
  const Shape& x = node.shape();
  std::int64_t all = 1;
  for (const std::int64_t block : plan.blocks) all = checked_product(all, block);
  require(x[0] % all == 0, "a batch of {} for blocks of {} in all", x[0], all);
  // [b, b, N, h, w, C] -> [N, h, b, w, b, C]
  Shape cut(plan.blocks.begin(), plan.blocks.end()), whole{x[0] / all};
  cut.push_back(x[0] / all);
  cut.insert(cut.end(), x.begin() + 1, x.end());
  std::vector<std::int64_t> order{static_cast<std::int64_t>(count)};
  StridedSlice crop;
  for (std::size_t i = 0; i < count; ++i) {
    order.insert(order.end(), {static_cast<std::int64_t>(count + 1 + i), static_cast<std::int64_t>(i)});
    whole.push_back(checked_product(x[i + 1], plan.blocks[i]));
    crop.axes.push_back(static_cast<std::int64_t>(i + 1));
    crop.begins.push_back(plan.begins[i]);
    crop.ends.push_back(std::max<std::int64_t>(whole.back() - plan.ends[i], 0));
    crop.steps.push_back(1);
  }
  for (std::size_t d = count + 1; d < x.size(); ++d) {
    order.push_back(static_cast<std::int64_t>(d + count));
    whole.push_back(x[d]);
  }
  node.result(node.slice(node.reshape(node.permute(node.reshape(node.in(), cut), order), whole), std::move(crop)));
}

}  // namespace octavo::graph

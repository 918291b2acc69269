// SPDX-License-Identifier: Apache-2.0
// Shape rules of ops on values of any rank: see graph/ops_tensor.h.
#include <algorithm>
#include <cmath>

#include "graph/axes.h"
#include "graph/check.h"
#include "graph/shape_rules.h"

namespace octavo::graph {
namespace {

std::int64_t resized(const Resize& op, std::size_t i, std::int64_t size) {
  if (!op.sizes.empty()) return op.sizes[i];
  const double wanted = std::floor(static_cast<double>(size) * static_cast<double>(op.scales[i]));
  require(wanted >= 1.0 && wanted <= static_cast<double>(kMaxElements), "{} times {} pixels", op.scales[i], size);
  return static_cast<std::int64_t>(wanted);
}

}  // namespace

Shape shape_of(const Constant& op, const Shapes&) { return at_least_one(op.value->shape); }

Shape shape_of(const Binary&, const Shapes& inputs) { return broadcast(inputs[0], inputs[1]); }

Shape shape_of(const Select&, const Shapes& inputs) { return broadcast(inputs[0], broadcast(inputs[1], inputs[2])); }

Shape shape_of(const MatMul&, const Shapes& inputs) {
  const Shape &a = inputs[0], &b = inputs[1];
  require(a.size() >= 2 && b.size() >= 2, "{} and {} are not matrices", to_text(a), to_text(b));
  const std::int64_t rows = a[a.size() - 2], depth = a.back(), columns = b.back();
  require(b[b.size() - 2] == depth, "{} and {}: {} columns meet {} rows", to_text(a), to_text(b), depth,
          b[b.size() - 2]);
  Shape out = broadcast(Shape(a.begin(), a.end() - 2), Shape(b.begin(), b.end() - 2));
  out.push_back(rows);
  out.push_back(columns);
  return out;
}

Shape shape_of(const Gather& op, const Shapes& inputs) {
  const Shape& x = inputs[0];
  const auto axis = static_cast<std::ptrdiff_t>(axis_of(op.axis, x));
  Shape out(x.begin(), x.begin() + axis);
  out.insert(out.end(), inputs[1].begin(), inputs[1].end());
  out.insert(out.end(), x.begin() + axis + 1, x.end());
  return out;
}

Shape shape_of(const StridedSlice& op, const Shapes& inputs) {
  Shape out = inputs[0];
  std::vector<bool> cut(out.size(), false);
  for (std::size_t i = 0; i < op.axes.size(); ++i) {
    const std::size_t axis = axis_of(op.axes[i], out);
    require(!cut[axis], "axis {} is cut twice", axis);
    cut[axis] = true;
    const std::int64_t size = out[axis];
    out[axis] = sliced_axis(size, op.begins[i], op.ends[i], op.steps[i]).count;
    require(out[axis] > 0, "nothing is left of the {} on axis {}", size, axis);
  }
  return out;
}

Shape shape_of(const Pad& op, const Shapes& inputs) {
  Shape out = inputs[0];
  require(op.begins.size() == out.size(), "{} paddings for {}", op.begins.size(), to_text(out));
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::int64_t size = out[i];
    const std::int64_t left = size + std::min<std::int64_t>(op.begins[i], 0) + std::min<std::int64_t>(op.ends[i], 0);
    require(left > 0, "paddings {} and {} leave nothing of {}", op.begins[i], op.ends[i], size);
    const std::int64_t most = std::max({op.begins[i], op.ends[i], std::int64_t{0}});
    if (op.kind == PadKind::reflect) require(most < left, "{} pixels cannot be mirrored into {}", left, most);
    if (op.kind == PadKind::wrap) require(most <= left, "{} pixels cannot fill {}", left, most);
    out[i] = checked_sum(checked_sum(size, op.begins[i]), op.ends[i]);
  }
  return out;
}

Shape shape_of(const LayerNorm& op, const Shapes& inputs) {
  const Shape& x = inputs[0];
  const std::int64_t row = count_between(x, canonical_axis(op.axis, rank_of(x)), rank_of(x));
  for (const BlobPtr& blob : {op.factor, op.offset}) {
    if (blob) {
      require(element_count(blob->shape) == row, "{} parameters for rows of {}", element_count(blob->shape), row);
    }
  }
  return x;
}

Shape shape_of(const Resize& op, const Shapes& inputs) {
  Shape out = inputs[0];
  std::vector<bool> done(out.size(), false);
  for (std::size_t i = 0; i < op.axes.size(); ++i) {
    const std::size_t axis = axis_of(op.axes[i], out);
    require(!done[axis], "axis {} is resized twice", axis);
    done[axis] = true;
    out[axis] = resized(op, i, out[axis]);
  }
  return out;
}

}  // namespace octavo::graph

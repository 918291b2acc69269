// SPDX-License-Identifier: Apache-2.0
// Scale behind Scale: see graph/passes/passes.h.
#include <algorithm>
#include <cmath>
#include <vector>

#include "graph/passes/absorb.h"
#include "graph/passes/passes.h"

namespace octavo::graph {
namespace {

/// The one shape that all parameters of both have; null when they differ. Parameters of different extents could only
/// be merged by spreading the smaller one.
const Shape* common_shape(const Scale& first, const Scale& second) {
  const Shape* common = nullptr;
  for (const Blob* blob : {first.factor.get(), first.offset.get(), second.factor.get(), second.offset.get()}) {
    if (blob == nullptr) continue;
    if (common != nullptr && *common != blob->shape) return nullptr;
    common = &blob->shape;
  }
  return common;
}

std::vector<double> parameters(const BlobPtr& blob, std::size_t count, double absent) {
  if (!blob) return std::vector<double>(count, absent);
  return {blob->f32.values.begin(), blob->f32.values.end()};
}

/// Whether fp32 has a number near each: neither an infinity nor a zero that was none.
bool fits_fp32(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double value) {
    const auto rounded = static_cast<float>(value);
    return std::isfinite(rounded) && (rounded != 0.0F || value == 0.0);
  });
}

BlobPtr rounded(const Shape& shape, const std::vector<double>& values) {
  std::vector<float> numbers(values.size());
  std::transform(values.begin(), values.end(), numbers.begin(), [](double value) { return static_cast<float>(value); });
  return make_blob(shape, std::move(numbers));
}

bool absorb_scale(Node& producer, const Node& follower) {
  auto* first = std::get_if<Scale>(&producer.op);
  const auto* second = std::get_if<Scale>(&follower.op);
  if (first == nullptr || second == nullptr || producer.inputs.size() != 1 || first->axis != second->axis) return false;
  const Shape* shape = common_shape(*first, *second);
  if (shape == nullptr) return false;

  const auto count = static_cast<std::size_t>(element_count(*shape));
  std::vector<double> factor = parameters(first->factor, count, 1.0);
  std::vector<double> offset = parameters(first->offset, count, 0.0);
  const std::vector<double> factor2 = parameters(second->factor, count, 1.0);
  const std::vector<double> offset2 = parameters(second->offset, count, 0.0);
  for (std::size_t i = 0; i < count; ++i) {
    factor[i] *= factor2[i];
    offset[i] = offset[i] * factor2[i] + offset2[i];
  }
  if (!fits_fp32(factor) || !fits_fp32(offset)) return false;
  Scale merged = *first;
  if (first->factor || second->factor) merged.factor = rounded(*shape, factor);
  if (first->offset || second->offset) merged.offset = rounded(*shape, offset);
  *first = std::move(merged);
  return true;
}

}  // namespace

void merge_scales(Graph& graph) { absorb_followers(graph, absorb_scale); }

}  // namespace octavo::graph

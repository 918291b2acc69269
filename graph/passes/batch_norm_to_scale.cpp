// SPDX-License-Identifier: Apache-2.0
// BatchNorm becomes Scale: see graph/passes/passes.h.
#include <cmath>
#include <vector>

#include "graph/check.h"
#include "graph/passes/passes.h"

namespace octavo::graph {
namespace {

Scale as_scale(const BatchNorm& norm) {
  const std::vector<float> mean = to_float(*norm.mean);
  const std::vector<float> variance = to_float(*norm.variance);
  std::vector<float> factor(mean.size());
  std::vector<float> offset(mean.size());
  for (std::size_t c = 0; c < mean.size(); ++c) {
    const double inverse = 1.0 / std::sqrt(static_cast<double>(variance[c]) + static_cast<double>(norm.epsilon));
    factor[c] = static_cast<float>(inverse);
    offset[c] = static_cast<float>(-static_cast<double>(mean[c]) * inverse);
    require(std::isfinite(factor[c]) && std::isfinite(offset[c]),
            "channel {} cannot be normalised by a mean of {} and a variance of {} + {}", c, mean[c], variance[c],
            norm.epsilon);
  }
  const auto channels = static_cast<std::int64_t>(mean.size());
  Scale scale;
  scale.factor = make_blob({channels}, std::move(factor));
  scale.offset = make_blob({channels}, std::move(offset));
  return scale;
}

}  // namespace

void batch_norm_to_scale(Graph& graph) {
  for (Node& node : graph.nodes) {
    const auto* norm = std::get_if<BatchNorm>(&node.op);
    if (norm == nullptr) continue;
    try {
      node.op = as_scale(*norm);
    } catch (const Error& error) {
      throw Error(ErrorKind::malformed, error.what(), place_of(node));
    }
  }
}

}  // namespace octavo::graph

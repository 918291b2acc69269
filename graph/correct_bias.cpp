// SPDX-License-Identifier: Apache-2.0
// See graph/correct_bias.h.
#include "graph/correct_bias.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace octavo::graph {

BlobPtr corrected_bias(const Blob& weights, const Blob& rounded, const BlobPtr& bias, std::int64_t groups,
                       std::span<const double> input_means) {
  const auto outs = static_cast<std::size_t>(weights.shape.at(0));
  const auto ins = static_cast<std::size_t>(weights.shape.at(1));
  const std::size_t all_ins = ins * static_cast<std::size_t>(groups);
  const bool any = std::ranges::any_of(input_means, [](double mean) { return std::isfinite(mean); });
  if (!any || all_ins % input_means.size() != 0) return nullptr;
  const std::size_t run = all_ins / input_means.size();
  const std::size_t taps = weights.f32.values.size() / outs / ins;
  const auto window = static_cast<std::size_t>(rounded.window);
  const std::size_t windows = (ins + window - 1) / window;
  const std::size_t outs_each = outs / static_cast<std::size_t>(groups);

  std::vector<float> corrected(outs);
  for (std::size_t out = 0; out < outs; ++out) {
    double gained = 0.0;
    for (std::size_t in = 0; in < ins; ++in) {
      const double mean = input_means[(out / outs_each * ins + in) / run];
      if (!std::isfinite(mean)) continue;
      const auto scale = static_cast<double>(rounded.scales.values[out * windows + in / window]);
      double error = 0.0;
      for (std::size_t i = (out * ins + in) * taps; i < (out * ins + in + 1) * taps; ++i) {
        error += static_cast<double>(rounded.q.values[i]) * scale - static_cast<double>(weights.f32.values[i]);
      }
      gained += error * mean;
    }
    const double before = bias ? static_cast<double>(bias->f32.values[out]) : 0.0;
    corrected[out] = static_cast<float>(before - gained);
    if (!std::isfinite(corrected[out])) return nullptr;
  }
  return make_blob({static_cast<std::int64_t>(outs)}, std::move(corrected));
}

}  // namespace octavo::graph

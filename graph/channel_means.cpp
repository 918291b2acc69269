// SPDX-License-Identifier: Apache-2.0
// Means and variances from batch normalization forwards: see graph/channel_means.h.
#include "graph/channel_means.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "graph/axes.h"
#include "graph/import/fold.h"
#include "graph/passes/absorb.h"

namespace octavo::graph {
namespace {

constexpr double kUnknownMoment = std::numeric_limits<double>::quiet_NaN();
/// A concatenation may be wider than anything that the file had to hold.
constexpr std::int64_t kMostJoinedChannels = 1 << 16;

/// What is known of a value. Arithmetic on what is not known gives what is not known.
using ChannelMoments = std::vector<NormalMoments>;
using KnownChannels = std::shared_ptr<const ChannelMoments>;  ///< null: nothing

KnownChannels known_channels(ChannelMoments channels) {
  return std::make_shared<const ChannelMoments>(std::move(channels));
}

/// A parameter that is one for each channel, or one for all.
double channel_parameter(const BlobPtr& blob, std::size_t channel, double absent) {
  if (!blob) return absent;
  const auto& values = blob->f32.values;
  return static_cast<double>(values[values.size() == 1 ? 0 : channel]);
}

bool fits_channels(const BlobPtr& blob, std::size_t channels) {
  return !blob || element_count(blob->shape) == 1 || blob->shape == Shape{static_cast<std::int64_t>(channels)};
}

/// A BatchNorm as it is before training, or whose statistics went elsewhere.
bool is_untrained(const BatchNorm& norm) {
  const auto all_are = [](const BlobPtr& blob, float number) {
    return std::ranges::all_of(blob->f32.values, [=](float value) { return value == number; });
  };
  return all_are(norm.mean, 0.0F) && all_are(norm.variance, 1.0F);
}

/// What an op makes of what is known of its inputs.
struct FollowedMeans {
  const Graph& graph;
  const Node& node;
  const std::vector<KnownChannels>& values;
  std::size_t output = 0;  ///< which of the node's

  [[nodiscard]] const KnownChannels& x(std::size_t i = 0) const { return values[node.inputs[i]]; }
  [[nodiscard]] const Shape& shape(std::size_t i = 0) const { return graph.values[node.inputs[i]].shape; }
  [[nodiscard]] const Shape& result() const { return graph.values[node.outputs[output]].shape; }
  [[nodiscard]] std::int64_t axis(std::int64_t given) const {
    return canonical_axis(given, static_cast<std::int64_t>(shape().size()));
  }

  template <class Each>
  [[nodiscard]] KnownChannels each(Each&& function) const {
    if (!x()) return nullptr;
    ChannelMoments channels = *x();
    for (std::size_t c = 0; c < channels.size(); ++c) channels[c] = function(c, channels[c]);
    return known_channels(std::move(channels));
  }
  /// The variance is lost.
  [[nodiscard]] KnownChannels means_of_x() const {
    return each([](std::size_t, const NormalMoments& before) { return NormalMoments{before.mean, kUnknownMoment}; });
  }

  KnownChannels operator()(const BatchNorm& op) const {
    if (is_untrained(op)) return nullptr;
    ChannelMoments channels;
    for (const float variance : op.variance->f32.values) {
      const double kept = static_cast<double>(variance) + static_cast<double>(op.epsilon);
      channels.push_back({0.0, kept > 0.0 ? static_cast<double>(variance) / kept : kUnknownMoment});
    }
    return known_channels(std::move(channels));
  }
  KnownChannels operator()(const Scale& op) const {
    if (!x() || node.inputs.size() != 1) return nullptr;
    const bool one =
        (!op.factor || element_count(op.factor->shape) == 1) && (!op.offset || element_count(op.offset->shape) == 1);
    if (!one && axis(op.axis) != 1) return nullptr;
    if (!fits_channels(op.factor, x()->size()) || !fits_channels(op.offset, x()->size())) return nullptr;
    return each([&](std::size_t c, const NormalMoments& before) {
      const double factor = channel_parameter(op.factor, c, 1.0);
      return NormalMoments{before.mean * factor + channel_parameter(op.offset, c, 0.0),
                           before.variance * factor * factor};
    });
  }
  KnownChannels operator()(const Unary& op) const {
    return each([&](std::size_t, const NormalMoments& before) { return moments_of(op, before); });
  }
  KnownChannels operator()(const PRelu& op) const {
    if (!x() || !fits_channels(op.slopes, x()->size())) return nullptr;
    return each([&](std::size_t c, const NormalMoments& before) {
      const auto slope = static_cast<float>(channel_parameter(op.slopes, c, 0.0));
      return moments_of(Unary{.kind = UnaryKind::relu, .alpha = slope}, before);
    });
  }
  KnownChannels operator()(const Eltwise& op) const {
    if (op.kind != EltwiseKind::sum || op.activation.kind != jit::ActivationKind::none || !x()) return nullptr;
    ChannelMoments sums(x()->size());
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (!x(i) || x(i)->size() != sums.size()) return nullptr;
      const double factor = op.coefficients.empty() ? 1.0 : static_cast<double>(op.coefficients[i]);
      for (std::size_t c = 0; c < sums.size(); ++c) {
        sums[c].mean += factor * (*x(i))[c].mean;
        sums[c].variance += factor * factor * (*x(i))[c].variance;
      }
    }
    return known_channels(std::move(sums));
  }
  KnownChannels operator()(const Concat& op) const {
    if (axis(op.axis) != 1 || result()[1] > kMostJoinedChannels) return nullptr;
    ChannelMoments joined;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const auto extent = static_cast<std::size_t>(shape(i)[1]);
      if (x(i) && x(i)->size() == extent) {
        joined.insert(joined.end(), x(i)->begin(), x(i)->end());
      } else {
        joined.resize(joined.size() + extent, {kUnknownMoment, kUnknownMoment});
      }
    }
    return known_channels(std::move(joined));
  }
  KnownChannels operator()(const Slice& op) const {
    if (axis(op.axis) != 1) return x();
    if (!x() || static_cast<std::int64_t>(x()->size()) != shape()[1]) return nullptr;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < output; ++i) begin += static_cast<std::size_t>(graph.values[node.outputs[i]].shape[1]);
    const auto first = x()->begin() + static_cast<std::ptrdiff_t>(begin);
    return known_channels(ChannelMoments(first, first + result()[1]));
  }
  KnownChannels operator()(const Pool& op) const { return op.kind == PoolKind::average ? means_of_x() : nullptr; }
  KnownChannels operator()(const Reduction& op) const {
    if (op.kind != ReductionKind::mean || axis(op.axis) < 2) return nullptr;
    const auto factor = static_cast<double>(op.coefficient);
    return each([=](std::size_t, const NormalMoments& before) {
      return NormalMoments{factor * before.mean, kUnknownMoment};
    });
  }
  KnownChannels operator()(const Resize& op) const {
    const bool pixels = std::ranges::all_of(op.axes, [](std::int64_t resized) { return resized >= 2; });
    return pixels ? means_of_x() : nullptr;
  }
  KnownChannels operator()(const Pad& op) const {
    // A border of zeros counts as little as a convolution's own padding does.
    const bool zeros = op.kind == PadKind::constant && op.value == 0.0F;
    const bool pixels =
        op.begins[0] == 0 && op.ends[0] == 0 && op.begins.size() > 1 && op.begins[1] == 0 && op.ends[1] == 0;
    return zeros && pixels ? x() : nullptr;
  }
  KnownChannels operator()(const Identity&) const { return x(); }
  KnownChannels operator()(const Crop& op) const { return axis(op.axis) >= 2 ? x() : nullptr; }
  KnownChannels operator()(const Flatten&) const { return reshaped(); }
  KnownChannels operator()(const Reshape&) const { return reshaped(); }
  template <class T>
  KnownChannels operator()(const T&) const {
    return nullptr;
  }

 private:
  /// ChannelMoments lie one after the other: they stay whole where the new dimension 1 cuts each into equal runs.
  [[nodiscard]] KnownChannels reshaped() const {
    if (!x() || result().size() < 2 || result()[0] != shape()[0]) return nullptr;
    return result()[1] % static_cast<std::int64_t>(x()->size()) == 0 ? x() : nullptr;
  }
};

bool reads_means(const Node& node) {
  return std::holds_alternative<Convolution>(node.op) || std::holds_alternative<Linear>(node.op) ||
         std::holds_alternative<Identity>(node.op);  // whose readers may come to read its input
}

}  // namespace

NormalMoments moments_of(const Unary& function, const NormalMoments& x) {
  constexpr int kReach = 8, kSteps = 8;  // in deviations; for each
  static const auto kWeights = [] {
    std::array<double, 2 * kReach * kSteps + 1> weights{};
    double sum = 0.0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const double z = static_cast<double>(i) / kSteps - kReach;
      sum += weights[i] = std::exp(-z * z / 2);
    }
    for (double& weight : weights) weight /= sum;
    return weights;
  }();
  if (!std::isfinite(x.mean) || !(x.variance >= 0.0) || !std::isfinite(x.variance))
    return {kUnknownMoment, kUnknownMoment};
  const double deviation = std::sqrt(x.variance);
  double mean = 0.0, square = 0.0;
  for (std::size_t i = 0; i < kWeights.size(); ++i) {
    const double y = value_of(function, x.mean + (static_cast<double>(i) / kSteps - kReach) * deviation);
    mean += kWeights[i] * y;
    square += kWeights[i] * y * y;
  }
  return {mean, std::max(0.0, square - mean * mean)};
}

ChannelMeans channel_means(Graph graph) {
  infer_shapes(graph);
  std::vector<std::size_t> uses(graph.values.size(), 0);
  std::vector<bool> read(graph.values.size(), false);
  for (const Node& node : graph.nodes) {
    for (const ValueId value : node.inputs) {
      ++uses[value];
      read[value] = read[value] || reads_means(node);
    }
  }
  ChannelMeans means;
  std::vector<KnownChannels> values(graph.values.size());
  for (const Node& node : graph.nodes) {
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      const ValueId made = node.outputs[i];
      KnownChannels channels = std::visit(FollowedMeans{graph, node, values, i}, node.op);
      if (!channels || uses[made] == 0) continue;
      if (read[made]) {
        std::vector<double>& mean = means[graph.values[made].name];
        for (const NormalMoments& channel : *channels) mean.push_back(channel.mean);
      }
      values[made] = std::move(channels);
    }
    for (const ValueId value : node.inputs) {
      if (--uses[value] == 0) values[value] = nullptr;  // a long network holds no more than its widest part
    }
  }
  return means;
}

}  // namespace octavo::graph

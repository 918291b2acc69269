// SPDX-License-Identifier: Apache-2.0
// Scale into the weights before it: see graph/passes/passes.h.
#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "graph/passes/absorb.h"
#include "graph/passes/passes.h"

namespace octavo::graph {
namespace {

/// What each output channel is multiplied by, and what is added.
struct PerChannel {
  std::vector<double> factor, offset;
};

/// A parameter for each of `channels`, from a vector or a scalar; none when the blob is of another extent.
std::optional<std::vector<double>> spread(const BlobPtr& blob, std::int64_t channels, double absent) {
  const auto count = static_cast<std::size_t>(channels);
  if (!blob) return std::vector<double>(count, absent);
  if (blob->shape.empty()) return std::vector<double>(count, static_cast<double>(blob->f32.values[0]));
  if (blob->shape != Shape{channels}) return std::nullopt;
  return std::vector<double>(blob->f32.values.begin(), blob->f32.values.end());
}

std::optional<PerChannel> per_channel(const Scale& scale, std::int64_t channels) {
  auto factor = spread(scale.factor, channels, 1.0);
  auto offset = spread(scale.offset, channels, 0.0);
  if (!factor || !offset) return std::nullopt;
  return PerChannel{std::move(*factor), std::move(*offset)};
}

bool all_finite(const std::vector<float>& values) {
  return std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); });
}

/// Puts `scale` behind a layer's results into its weights, where `channel_of(i)` is the output channel that weight i
/// belongs to. Refuses what fp32 cannot hold. 8-bit weights stay as they are: their scale is an offset alone.
template <class ChannelOf>
bool fold(BlobPtr& weights, BlobPtr& bias, const PerChannel& scale, ChannelOf channel_of) {
  const std::size_t channels = scale.factor.size();
  std::vector<float> folded(weights->f32.values.begin(), weights->f32.values.end());  // empty for 8-bit weights
  for (std::size_t i = 0; i < folded.size(); ++i) {
    folded[i] = static_cast<float>(static_cast<double>(folded[i]) * scale.factor[channel_of(i)]);
  }
  std::vector<float> added(channels);
  for (std::size_t c = 0; c < channels; ++c) {
    const double before = bias ? static_cast<double>(bias->f32.values[c]) : 0.0;
    added[c] = static_cast<float>(before * scale.factor[c] + scale.offset[c]);
  }
  if (!all_finite(folded) || !all_finite(added)) return false;
  const bool biased = bias || std::any_of(added.begin(), added.end(), [](float value) { return value != 0.0F; });
  if (!weights->quantized()) weights = make_blob(weights->shape, std::move(folded));
  bias = biased ? make_blob({static_cast<std::int64_t>(channels)}, std::move(added)) : nullptr;
  return true;
}

bool is_plain(const Activation& activation) { return activation.kind == jit::ActivationKind::none; }

/// Whether the scale's axis is the channels' of a [N,C,H,W] result.
bool on_channels(const Scale& scale) { return scale.axis == 1 || scale.axis == -3; }

struct Folder {
  const Scale& scale;

  bool operator()(Convolution& conv) const {
    if (!takes(*conv.weights) || conv.add_residual || !is_plain(conv.activation) || !on_channels(scale)) return false;
    const auto parameters = per_channel(scale, conv.out_channels);
    const auto weights_each =
        static_cast<std::size_t>(element_count(conv.weights->shape)) / static_cast<std::size_t>(conv.out_channels);
    return parameters && fold(conv.weights, conv.bias, *parameters, [=](std::size_t i) { return i / weights_each; });
  }
  bool operator()(Deconvolution& conv) const {
    if (!is_plain(conv.activation) || !on_channels(scale)) return false;
    const auto parameters = per_channel(scale, conv.out_channels);
    const auto taps = static_cast<std::size_t>(conv.kernel[0] * conv.kernel[1]);
    const auto outs_each = static_cast<std::size_t>(conv.weights->shape[1]);  // of a group
    const auto ins_each = static_cast<std::size_t>(conv.weights->shape[0] / conv.groups);
    return parameters && fold(conv.weights, conv.bias, *parameters, [=](std::size_t i) {
             const std::size_t group = i / (taps * outs_each) / ins_each;
             return group * outs_each + i / taps % outs_each;
           });
  }
  bool operator()(Linear& linear) const {
    const bool on_features = scale.axis == -1 || (linear.axis >= 0 && scale.axis == linear.axis);
    if (!takes(*linear.weights) || linear.add_residual || !is_plain(linear.activation) || !on_features) return false;
    const auto parameters = per_channel(scale, linear.out_features);
    const auto features = static_cast<std::size_t>(linear.weights->shape[1]);
    return parameters && fold(linear.weights, linear.bias, *parameters, [=](std::size_t i) { return i / features; });
  }
  template <class T>
  bool operator()(T&) const {
    return false;
  }

 private:
  /// Stored numbers are not rounded again.
  [[nodiscard]] bool takes(const Blob& weights) const { return !weights.quantized() || !scale.factor; }
};

bool absorb(Node& producer, const Node& follower) {
  const auto* scale = std::get_if<Scale>(&follower.op);
  return scale != nullptr && std::visit(Folder{*scale}, producer.op);
}

}  // namespace

void fold_scale(Graph& graph) { absorb_followers(graph, absorb); }

}  // namespace octavo::graph

// SPDX-License-Identifier: Apache-2.0
// Weights to s8, layer by layer, with a reason for each: see graph/compiler.h.
#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "graph/axes.h"
#include "graph/check.h"
#include "graph/compiler.h"
#include "graph/correct_bias.h"
#include "graph/near_names.h"
#include "graph/round_weights.h"

namespace octavo::graph {
namespace {

/// Products u8 x s8 whose sum 32 bits are sure to hold.
constexpr std::int64_t kMaxWindowProducts = std::numeric_limits<std::int32_t>::max() / (255 * 127);
constexpr std::array<std::int64_t, 6> kWindowSizes{0, 16, 32, 64, 128, 256};

void check_window(const QuantizationWindow& window, const std::string& where) {
  if (std::find(kWindowSizes.begin(), kWindowSizes.end(), window.channels) == kWindowSizes.end()) {
    throw Error(ErrorKind::invalid_argument, fmt::format("a window of {} channels", window.channels), where,
                "choose 16, 32, 64, 128, 256, or 0 for all");
  }
  if (window.tile_h < 0 || window.tile_w < 0) {
    throw Error(ErrorKind::invalid_argument, fmt::format("a window of {}x{} pixels", window.tile_h, window.tile_w),
                where, "choose positive sizes, or 0 for octavo's choice");
  }
}

/// Weights that a product or a table is made of, and how many parameters else a layer has.
struct Parameters {
  bool has_weights = false;
  std::int64_t count = 0;
};

Parameters parameters_of(const Op& op) {
  Parameters parameters;
  const auto visit_field = [&](std::string_view name, const auto& value) {
    if constexpr (std::is_same_v<std::decay_t<decltype(value)>, BlobPtr>) {
      if (!value) return;
      parameters.has_weights = true;
      if (name != "bias") parameters.count += element_count(value->shape);
    }
  };
  std::visit([&](const auto& typed) { std::decay_t<decltype(typed)>::fields(typed, visit_field); }, op);
  return parameters;
}

class Quantizer {
 public:
  Quantizer(Graph& graph, const QuantizationRules& rules) : graph_(graph), rules_(rules) {}

  void check_rules() const {
    check_window(rules_.convolution_window, "convolution window");
    check_window(rules_.linear_window, "linear window");
    for (const std::string& name : rules_.keep_float) {
      const Node& node = known(name, "layers to leave out");
      if (!parameters_of(node.op).has_weights)
        throw Error(ErrorKind::invalid_argument, "this layer has no weights, so it is fp32 anyway", place_of(node));
      refuse_stored(node);
    }
    for (const auto& [name, window] : rules_.layer_windows) {
      const Node& node = known(name, "windows of layers");
      const bool takes_one = std::holds_alternative<Convolution>(node.op) || std::holds_alternative<Linear>(node.op);
      if (!takes_one) {
        throw Error(ErrorKind::invalid_argument, "this kind of layer is not quantized, so it takes no window",
                    place_of(node));
      }
      check_window(window, place_of(node));
      refuse_stored(node);
    }
  }

  QuantizationDecision decide(Node& node) {
    QuantizationDecision decision;
    decision.layer = node.name;
    decision.op = op_name(node.op);
    decision.weights = parameters_of(node.op).count;
    if (auto* conv = std::get_if<Convolution>(&node.op)) {
      decide(node, *conv, conv->kernel[0] * conv->kernel[1], rules_.convolution_window, decision);
    } else if (auto* linear = std::get_if<Linear>(&node.op)) {
      decide(node, *linear, 1, rules_.linear_window, decision);
    } else if (std::holds_alternative<Deconvolution>(node.op)) {
      decision.reason = "Deconvolution runs in fp32";
    } else if (std::holds_alternative<Embed>(node.op)) {
      decision.reason = "Embed looks its weights up and multiplies nothing";
    } else {
      decision.reason = "a few numbers a channel stay fp32";
    }
    return decision;
  }

 private:
  /// A wish about a layer that is stored in 8 bits would silently change nothing.
  static void refuse_stored(const Node& node) {
    const auto* conv = std::get_if<Convolution>(&node.op);
    const auto* linear = std::get_if<Linear>(&node.op);
    const BlobPtr weights = conv ? conv->weights : linear ? linear->weights : nullptr;
    if (weights && weights->quantized()) {
      throw Error(ErrorKind::invalid_argument, "this layer is stored in 8 bits already", place_of(node),
                  "start from the fp32 model");
    }
  }

  const Node& known(const std::string& name, const std::string& where) const {
    if (const Node* node = graph_.find_node(name)) return *node;
    std::vector<std::string> names;
    for (const Node& node : graph_.nodes) {
      if (parameters_of(node.op).has_weights) names.push_back(node.name);
    }
    throw Error(ErrorKind::invalid_argument, fmt::format("there is no layer '{}'", name), where,
                near_names_hint(name, names));
  }

  QuantizationWindow window_for(const std::string& name, const QuantizationWindow& by_default) const {
    const auto own = rules_.layer_windows.find(name);
    return own == rules_.layer_windows.end() ? by_default : own->second;
  }

  template <class T>
  void decide(const Node& node, T& layer, std::int64_t taps, const QuantizationWindow& by_default,
              QuantizationDecision& decision) {
    const std::int64_t channels = layer.weights->shape[1];
    if (layer.weights->quantized()) {
      decision.quantized = true;
      decision.reason = fmt::format("stored in 8 bits, {}", described(layer.window, channels));
      return;
    }
    if (std::find(rules_.keep_float.begin(), rules_.keep_float.end(), node.name) != rules_.keep_float.end()) {
      decision.reason = "left out by request";
      return;
    }
    QuantizationWindow window = window_for(node.name, by_default);
    if constexpr (std::is_same_v<T, Linear>) window.tile_h = window.tile_w = 0;  // its rows are windows of their own
    std::string narrowed;
    if (width(window, channels) > kMaxWindowProducts / taps) {
      if (kWindowSizes.back() > kMaxWindowProducts / taps) {
        decision.reason = fmt::format("a kernel of {} taps could overflow 32-bit sums", taps);
        return;
      }
      narrowed = fmt::format("; {} products could overflow 32-bit sums", checked_product(channels, taps));
      window.channels = kWindowSizes.back();
    }
    const BlobPtr real = std::exchange(layer.weights, rounded(layer.weights, window));
    layer.window = window;
    if (BlobPtr bias = bias_for(graph_.values[node.inputs[0]], layer, *real)) {
      layer.bias = std::move(bias);
      decision.bias_corrected = true;
    }
    decision.quantized = true;
    decision.reason = described(window, channels) + narrowed;
  }

  template <class T>
  BlobPtr bias_for(const Value& input, const T& layer, const Blob& real) const {
    const auto means = rules_.input_means.find(input.name);
    if (means == rules_.input_means.end()) return nullptr;
    std::int64_t groups = 1;
    if constexpr (std::is_same_v<T, Linear>) {
      // Channels are its features, or runs of them, where these begin at the channels.
      if (layer.axis != 1 && layer.axis + static_cast<std::int64_t>(input.shape.size()) != 1) return nullptr;
    } else {
      groups = layer.groups;
    }
    return corrected_bias(real, *layer.weights, layer.bias, groups, means->second);
  }

  static std::int64_t width(const QuantizationWindow& window, std::int64_t channels) {
    return window.channels == 0 ? channels : std::min(window.channels, channels);
  }

  static std::string described(const QuantizationWindow& window, std::int64_t channels) {
    const std::int64_t own = width(window, channels);
    std::string text =
        fmt::format("window of {}{} channel{}", own == channels && own > 1 ? "all " : "", own, own == 1 ? "" : "s");
    if (window.tile_h != 0 || window.tile_w != 0) text += fmt::format(", {}x{} pixels", window.tile_h, window.tile_w);
    return text;
  }

  /// Layers that share weights go on sharing them.
  BlobPtr rounded(const BlobPtr& weights, const QuantizationWindow& window) {
    BlobPtr& result = done_[{weights, window.channels}];
    const ScaleFormat format = window.channels == 0 ? ScaleFormat::fp32 : ScaleFormat::bf16_up;
    if (!result) result = round_weights(*weights, width(window, weights->shape[1]), format);
    return result;
  }

  Graph& graph_;
  const QuantizationRules& rules_;
  std::map<std::pair<BlobPtr, std::int64_t>, BlobPtr> done_;
};

}  // namespace

Graph quantize_weights(Graph graph, const QuantizationRules& rules, std::vector<QuantizationDecision>* decisions) {
  verify(graph);
  require(stage_of(graph) <= Stage::quantized, "the network is already {}", stage_name(stage_of(graph)));
  Quantizer quantizer(graph, rules);
  quantizer.check_rules();
  for (Node& node : graph.nodes) {
    if (!parameters_of(node.op).has_weights) continue;
    try {
      QuantizationDecision decision = quantizer.decide(node);
      if (decisions != nullptr) decisions->push_back(std::move(decision));
    } catch (const Error& error) {
      throw Error(error.kind(), error.what(), place_of(node));
    }
  }
  return graph;
}

}  // namespace octavo::graph

// SPDX-License-Identifier: Apache-2.0
// Activations into the node before them: see graph/passes/passes.h.
#include <optional>

#include "graph/passes/absorb.h"
#include "graph/passes/passes.h"

namespace octavo::graph {
namespace {

using jit::ActivationKind;

std::optional<Activation> as_activation(const Unary& unary) {
  switch (unary.kind) {
    case UnaryKind::relu:
      if (unary.alpha == 0.0F) return Activation{.kind = ActivationKind::relu};
      return Activation{.kind = ActivationKind::leaky_relu, .slope = unary.alpha};
    case UnaryKind::relu6:
      return Activation{.kind = ActivationKind::relu6};
    case UnaryKind::sigmoid:
      return Activation{.kind = ActivationKind::sigmoid};
    case UnaryKind::tanh:
      return Activation{.kind = ActivationKind::tanh};
    default:
      return std::nullopt;
  }
}

std::optional<Activation> as_activation(const Op& op) {
  if (const auto* unary = std::get_if<Unary>(&op)) return as_activation(*unary);
  if (const auto* prelu = std::get_if<PRelu>(&op)) {
    if (element_count(prelu->slopes->shape) == 1) {
      return Activation{.kind = ActivationKind::leaky_relu, .slope = prelu->slopes->f32.values[0]};
    }
    return Activation{.kind = ActivationKind::prelu, .slopes = prelu->slopes};
  }
  return std::nullopt;
}

struct Fuser {
  const Activation& activation;

  /// A slope for each channel is for dimension 1, which has to be where the layer puts its output channels.
  bool put(Activation& place, bool channels_on_axis_1) const {
    if (place.kind != ActivationKind::none) return false;
    if (activation.kind == ActivationKind::prelu && !channels_on_axis_1) return false;
    place = activation;
    return true;
  }
  bool operator()(Convolution& op) const { return put(op.activation, true); }
  bool operator()(Deconvolution& op) const { return put(op.activation, true); }
  bool operator()(Linear& op) const { return put(op.activation, op.axis == 1); }
  bool operator()(Eltwise& op) const { return put(op.activation, false); }  // its rank is not known here
  template <class T>
  bool operator()(T&) const {
    return false;
  }
};

bool absorb_activation(Node& producer, const Node& follower) {
  const std::optional<Activation> activation = as_activation(follower.op);
  return activation && std::visit(Fuser{*activation}, producer.op);
}

}  // namespace

void fuse_activation(Graph& graph) { absorb_followers(graph, absorb_activation); }

}  // namespace octavo::graph

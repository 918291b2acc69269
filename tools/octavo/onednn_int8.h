// SPDX-License-Identifier: Apache-2.0
// The peer that quantizes nothing: a network's 8-bit layers, each as one static int8 primitive of oneDNN.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "octavo/program.h"

namespace octavo::tool {

/// Each layer of a program that has 8-bit weights, as oneDNN runs it when all scales are known beforehand: u8 inputs
/// where octavo proved them >= 0, else s8; s8 weights with a scale for each output channel, packed already; bias,
/// residual and ReLU fused; u8 or s8 outputs. oneDNN chooses all layouts, and the fastest of the implementations that
/// it offers is taken (direct, Winograd, matrix product). What is not counted: quantizing, changing layouts, layers
/// between.
class OnednnInt8 {
 public:
  /// Random weights and activations. Throws Error(unsupported) when oneDNN has no int8 form of a layer.
  OnednnInt8(const std::vector<LayerInfo>& layers, int threads);
  ~OnednnInt8();
  OnednnInt8(const OnednnInt8&) = delete;
  OnednnInt8& operator=(const OnednnInt8&) = delete;

  /// All layers once, in order, each after its input was read (as if the layer before had just written it) and with a
  /// clock of its own; another time before that, which does not count (see Timed).
  void run();
  /// Milliseconds of each run(), for each layer of the program; none where a layer has no 8-bit weights.
  [[nodiscard]] const std::vector<std::vector<double>>& times() const { return times_; }
  /// What oneDNN calls the chosen implementation, for each layer of the program; empty where there is none.
  [[nodiscard]] std::string implementation(std::size_t layer) const;

 private:
  class Layer;
  std::vector<std::unique_ptr<Layer>> layers_;  ///< null where a layer of the program has no 8-bit weights
  std::vector<std::vector<double>> times_;
  int threads_;
};

}  // namespace octavo::tool

// SPDX-License-Identifier: Apache-2.0
// What follows the last dequantize, in registers: + bias, + residual, activation. Shared by every emitter that ends in
// fp32. NaN stays NaN, infinities keep their meaning, nothing overflows on the way to a finite result.
#pragma once

#include <array>

#include "jit/conv_spec.h"
#include "jit/vector_unit.h"

namespace octavo::jit {

/// Where the operands of one output vector lie; those that the epilogue does not use are ignored.
struct EpilogueOperands {
  Xbyak::Address bias;      ///< a full vector may be read
  Xbyak::Address slopes;    ///< PReLU; a full vector may be read
  Xbyak::Address residual;  ///< only `lanes` are read
  Mask lanes;               ///< the output channels that exist
};

class EpilogueEmitter {
 public:
  /// How many temporaries apply() may clobber.
  static constexpr int temporaries = 4;

  EpilogueEmitter(VectorUnit& unit, const Epilogue& epilogue, const std::array<Vec, temporaries>& temporary,
                  Mask temporary_mask)
      : unit_(unit), epilogue_(epilogue), t_(temporary), mask_(temporary_mask) {}

  /// y = activation(y + bias + residual).
  void apply(Vec y, const EpilogueOperands& operands);

 private:
  void activate(Vec y, const EpilogueOperands& operands);
  void exponential(Vec x, Vec t0, Vec t1);
  void sigmoid(Vec y);
  void tanh(Vec y);

  VectorUnit& unit_;
  Epilogue epilogue_;
  std::array<Vec, temporaries> t_;
  Mask mask_;
};

}  // namespace octavo::jit

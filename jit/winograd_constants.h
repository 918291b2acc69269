// SPDX-License-Identifier: Apache-2.0
// Constants of a transform in an emitted kernel: in registers where there are enough, else in memory beside the code.
#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "jit/vector_unit.h"

namespace octavo::jit {

class TransformConstants {
 public:
  /// Registers from `first` on hold the first constants asked for by hold(), at most `count` of them.
  TransformConstants(VectorUnit& unit, int first, int count) : unit_(unit), first_(first), room_(count) {}

  /// Emits the load of a constant into a register, if one is left and it has none yet.
  void hold(float value) {
    if (used_ == room_ || used_ == static_cast<int>(held_.size()) || find(value) >= 0) return;
    held_[static_cast<std::size_t>(used_)] = value;
    unit_.set({first_ + used_}, value);
    ++used_;
  }

  /// d += value * x, with `scratch` free to be clobbered where both a constant and x would be in memory.
  void add_product(Vec d, float value, const Source& x, Vec scratch) const {
    const int at = find(value);
    if (at >= 0) {
      unit_.fma(d, {first_ + at}, x);
    } else {
      unit_.fma(d, in_register(x, scratch), unit_.assembler().constant(value));
    }
  }
  /// d -= value * x, likewise.
  void subtract_product(Vec d, float value, const Source& x, Vec scratch) const {
    const int at = find(value);
    if (at >= 0) {
      unit_.negated_fma(d, {first_ + at}, x);
    } else {
      unit_.negated_fma(d, in_register(x, scratch), unit_.assembler().constant(value));
    }
  }
  /// d = value * x.
  void multiply(Vec d, float value, Vec x) const {
    const int at = find(value);
    unit_.mul(d, x, at >= 0 ? Source(Vec{first_ + at}) : Source(unit_.assembler().constant(value)));
  }

 private:
  [[nodiscard]] int find(float value) const {
    for (int i = 0; i < used_; ++i)
      if (held_[static_cast<std::size_t>(i)] == value) return i;
    return -1;
  }
  [[nodiscard]] Vec in_register(const Source& x, Vec scratch) const {
    if (!x.memory()) return x.vec();
    unit_.load(scratch, x.address());
    return scratch;
  }

  VectorUnit& unit_;
  int first_, room_, used_ = 0;
  std::array<float, 8> held_{};
};

}  // namespace octavo::jit

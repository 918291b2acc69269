// SPDX-License-Identifier: Apache-2.0
// The arithmetic of dynamic quantization, in registers (jit/reference.h has the rules): from the maxima of windows to
// their scales and inverses, and from a window's fp32 to integers. Shared by every emitter that quantizes.
#pragma once

#include "jit/float_bits.h"
#include "jit/vector_unit.h"

namespace octavo::jit {

class WindowQuantizer {
 public:
  /// What it holds between calls. `zero` is 0 for good, from start() on.
  struct Resources {
    Vec inverse, zero;
    Mask usable, usable_tail;
  };

  WindowQuantizer(VectorUnit& unit, bool nonnegative_input, const Resources& resources)
      : unit_(unit), nonnegative_(nonnegative_input), r_(resources) {}

  void start() { unit_.zero(r_.zero); }

  /// Each lane of `max`, the bits of a window's largest magnitude, becomes that window's scale and inverse: a scale of
  /// NaN where the maximum is no number, of 0 where it is too small; an inverse of 0 in both cases, which means that
  /// all bytes are to be the zero point. All four registers differ. Clobbers the masks `usable` and `usable_tail`.
  void scales(Vec scale, Vec inverse, Vec max, Vec temporary);

  /// The following values belong to the window of this inverse. `tail`: the lanes that exist of its last vector.
  void take_inverse(const Xbyak::Address& dword, Mask tail = {});
  /// d = x * inverse as s32, ready for the unit's packing with zero_point(); `tail` as above for the last vector.
  void integers(Vec d, const Xbyak::Address& x, Mask tail = {});
  [[nodiscard]] ZeroPoint zero_point() const { return nonnegative_ ? ZeroPoint::none : ZeroPoint::middle; }

  /// d = four bytes of the zero point in each lane.
  void zero_point_bytes(Vec d);

 private:
  VectorUnit& unit_;
  bool nonnegative_;
  Resources r_;
};

}  // namespace octavo::jit

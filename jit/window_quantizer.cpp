// SPDX-License-Identifier: Apache-2.0
#include "jit/window_quantizer.h"

namespace octavo::jit {

void WindowQuantizer::scales(Vec scale, Vec inverse, Vec max, Vec temporary) {
  constexpr std::uint32_t nan_bits = 0x7FC00000U;
  Assembler& a = unit_.assembler();
  const Mask finite = r_.usable_tail;
  unit_.set(temporary, nonnegative_ ? 255.0F : 127.0F);
  unit_.div(scale, max, temporary);
  unit_.div(inverse, temporary, max);
  // Usable: 2^-118 <= maximum < infinity. Smaller: scale 0. Infinite or NaN: scale NaN.
  unit_.broadcast(temporary, a.constant_dword(smallest_maximum_bits - 1));
  unit_.less_unsigned(r_.usable, temporary, max);
  unit_.less_unsigned(finite, max, a.constant(infinity_bits));
  unit_.mul_zeroing(scale, scale, a.constant(1.0F), r_.usable);
  unit_.broadcast(temporary, a.constant_dword(nan_bits));
  unit_.blend(scale, temporary, scale, finite);
  unit_.mask_and(r_.usable, r_.usable, finite);
  unit_.mul_zeroing(inverse, inverse, a.constant(1.0F), r_.usable);
}

// Inputs >= 0 need no masks: what comes of NaN or infinity times 0 is the least integer, which saturates to their zero
// point.
void WindowQuantizer::take_inverse(const Xbyak::Address& dword, Mask tail) {
  unit_.broadcast(r_.inverse, dword);
  if (nonnegative_) return;
  unit_.less_unsigned(r_.usable, r_.zero, r_.inverse);
  if (tail.slot != 0) unit_.mask_and(r_.usable_tail, r_.usable, tail);
}

void WindowQuantizer::integers(Vec d, const Xbyak::Address& x, Mask tail) {
  Mask lanes = tail;
  if (!nonnegative_) lanes = tail.slot == 0 ? r_.usable : r_.usable_tail;
  if (lanes.slot == 0)
    unit_.mul(d, r_.inverse, x);
  else
    unit_.mul_zeroing(d, r_.inverse, x, lanes);
  unit_.to_integer(d, d);
}

void WindowQuantizer::zero_point_bytes(Vec d) {
  if (nonnegative_)
    unit_.zero(d);
  else
    unit_.broadcast(d, unit_.assembler().constant_dword(0x80808080U));
}

}  // namespace octavo::jit

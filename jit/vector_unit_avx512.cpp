// SPDX-License-Identifier: Apache-2.0
// How AVX-512 spells the primitives.
#include "jit/vector_unit_avx512.h"

#include <bit>

namespace octavo::jit {

namespace {

using Xbyak::Address;
using Xbyak::Opmask;
using Xbyak::Xmm;
using Xbyak::Zmm;

Zmm zmm(Vec v) { return Zmm(v.index); }
Zmm zmm(Vec v, Mask mask) { return mask.slot == 0 ? Zmm(v.index) : Zmm(v.index) | Opmask(mask.slot); }

/// Calls `emit` with the operand that `source` is.
template <class Emit>
void with(const Source& source, Emit&& emit) {
  if (source.memory())
    emit(source.address());
  else
    emit(zmm(source.vec()));
}

constexpr int round_to_nearest_even = 0x00;
constexpr int ternary_ones = 0xFF;
constexpr int compare_less_integer = 1;

}  // namespace

void Avx512Unit::zero(Vec d) { a_.vpxord(zmm(d), zmm(d), zmm(d)); }
void Avx512Unit::copy(Vec d, Vec a) { a_.vmovaps(zmm(d), zmm(a)); }
void Avx512Unit::load(Vec d, const Address& from, Mask lanes) {
  if (lanes.slot == 0)
    a_.vmovups(zmm(d), from);
  else
    a_.vmovups(zmm(d, lanes) | Xbyak::util::T_z, from);
}
void Avx512Unit::store(const Address& to, Vec a, Mask lanes) {
  if (lanes.slot == 0)
    a_.vmovups(to, zmm(a));
  else
    a_.vmovups(to | Opmask(lanes.slot), zmm(a));
}
void Avx512Unit::broadcast(Vec d, const Address& dword) { a_.vpbroadcastd(zmm(d), dword); }
void Avx512Unit::set(Vec d, float value) {
  if (std::bit_cast<std::uint32_t>(value) == 0)
    zero(d);
  else
    broadcast(d, a_.constant_dword(std::bit_cast<std::uint32_t>(value)));
}

void Avx512Unit::set_mask(Mask d, std::uint64_t lanes, const Xbyak::Reg64& scratch) {
  a_.mov(scratch, lanes);
  set_mask(d, scratch);
}
void Avx512Unit::set_mask(Mask d, const Xbyak::Reg64& lanes) { a_.kmovq(Opmask(d.slot), lanes); }
void Avx512Unit::set_mask_of_first(Mask d, const Xbyak::Reg64& count, const Xbyak::Reg64& scratch) {
  a_.mov(scratch, -1);
  a_.bzhi(scratch, scratch, count);
  set_mask(d, scratch);
}
void Avx512Unit::load_mask(Mask d, const Address& all_or_none) { a_.kmovw(Opmask(d.slot), all_or_none); }
void Avx512Unit::mask_and(Mask d, Mask a, Mask b) { a_.kandw(Opmask(d.slot), Opmask(a.slot), Opmask(b.slot)); }
void Avx512Unit::less_unsigned(Mask d, Vec a, const Source& b) {
  with(b, [&](const auto& operand) { a_.vpcmpud(Opmask(d.slot), zmm(a), operand, compare_less_integer); });
}
void Avx512Unit::less(Mask d, Vec a, const Source& b) {
  with(b, [&](const auto& operand) { a_.vcmpps(Opmask(d.slot), zmm(a), operand, compare_less_ordered_quiet); });
}

void Avx512Unit::dot4(Vec d, Vec u8, const Source& s8) {
  if (dot4_ == Dot4::vnni) {
    with(s8, [&](const auto& operand) { a_.vpdpbusd(zmm(d), zmm(u8), operand); });
    return;
  }
  // Even bytes, then odd ones, widened in place. (vpmaddubsw saturates at 16 bits: 2 * 255 * 127 is beyond.)
  const Zmm activations(usable_registers(dot4_)), weights(usable_registers(dot4_) + 1);
  with(s8, [&](const auto& operand) {
    a_.vpandd(activations, zmm(u8), a_.constant(0x00FF00FFU));
    a_.vpsllw(weights, operand, 8);
    a_.vpsraw(weights, weights, 8);
    a_.vpmaddwd(activations, activations, weights);
    a_.vpaddd(zmm(d), zmm(d), activations);
    a_.vpsrlw(activations, zmm(u8), 8);
    a_.vpsraw(weights, operand, 8);
    a_.vpmaddwd(activations, activations, weights);
    a_.vpaddd(zmm(d), zmm(d), activations);
  });
}
void Avx512Unit::word_products(Vec d, Vec u8, const Source& s8) {
  with(s8, [&](const auto& operand) { a_.vpmaddubsw(zmm(d), zmm(u8), operand); });
}
void Avx512Unit::add_words(Vec d, Vec a, Vec b) { a_.vpaddw(zmm(d), zmm(a), zmm(b)); }
void Avx512Unit::add_pairs(Vec d, Vec words, Vec ones) {
  a_.vpmaddwd(zmm(words), zmm(words), zmm(ones));
  a_.vpaddd(zmm(d), zmm(d), zmm(words));
}
void Avx512Unit::broadcast_16_bytes(Vec d, const Address& from) { a_.vbroadcasti32x4(zmm(d), from); }
void Avx512Unit::pick_bytes(Vec d, Vec a, const Source& index) {
  with(index, [&](const auto& operand) { a_.vpshufb(zmm(d), zmm(a), operand); });
}
void Avx512Unit::and_bits(Vec d, Vec a, const Source& b) {
  with(b, [&](const auto& operand) { a_.vpandd(zmm(d), zmm(a), operand); });
}
void Avx512Unit::or_bits(Vec d, Vec a, const Source& b) {
  with(b, [&](const auto& operand) { a_.vpord(zmm(d), zmm(a), operand); });
}
void Avx512Unit::max_unsigned(Vec d, Vec a, const Source& b) {
  with(b, [&](const auto& operand) { a_.vpmaxud(zmm(d), zmm(a), operand); });
}
void Avx512Unit::to_float(Vec d, Vec a) { a_.vcvtdq2ps(zmm(d), zmm(a)); }
void Avx512Unit::to_integer(Vec d, Vec a) { a_.vcvtps2dq(zmm(d), zmm(a)); }

void Avx512Unit::add(Vec d, Vec a, const Source& b) {
  with(b, [&](const auto& operand) { a_.vaddps(zmm(d), zmm(a), operand); });
}
void Avx512Unit::sub(Vec d, Vec a, const Source& b) {
  with(b, [&](const auto& operand) { a_.vsubps(zmm(d), zmm(a), operand); });
}
void Avx512Unit::mul(Vec d, Vec a, const Source& b, Mask merge) {
  with(b, [&](const auto& operand) { a_.vmulps(zmm(d, merge), zmm(a), operand); });
}
void Avx512Unit::mul_zeroing(Vec d, Vec a, const Source& b, Mask lanes) {
  with(b, [&](const auto& operand) { a_.vmulps(zmm(d, lanes) | Xbyak::util::T_z, zmm(a), operand); });
}
void Avx512Unit::div(Vec d, Vec a, const Source& b) {
  with(b, [&](const auto& operand) { a_.vdivps(zmm(d), zmm(a), operand); });
}
void Avx512Unit::fma(Vec d, Vec a, const Source& b) {
  with(b, [&](const auto& operand) { a_.vfmadd231ps(zmm(d), zmm(a), operand); });
}
void Avx512Unit::fma_into_factor(Vec d, Vec a, const Source& b) {
  with(b, [&](const auto& operand) { a_.vfmadd213ps(zmm(d), zmm(a), operand); });
}
void Avx512Unit::negated_fma(Vec d, Vec a, const Source& b) {
  with(b, [&](const auto& operand) { a_.vfnmadd231ps(zmm(d), zmm(a), operand); });
}
void Avx512Unit::max(Vec d, Vec a, const Source& b) {
  with(b, [&](const auto& operand) { a_.vmaxps(zmm(d), zmm(a), operand); });
}
void Avx512Unit::min(Vec d, Vec a, const Source& b) {
  with(b, [&](const auto& operand) { a_.vminps(zmm(d), zmm(a), operand); });
}
void Avx512Unit::max_or_nan(Vec d, Vec a, Vec b, Mask temporary) {
  const Opmask unordered(temporary.slot);
  a_.vcmpps(unordered, zmm(a), zmm(b), compare_unordered_quiet);
  a_.vmaxps(zmm(d), zmm(a), zmm(b));
  a_.vpternlogd(zmm(d) | unordered, zmm(d), zmm(d), ternary_ones);  // all bits set: a NaN
}
void Avx512Unit::round(Vec d, Vec a) { a_.vrndscaleps(zmm(d), zmm(a), round_to_nearest_even); }
void Avx512Unit::scale_by_power(Vec d, Vec a, Vec power) { a_.vscalefps(zmm(d), zmm(a), zmm(power)); }
void Avx512Unit::blend(Vec d, Vec otherwise, const Source& where_set, Mask mask) {
  with(where_set, [&](const auto& operand) { a_.vblendmps(zmm(d, mask), zmm(otherwise), operand); });
}

void Avx512Unit::store_packed4(const Address& to, Vec a, Vec b, Vec c, Vec d, ZeroPoint zero_point) {
  a_.vpackssdw(zmm(a), zmm(a), zmm(b));
  a_.vpackssdw(zmm(c), zmm(c), zmm(d));
  if (zero_point == ZeroPoint::none) {
    a_.vpackuswb(zmm(a), zmm(a), zmm(c));
  } else {
    a_.vpacksswb(zmm(a), zmm(a), zmm(c));
    a_.vpxord(zmm(a), zmm(a), a_.constant(0x80808080U));
  }
  a_.vmovups(to, zmm(a));
}
void Avx512Unit::store_packed1(const Address& to, Vec a, ZeroPoint zero_point, int count) {
  const Xmm packed(a.index);
  if (zero_point == ZeroPoint::none) {
    a_.vpmaxsd(zmm(a), zmm(a), a_.constant(0U));
    a_.vpmovusdb(packed, zmm(a));
  } else {
    a_.vpmovsdb(packed, zmm(a));
    a_.vpxord(packed, packed, a_.constant(0x80808080U));
  }
  if (count == 16) {
    a_.vmovdqu8(to, packed);
    return;
  }
  if (count >= 8) a_.vmovq(a_.qword[to.getRegExp()], packed);
  if (count % 8 != 0) a_.vpextrd(a_.dword[to.getRegExp() + count / 8 * 8], packed, count / 8 * 2);
}

void Avx512Unit::load_group_control(Vec d, const Xbyak::Reg64& scratch) {
  // Within each 128-bit lane, byte 4i + j comes from byte i + 4j: a 4x4 transposition.
  const Xmm low(d.index);
  a_.mov(scratch, 0x0D0905010C080400U);
  a_.vmovq(low, scratch);
  a_.mov(scratch, 0x0F0B07030E0A0602U);
  a_.vpinsrq(low, low, scratch, 1);
  a_.vshufi32x4(zmm(d), zmm(d), zmm(d), 0);
}
void Avx512Unit::pack_pair(Vec d, Vec a, Vec b) { a_.vpackssdw(zmm(d), zmm(a), zmm(b)); }
void Avx512Unit::group_bytes(Vec d, Vec ab, Vec cd, Vec control, ZeroPoint zero_point) {
  if (zero_point == ZeroPoint::none) {
    a_.vpackuswb(zmm(d), zmm(ab), zmm(cd));
  } else {
    a_.vpacksswb(zmm(d), zmm(ab), zmm(cd));
    a_.vpxord(zmm(d), zmm(d), a_.constant(0x80808080U));
  }
  a_.vpshufb(zmm(d), zmm(d), zmm(control));
}

void Avx512Unit::transpose_max(std::span<const Vec> v, Vec scratch) {
  // Each step folds two registers into one: what is folded away in width is gained in registers that share one.
  // Neighbouring dwords, then neighbouring pairs (after these, four registers share one, a dword each in every
  // quarter), then quarters.
  const Zmm t = zmm(scratch);
  for (int step = 0; step < 4; ++step) {
    const int distance = 1 << step;
    for (int i = 0; i < 16; i += 2 * distance) {
      const Zmm a = zmm(v[static_cast<std::size_t>(i)]), b = zmm(v[static_cast<std::size_t>(i + distance)]);
      switch (step) {
        case 0:
          a_.vunpcklps(t, a, b);
          a_.vunpckhps(a, a, b);
          break;
        case 1:
          a_.vunpcklpd(t, a, b);
          a_.vunpckhpd(a, a, b);
          break;
        default:
          a_.vshuff32x4(t, a, b, 0x88);
          a_.vshuff32x4(a, a, b, 0xDD);
      }
      a_.vpmaxud(a, a, t);
    }
  }
}

}  // namespace octavo::jit

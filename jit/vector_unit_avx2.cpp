// SPDX-License-Identifier: Apache-2.0
// How AVX2 spells the primitives. Where AVX-512 has an opmask, a vector in the frame stands for it; where it broadcasts
// a dword of memory, an own register takes it.
#include "jit/vector_unit_avx2.h"

#include <xbyak/xbyak_util.h>

#include <array>
#include <bit>
#include <vector>

namespace octavo::jit {

namespace {

using Xbyak::Address;
using Xbyak::Xmm;
using Xbyak::Ymm;

constexpr int vector_bytes = 32;
constexpr int round_to_nearest_even_quietly = 0x08;
constexpr int exponent_bias = 127, exponent_shift = 23;

/// The unit's own registers.
constexpr Vec first_own{Avx2Unit::usable_registers}, second_own{Avx2Unit::usable_registers + 1};

Ymm ymm(Vec v) { return Ymm(v.index); }
Xmm xmm(Vec v) { return Xmm(v.index); }

/// The memory behind an operand that asks for a broadcast.
Address dword_of(const Address& broadcast) {
  constexpr std::uint32_t bits = 32;
  if (broadcast.getMode() == Address::M_rip)
    return {bits, false, Xbyak::RegRip(static_cast<std::int64_t>(broadcast.getDisp()), broadcast.getLabel())};
  return {bits, false, broadcast.getRegExp(false)};
}

std::vector<std::uint32_t> same(std::uint32_t bits) { return std::vector<std::uint32_t>(8, bits); }

}  // namespace

Avx2Unit::Dot4 Avx2Unit::vnni_of_this_machine() {
  using Xbyak::util::Cpu;
  const Cpu cpu;
  return !cpu.has(Cpu::tAVX_VNNI) && cpu.has(Cpu::tAVX512VL) && cpu.has(Cpu::tAVX512_VNNI) ? Dot4::evex_vnni
                                                                                           : Dot4::vex_vnni;
}

Avx2Unit::Avx2Unit(Assembler& assembler, Dot4 dot4)
    : VectorUnit(assembler), dot4_(dot4), masks_(assembler.reserve(mask_slots * vector_bytes)) {}

Address Avx2Unit::mask(Mask of) const { return a_.ptr[a_.reserved(masks_ + of.slot * vector_bytes)]; }

template <class Emit>
void Avx2Unit::with(const Source& source, Vec broadcast_into, Emit&& emit) {
  if (!source.memory()) {
    emit(ymm(source.vec()));
  } else if (!source.address().isBroadcast()) {
    emit(source.address());
  } else {
    a_.vbroadcastss(ymm(broadcast_into), dword_of(source.address()));
    emit(ymm(broadcast_into));
  }
}

void Avx2Unit::zero(Vec d) { a_.vpxor(ymm(d), ymm(d), ymm(d)); }
void Avx2Unit::copy(Vec d, Vec a) { a_.vmovaps(ymm(d), ymm(a)); }
void Avx2Unit::load(Vec d, const Address& from, Mask lanes) {
  if (lanes.slot == 0) {
    a_.vmovups(ymm(d), from);
    return;
  }
  a_.vmovups(ymm(first_own), mask(lanes));
  a_.vmaskmovps(ymm(d), ymm(first_own), from);
}
void Avx2Unit::store(const Address& to, Vec a, Mask lanes) {
  if (lanes.slot == 0) {
    a_.vmovups(to, ymm(a));
    return;
  }
  a_.vmovups(ymm(first_own), mask(lanes));
  a_.vmaskmovps(to, ymm(first_own), ymm(a));
}
void Avx2Unit::broadcast(Vec d, const Address& dword) { a_.vpbroadcastd(ymm(d), dword); }
void Avx2Unit::set(Vec d, float value) {
  if (std::bit_cast<std::uint32_t>(value) == 0)
    zero(d);
  else
    broadcast(d, a_.constant_dword(std::bit_cast<std::uint32_t>(value)));
}

void Avx2Unit::set_mask(Mask d, std::uint64_t lanes, const Xbyak::Reg64& /*scratch*/) {
  std::vector<std::uint32_t> bits;
  for (unsigned lane = 0; lane < 8; ++lane) bits.push_back((lanes >> lane & 1U) != 0 ? ~0U : 0U);
  a_.vmovups(ymm(first_own), a_.constant_vector(bits));
  a_.vmovups(mask(d), ymm(first_own));
}
void Avx2Unit::set_mask(Mask d, const Xbyak::Reg64& lanes) {
  const Address bit_of_lane = a_.constant_vector({1, 2, 4, 8, 16, 32, 64, 128});
  a_.vmovd(xmm(first_own), lanes.cvt32());
  a_.vpbroadcastd(ymm(first_own), xmm(first_own));
  a_.vpand(ymm(first_own), ymm(first_own), bit_of_lane);
  a_.vpcmpeqd(ymm(first_own), ymm(first_own), bit_of_lane);
  a_.vmovups(mask(d), ymm(first_own));
}
void Avx2Unit::set_mask_of_first(Mask d, const Xbyak::Reg64& count, const Xbyak::Reg64& /*scratch*/) {
  a_.vmovd(xmm(first_own), count.cvt32());
  a_.vpbroadcastd(ymm(first_own), xmm(first_own));
  a_.vpcmpgtd(ymm(first_own), ymm(first_own), a_.constant_vector({0, 1, 2, 3, 4, 5, 6, 7}));
  a_.vmovups(mask(d), ymm(first_own));
}
void Avx2Unit::load_mask(Mask d, const Address& all_or_none) {
  a_.vpbroadcastw(ymm(first_own), all_or_none);
  a_.vmovups(mask(d), ymm(first_own));
}
void Avx2Unit::mask_and(Mask d, Mask a, Mask b) {
  a_.vmovups(ymm(first_own), mask(a));
  a_.vandps(ymm(first_own), ymm(first_own), mask(b));
  a_.vmovups(mask(d), ymm(first_own));
}
void Avx2Unit::less_unsigned(Mask d, Vec a, const Source& b) {
  // a < b where max(a, b) is not a.
  with(b, first_own, [&](const auto& operand) { a_.vpmaxud(ymm(first_own), ymm(a), operand); });
  a_.vpcmpeqd(ymm(first_own), ymm(first_own), ymm(a));
  a_.vpxor(ymm(first_own), ymm(first_own), a_.constant_vector(same(~0U)));
  a_.vmovups(mask(d), ymm(first_own));
}
void Avx2Unit::less(Mask d, Vec a, const Source& b) {
  with(b, first_own,
       [&](const auto& operand) { a_.vcmpps(ymm(first_own), ymm(a), operand, compare_less_ordered_quiet); });
  a_.vmovups(mask(d), ymm(first_own));
}

void Avx2Unit::dot4(Vec d, Vec u8, const Source& s8) {
  if (dot4_ != Dot4::by_words) {
    const auto encoding = dot4_ == Dot4::vex_vnni ? Xbyak::VexEncoding : Xbyak::EvexEncoding;
    with(s8, first_own, [&](const auto& operand) { a_.vpdpbusd(ymm(d), ymm(u8), operand, encoding); });
    return;
  }
  // Even bytes, then odd ones, widened in place. (vpmaddubsw saturates at 16 bits: 2 * 255 * 127 is beyond.)
  const Ymm activations = ymm(first_own), weights = ymm(second_own);
  a_.vpand(activations, ymm(u8), a_.constant_vector(same(0x00FF00FFU)));
  with(s8, second_own, [&](const auto& operand) { a_.vmovdqu(weights, operand); });
  a_.vpsllw(weights, weights, 8);
  a_.vpsraw(weights, weights, 8);
  a_.vpmaddwd(activations, activations, weights);
  a_.vpaddd(ymm(d), ymm(d), activations);
  a_.vpsrlw(activations, ymm(u8), 8);
  with(s8, second_own, [&](const auto& operand) { a_.vmovdqu(weights, operand); });
  a_.vpsraw(weights, weights, 8);
  a_.vpmaddwd(activations, activations, weights);
  a_.vpaddd(ymm(d), ymm(d), activations);
}
void Avx2Unit::word_products(Vec d, Vec u8, const Source& s8) {
  with(s8, second_own, [&](const auto& operand) { a_.vpmaddubsw(ymm(d), ymm(u8), operand); });
}
void Avx2Unit::add_words(Vec d, Vec a, Vec b) { a_.vpaddw(ymm(d), ymm(a), ymm(b)); }
void Avx2Unit::add_pairs(Vec d, Vec words, Vec ones) {
  a_.vpmaddwd(ymm(words), ymm(words), ymm(ones));
  a_.vpaddd(ymm(d), ymm(d), ymm(words));
}
void Avx2Unit::broadcast_16_bytes(Vec d, const Address& from) { a_.vbroadcasti128(ymm(d), from); }
void Avx2Unit::pick_bytes(Vec d, Vec a, const Source& index) {
  with(index, second_own, [&](const auto& operand) { a_.vpshufb(ymm(d), ymm(a), operand); });
}
void Avx2Unit::and_bits(Vec d, Vec a, const Source& b) {
  with(b, second_own, [&](const auto& operand) { a_.vpand(ymm(d), ymm(a), operand); });
}
void Avx2Unit::or_bits(Vec d, Vec a, const Source& b) {
  with(b, second_own, [&](const auto& operand) { a_.vpor(ymm(d), ymm(a), operand); });
}
void Avx2Unit::max_unsigned(Vec d, Vec a, const Source& b) {
  with(b, second_own, [&](const auto& operand) { a_.vpmaxud(ymm(d), ymm(a), operand); });
}
void Avx2Unit::to_float(Vec d, Vec a) { a_.vcvtdq2ps(ymm(d), ymm(a)); }
void Avx2Unit::to_integer(Vec d, Vec a) { a_.vcvtps2dq(ymm(d), ymm(a)); }

void Avx2Unit::add(Vec d, Vec a, const Source& b) {
  with(b, second_own, [&](const auto& operand) { a_.vaddps(ymm(d), ymm(a), operand); });
}
void Avx2Unit::sub(Vec d, Vec a, const Source& b) {
  with(b, second_own, [&](const auto& operand) { a_.vsubps(ymm(d), ymm(a), operand); });
}
void Avx2Unit::mul(Vec d, Vec a, const Source& b, Mask merge) {
  if (merge.slot == 0) {
    with(b, second_own, [&](const auto& operand) { a_.vmulps(ymm(d), ymm(a), operand); });
    return;
  }
  masked_product(second_own, a, b, merge);
  a_.vmovups(ymm(first_own), mask(merge));
  a_.vblendvps(ymm(d), ymm(d), ymm(second_own), ymm(first_own));
}
void Avx2Unit::mul_zeroing(Vec d, Vec a, const Source& b, Mask lanes) { masked_product(d, a, b, lanes); }
void Avx2Unit::masked_product(Vec d, Vec a, const Source& b, Mask lanes) {
  if (b.memory() && !b.address().isBroadcast()) {
    load(second_own, b.address(), lanes);
    a_.vmulps(ymm(d), ymm(a), ymm(second_own));
  } else {
    with(b, second_own, [&](const auto& operand) { a_.vmulps(ymm(d), ymm(a), operand); });
  }
  a_.vandps(ymm(d), ymm(d), mask(lanes));
}
void Avx2Unit::div(Vec d, Vec a, const Source& b) {
  with(b, second_own, [&](const auto& operand) { a_.vdivps(ymm(d), ymm(a), operand); });
}
void Avx2Unit::fma(Vec d, Vec a, const Source& b) {
  with(b, second_own, [&](const auto& operand) { a_.vfmadd231ps(ymm(d), ymm(a), operand); });
}
void Avx2Unit::fma_into_factor(Vec d, Vec a, const Source& b) {
  with(b, second_own, [&](const auto& operand) { a_.vfmadd213ps(ymm(d), ymm(a), operand); });
}
void Avx2Unit::negated_fma(Vec d, Vec a, const Source& b) {
  with(b, second_own, [&](const auto& operand) { a_.vfnmadd231ps(ymm(d), ymm(a), operand); });
}
void Avx2Unit::max(Vec d, Vec a, const Source& b) {
  with(b, second_own, [&](const auto& operand) { a_.vmaxps(ymm(d), ymm(a), operand); });
}
void Avx2Unit::min(Vec d, Vec a, const Source& b) {
  with(b, second_own, [&](const auto& operand) { a_.vminps(ymm(d), ymm(a), operand); });
}
void Avx2Unit::max_or_nan(Vec d, Vec a, Vec b, Mask /*temporary*/) {
  a_.vcmpps(ymm(first_own), ymm(a), ymm(b), compare_unordered_quiet);
  a_.vmaxps(ymm(d), ymm(a), ymm(b));
  a_.vorps(ymm(d), ymm(d), ymm(first_own));  // all bits set: a NaN
}
void Avx2Unit::round(Vec d, Vec a) { a_.vroundps(ymm(d), ymm(a), round_to_nearest_even_quietly); }
void Avx2Unit::scale_by_power(Vec d, Vec a, Vec power) {
  // In two steps, since a float's exponent holds no 2^150: only the second can round.
  const Ymm first = ymm(first_own), second = ymm(second_own);
  const Address bias = a_.constant_vector(same(exponent_bias));
  a_.vcvtps2dq(second, ymm(power));
  a_.vpsrad(first, second, 1);
  a_.vpsubd(second, second, first);
  a_.vpaddd(first, first, bias);
  a_.vpaddd(second, second, bias);
  a_.vpslld(first, first, exponent_shift);
  a_.vpslld(second, second, exponent_shift);
  a_.vmulps(ymm(d), ymm(a), first);
  a_.vmulps(ymm(d), ymm(d), second);
}
void Avx2Unit::blend(Vec d, Vec otherwise, const Source& where_set, Mask lanes) {
  with(where_set, second_own, [&](const auto& operand) {
    a_.vmovups(ymm(first_own), mask(lanes));
    a_.vblendvps(ymm(d), ymm(otherwise), operand, ymm(first_own));
  });
}

void Avx2Unit::store_packed4(const Address& to, Vec a, Vec b, Vec c, Vec d, ZeroPoint zero_point) {
  a_.vpackssdw(ymm(a), ymm(a), ymm(b));
  a_.vpackssdw(ymm(c), ymm(c), ymm(d));
  if (zero_point == ZeroPoint::none) {
    a_.vpackuswb(ymm(a), ymm(a), ymm(c));
  } else {
    a_.vpacksswb(ymm(a), ymm(a), ymm(c));
    a_.vpxor(ymm(a), ymm(a), a_.constant_vector(same(0x80808080U)));
  }
  a_.vmovups(to, ymm(a));
}
void Avx2Unit::store_packed1(const Address& to, Vec a, ZeroPoint zero_point, int count) {
  a_.vextracti128(xmm(first_own), ymm(a), 1);
  a_.vpackssdw(xmm(a), xmm(a), xmm(first_own));
  if (zero_point == ZeroPoint::none) {
    a_.vpackuswb(xmm(a), xmm(a), xmm(a));
  } else {
    a_.vpacksswb(xmm(a), xmm(a), xmm(a));
    a_.vpxor(xmm(a), xmm(a), a_.constant_vector(same(0x80808080U)));
  }
  if (count == 8)
    a_.vmovq(a_.qword[to.getRegExp()], xmm(a));
  else
    a_.vmovd(a_.dword[to.getRegExp()], xmm(a));
}

void Avx2Unit::load_group_control(Vec d, const Xbyak::Reg64& /*scratch*/) {
  // Within each 128-bit lane, byte 4i + j comes from byte i + 4j: a 4x4 transposition.
  a_.vbroadcasti128(ymm(d), a_.constant_vector({0x0C080400U, 0x0D090501U, 0x0E0A0602U, 0x0F0B0703U, 0, 0, 0, 0}));
}
void Avx2Unit::pack_pair(Vec d, Vec a, Vec b) { a_.vpackssdw(ymm(d), ymm(a), ymm(b)); }
void Avx2Unit::group_bytes(Vec d, Vec ab, Vec cd, Vec control, ZeroPoint zero_point) {
  if (zero_point == ZeroPoint::none) {
    a_.vpackuswb(ymm(d), ymm(ab), ymm(cd));
  } else {
    a_.vpacksswb(ymm(d), ymm(ab), ymm(cd));
    a_.vpxor(ymm(d), ymm(d), a_.constant_vector(same(0x80808080U)));
  }
  a_.vpshufb(ymm(d), ymm(d), ymm(control));
}

void Avx2Unit::transpose_max(std::span<const Vec> v, Vec scratch) {
  // Each step folds two registers into one: neighbouring dwords, then neighbouring pairs (after these, four registers
  // share one, a dword each in both halves), then halves.
  constexpr int low_halves = 0x20, high_halves = 0x31;
  const Ymm t = ymm(scratch);
  for (int distance = 1; distance < 8; distance *= 2) {
    for (int i = 0; i < 8; i += 2 * distance) {
      const Ymm a = ymm(v[static_cast<std::size_t>(i)]), b = ymm(v[static_cast<std::size_t>(i + distance)]);
      switch (distance) {
        case 1:
          a_.vunpcklps(t, a, b);
          a_.vunpckhps(a, a, b);
          break;
        case 2:
          a_.vunpcklpd(t, a, b);
          a_.vunpckhpd(a, a, b);
          break;
        default:
          a_.vperm2i128(t, a, b, low_halves);
          a_.vperm2i128(a, a, b, high_halves);
      }
      a_.vpmaxud(a, a, t);
    }
  }
}

}  // namespace octavo::jit

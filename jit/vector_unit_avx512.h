// SPDX-License-Identifier: Apache-2.0
// AVX-512 F, BW, VL and DQ: 32 registers of 16 lanes and opmasks; with VNNI, a dot product of bytes in one instruction.
#pragma once

#include "jit/vector_unit.h"

namespace octavo::jit {

class Avx512Unit final : public VectorUnit {
 public:
  /// How dot4() is spelled: by VNNI, or by products of 16-bit words, which takes two registers for itself.
  enum class Dot4 { vnni, by_words };

  Avx512Unit(Assembler& assembler, Dot4 dot4) : VectorUnit(assembler), dot4_(dot4) {}

  static constexpr int usable_registers(Dot4 dot4) { return dot4 == Dot4::vnni ? 32 : 30; }
  [[nodiscard]] int lanes() const override { return 16; }
  [[nodiscard]] int registers() const override { return usable_registers(dot4_); }

  void zero(Vec d) override;
  void copy(Vec d, Vec a) override;
  void load(Vec d, const Xbyak::Address& from, Mask lanes) override;
  void store(const Xbyak::Address& to, Vec a, Mask lanes) override;
  void broadcast(Vec d, const Xbyak::Address& dword) override;
  void set(Vec d, float value) override;

  void set_mask(Mask d, std::uint64_t lanes, const Xbyak::Reg64& scratch) override;
  void set_mask(Mask d, const Xbyak::Reg64& lanes) override;
  void set_mask_of_first(Mask d, const Xbyak::Reg64& count, const Xbyak::Reg64& scratch) override;
  void load_mask(Mask d, const Xbyak::Address& all_or_none) override;
  void mask_and(Mask d, Mask a, Mask b) override;
  void less_unsigned(Mask d, Vec a, const Source& b) override;
  void less(Mask d, Vec a, const Source& b) override;

  void dot4(Vec d, Vec u8, const Source& s8) override;
  void word_products(Vec d, Vec u8, const Source& s8) override;
  void add_words(Vec d, Vec a, Vec b) override;
  void add_pairs(Vec d, Vec words, Vec ones) override;
  void broadcast_16_bytes(Vec d, const Xbyak::Address& from) override;
  void pick_bytes(Vec d, Vec a, const Source& index) override;
  void and_bits(Vec d, Vec a, const Source& b) override;
  void or_bits(Vec d, Vec a, const Source& b) override;
  void max_unsigned(Vec d, Vec a, const Source& b) override;
  void to_float(Vec d, Vec a) override;
  void to_integer(Vec d, Vec a) override;

  void add(Vec d, Vec a, const Source& b) override;
  void sub(Vec d, Vec a, const Source& b) override;
  void mul(Vec d, Vec a, const Source& b, Mask merge) override;
  void mul_zeroing(Vec d, Vec a, const Source& b, Mask lanes) override;
  void div(Vec d, Vec a, const Source& b) override;
  void fma(Vec d, Vec a, const Source& b) override;
  void fma_into_factor(Vec d, Vec a, const Source& b) override;
  void negated_fma(Vec d, Vec a, const Source& b) override;
  void max(Vec d, Vec a, const Source& b) override;
  void min(Vec d, Vec a, const Source& b) override;
  void max_or_nan(Vec d, Vec a, Vec b, Mask temporary) override;
  void round(Vec d, Vec a) override;
  void scale_by_power(Vec d, Vec a, Vec power) override;
  void blend(Vec d, Vec otherwise, const Source& where_set, Mask mask) override;

  void store_packed4(const Xbyak::Address& to, Vec a, Vec b, Vec c, Vec d, ZeroPoint zero_point) override;
  void store_packed1(const Xbyak::Address& to, Vec a, ZeroPoint zero_point, int count) override;

  void load_group_control(Vec d, const Xbyak::Reg64& scratch) override;
  void pack_pair(Vec d, Vec a, Vec b) override;
  void group_bytes(Vec d, Vec ab, Vec cd, Vec control, ZeroPoint zero_point) override;

  void transpose_max(std::span<const Vec> v, Vec scratch) override;

 private:
  Dot4 dot4_;
};

}  // namespace octavo::jit

// SPDX-License-Identifier: Apache-2.0
// AVX2 and FMA: 16 registers of 8 lanes. Masks are vectors in the frame, and two registers are the unit's own. With
// AVX-VNNI (or the 256-bit form of AVX-512's VNNI), a dot product of bytes in one instruction.
#pragma once

#include "jit/vector_unit.h"

namespace octavo::jit {

class Avx2Unit final : public VectorUnit {
 public:
  /// How dot4() is spelled: VNNI in the encoding of AVX-VNNI or of AVX-512 VL; or products of 16-bit words.
  enum class Dot4 { vex_vnni, evex_vnni, by_words };
  /// The encoding that this machine runs; AVX-VNNI's where it runs neither.
  [[nodiscard]] static Dot4 vnni_of_this_machine();

  Avx2Unit(Assembler& assembler, Dot4 dot4);

  static constexpr int usable_registers = 14;
  [[nodiscard]] int lanes() const override { return 8; }
  [[nodiscard]] int registers() const override { return usable_registers; }

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
  /// The mask of a slot, a full vector of ones and zeros.
  [[nodiscard]] Xbyak::Address mask(Mask of) const;
  /// Calls `emit` with `source` as an operand; what has to be broadcast comes by way of `broadcast_into`.
  template <class Emit>
  void with(const Source& source, Vec broadcast_into, Emit&& emit);
  /// d = a * b where `lanes`, elsewhere 0; memory outside the lanes is not touched.
  void masked_product(Vec d, Vec a, const Source& b, Mask lanes);

  Dot4 dot4_;
  int masks_;  ///< in the frame
};

}  // namespace octavo::jit

// SPDX-License-Identifier: Apache-2.0
// The one class that knows an instruction set: how wide a register is, how many there are, and how each primitive that
// the emitters are composed of is spelled. A further ISA is a further subclass, not a copy of an emitter.
#pragma once

#include <xbyak/xbyak.h>

#include <cstdint>
#include <memory>
#include <span>

#include "jit/assembler.h"
#include "octavo/isa.h"

namespace octavo::jit {

/// A vector register by number; which class of register that is only the VectorUnit knows.
struct Vec {
  int index = 0;
  bool operator==(const Vec&) const = default;
};

/// Which lanes a load or store touches: slot 0 is "all of them", slots 1 to 7 are set with set_mask() and its like.
/// Where an ISA keeps them is its own business.
struct Mask {
  int slot = 0;
};
constexpr int mask_slots = 8;

/// The last operand of an instruction: a register, a full vector in memory, or (Assembler::constant, ptr_b) a dword in
/// memory that is broadcast.
class Source {
 public:
  Source(Vec vec) : vec_(vec), address_(Xbyak::Address(0, false, Xbyak::RegExp())), memory_(false) {}  // NOLINT
  Source(const Xbyak::Address& address) : address_(address), memory_(true) {}                          // NOLINT
  [[nodiscard]] bool memory() const { return memory_; }
  [[nodiscard]] Vec vec() const { return vec_; }
  [[nodiscard]] const Xbyak::Address& address() const { return address_; }

 private:
  Vec vec_;
  Xbyak::Address address_;
  bool memory_;
};

/// The byte that means 0.0: 0 for inputs proven >= 0, 128 for the others.
enum class ZeroPoint { none, middle };

/// Emits primitives through an Assembler that the caller owns, and that has not opened its kernel yet: a unit may need
/// memory of the frame. "d" is the destination; fp32 unless said otherwise. NaN rules: max/min return their last
/// operand when either is NaN.
class VectorUnit {
 public:
  virtual ~VectorUnit() = default;
  VectorUnit(const VectorUnit&) = delete;
  VectorUnit& operator=(const VectorUnit&) = delete;

  [[nodiscard]] Assembler& assembler() const { return a_; }
  [[nodiscard]] virtual int lanes() const = 0;      ///< 32-bit lanes of a register
  [[nodiscard]] virtual int registers() const = 0;  ///< vector registers that an emitter may use: the first ones
  [[nodiscard]] int bytes() const { return lanes() * 4; }

  // Moves. A masked load zeroes the other lanes; a masked store leaves them alone; neither touches their memory.
  virtual void zero(Vec d) = 0;
  virtual void copy(Vec d, Vec a) = 0;
  virtual void load(Vec d, const Xbyak::Address& from, Mask lanes = {}) = 0;
  virtual void store(const Xbyak::Address& to, Vec a, Mask lanes = {}) = 0;
  virtual void broadcast(Vec d, const Xbyak::Address& dword) = 0;
  virtual void set(Vec d, float value) = 0;

  // Masks.
  /// Bit i of `lanes`: lane i. May clobber `scratch`.
  virtual void set_mask(Mask d, std::uint64_t lanes, const Xbyak::Reg64& scratch) = 0;
  virtual void set_mask(Mask d, const Xbyak::Reg64& lanes) = 0;
  /// The first `count` lanes, 0 to lanes(). May clobber `scratch`.
  virtual void set_mask_of_first(Mask d, const Xbyak::Reg64& count, const Xbyak::Reg64& scratch) = 0;
  /// All lanes, or none: a word in memory that is 0xFFFF or 0.
  virtual void load_mask(Mask d, const Xbyak::Address& all_or_none) = 0;
  virtual void mask_and(Mask d, Mask a, Mask b) = 0;
  /// Lanes where a < b, unsigned 32-bit integers.
  virtual void less_unsigned(Mask d, Vec a, const Source& b) = 0;
  /// Lanes where a < b, false for NaN.
  virtual void less(Mask d, Vec a, const Source& b) = 0;

  // Integers.
  /// d(s32) += the sum of the four products u8 * s8 of each lane. Exact on every ISA, whatever the values.
  virtual void dot4(Vec d, Vec u8, const Source& s8) = 0;
  // The parts of an exact dot product by 16-bit words; jit/word_split.h says when they are one.
  /// Word i of d = the sum of the products u8 * s8 of its two bytes, saturated.
  virtual void word_products(Vec d, Vec u8, const Source& s8) = 0;
  virtual void add_words(Vec d, Vec a, Vec b) = 0;
  /// d(s32) += the two words of each lane, given words of 1 in `ones`; clobbers `words`.
  virtual void add_pairs(Vec d, Vec words, Vec ones) = 0;
  /// The same 16 bytes of memory in every 128 bits.
  virtual void broadcast_16_bytes(Vec d, const Xbyak::Address& from) = 0;
  /// Byte i of d = the byte of its 128 bits of `a` that byte i of `index` (0 to 15) names.
  virtual void pick_bytes(Vec d, Vec a, const Source& index) = 0;
  virtual void and_bits(Vec d, Vec a, const Source& b) = 0;
  virtual void or_bits(Vec d, Vec a, const Source& b) = 0;
  virtual void max_unsigned(Vec d, Vec a, const Source& b) = 0;
  virtual void to_float(Vec d, Vec a) = 0;    ///< s32 -> fp32
  virtual void to_integer(Vec d, Vec a) = 0;  ///< fp32 -> s32, to nearest even

  // fp32. With a mask, lanes outside it keep what d held (merge), or become zero (mul_zeroing).
  virtual void add(Vec d, Vec a, const Source& b) = 0;
  virtual void sub(Vec d, Vec a, const Source& b) = 0;
  virtual void mul(Vec d, Vec a, const Source& b, Mask merge = {}) = 0;
  virtual void mul_zeroing(Vec d, Vec a, const Source& b, Mask lanes) = 0;
  virtual void div(Vec d, Vec a, const Source& b) = 0;
  virtual void fma(Vec d, Vec a, const Source& b) = 0;              ///< d = a * b + d
  virtual void fma_into_factor(Vec d, Vec a, const Source& b) = 0;  ///< d = d * a + b
  virtual void negated_fma(Vec d, Vec a, const Source& b) = 0;      ///< d = d - a * b
  virtual void max(Vec d, Vec a, const Source& b) = 0;
  virtual void min(Vec d, Vec a, const Source& b) = 0;
  /// The greater one, b of equals, NaN where either is; clobbers `temporary`.
  virtual void max_or_nan(Vec d, Vec a, Vec b, Mask temporary) = 0;
  virtual void round(Vec d, Vec a) = 0;  ///< to an integral value, nearest even
  /// a * 2^power, rounded once; power is integral and within +-250, a within [0.5, 2).
  virtual void scale_by_power(Vec d, Vec a, Vec power) = 0;
  virtual void blend(Vec d, Vec otherwise, const Source& where_set, Mask mask) = 0;

  // Quantizing: s32 -> u8 with saturation, plus the zero point.
  /// Packs four registers of lanes() s32 each, bytes() bytes in all, and stores them; clobbers all four. The order of
  /// the bytes is the ISA's cheapest: see packed_channel().
  virtual void store_packed4(const Xbyak::Address& to, Vec a, Vec b, Vec c, Vec d, ZeroPoint zero_point) = 0;
  /// Stores the first `count` lanes (a multiple of four, at most lanes()) of a register as bytes in natural order;
  /// clobbers a.
  virtual void store_packed1(const Xbyak::Address& to, Vec a, ZeroPoint zero_point, int count) = 0;

  // Byte groups (depthwise): four registers of s32, one for each of four pixels, become one whose lanes hold the four
  // bytes of a channel, ready for dot4().
  /// Loads the permutation that group_bytes() needs.
  virtual void load_group_control(Vec d, const Xbyak::Reg64& scratch) = 0;
  /// The first half of the way: two registers of s32 -> one of s16, saturated.
  virtual void pack_pair(Vec d, Vec a, Vec b) = 0;
  /// The second half: lane i of d becomes bytes (a_i, b_i, c_i, d_i), saturated, plus the zero point.
  virtual void group_bytes(Vec d, Vec ab, Vec cd, Vec control, ZeroPoint zero_point) = 0;

  // Reductions.
  /// Lane i of v[0] becomes the unsigned maximum over all lanes of v[i]; clobbers all of v and `scratch`. v has lanes()
  /// registers.
  virtual void transpose_max(std::span<const Vec> v, Vec scratch) = 0;

 protected:
  /// Predicates of vcmpps.
  static constexpr int compare_less_ordered_quiet = 0x11, compare_unordered_quiet = 3;

  explicit VectorUnit(Assembler& assembler) : a_(assembler) {}

  Assembler& a_;  // NOLINT(cppcoreguidelines-non-private-member-variables-in-classes)
};

/// The unit of an ISA that has machine code (not Isa::reference).
[[nodiscard]] std::unique_ptr<VectorUnit> make_vector_unit(Isa isa, Assembler& assembler);

/// Facts that planning and weight packing need without an assembler at hand.
struct VectorFacts {
  int lanes;      ///< 32-bit lanes of a register
  int registers;  ///< vector registers that an emitter may use
  bool vnni;      ///< dot4() is one instruction
};
[[nodiscard]] VectorFacts vector_facts(Isa isa);
/// The channel, of 4 * lanes, that byte `position` of VectorUnit::store_packed4() holds. Four neighbours at a multiple
/// of four stay neighbours, in order.
[[nodiscard]] int packed_channel(Isa isa, int position);

}  // namespace octavo::jit

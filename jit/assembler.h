// SPDX-License-Identifier: Apache-2.0
// What every emitter writes into: Xbyak's generator over a buffer that grows and is never executable, with named
// phases, one frame layout and a pool of constants. What it leaves is position independent: a KernelImage.
#pragma once

#include <xbyak/xbyak.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "jit/kernel.h"

namespace octavo::jit {

constexpr int cache_line_bytes = 64;

/// `bytes` as the displacement of a memory operand. Throws Error(unsupported) beyond 31 bits.
[[nodiscard]] int displacement(std::int64_t bytes);

/// Plain heap memory for code in the making. (Xbyak would make its own buffers executable; ours are only copied from.)
class CodeBuffer : public Xbyak::Allocator {
 public:
  std::uint8_t* alloc(std::size_t size) override;
  void free(std::uint8_t* memory) override;
  [[nodiscard]] bool useProtect() const override { return false; }
};

// The buffer is a base so that it outlives the generator, which returns its memory when it is destroyed.
class Assembler : private CodeBuffer, public Xbyak::CodeGenerator {
 public:
  Assembler();

  /// From here on, the code does `text`. Shown in listings.
  void annotate(std::string text);

  /// Memory of the frame for whoever does not open the kernel himself, to be asked for before prologue(): its offset,
  /// a multiple of 64, for reserved().
  [[nodiscard]] int reserve(int bytes);
  [[nodiscard]] Xbyak::RegExp reserved(int offset) const { return rsp + (local_bytes_ + offset); }

  /// Opens a kernel: frame pointer (so that profilers can walk the stack), callee-saved registers, and `local_bytes` of
  /// 64-byte aligned memory at rsp. The one argument stays in rdi.
  void prologue(int local_bytes = 0);
  /// Closes what prologue() opened and returns.
  void epilogue();

  /// A 32-bit constant beside the code, as a memory operand that broadcasts it.
  [[nodiscard]] Xbyak::Address constant(std::uint32_t bits);
  [[nodiscard]] Xbyak::Address constant(float value);
  /// The same, as a plain dword in memory.
  [[nodiscard]] Xbyak::Address constant_dword(std::uint32_t bits);
  /// Several dwords in a row, half a cache line or a whole one; all vectors of a kernel are of one size.
  [[nodiscard]] Xbyak::Address constant_vector(const std::vector<std::uint32_t>& dwords);

  /// Repeats `body` `count` times: not at all, once without a loop, or counting `counter` (a 64-bit register or memory)
  /// down. The body must keep the counter.
  template <class Body>
  void repeat(const Xbyak::Operand& counter, std::int64_t count, Body&& body) {
    if (count <= 0) return;
    Xbyak::Label again;
    if (count > 1) {
      mov(counter, static_cast<std::uint64_t>(count));
      L(again);
    }
    body();
    if (count > 1) {
      sub(counter, 1);
      jnz(again, T_NEAR);
    }
  }
  /// Repeats `body` while `counter`, set by the caller, counts down to zero; not at all when it is zero.
  template <class Body>
  void repeat_while(const Xbyak::Reg64& counter, Body&& body) {
    Xbyak::Label again, done;
    test(counter, counter);
    jz(done, T_NEAR);
    L(again);
    body();
    sub(counter, 1);
    jnz(again, T_NEAR);
    L(done);
  }
  /// target (64-bit register or memory) += bytes; nothing for 0. Throws Error(unsupported) beyond 31 bits.
  void advance(const Xbyak::Operand& target, std::int64_t bytes);

  /// Places the constants, resolves the jumps and hands the bytes over. The assembler is spent afterwards.
  [[nodiscard]] KernelImage finish(std::string name);

 private:
  std::vector<Annotation> annotations_;
  std::map<std::uint32_t, Xbyak::Label> constants_;
  std::map<std::vector<std::uint32_t>, Xbyak::Label> vectors_;
  int local_bytes_ = 0, reserved_bytes_ = 0;
};

}  // namespace octavo::jit

// SPDX-License-Identifier: Apache-2.0
// The assembler's buffer, frame and constant pool.
#include "jit/assembler.h"

#include <bit>
#include <limits>
#include <new>
#include <utility>

#include "octavo/error.h"

namespace octavo::jit {

namespace {
constexpr std::size_t first_buffer_bytes = 64 * 1024;
constexpr std::size_t buffer_alignment = 4096;
constexpr int saved_registers_bytes = 5 * 8;

int round_up_to_line(int bytes) { return (bytes + cache_line_bytes - 1) / cache_line_bytes * cache_line_bytes; }
}  // namespace

int displacement(std::int64_t bytes) {
  if (bytes > std::numeric_limits<int>::max() || bytes < -std::numeric_limits<int>::max())
    throw Error(ErrorKind::unsupported, "a work tile spans more than 2 GB of memory", "machine code",
                "choose smaller tiles");
  return static_cast<int>(bytes);
}

std::uint8_t* CodeBuffer::alloc(std::size_t size) {
  return static_cast<std::uint8_t*>(::operator new (size, std::align_val_t{buffer_alignment}));
}

void CodeBuffer::free(std::uint8_t* memory) { ::operator delete (memory, std::align_val_t{buffer_alignment}); }

Assembler::Assembler() : Xbyak::CodeGenerator(first_buffer_bytes, Xbyak::AutoGrow, static_cast<CodeBuffer*>(this)) {}

void Assembler::annotate(std::string text) { annotations_.push_back({getSize(), std::move(text)}); }

int Assembler::reserve(int bytes) {
  const int offset = reserved_bytes_;
  reserved_bytes_ += round_up_to_line(bytes);
  return offset;
}

void Assembler::prologue(int local_bytes) {
  local_bytes_ = round_up_to_line(local_bytes);
  annotate("prologue");
  push(rbp);
  mov(rbp, rsp);
  push(rbx);
  push(r12);
  push(r13);
  push(r14);
  push(r15);
  if (local_bytes_ + reserved_bytes_ > 0) {
    sub(rsp, local_bytes_ + reserved_bytes_);
    and_(rsp, -cache_line_bytes);
  }
}

void Assembler::epilogue() {
  annotate("return");
  lea(rsp, ptr[rbp - saved_registers_bytes]);
  pop(r15);
  pop(r14);
  pop(r13);
  pop(r12);
  pop(rbx);
  pop(rbp);
  vzeroupper();
  ret();
}

Xbyak::Address Assembler::constant(std::uint32_t bits) { return ptr_b[rip + constants_[bits]]; }

Xbyak::Address Assembler::constant_dword(std::uint32_t bits) { return dword[rip + constants_[bits]]; }

Xbyak::Address Assembler::constant(float value) { return constant(std::bit_cast<std::uint32_t>(value)); }

Xbyak::Address Assembler::constant_vector(const std::vector<std::uint32_t>& dwords) {
  return ptr[rip + vectors_[dwords]];
}

void Assembler::advance(const Xbyak::Operand& target, std::int64_t bytes) {
  const int step = displacement(bytes);
  if (step > 0) add(target, static_cast<std::uint32_t>(step));
  if (step < 0) sub(target, static_cast<std::uint32_t>(-step));
}

KernelImage Assembler::finish(std::string name) {
  const bool any = !constants_.empty() || !vectors_.empty();
  if (any) align(vectors_.empty() ? 4 : cache_line_bytes);
  const std::size_t constants_at = getSize();
  if (any) annotate("constants");
  for (auto& [dwords, label] : vectors_) {
    L(label);
    for (const std::uint32_t bits : dwords) dd(bits);
  }
  for (auto& [bits, label] : constants_) {
    L(label);
    dd(bits);
  }
  ready();
  return {std::move(name), {getCode(), getCode() + getSize()}, std::move(annotations_), getSize() - constants_at};
}

}  // namespace octavo::jit

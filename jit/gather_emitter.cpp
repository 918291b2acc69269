// SPDX-License-Identifier: Apache-2.0
// Composition of the gathering kernel: the window's maximum, its scale, bytes row by row, taps.
#include "jit/gather_emitter.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <memory>
#include <vector>

#include "jit/float_bits.h"
#include "jit/gathered_taps.h"
#include "jit/vector_unit.h"
#include "jit/window_quantizer.h"

namespace octavo::jit {

namespace {

using Xbyak::Address;
using Xbyak::Reg64;

constexpr std::int64_t copies_in_a_row = 24;  ///< of taps, without a loop

class GatherEmitter {
 public:
  explicit GatherEmitter(const GatherKernel& kernel)
      : k_(kernel),
        unit_(make_vector_unit(kernel.isa, a_)),
        quantizer_(*unit_, kernel.nonnegative_input,
                   {.inverse = fixed(1), .zero = fixed(2), .usable = Mask{1}, .usable_tail = Mask{2}}) {}

  KernelImage emit() {
    a_.prologue(64);
    unit_->broadcast(magnitude_, a_.constant_dword(magnitude_bits));
    quantizer_.start();
    a_.mov(source_, argument(offsetof(QuantizeArgs, image)));
    a_.imul(floats_, argument(offsetof(QuantizeArgs, columns)), displacement(k_.channels));
    a_.mov(a_.rax, floats_);
    a_.and_(a_.rax, unit_->lanes() - 1);
    unit_->set_mask_of_first(tail_, a_.rax, a_.rcx);
    emit_scale();
    emit_bytes();
    if (k_.kernel_rows != 1) emit_taps();
    a_.epilogue();
    return a_.finish(k_.name());
  }

 private:
  [[nodiscard]] Address argument(std::size_t offset) const {
    return a_.qword[args_ + offsetof(GatherArgs, quantize) + offset];
  }

  /// `whole` for each vector of the row at row_, with pixel_ at it; `tail` for what is left, if something is.
  template <class Whole, class Tail>
  void for_each_vector(const Whole& whole, const Tail& tail) {
    Xbyak::Label none;
    a_.mov(vectors_left_, floats_);
    a_.shr(vectors_left_, std::countr_zero(static_cast<unsigned>(unit_->lanes())));
    a_.mov(pixel_, row_);
    a_.repeat_while(vectors_left_, [&] {
      whole();
      a_.advance(pixel_, unit_->bytes());
    });
    a_.mov(a_.rax, floats_);
    a_.and_(a_.rax, unit_->lanes() - 1);
    a_.jz(none, a_.T_NEAR);
    tail();
    a_.L(none);
  }
  template <class Body>
  void for_each_row(const Body& body) {
    a_.mov(row_, source_);
    a_.mov(rows_left_, argument(offsetof(QuantizeArgs, rows)));
    a_.repeat_while(rows_left_, [&] {
      body();
      a_.advance(row_, k_.src_row_bytes);
    });
  }

  void emit_scale() {
    a_.annotate("maximum of the field");
    for (int i = 0; i < unit_->lanes(); ++i) unit_->zero(maximum(i));
    const Vec t = temporary(0);
    for_each_row([&] {
      for_each_vector(
          [&] {
            unit_->and_bits(t, magnitude_, a_.ptr[pixel_]);
            unit_->max_unsigned(maximum(0), maximum(0), t);
          },
          [&] {
            unit_->load(t, a_.ptr[pixel_], tail_);
            unit_->and_bits(t, t, magnitude_);
            unit_->max_unsigned(maximum(0), maximum(0), t);
          });
    });
    a_.annotate("scale");
    std::vector<Vec> maxima;
    for (int i = 0; i < unit_->lanes(); ++i) maxima.push_back(maximum(i));
    unit_->transpose_max(maxima, temporary(0));
    quantizer_.scales(temporary(0), temporary(1), maximum(0), temporary(2));
    unit_->store(a_.ptr[a_.rsp], temporary(1));
    unit_->set_mask(first_, 1, a_.rax);
    a_.mov(a_.rcx, argument(offsetof(QuantizeArgs, scales)));
    unit_->store(a_.ptr[a_.rcx], temporary(0), first_);
    quantizer_.take_inverse(a_.dword[a_.rsp], tail_);
  }

  void emit_bytes() {
    a_.annotate("bytes, row by row");
    const ZeroPoint zero_point = quantizer_.zero_point();
    quantizer_.zero_point_bytes(filling_);
    if (k_.kernel_rows == 1)
      a_.mov(bytes_, argument(offsetof(QuantizeArgs, field)));
    else
      a_.mov(bytes_, a_.ptr[args_ + offsetof(GatherArgs, bytes)]);
    a_.mov(outside_, argument(offsetof(QuantizeArgs, outside_before)));
    const auto store = [&](Mask tail) {
      quantizer_.integers(maximum(0), a_.ptr[pixel_], tail);
      unit_->store_packed1(a_.ptr[bytes_], maximum(0), zero_point, unit_->lanes());
    };
    for_each_row([&] {
      emit_filling();
      for_each_vector(
          [&] {
            store({});
            a_.advance(bytes_, unit_->lanes());
          },
          [&] {
            store(tail_);
            a_.add(bytes_, a_.rax);
          });
      a_.mov(outside_, argument(offsetof(QuantizeArgs, outside_between)));
    });
    a_.mov(outside_, argument(offsetof(QuantizeArgs, outside_after)));
    emit_filling();
  }

  /// The zero point into outside_ pixels at bytes_, which is left behind them.
  void emit_filling() {
    Xbyak::Label again, done;
    const int step = unit_->bytes();
    a_.imul(outside_, outside_, displacement(k_.channels));
    a_.test(outside_, outside_);
    a_.jz(done, a_.T_NEAR);
    a_.L(again);
    unit_->store(a_.ptr[bytes_], filling_);
    a_.add(bytes_, step);
    a_.sub(outside_, step);
    a_.jg(again, a_.T_NEAR);
    a_.add(bytes_, outside_);
    a_.L(done);
  }

  void emit_taps() {
    a_.annotate("taps");
    const std::int64_t column = gathered_column(k_.kernel_rows, k_.channels), byte_row = k_.field_columns * k_.channels;
    const std::int64_t unrolled = std::clamp<std::int64_t>(copies_in_a_row / k_.kernel_rows, 1, k_.field_columns);
    const auto columns = [&](std::int64_t count) {
      for (std::int64_t x = 0; x < count; ++x) {
        for (std::int64_t y = 0; y < k_.kernel_rows; ++y) {
          a_.mov(a_.eax, a_.dword[bytes_ + displacement(y * k_.tap_step * byte_row + x * k_.channels)]);
          a_.mov(a_.dword[taps_ + displacement(x * column + y * k_.channels)], a_.eax);
        }
      }
      a_.advance(bytes_, count * k_.channels);
      a_.advance(taps_, count * column);
    };
    a_.mov(bytes_, a_.ptr[args_ + offsetof(GatherArgs, bytes)]);
    a_.mov(taps_, argument(offsetof(QuantizeArgs, field)));
    a_.repeat(rows_left_, k_.tile_rows, [&] {
      a_.repeat(columns_left_, k_.field_columns / unrolled, [&] { columns(unrolled); });
      columns(k_.field_columns % unrolled);
      a_.advance(bytes_, (k_.row_step - 1) * byte_row);
    });
  }

  static Vec maximum(int i) { return {i}; }  ///< as many as lanes
  [[nodiscard]] Vec fixed(int i) const { return {unit_->lanes() + i}; }
  [[nodiscard]] Vec temporary(int i) const { return {unit_->lanes() + 3 + i}; }

  const GatherKernel& k_;
  Assembler a_;
  std::unique_ptr<VectorUnit> unit_;
  WindowQuantizer quantizer_;  // has registers fixed(1), fixed(2) and masks 1, 2
  const Vec magnitude_ = fixed(0);
  const Vec filling_ = temporary(0);  ///< of bytes outside the image, once the scale is known
  static constexpr Mask tail_{3}, first_{4};

  // General registers; rax and rcx are scratch.
  const Reg64 args_ = a_.rdi;
  const Reg64 source_ = a_.r11;  ///< the rectangle's first pixel
  const Reg64 floats_ = a_.rbx;  ///< of a row of it
  const Reg64 row_ = a_.r12, pixel_ = a_.rdx;
  const Reg64 bytes_ = a_.r8;  ///< the next byte
  const Reg64 taps_ = a_.r9;   ///< the next column of taps
  const Reg64 outside_ = a_.r10;
  const Reg64 rows_left_ = a_.r13, vectors_left_ = a_.r14, columns_left_ = a_.r15;
};

}  // namespace

std::string GatherKernel::name() const {
  return fmt::format("gather{}_c{}_rows{}_columns{}_step{}x{}_src{}_{}_{}", kernel_rows, channels, tile_rows,
                     field_columns, row_step, tap_step, src_row_bytes, nonnegative_input ? "u8" : "s8", isa_name(isa));
}

KernelImage emit_gather(const GatherKernel& kernel) { return GatherEmitter(kernel).emit(); }

}  // namespace octavo::jit

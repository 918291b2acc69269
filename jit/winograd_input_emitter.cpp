// SPDX-License-Identifier: Apache-2.0
// Composition of the input transform: vectors of channels, groups of rows that fit the registers, maxima, bytes.
#include "jit/winograd_input_emitter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "jit/float_bits.h"
#include "jit/vector_unit.h"
#include "jit/window_layout.h"
#include "jit/window_quantizer.h"
#include "jit/winograd_axis.h"
#include "jit/winograd_constants.h"

namespace octavo::jit {

namespace {

using Xbyak::Address;
using Xbyak::Reg64;

constexpr std::int64_t unrolled_packs = 2;  ///< of a window's bytes: more are looped over
/// Registers of three rows of six values each, and of temporaries; constants follow as far as there are more.
constexpr int rows_registers = 18, first_constant = 26;

/// Rows of the transformed tile that are made together from one reading of the columns.
struct RowGroup {
  std::int64_t first, count;
};

class WinogradInputEmitter {
 public:
  explicit WinogradInputEmitter(const WinogradInputKernel& kernel)
      : k_(kernel),
        unit_(make_vector_unit(kernel.isa, a_)),
        lanes_(unit_->lanes()),
        down_(kernel.tile_h),
        across_(kernel.tile_w),
        positions_(down_.positions() * across_.positions()),
        three_rows_(unit_->registers() >= first_constant),
        constants_(*unit_, first_constant, three_rows_ ? unit_->registers() - first_constant : 0),
        shares_(*unit_, first_share, three_rows_ ? 3 : std::max(0, unit_->registers() - first_share)),
        quantizer_(*unit_, false, {.inverse = {}, .zero = {}, .usable = Mask{1}, .usable_tail = Mask{2}}) {}

  KernelImage emit() {
    a_.prologue(static_cast<int>(inverse_bytes()));
    hold_constants();
    const std::int64_t tail = k_.channels % lanes_;
    if (tail != 0) unit_->set_mask(tail_channels_, (std::uint64_t{1} << tail) - 1, a_.rax);
    a_.mov(pixels_, a_.ptr[args_ + offsetof(WinogradInputArgs, pixels)]);
    a_.mov(q_, a_.ptr[args_ + offsetof(WinogradInputArgs, q)]);
    a_.mov(scales_, a_.ptr[args_ + offsetof(WinogradInputArgs, scales)]);
    a_.mov(staging_, a_.ptr[args_ + offsetof(WinogradInputArgs, staging)]);
    a_.mov(tiles_left_, a_.ptr[args_ + offsetof(WinogradInputArgs, tiles)]);
    a_.repeat_while(tiles_left_, [&] {
      emit_tile();
      a_.advance(pixels_, positions_ * 8);
      a_.advance(q_, k_.tile_bytes);
      a_.advance(scales_, k_.scale_tile_bytes);
    });
    a_.epilogue();
    return a_.finish(k_.name());
  }

 private:
  [[nodiscard]] std::int64_t vectors() const { return (k_.channels + lanes_ - 1) / lanes_; }
  /// From a position to the next in the staging buffer.
  [[nodiscard]] std::int64_t staged_bytes() const { return vectors() * unit_->bytes(); }
  [[nodiscard]] std::int64_t batches() const { return (positions_ + lanes_ - 1) / lanes_; }
  [[nodiscard]] std::int64_t inverse_bytes() const { return batches() * unit_->bytes(); }

  void hold_constants() {
    if (down_.outputs() == 2 && across_.outputs() == 2) return;
    const WinogradAxis axis(4);
    for (const float value : {axis.other_square(0), axis.other_square(1), axis.point(0), axis.point(1),
                              axis.square_sum(), axis.square_product()})
      constants_.hold(value);
  }

  void emit_tile() {
    const std::int64_t whole = k_.channels / lanes_;
    a_.annotate("transform");
    a_.mov(channel_, a_.ptr[args_ + offsetof(WinogradInputArgs, channel_bytes)]);
    a_.mov(cursor_, staging_);
    a_.repeat(vectors_left_, whole, [&] {
      emit_transform({});
      a_.advance(channel_, unit_->bytes());
      a_.advance(cursor_, unit_->bytes());
    });
    if (k_.channels % lanes_ != 0) emit_transform(tail_channels_);
    for (std::int64_t batch = 0; batch < batches(); ++batch) emit_scales(batch);
    emit_bytes();
  }

  // ---- transform ----------------------------------------------------------------------------------------------------
  // e(row, column) holds a row group after the first half of the transform, down the columns.
  [[nodiscard]] Vec e(std::int64_t row, std::int64_t column) const {
    return {static_cast<int>(row * across_.positions() + column)};
  }
  [[nodiscard]] Vec temporary(int i) const { return {(three_rows_ ? rows_registers : rows_registers / 3) + i}; }

  /// Rows of a pair are cheapest together; where registers are few, rows are made one by one.
  [[nodiscard]] std::vector<RowGroup> row_groups() const {
    const std::int64_t rows = down_.positions(), together = three_rows_ ? 3 : 1;
    std::vector<RowGroup> groups;
    for (std::int64_t first = 0; first < rows; first += together)
      groups.push_back({first, std::min(together, rows - first)});
    return groups;
  }

  /// One vector of channels at channel_, to cursor_.
  void emit_transform(Mask lanes) {
    asked_.fill(false);
    for (const RowGroup& group : row_groups()) {
      for (std::int64_t column = 0; column < across_.positions(); ++column) {
        const auto pixel = [&](std::int64_t row) { return load_pixel(row, column, lanes); };
        const auto into = [&](std::int64_t row) { return e(row - group.first, column); };
        emit_axis(down_, group, pixel, into, [](std::int64_t) {});
      }
      for (std::int64_t row = group.first; row < group.first + group.count; ++row) {
        const auto value = [&](std::int64_t column) { return Source(e(row - group.first, column)); };
        const RowGroup all{0, across_.positions()};
        next_ = 0;
        const auto into = [&](std::int64_t) { return temporary(2 + next_++ % 6); };
        emit_axis(across_, all, value, into, [&](std::int64_t column) {
          const std::int64_t position = row * across_.positions() + column;
          unit_->store(a_.ptr[cursor_ + displacement(position * staged_bytes())], result_);
        });
      }
    }
  }

  /// The first time, the pixels that the tile to the right will read anew are fetched into L1.
  Source load_pixel(std::int64_t row, std::int64_t column, Mask lanes) {
    const std::int64_t pixel = row * across_.positions() + column;
    a_.mov(address_, a_.ptr[pixels_ + displacement(pixel * 8)]);
    if (!std::exchange(asked_[static_cast<std::size_t>(pixel)], true) && column >= WinogradAxis::taps - 1)
      a_.prefetcht0(a_.ptr[address_ + channel_ + displacement(k_.prefetch_bytes)]);
    const Address at = a_.ptr[address_ + channel_];
    if (lanes.slot == 0) return {at};
    unit_->load(temporary(0), at, lanes);
    return {temporary(0)};
  }
  void load(Vec d, const Source& from) {
    if (from.memory())
      unit_->load(d, from.address());
    else
      unit_->copy(d, from.vec());
  }

  /// The results `wanted` of one axis, from `in` (each asked for right before its use) into `into`; calls done() after
  /// each, with result_ set to its register.
  template <class In, class Into, class Done>
  void emit_axis(const WinogradAxis& axis, const RowGroup& wanted, const In& in, const Into& into, const Done& done) {
    const auto wants = [&](std::int64_t i) { return i >= wanted.first && i < wanted.first + wanted.count; };
    const auto finish = [&](Vec d, std::int64_t i) {
      result_ = d;
      done(i);
    };
    if (wants(0)) {
      const Vec d = into(0);
      emit_polynomial(axis, 0, d, in);
      finish(d, 0);
    }
    for (std::int64_t pair = 0; pair < axis.pairs(); ++pair) {
      const std::int64_t plus = 1 + 2 * pair, minus = plus + 1;
      if (!wants(plus) && !wants(minus)) continue;
      const Vec up = wants(plus) ? into(plus) : temporary(2), down = wants(minus) ? into(minus) : temporary(2);
      emit_pair(axis, pair, up, down, in);
      if (wants(plus)) finish(up, plus);
      if (wants(minus)) finish(down, minus);
    }
    const std::int64_t last = axis.positions() - 1;
    if (wants(last)) {
      const Vec d = into(last);
      emit_polynomial(axis, 1, d, in);
      finish(d, last);
    }
  }

  /// d[first + 4] - sum * d[first + 2] + product * d[first], or d[first + 2] - d[first].
  template <class In>
  void emit_polynomial(const WinogradAxis& axis, std::int64_t first, Vec d, const In& in) {
    if (axis.outputs() == 2) {
      load(d, in(first + 2));
      unit_->sub(d, d, in(first));
      return;
    }
    load(d, in(first + 4));
    constants_.subtract_product(d, axis.square_sum(), in(first + 2), temporary(0));
    constants_.add_product(d, axis.square_product(), in(first), temporary(0));
  }

  template <class In>
  void emit_pair(const WinogradAxis& axis, std::int64_t pair, Vec plus, Vec minus, const In& in) {
    if (axis.outputs() == 2) {
      load(plus, in(2));
      unit_->copy(minus, plus);
      const Source odd = in(1);
      unit_->add(plus, plus, odd);
      unit_->sub(minus, minus, odd);
      return;
    }
    const Vec odd = temporary(1);
    load(minus, in(4));
    constants_.subtract_product(minus, axis.other_square(pair), in(2), temporary(0));
    load(odd, in(3));
    constants_.subtract_product(odd, axis.other_square(pair), in(1), temporary(0));
    unit_->copy(plus, minus);
    constants_.add_product(plus, axis.point(pair), odd, temporary(0));
    constants_.subtract_product(minus, axis.point(pair), odd, temporary(0));
  }

  // ---- scales -------------------------------------------------------------------------------------------------------
  /// Scales of the batch's positions to scales_, inverses to the stack.
  void emit_scales(std::int64_t batch) {
    const std::int64_t first = batch * lanes_, count = std::min(lanes_, positions_ - first);
    a_.annotate(fmt::format("scales of {} positions", count));
    std::vector<Vec> maxima;
    for (int i = 0; i < lanes_; ++i) maxima.push_back({i});
    for (const Vec v : maxima) unit_->zero(v);
    const int scratch = static_cast<int>(lanes_);
    const Vec magnitude{scratch}, t0{scratch + 1}, t1{scratch + 2};
    unit_->broadcast(magnitude, a_.constant_dword(magnitude_bits));
    a_.mov(cursor_, staging_);
    a_.advance(cursor_, first * staged_bytes());
    a_.repeat(vectors_left_, vectors(), [&] {
      for (std::int64_t i = 0; i < count; ++i) {
        const Vec t = i % 2 == 0 ? t0 : t1;
        unit_->and_bits(t, magnitude, a_.ptr[cursor_ + displacement(i * staged_bytes())]);
        unit_->max_unsigned(maxima[static_cast<std::size_t>(i)], maxima[static_cast<std::size_t>(i)], t);
      }
      a_.advance(cursor_, unit_->bytes());
    });
    unit_->transpose_max(maxima, t0);
    const Vec scale = t0, inverse = t1;
    quantizer_.scales(scale, inverse, maxima[0], magnitude);
    unit_->store(a_.ptr[a_.rsp + displacement(batch * unit_->bytes())], inverse);
    unit_->store(a_.ptr[scales_ + displacement(first * bytes_per_float)], scale);
  }

  // ---- bytes --------------------------------------------------------------------------------------------------------
  // Rows of positions, one after the other; within one, columns in the order in which they make up for each other's
  // losses. What a position has lost takes the place of its numbers in the staging buffer.
  void emit_bytes() {
    a_.annotate("bytes");
    a_.mov(cursor_, staging_);
    a_.mov(bytes_, q_);
    a_.mov(inverse_cursor_, a_.rsp);
    a_.mov(scale_cursor_, scales_);
    for (std::int64_t position = 0; position < across_.positions(); ++position)
      for (const WinogradAxis::Carry& carry : across_.carries(position)) shares_.hold(std::abs(carry.share));
    unit_->set(largest(), largest_quantized);
    a_.repeat(rows_left_, down_.positions(), [&] {
      emit_row_bytes();
      a_.advance(inverse_cursor_, across_.positions() * bytes_per_float);
      a_.advance(scale_cursor_, across_.positions() * bytes_per_float);
    });
  }

  // Beside the eight registers that two packs take.
  [[nodiscard]] static Vec inverse() { return {8}; }
  [[nodiscard]] static Vec scale() { return {9}; }
  [[nodiscard]] static Vec loss() { return {10}; }
  [[nodiscard]] static Vec largest() { return {11}; }
  static constexpr int first_share = 12;

  /// One row's window from cursor_ to bytes_, both left at the next row's.
  void emit_row_bytes() {
    const std::int64_t whole = k_.channels / lanes_, packs = whole / 4;
    std::int64_t at = 0, to = 0;  // what cursor_ and bytes_ have been advanced by
    const auto pack = [&](std::int64_t index) {
      int parity = 0;
      for (const std::int64_t column : across_.rounding_order()) {
        const int first = 4 * (parity++ % 2);
        load_scale(column);
        for (int j = 0; j < 4; ++j) emit_rounded({first + j}, column, (index * 4 + j) * unit_->bytes());
        unit_->store_packed4(a_.ptr[bytes_ + displacement(column * k_.position_bytes + index * unit_->bytes())],
                             {first}, {first + 1}, {first + 2}, {first + 3}, ZeroPoint::middle);
      }
    };
    std::int64_t rest = packs;
    if (packs > unrolled_packs) {
      a_.repeat(vectors_left_, packs, [&] {
        pack(0);
        a_.advance(cursor_, 4 * unit_->bytes());
        a_.advance(bytes_, unit_->bytes());
      });
      at = packs * 4 * unit_->bytes();
      to = packs * unit_->bytes();
      rest = 0;
    }
    for (std::int64_t i = 0; i < rest; ++i) pack(i);
    std::int64_t from = rest * 4 * unit_->bytes(), offset = rest * unit_->bytes();
    for (std::int64_t v = packs * 4; v < vectors(); ++v, from += unit_->bytes(), offset += lanes_) {
      const std::int64_t count = v < whole ? lanes_ : window_bytes(k_.channels % lanes_);
      for (const std::int64_t column : across_.rounding_order()) {
        load_scale(column);
        emit_rounded({0}, column, from);
        unit_->store_packed1(a_.ptr[bytes_ + displacement(column * k_.position_bytes + offset)], {0}, ZeroPoint::middle,
                             static_cast<int>(count));
      }
    }
    a_.advance(cursor_, across_.positions() * staged_bytes() - at);
    a_.advance(bytes_, across_.positions() * k_.position_bytes - to);
  }

  void load_scale(std::int64_t column) {
    unit_->broadcast(inverse(), a_.dword[inverse_cursor_ + displacement(column * bytes_per_float)]);
    if (across_.loss_is_carried(column))
      unit_->broadcast(scale(), a_.dword[scale_cursor_ + displacement(column * bytes_per_float)]);
  }

  /// A vector of a column's numbers, `offset` bytes from its first, as integers in d.
  void emit_rounded(Vec d, std::int64_t column, std::int64_t offset) {
    const auto staged = [&](std::int64_t of) { return a_.ptr[cursor_ + displacement(of * staged_bytes() + offset)]; };
    const std::span<const WinogradAxis::Carry> carries = across_.carries(column);
    if (carries.empty()) {
      unit_->mul(d, inverse(), staged(column));
    } else {
      unit_->load(d, staged(column));
      for (const WinogradAxis::Carry& carry : carries) {
        if (carry.share > 0.0F)
          shares_.add_product(d, carry.share, staged(carry.from), loss());
        else
          shares_.subtract_product(d, -carry.share, staged(carry.from), loss());
      }
      unit_->mul(d, d, inverse());
    }
    unit_->min(d, d, largest());
    if (across_.loss_is_carried(column)) {
      unit_->round(d, d);
      unit_->load(loss(), staged(column));
      unit_->negated_fma(loss(), d, scale());
      unit_->store(staged(column), loss());
    }
    unit_->to_integer(d, d);
  }

  const WinogradInputKernel& k_;
  Assembler a_;
  std::unique_ptr<VectorUnit> unit_;
  std::int64_t lanes_;
  WinogradAxis down_, across_;
  std::int64_t positions_;
  bool three_rows_;  ///< fit the registers
  TransformConstants constants_, shares_;
  WindowQuantizer quantizer_;
  Vec result_{};
  int next_ = 0;
  std::array<bool, WinogradAxis::most_positions * WinogradAxis::most_positions> asked_{};

  static constexpr Mask tail_channels_{3};

  const Reg64 args_ = a_.rdi;
  const Reg64 pixels_ = a_.rsi, address_ = a_.rax;
  const Reg64 channel_ = a_.rdx;  ///< bytes from a pixel's first channel to those being transformed
  const Reg64 q_ = a_.r8, scales_ = a_.r9, staging_ = a_.r10;
  const Reg64 cursor_ = a_.r11, bytes_ = a_.r12, inverse_cursor_ = a_.r13;
  const Reg64 scale_cursor_ = a_.rdx;  ///< when channel_ has done its work
  const Reg64 vectors_left_ = a_.rcx, rows_left_ = a_.r14, tiles_left_ = a_.r15;
};

}  // namespace

std::string WinogradInputKernel::name() const {
  return fmt::format("winograd_input{}x{}_w{}_q{}x{}_scales{}_next{}_{}", tile_h, tile_w, channels, tile_bytes,
                     position_bytes, scale_tile_bytes, prefetch_bytes, isa_name(isa));
}

KernelImage emit_winograd_input(const WinogradInputKernel& kernel) { return WinogradInputEmitter(kernel).emit(); }

std::int64_t winograd_staging_bytes(const WinogradInputKernel& kernel) {
  const std::int64_t lanes = vector_facts(kernel.isa).lanes;
  const std::int64_t positions = WinogradAxis(kernel.tile_h).positions() * WinogradAxis(kernel.tile_w).positions();
  return positions * ((kernel.channels + lanes - 1) / lanes) * lanes * bytes_per_float;
}

}  // namespace octavo::jit

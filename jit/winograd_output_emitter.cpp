// SPDX-License-Identifier: Apache-2.0
// Composition of the output transform: vectors of channels, groups of rows that fit the registers, epilogue, pooling,
// store.
#include "jit/winograd_output_emitter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "jit/epilogue_emitter.h"
#include "jit/vector_unit.h"
#include "jit/winograd_axis.h"
#include "jit/winograd_constants.h"

namespace octavo::jit {

namespace {

using Xbyak::Address;
using Xbyak::Reg64;

class WinogradOutputEmitter {
 public:
  explicit WinogradOutputEmitter(const WinogradOutputKernel& kernel)
      : k_(kernel),
        unit_(make_vector_unit(kernel.isa, a_)),
        down_(kernel.tile_h),
        across_(kernel.tile_w),
        four_rows_(unit_->registers() >= first_constant),
        constants_(*unit_, first_constant, four_rows_ ? unit_->registers() - first_constant : 0),
        epilogue_(*unit_, kernel.epilogue, {temporary(0), temporary(1), temporary(2), temporary(3)}, epilogue_mask) {}

  KernelImage emit() {
    a_.prologue();
    const std::int64_t tail = k_.channels % unit_->lanes(), whole = k_.channels / unit_->lanes();
    a_.mov(products_, a_.ptr[args_ + offsetof(WinogradOutputArgs, products)]);
    a_.mov(parameters_, a_.ptr[args_ + offsetof(WinogradOutputArgs, constants)]);
    a_.mov(dst_, a_.ptr[args_ + offsetof(WinogradOutputArgs, dst)]);
    if (k_.epilogue.residual) {
      a_.mov(residual_, a_.ptr[args_ + offsetof(WinogradOutputArgs, residual)]);
      a_.sub(residual_, dst_);
    }
    hold_constants();
    a_.repeat(vectors_left_, whole, [&] {
      emit_vector({});
      for (const Reg64& cursor : {products_, parameters_, dst_}) a_.advance(cursor, unit_->bytes());
    });
    if (tail != 0) {
      unit_->set_mask(channel_tail, (std::uint64_t{1} << tail) - 1, a_.rax);
      emit_vector(channel_tail);
    }
    a_.epilogue();
    return a_.finish(k_.name());
  }

 private:
  static constexpr Mask channel_tail{1}, epilogue_mask{2}, pool_mask{3};
  /// Registers of four rows of six values each, and of temporaries; constants follow as far as there are more.
  static constexpr int rows_registers = 24, first_constant = 28;
  /// Registers of a single row of six values, and of temporaries; the maxima of the row before follow.
  static constexpr int row_registers = 6, first_maximum = 10;

  // e(row, column) holds a group of output rows after the first half of the transform, down the columns.
  [[nodiscard]] Vec e(std::int64_t row, std::int64_t column) const {
    return {static_cast<int>(row * across_.positions() + column)};
  }
  [[nodiscard]] Vec temporary(int i) const { return {(four_rows_ ? rows_registers : row_registers) + i}; }
  /// Output rows that the registers hold at once.
  [[nodiscard]] std::int64_t rows_together() const { return four_rows_ ? 4 : 1; }

  void hold_constants() {
    if (down_.outputs() == 2 && across_.outputs() == 2) return;
    const WinogradAxis axis(4);
    for (const int power : {1, 2})
      for (const std::int64_t pair : {0, 1}) constants_.hold(axis.power(pair, power));
  }

  void emit_vector(Mask lanes) {
    for (std::int64_t first = 0; first < k_.rows; first += rows_together()) {
      const std::int64_t rows = std::min(rows_together(), k_.rows - first);
      a_.annotate(fmt::format("rows {} to {}", first, first + rows - 1));
      for (std::int64_t column = 0; column < across_.positions(); ++column) emit_column(first, rows, column);
      for (std::int64_t row = 0; row < rows; ++row) {
        const std::array<Vec, 4> y = emit_row(row);
        for (std::int64_t column = 0; column < k_.columns; ++column)
          emit_output(y[static_cast<std::size_t>(column)], first + row, column, lanes);
        if (k_.epilogue.max_pool) emit_pooled(y, first + row, lanes);
      }
    }
  }

  [[nodiscard]] Address product(std::int64_t row, std::int64_t column) {
    const std::int64_t position = row * across_.positions() + column;
    return a_.ptr[products_ + displacement(position * k_.column_vectors * unit_->bytes())];
  }

  /// e(0 .. rows, column): output rows `first` and on of one column, from memory.
  void emit_column(std::int64_t first, std::int64_t rows, std::int64_t column) {
    const auto wants = [&](std::int64_t i) { return i >= first && i < first + rows; };
    const auto out = [&](std::int64_t i) { return e(i - first, column); };
    const auto in = [&](std::int64_t row) { return product(row, column); };
    const auto combine = [&](std::int64_t pair, Vec sum, Vec difference) {
      unit_->load(sum, in(1 + 2 * pair));
      unit_->copy(difference, sum);
      unit_->add(sum, sum, in(2 + 2 * pair));
      unit_->sub(difference, difference, in(2 + 2 * pair));
    };
    combine(0, temporary(0), temporary(1));
    if (down_.outputs() == 2) {
      if (wants(0)) unit_->add(out(0), temporary(0), in(0));
      if (wants(1)) unit_->add(out(1), temporary(1), in(3));
      return;
    }
    combine(1, temporary(2), temporary(3));
    emit_four(
        wants, out, [&](Vec d, std::int64_t position) { unit_->load(d, in(position)); },
        [&](Vec d) { unit_->add(d, d, in(0)); });
  }

  /// The outputs of e(row, ...), in place; their registers.
  std::array<Vec, 4> emit_row(std::int64_t row) {
    const auto in = [&](std::int64_t column) { return e(row, column); };
    const auto combine = [&](std::int64_t pair, Vec sum, Vec difference) {
      unit_->add(sum, in(1 + 2 * pair), in(2 + 2 * pair));
      unit_->sub(difference, in(1 + 2 * pair), in(2 + 2 * pair));
    };
    combine(0, temporary(0), temporary(1));
    if (across_.outputs() == 2) {
      unit_->add(in(0), temporary(0), in(0));
      unit_->add(in(3), temporary(1), in(3));
      return {in(0), in(3)};
    }
    combine(1, temporary(2), temporary(3));
    const std::array<Vec, 4> y = {in(1), in(2), in(3), in(5)};
    emit_four([](std::int64_t) { return true; }, [&](std::int64_t i) { return y[static_cast<std::size_t>(i)]; },
              [](Vec, std::int64_t) {}, [&](Vec d) { unit_->add(d, d, in(0)); });
    return y;
  }

  /// The four outputs of an axis from sums and differences in the temporaries. load_last(d, 5) brings the last product
  /// into d, where it is not there yet; add_first(d) adds the first one.
  template <class Wants, class Out, class LoadLast, class AddFirst>
  void emit_four(const Wants& wants, const Out& out, const LoadLast& load_last, const AddFirst& add_first) {
    const WinogradAxis axis(4);
    const Vec sum0 = temporary(0), difference0 = temporary(1), sum1 = temporary(2), difference1 = temporary(3);
    if (wants(0)) {
      unit_->add(out(0), sum0, sum1);
      add_first(out(0));
    }
    if (wants(1)) {
      constants_.multiply(out(1), axis.power(1, 1), difference1);
      constants_.add_product(out(1), axis.power(0, 1), difference0, {});
    }
    if (wants(2)) {
      constants_.multiply(out(2), axis.power(1, 2), sum1);
      constants_.add_product(out(2), axis.power(0, 2), sum0, {});
    }
    if (wants(3)) {
      load_last(out(3), 5);
      constants_.add_product(out(3), axis.power(1, 3), difference1, {});
      constants_.add_product(out(3), axis.power(0, 3), difference0, {});
    }
  }

  [[nodiscard]] int output_at(std::int64_t row, std::int64_t column) const {
    return displacement(row * k_.dst_row_bytes + column * k_.dst_pixel_bytes);
  }

  void emit_output(Vec y, std::int64_t row, std::int64_t column, Mask lanes) {
    const int at = output_at(row, column);
    const std::int64_t slopes_at = k_.epilogue.bias ? k_.column_vectors * unit_->bytes() : 0;
    epilogue_.apply(y, {.bias = a_.ptr[parameters_],
                        .slopes = a_.ptr[parameters_ + displacement(slopes_at)],
                        .residual = a_.ptr[dst_ + residual_ + at],
                        .lanes = lanes});
    if (!k_.epilogue.max_pool) unit_->store(a_.ptr[dst_ + at], y, lanes);
  }

  /// Pairs of a row's outputs become their maxima: of an even row kept, of an odd one stored with those kept.
  void emit_pooled(const std::array<Vec, 4>& y, std::int64_t row, Mask lanes) {
    for (std::int64_t pair = 0; pair < k_.columns / 2; ++pair) {
      const auto left = static_cast<std::size_t>(2 * pair);
      Vec& above = maxima_[static_cast<std::size_t>(pair)];
      if (row % 2 == 0) {
        above = four_rows_ ? y[left] : Vec{first_maximum + static_cast<int>(pair)};
        unit_->max_or_nan(above, y[left], y[left + 1], pool_mask);
        continue;
      }
      unit_->max_or_nan(y[left], y[left], y[left + 1], pool_mask);
      unit_->max_or_nan(y[left], above, y[left], pool_mask);
      unit_->store(a_.ptr[dst_ + output_at(row / 2, pair)], y[left], lanes);
    }
  }

  const WinogradOutputKernel& k_;
  Assembler a_;
  std::unique_ptr<VectorUnit> unit_;
  WinogradAxis down_, across_;
  bool four_rows_;               ///< fit the registers
  std::array<Vec, 2> maxima_{};  ///< of pairs of the last even row's outputs
  TransformConstants constants_;
  EpilogueEmitter epilogue_;

  const Reg64 args_ = a_.rdi;
  const Reg64 products_ = a_.rsi, parameters_ = a_.rdx, dst_ = a_.r8;
  const Reg64 residual_ = a_.r9;  ///< minus dst_
  const Reg64 vectors_left_ = a_.rcx;
};

}  // namespace

std::string WinogradOutputKernel::name() const {
  return fmt::format("winograd_output{}x{}_{}x{}_block{}_oc{}_dst{}x{}{}_{}", tile_h, tile_w, rows, columns,
                     column_vectors, channels, dst_row_bytes, dst_pixel_bytes, epilogue.name(), isa_name(isa));
}

KernelImage emit_winograd_output(const WinogradOutputKernel& kernel) { return WinogradOutputEmitter(kernel).emit(); }

}  // namespace octavo::jit

// SPDX-License-Identifier: Apache-2.0
#include "jit/depthwise_quantize_emitter.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

#include "jit/assembler.h"
#include "jit/vector_unit.h"
#include "jit/window_quantizer.h"

namespace octavo::jit {
namespace {

using Xbyak::Address;
using Xbyak::Reg64;

constexpr std::int64_t columns_together = 4;

constexpr int reserved_registers = 6;  ///< temporaries and constants

class DepthwiseQuantizeEmitter {
 public:
  DepthwiseQuantizeEmitter(const ConvSpec& spec, const DepthwiseLayout& layout, std::int64_t vectors, bool partial)
      : spec_(spec),
        layout_(layout),
        vectors_(static_cast<int>(vectors)),
        partial_(partial),
        unit_(make_vector_unit(spec.isa, a_)),
        quantizer_(*unit_, spec.nonnegative_input,
                   {.inverse = {}, .zero = {}, .usable = Mask{2}, .usable_tail = Mask{3}}) {}

  KernelImage emit(std::string name) {
    a_.prologue();
    load_arguments();
    maximum();
    scales_of_maxima();
    quantize();
    a_.epilogue();
    return a_.finish(std::move(name));
  }

 private:
#define OCTAVO_ARG(field) a_.qword[args + offsetof(DepthwiseQuantizeArgs, field)]

  void load_arguments() {
    a_.mov(row_stride, layout_.grid.step_h * spec_.in_w * spec_.src_stride() * 4);
    a_.mov(column_stride, layout_.grid.step_w * spec_.src_stride() * 4);
    a_.lea(column_stride3, a_.ptr[column_stride + column_stride * 2]);
    if (partial_) {
      a_.mov(scratch, OCTAVO_ARG(lanes));
      unit_->set_mask(channels, scratch);
    }
  }

  /// maximum_of(v) = the largest magnitude of each channel, as integers: NaN and infinity are larger than any number.
  void maximum() {
    a_.annotate("maximum");
    // Few vectors: several columns at once, so that the maxima do not wait for each other.
    const int columns = vectors_ * (1 + columns_together) < first_temporary() ? columns_together : 1;
    for (int i = 0; i < columns * vectors_; ++i) unit_->zero(running(i));
    unit_->broadcast(magnitude(), a_.constant_dword(magnitude_bits));
    a_.mov(row, OCTAVO_ARG(inside));
    a_.mov(rows, OCTAVO_ARG(rows_inside));
    a_.repeat_while(rows, [&] {
      a_.mov(pixel, row);
      a_.mov(count, OCTAVO_ARG(columns_inside));
      if (columns == columns_together) {
        a_.shr(count, 2);
        a_.repeat_while(count, [&] {
          for (int column = 0; column < columns; ++column) {
            for (int v = 0; v < vectors_; ++v) take_magnitude(running(column * vectors_ + v), column, v);
          }
          a_.lea(pixel, a_.ptr[pixel + column_stride * 4]);
        });
        a_.mov(count, OCTAVO_ARG(columns_inside));
        a_.and_(count, 3);
      }
      a_.repeat_while(count, [&] {
        for (int v = 0; v < vectors_; ++v) take_magnitude(running(v), 0, v);
        a_.add(pixel, column_stride);
      });
      a_.add(row, row_stride);
    });
    for (int i = vectors_; i < columns * vectors_; ++i) {
      unit_->max_unsigned(running(i % vectors_), running(i % vectors_), running(i));
    }
  }

  void take_magnitude(Vec into, int column, int v) {
    const Vec t = q(v % 4);
    if (partial_ && v + 1 == vectors_) {
      unit_->load(t, pixel_at(column, v), channels);
      unit_->and_bits(t, t, magnitude());
    } else {
      unit_->and_bits(t, magnitude(), pixel_at(column, v));
    }
    unit_->max_unsigned(into, into, t);
  }

  void scales_of_maxima() {
    a_.annotate("scales");
    a_.mov(scratch, OCTAVO_ARG(scales));
    for (int v = 0; v < vectors_; ++v) {
      quantizer_.scales(q(0), inverse(v), running(v), q(1));
      unit_->store(a_.ptr[scratch + v * static_cast<int>(layout_.vector_bytes)], q(0));
    }
  }

  void quantize() {
    quantizer_.zero_point_bytes(outside());
    unit_->load_group_control(control(), scratch);
    for (int v = 0; v < vectors_; ++v) unit_->zero(previous(v));
    a_.mov(row, OCTAVO_ARG(row));
    a_.mov(groups_row, OCTAVO_ARG(groups));
    a_.annotate("rows above the image");
    fill_rows(OCTAVO_ARG(rows_above));
    a_.annotate("rows inside");
    a_.mov(rows, OCTAVO_ARG(rows_inside));
    a_.repeat_while(rows, [&] {
      a_.mov(pixel, row);
      a_.mov(groups, groups_row);
      a_.mov(masks, OCTAVO_ARG(column_masks));
      a_.annotate("units at the left edge");
      a_.mov(count, OCTAVO_ARG(units_left));
      a_.repeat_while(count, [&] { quantize_unit(true); });
      a_.annotate("units inside");
      a_.mov(count, OCTAVO_ARG(units_inside));
      a_.lea(masks, a_.ptr[masks + count * 4]);  // two bytes a column, step columns a unit
      if (layout_.taps.step == 4) a_.lea(masks, a_.ptr[masks + count * 4]);
      a_.repeat_while(count, [&] { quantize_unit(false); });
      a_.annotate("units at the right edge");
      a_.mov(count, OCTAVO_ARG(units_right));
      a_.repeat_while(count, [&] { quantize_unit(true); });
      a_.add(row, row_stride);
      a_.add(groups_row, static_cast<std::uint32_t>(layout_.row_bytes));
    });
    a_.annotate("rows below the image");
    fill_rows(OCTAVO_ARG(rows_below));
  }

  void fill_rows(const Address& how_many) {
    a_.mov(rows, how_many);
    a_.repeat_while(rows, [&] {
      a_.mov(groups, groups_row);
      a_.repeat(count, layout_.units, [&] {
        for (int v = 0; v < vectors_; ++v) unit_->store(group_of(v), outside());
        a_.advance(groups, layout_.vector_bytes);
      });
      a_.add(groups_row, static_cast<std::uint32_t>(layout_.row_bytes));
    });
  }

  /// Columns are quantized to s32 and packed; where groups overlap, the pair before this unit is kept.
  /// NaN and infinity become some byte; their window's scale is NaN.
  void quantize_unit(bool edge) {
    const auto step = static_cast<int>(layout_.taps.step);
    for (int i = 0; i < step && edge; ++i) unit_->load_mask(column(i), a_.word[masks + 2 * i]);
    for (int v = 0; v < vectors_; ++v) {
      for (int i = 0; i < step; ++i) quantize_pixel(q(i), i, v, edge);
      unit_->pack_pair(q(0), q(0), q(1));
      if (step == 2) {
        unit_->group_bytes(q(1), previous(v), q(0), control(), quantizer_.zero_point());
        unit_->store(group_of(v), q(1));
        unit_->copy(previous(v), q(0));
      } else {
        unit_->pack_pair(q(2), q(2), q(3));
        unit_->group_bytes(q(0), q(0), q(2), control(), quantizer_.zero_point());
        unit_->store(group_of(v), q(0));
      }
    }
    a_.lea(pixel, a_.ptr[pixel + column_stride * step]);
    a_.advance(groups, layout_.vector_bytes);
    if (edge) a_.add(masks, 2 * step);
  }

  void quantize_pixel(Vec to, int i, int v, bool edge) {
    const bool last_of_partial = partial_ && v + 1 == vectors_;
    if (edge) {
      Mask mask = column(i);
      if (last_of_partial) unit_->mask_and(mask = both, column(i), channels);
      unit_->mul_zeroing(to, inverse(v), pixel_at(i, v), mask);
    } else if (last_of_partial) {
      unit_->mul_zeroing(to, inverse(v), pixel_at(i, v), channels);
    } else {
      unit_->mul(to, inverse(v), pixel_at(i, v));
    }
    unit_->to_integer(to, to);
  }

  [[nodiscard]] Address pixel_at(int i, int v) {
    const int at = v * static_cast<int>(layout_.vector_bytes);
    switch (i) {
      case 0:
        return a_.ptr[pixel + at];
      case 1:
        return a_.ptr[pixel + column_stride + at];
      case 2:
        return a_.ptr[pixel + column_stride * 2 + at];
      default:
        return a_.ptr[pixel + column_stride3 + at];
    }
  }
  [[nodiscard]] Address group_of(int v) { return a_.ptr[groups + displacement(v * layout_.field_bytes)]; }

#undef OCTAVO_ARG

  const ConvSpec& spec_;
  const DepthwiseLayout& layout_;
  int vectors_;
  bool partial_;
  Assembler a_;
  std::unique_ptr<VectorUnit> unit_;
  WindowQuantizer quantizer_;  // for its scales alone: every lane here has an inverse of its own

  // Register plan.
  const Reg64 args{Xbyak::Operand::RDI}, scratch{Xbyak::Operand::RAX}, row_stride{Xbyak::Operand::RBX},
      column_stride{Xbyak::Operand::R8}, column_stride3{Xbyak::Operand::R9}, count{Xbyak::Operand::RCX},
      rows{Xbyak::Operand::RDX}, pixel{Xbyak::Operand::RSI}, row{Xbyak::Operand::R10}, groups{Xbyak::Operand::R11},
      groups_row{Xbyak::Operand::R12}, masks{Xbyak::Operand::R13};
  // Vector registers: inverses; the pairs before a unit, at first the running maxima; temporaries and constants on top.
  static Vec inverse(int v) { return Vec{v}; }
  [[nodiscard]] Vec previous(int v) const { return Vec{vectors_ + v}; }
  [[nodiscard]] Vec running(int i) const { return Vec{vectors_ + i}; }
  [[nodiscard]] int first_temporary() const { return unit_->registers() - reserved_registers; }
  [[nodiscard]] Vec q(int i) const { return Vec{first_temporary() + i}; }
  [[nodiscard]] Vec outside() const { return q(4); }
  [[nodiscard]] Vec magnitude() const { return outside(); }  // before there is an outside
  [[nodiscard]] Vec control() const { return q(5); }
  static constexpr Mask channels{1}, both{2};
  static Mask column(int i) { return Mask{3 + i}; }
};

}  // namespace

std::int64_t most_quantize_vectors(Isa isa) {
  constexpr std::int64_t enough = 8;  // more would not be in L1 together
  return std::min<std::int64_t>(enough, (vector_facts(isa).registers - reserved_registers) / 2);
}

KernelImage emit_depthwise_quantize(const ConvSpec& spec, const DepthwiseLayout& layout, std::int64_t vectors,
                                    bool partial, std::string name) {
  return DepthwiseQuantizeEmitter(spec, layout, vectors, partial).emit(std::move(name));
}

}  // namespace octavo::jit

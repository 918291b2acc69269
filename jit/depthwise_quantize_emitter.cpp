// SPDX-License-Identifier: Apache-2.0
#include "jit/depthwise_quantize_emitter.h"

#include <array>
#include <cstddef>
#include <memory>
#include <utility>

#include "jit/assembler.h"
#include "jit/vector_unit.h"

namespace octavo::jit {
namespace {

using Xbyak::Address;
using Xbyak::Reg64;

constexpr std::uint32_t infinity_bits = 0x7F800000U;
constexpr std::uint32_t nan_bits = 0x7FC00000U;
constexpr std::uint32_t magnitude_bits = 0x7FFFFFFFU;
constexpr std::uint32_t below_smallest_max_bits = 0x047FFFFFU;  // the fp32 number before 2^-118

class Emitter {
 public:
  Emitter(const ConvSpec& spec, const DepthwiseLayout& layout, bool partial)
      : spec_(spec),
        layout_(layout),
        partial_(partial),
        zero_point_(spec.nonnegative_input ? ZeroPoint::none : ZeroPoint::middle),
        unit_(make_vector_unit(spec.isa, a_)) {}

  KernelImage emit(std::string name) {
    a_.prologue();
    load_arguments();
    maximum();
    scale_of_maximum();
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

  /// max[0] = the largest magnitude of each channel, as integers: NaN and infinity are larger than any number.
  void maximum() {
    a_.annotate("maximum");
    for (const Vec m : max) unit_->zero(m);
    unit_->broadcast(magnitude, a_.constant_dword(magnitude_bits));
    a_.mov(row, OCTAVO_ARG(inside));
    a_.mov(rows, OCTAVO_ARG(rows_inside));
    a_.repeat_while(rows, [&] {
      a_.mov(pixel, row);
      a_.mov(count, OCTAVO_ARG(columns_inside));
      a_.shr(count, 2);
      a_.repeat_while(count, [&] {
        for (int column = 0; column < 4; ++column) take_magnitude(max[column], pixel_at(column));
        a_.lea(pixel, a_.ptr[pixel + column_stride * 4]);
      });
      a_.mov(count, OCTAVO_ARG(columns_inside));
      a_.and_(count, 3);
      a_.repeat_while(count, [&] {
        take_magnitude(max[0], pixel_at(0));
        a_.add(pixel, column_stride);
      });
      a_.add(row, row_stride);
    });
    unit_->max_unsigned(max[0], max[0], max[1]);
    unit_->max_unsigned(max[2], max[2], max[3]);
    unit_->max_unsigned(max[0], max[0], max[2]);
  }

  void take_magnitude(Vec into, const Address& from) {
    const Vec t = q[0];
    if (partial_) {
      unit_->load(t, from, channels);
      unit_->and_bits(t, t, magnitude);
    } else {
      unit_->and_bits(t, magnitude, from);
    }
    unit_->max_unsigned(into, into, t);
  }

  /// inverse and `usable`: the channels that have one. Scales: NaN for a maximum that is no number, 0 for one too
  /// small.
  void scale_of_maximum() {
    a_.annotate("scale");
    const Vec m = max[0], scale = q[0], t = q[1];
    unit_->broadcast(t, a_.constant_dword(below_smallest_max_bits));
    unit_->less_unsigned(column, t, m);
    unit_->less_unsigned(usable, m, a_.constant(infinity_bits));
    unit_->set(inverse, largest());
    unit_->div(scale, m, inverse);
    unit_->div(inverse, inverse, m);
    unit_->broadcast(t, a_.constant_dword(nan_bits));
    unit_->blend(scale, t, scale, usable);
    unit_->zero(t);
    unit_->blend(scale, t, scale, column);
    unit_->mask_and(usable, usable, column);
    a_.mov(scratch, OCTAVO_ARG(scales));
    unit_->store(a_.ptr[scratch], scale);
  }

  void quantize() {
    if (zero_point_ == ZeroPoint::none) {
      unit_->zero(outside);
    } else {
      unit_->broadcast(outside, a_.constant_dword(0x80808080U));
    }
    unit_->load_group_control(control, scratch);
    unit_->zero(previous);
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
        unit_->store(a_.ptr[groups], outside);
        a_.advance(groups, layout_.vector_bytes);
      });
      a_.add(groups_row, static_cast<std::uint32_t>(layout_.row_bytes));
    });
  }

  /// Columns are quantized to s32 and packed; where groups overlap, the pair before this unit is kept.
  void quantize_unit(bool edge) {
    const auto step = static_cast<int>(layout_.taps.step);
    for (int i = 0; i < step; ++i) {
      Mask mask = usable;
      if (edge) {
        mask = column;
        unit_->load_mask(column, a_.word[masks + 2 * i]);
        unit_->mask_and(column, column, usable);
      }
      unit_->mul_zeroing(q[i], inverse, pixel_at(i), mask);
      unit_->to_integer(q[i], q[i]);
    }
    unit_->pack_pair(q[0], q[0], q[1]);
    if (step == 2) {
      unit_->group_bytes(q[1], previous, q[0], control, zero_point_);
      unit_->store(a_.ptr[groups], q[1]);
      unit_->copy(previous, q[0]);
      a_.lea(pixel, a_.ptr[pixel + column_stride * 2]);
    } else {
      unit_->pack_pair(q[2], q[2], q[3]);
      unit_->group_bytes(q[0], q[0], q[2], control, zero_point_);
      unit_->store(a_.ptr[groups], q[0]);
      a_.lea(pixel, a_.ptr[pixel + column_stride * 4]);
    }
    a_.advance(groups, layout_.vector_bytes);
    if (edge) a_.add(masks, 2 * step);
  }

  [[nodiscard]] Address pixel_at(int i) {
    switch (i) {
      case 0:
        return a_.ptr[pixel];
      case 1:
        return a_.ptr[pixel + column_stride];
      case 2:
        return a_.ptr[pixel + column_stride * 2];
      default:
        return a_.ptr[pixel + column_stride3];
    }
  }
  [[nodiscard]] float largest() const { return spec_.nonnegative_input ? 255.0F : 127.0F; }

#undef OCTAVO_ARG

  const ConvSpec& spec_;
  const DepthwiseLayout& layout_;
  bool partial_;
  ZeroPoint zero_point_;
  Assembler a_;
  std::unique_ptr<VectorUnit> unit_;

  // Register plan.
  const Reg64 args{Xbyak::Operand::RDI}, scratch{Xbyak::Operand::RAX}, row_stride{Xbyak::Operand::RBX},
      column_stride{Xbyak::Operand::R8}, column_stride3{Xbyak::Operand::R9}, count{Xbyak::Operand::RCX},
      rows{Xbyak::Operand::RDX}, pixel{Xbyak::Operand::RSI}, row{Xbyak::Operand::R10}, groups{Xbyak::Operand::R11},
      groups_row{Xbyak::Operand::R12}, masks{Xbyak::Operand::R13};
  static constexpr std::array<Vec, 4> q = {Vec{0}, Vec{1}, Vec{2}, Vec{3}}, max = {Vec{4}, Vec{5}, Vec{6}, Vec{7}};
  static constexpr Vec magnitude{8}, inverse{9}, outside{10}, control{11}, previous{12};
  static constexpr Mask channels{1}, usable{2}, column{3};
};

}  // namespace

KernelImage emit_depthwise_quantize(const ConvSpec& spec, const DepthwiseLayout& layout, bool partial,
                                    std::string name) {
  return Emitter(spec, layout, partial).emit(std::move(name));
}

}  // namespace octavo::jit

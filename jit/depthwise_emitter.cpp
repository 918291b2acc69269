// SPDX-License-Identifier: Apache-2.0
#include "jit/depthwise_emitter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <utility>

#include "jit/assembler.h"
#include "jit/epilogue_emitter.h"
#include "jit/vector_unit.h"

namespace octavo::jit {
namespace {

using Xbyak::Address;
using Xbyak::Reg64;

constexpr std::int64_t block_columns = 4;
constexpr int field_registers = 4, constant_registers = 2;
static_assert(field_registers >= EpilogueEmitter::temporaries);

class DepthwiseEmitter {
 public:
  DepthwiseEmitter(const ConvSpec& spec, const Plan& plan, const DepthwiseLayout& layout, std::int64_t rows,
                   std::int64_t columns, bool partial)
      : spec_(spec),
        layout_(layout),
        rows_(rows),
        columns_(columns),
        block_rows_(std::min(plan.rows, rows)),
        lanes_(partial ? channels : Mask{}),
        first_free_(static_cast<int>(block_columns * most_depthwise_rows(spec.isa))),
        unit_(make_vector_unit(spec.isa, a_)),
        epilogue_(*unit_, spec.epilogue, {field(0), field(1), field(2), field(3)}, compare) {}

  KernelImage emit(std::string name) {
    a_.prologue();
    load_arguments();
    a_.repeat(row_blocks, rows_ / block_rows_, [&] { row_of_blocks(block_rows_); });
    if (rows_ % block_rows_ != 0) row_of_blocks(rows_ % block_rows_);
    a_.epilogue();
    return a_.finish(std::move(name));
  }

 private:
#define OCTAVO_ARG(field) a_.qword[args + offsetof(DepthwiseArgs, field)]

  void load_arguments() {
    a_.mov(groups, OCTAVO_ARG(groups));
    a_.mov(weights, OCTAVO_ARG(weights));
    a_.mov(output, OCTAVO_ARG(output));
    a_.mov(residual, OCTAVO_ARG(residual));
    a_.mov(output_row_stride, spec_.out_w * spec_.dst_stride() * 4);
    if (lanes_.slot != 0) {
      a_.mov(t0, OCTAVO_ARG(lanes));
      unit_->set_mask(lanes_, t0);
    }
    for (std::int64_t i = 0; i < resident_weights(); ++i) {
      unit_->load(resident(i), a_.ptr[weights + displacement(i * layout_.vector_bytes)]);
    }
  }

  /// Blocks of `rows` outputs high across the tile; the pointers end up at the row of blocks below.
  void row_of_blocks(std::int64_t rows) {
    const std::int64_t full = columns_ / block_columns, tail = columns_ % block_columns;
    a_.repeat(column_blocks, full, [&] {
      block(rows, block_columns);
      a_.advance(groups, block_columns * layout_.taps.field_stride / layout_.taps.step * layout_.vector_bytes);
      a_.advance(output, block_columns * pixel_bytes());
      if (spec_.epilogue.residual) a_.advance(residual, block_columns * pixel_bytes());
    });
    if (tail != 0) block(rows, tail);
    const std::int64_t across = full * block_columns;
    a_.advance(groups, rows * layout_.grid.field_stride_h * layout_.row_bytes -
                           across * layout_.taps.field_stride / layout_.taps.step * layout_.vector_bytes);
    a_.mov(t0, rows * spec_.out_w * spec_.dst_stride() * 4 - across * pixel_bytes());
    a_.add(output, t0);
    if (spec_.epilogue.residual) a_.add(residual, t0);
  }

  void block(std::int64_t rows, std::int64_t columns) {
    start(rows * columns);
    if (rows == 1 && resident_weights() == 0) {
      sum_by_kernel_row(columns);
    } else {
      sum_unrolled(rows, columns);
    }
    finish(rows, columns);
  }

  void start(std::int64_t sums) {
    a_.annotate("start of the sums");
    a_.mov(t0, OCTAVO_ARG(start));
    for (std::int64_t i = 0; i < sums; ++i) {
      if (spec_.nonnegative_input) {
        unit_->zero(sum(i));
      } else {
        unit_->load(sum(i), a_.ptr[t0]);
      }
    }
  }

  /// Every field row of the block in turn, each of its groups once.
  void sum_unrolled(std::int64_t rows, std::int64_t columns) {
    const std::int64_t stride = layout_.grid.field_stride_h;
    const std::int64_t field_rows = (rows - 1) * stride + (spec_.kernel_h - 1) * spec_.dilation_h + 1;
    for (std::int64_t r = 0; r < field_rows; ++r) {
      std::vector<std::pair<std::int64_t, std::int64_t>> users;  // output row, kernel row
      for (std::int64_t y = 0; y < rows; ++y) {
        const std::int64_t down = r - y * stride;
        if (down >= 0 && down % spec_.dilation_h == 0 && down / spec_.dilation_h < spec_.kernel_h) {
          users.emplace_back(y, down / spec_.dilation_h);
        }
      }
      if (users.empty()) continue;
      a_.annotate(fmt::format("field row {}", r));
      field_row(groups, r * layout_.row_bytes, columns, [&](const TapGroup& tap, std::int64_t x, Vec group) {
        for (const auto& [y, kernel_row] : users) {
          unit_->dot4(sum(y * columns + x), group, weight(kernel_row * layout_.taps.row_dwords + tap.index));
        }
      });
    }
  }

  /// For tall kernels: one output row, a loop over the kernel's rows.
  void sum_by_kernel_row(std::int64_t columns) {
    a_.annotate("kernel rows");
    a_.mov(t0, groups);
    a_.mov(t1, weights);
    a_.repeat(kernel_rows, spec_.kernel_h, [&] {
      field_row(t0, 0, columns, [&](const TapGroup& tap, std::int64_t x, Vec group) {
        unit_->dot4(sum(x), group, a_.ptr[t1 + displacement(tap.index * layout_.vector_bytes)]);
      });
      a_.advance(t0, spec_.dilation_h * layout_.row_bytes);
      a_.advance(t1, layout_.weight_row_bytes);
    });
  }

  /// Loads each group of a field row that the block's columns need, and calls use(tap group, column, register).
  template <class Use>
  void field_row(const Reg64& base, std::int64_t offset, std::int64_t columns, const Use& use) {
    std::vector<std::int64_t> needed;
    for (std::int64_t x = 0; x < columns; ++x) {
      for (const TapGroup& tap : layout_.taps.of_column(x)) needed.push_back(layout_.taps.first_group(x) + tap.group);
    }
    std::sort(needed.begin(), needed.end());
    needed.erase(std::unique(needed.begin(), needed.end()), needed.end());
    for (const std::int64_t group : needed) {
      const Vec loaded = field(next_field_++ % field_registers);
      unit_->load(loaded, a_.ptr[base + displacement(offset + (group + layout_.lead) * layout_.vector_bytes)]);
      for (std::int64_t x = 0; x < columns; ++x) {
        for (const TapGroup& tap : layout_.taps.of_column(x)) {
          if (layout_.taps.first_group(x) + tap.group == group) use(tap, x, loaded);
        }
      }
    }
  }

  void finish(std::int64_t rows, std::int64_t columns) {
    a_.annotate("dequantize, epilogue");
    a_.mov(t0, OCTAVO_ARG(activation_scales));
    unit_->load(activation_scale(), a_.ptr[t0]);
    unit_->zero(nothing());
    a_.mov(t0, OCTAVO_ARG(weight_scales));
    if (spec_.epilogue.bias) a_.mov(bias, OCTAVO_ARG(bias));
    if (spec_.epilogue.activation == ActivationKind::prelu) a_.mov(slopes, OCTAVO_ARG(slopes));
    a_.mov(out, output);
    if (spec_.epilogue.residual) a_.mov(t1, residual);
    for (std::int64_t y = 0; y < rows; ++y) {
      for (std::int64_t x = 0; x < columns; ++x) {
        const Vec value = sum(y * columns + x);
        const int at = displacement(x * pixel_bytes());
        unit_->to_float(value, value);
        unit_->mul(value, value, a_.ptr[t0]);
        unit_->fma_into_factor(value, activation_scale(), nothing());
        epilogue_.apply(value, {a_.ptr[bias], a_.ptr[slopes], a_.ptr[t1 + at], lanes_});
        unit_->store(a_.ptr[out + at], value, lanes_);
      }
      if (y + 1 < rows) {
        a_.add(out, output_row_stride);
        if (spec_.epilogue.residual) a_.add(t1, output_row_stride);
      }
    }
  }

#undef OCTAVO_ARG

  static Vec sum(std::int64_t i) { return Vec{static_cast<int>(i)}; }
  [[nodiscard]] Vec resident(std::int64_t i) const { return Vec{static_cast<int>(first_resident() + i)}; }
  /// Weight dwords that stay in registers: all rows of small kernels, the first of larger ones.
  [[nodiscard]] std::int64_t resident_weights() const {
    if (block_rows_ == 1 && spec_.kernel_h > 1) return 0;
    return std::min<std::int64_t>(spec_.kernel_h * layout_.taps.row_dwords, unit_->registers() - first_resident());
  }
  [[nodiscard]] Source weight(std::int64_t i) {
    if (i < resident_weights()) return resident(i);
    return a_.ptr[weights + displacement(i * layout_.vector_bytes)];
  }
  [[nodiscard]] std::int64_t pixel_bytes() const { return spec_.dst_stride() * 4; }

  // Register plan.
  const Reg64 args{Xbyak::Operand::RDI}, groups{Xbyak::Operand::RSI}, weights{Xbyak::Operand::R8},
      output{Xbyak::Operand::R12}, residual{Xbyak::Operand::R13}, output_row_stride{Xbyak::Operand::R14},
      row_blocks{Xbyak::Operand::RDX}, column_blocks{Xbyak::Operand::RCX}, kernel_rows{Xbyak::Operand::R9},
      next{Xbyak::Operand::R9}, bias{Xbyak::Operand::R10}, slopes{Xbyak::Operand::R11}, out{Xbyak::Operand::RBX},
      t0{Xbyak::Operand::RAX}, t1{Xbyak::Operand::R15};
  // Vector registers: sums, then the field's, which are free again when the epilogue wants its temporaries.
  [[nodiscard]] Vec field(int i) const { return Vec{first_free_ + i}; }
  [[nodiscard]] Vec activation_scale() const { return Vec{first_free_ + field_registers}; }
  [[nodiscard]] Vec nothing() const { return Vec{first_free_ + field_registers + 1}; }
  [[nodiscard]] int first_resident() const { return first_free_ + field_registers + constant_registers; }
  static constexpr Mask channels{1}, compare{2};

  const ConvSpec& spec_;
  const DepthwiseLayout& layout_;
  std::int64_t rows_, columns_, block_rows_;
  Mask lanes_;
  int next_field_ = 0;
  int first_free_;  ///< register behind the sums
  Assembler a_;
  std::unique_ptr<VectorUnit> unit_;
  EpilogueEmitter epilogue_;
};

}  // namespace

std::int64_t most_depthwise_rows(Isa isa) {
  constexpr std::int64_t enough = 4;
  return std::min(enough, (vector_facts(isa).registers - field_registers - constant_registers) / block_columns);
}

KernelImage emit_depthwise(const ConvSpec& spec, const Plan& plan, const DepthwiseLayout& layout, std::int64_t rows,
                           std::int64_t columns, bool partial, std::string name) {
  return DepthwiseEmitter(spec, plan, layout, rows, columns, partial).emit(std::move(name));
}

}  // namespace octavo::jit

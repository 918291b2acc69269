// SPDX-License-Identifier: Apache-2.0
// Composition of the convolution kernel from its parts: pixel blocks, windows, taps, dequantize, epilogue.
#include "jit/iconv_emitter.h"

#include <fmt/format.h>

#include <algorithm>

#include "jit/epilogue_emitter.h"
#include "jit/iconv_block.h"
#include "jit/iconv_registers.h"
#include "jit/pack_weights.h"
#include "jit/vector_unit.h"
#include "jit/word_chunk_emitter.h"
#include "jit/word_split.h"

namespace octavo::jit {

namespace {

using Xbyak::Address;
using Xbyak::Reg64;

constexpr Mask channel_tail{1}, epilogue_mask{2};
constexpr std::int64_t channels_per_step = 4;
constexpr int locals_bytes = 64;
/// k-steps in a row without a loop: enough to hide the loop, few enough for the micro-op cache.
constexpr std::int64_t unrolled_steps = 64;
constexpr std::int64_t unrolled_steps_by_words = 16;  ///< whose dot products are several instructions each
constexpr std::int64_t looped_steps = 16;             ///< of a window too deep to unroll
constexpr std::int64_t most_lines_ahead = 16;         ///< in a row: a core has room for some twenty misses

class IconvEmitter {
 public:
  explicit IconvEmitter(const IconvKernel& kernel)
      : k_(kernel), unit_(make_vector_unit(kernel.isa, a_)), vector_bytes_(unit_->bytes()) {}

  KernelImage emit() {
    const std::int64_t largest_block = k_.block_rows * k_.block_columns * k_.column_vectors;
    a_.prologue(locals_bytes + (sums_in_frame() ? displacement(largest_block * vector_bytes_) : 0));
    const std::int64_t tail = k_.channels % unit_->lanes();
    if (tail != 0) unit_->set_mask(channel_tail, (std::uint64_t{1} << tail) - 1, a_.rax);
    a_.mov(field_, a_.ptr[args_ + offsetof(IconvArgs, field)]);
    a_.mov(scales_, a_.ptr[args_ + offsetof(IconvArgs, scales)]);
    a_.mov(dst_, a_.ptr[args_ + offsetof(IconvArgs, dst)]);
    if (k_.epilogue.residual) {
      a_.mov(residual_, a_.ptr[args_ + offsetof(IconvArgs, residual)]);
      a_.sub(residual_, dst_);
    }
    if (k_.windows.tail_channels != 0) a_.mov(pixel_, 0);
    if (lines_ahead() != 0) {
      a_.mov(ahead_, a_.ptr[args_ + offsetof(IconvArgs, weights)]);
      a_.advance(ahead_, k_.weights_ahead);
    }
    emit_pixel_blocks();
    a_.epilogue();
    return a_.finish(k_.name());
  }

 private:
  /// A block in the making: its shape, and the registers for it.
  struct Block {
    std::int64_t rows, columns;
    IconvRegisters registers;
    [[nodiscard]] int pixels() const { return static_cast<int>(rows * columns); }
  };

  [[nodiscard]] bool one_window() const { return k_.windows.windows() == 1; }
  [[nodiscard]] bool by_words() const { return k_.word_depth != 0; }
  [[nodiscard]] bool sums_in_frame() const { return iconv_sums_in_frame(k_.isa, one_window(), by_words()); }
  [[nodiscard]] Address sum_in_frame(int pixel, int column) {
    return a_.ptr[a_.rsp + displacement(locals_bytes + (pixel * k_.column_vectors + column) * vector_bytes_)];
  }
  [[nodiscard]] int columns() const { return static_cast<int>(k_.column_vectors); }
  [[nodiscard]] Mask lanes_of(int column) const {
    return column + 1 == columns() && k_.channels % unit_->lanes() != 0 ? channel_tail : Mask{};
  }

  // ---- weights of the next call ------------------------------------------------------------------------------------
  /// Cache lines that each window of each pixel block fetches, so that all have come at the end.
  [[nodiscard]] std::int64_t lines_ahead() const {
    if (k_.weights_ahead == 0 || k_.epilogue.residual) return 0;
    std::int64_t down = 0, across = 0;
    for (const PixelRun& run : balanced_runs(k_.tile_rows, k_.block_rows)) down += run.count;
    for (const PixelRun& run : balanced_runs(k_.tile_columns, k_.block_columns)) across += run.count;
    const std::int64_t windows = down * across * k_.windows.windows(), lines = k_.weights_ahead / cache_line_bytes;
    return std::min((lines + windows - 1) / windows, most_lines_ahead);
  }
  void fetch_weights_ahead() {
    for (std::int64_t line = 0; line < lines_ahead(); ++line)
      a_.prefetcht1(a_.ptr[ahead_ + displacement(line * cache_line_bytes)]);
    a_.advance(ahead_, lines_ahead() * cache_line_bytes);
  }

  // ---- blocks of pixels -------------------------------------------------------------------------------------------
  // `field_` and `dst_` walk along a row of blocks, then step to the next one.
  void emit_pixel_blocks() {
    for (const PixelRun& down : balanced_runs(k_.tile_rows, k_.block_rows)) {
      a_.repeat(rows_left_, down.count, [&] {
        for (const PixelRun& across : balanced_runs(k_.tile_columns, k_.block_columns)) {
          a_.repeat(blocks_left_, across.count, [&] {
            emit_block(down.length, across.length);
            step_right(across.length);
          });
        }
        step_down(down.length);
      });
    }
  }

  void step_right(std::int64_t pixels) { step(pixels * k_.stride_w, pixels * k_.dst_pixel_bytes); }
  void step_down(std::int64_t rows) {
    step(rows * k_.stride_h * k_.field_columns - k_.tile_columns * k_.stride_w,
         rows * k_.dst_row_bytes - k_.tile_columns * k_.dst_pixel_bytes);
  }
  void step(std::int64_t field_pixels, std::int64_t dst_bytes) {
    a_.advance(field_, field_pixels * pixel_bytes(k_.windows.channels));
    if (k_.scale_per_pixel) a_.advance(scales_, field_pixels * k_.scale_pixel_bytes);
    if (k_.windows.tail_channels != 0) a_.advance(pixel_, field_pixels);
    a_.advance(dst_, dst_bytes);
  }

  void emit_block(std::int64_t rows, std::int64_t columns_of_pixels) {
    const Block block{rows, columns_of_pixels,
                      IconvRegisters(rows * columns_of_pixels, k_.column_vectors, one_window() || sums_in_frame(),
                                     by_words(), unit_->registers())};
    a_.annotate(fmt::format("block of {} x {} pixels", rows, columns_of_pixels));
    if (!one_window()) for_each_accumulator(block, [&](int p, int c) { unit_->zero(block.registers.sum(p, c)); });
    if (sums_in_frame())
      for_each_accumulator(block, [&](int p, int c) { unit_->store(sum_in_frame(p, c), block.registers.sum(p, c)); });
    if (by_words()) unit_->broadcast(block.registers.ones(), a_.constant_dword(0x00010001U));
    if (k_.ask_for_outputs)
      for_each_accumulator(block,
                           [&](int p, int c) { a_.prefetchw(a_.ptr[dst_ + displacement(dst_offset(block, p, c))]); });
    a_.mov(slice_, field_);
    a_.mov(weights_, a_.ptr[args_ + offsetof(IconvArgs, weights)]);
    a_.advance(weights_, header_bytes());
    a_.mov(window_scales_, scales_);
    a_.repeat(windows_left_, k_.windows.full, [&] {
      emit_window(block, k_.windows.channels);
      a_.advance(slice_, k_.slice_bytes != 0 ? k_.slice_bytes
                                             : k_.field_rows * k_.field_columns * pixel_bytes(k_.windows.channels));
    });
    if (k_.windows.tail_channels != 0) {
      // The tail's pixels are narrower: take back what the wider ones before the block's first pixel were too many.
      const std::int64_t narrower = pixel_bytes(k_.windows.channels) - pixel_bytes(k_.windows.tail_channels);
      if (narrower != 0) {
        a_.imul(tap_row_, pixel_, displacement(narrower));
        a_.sub(slice_, tap_row_);
      }
      emit_window(block, k_.windows.tail_channels);
    }
    emit_epilogue(block);
  }

  // ---- one window -------------------------------------------------------------------------------------------------
  void emit_window(const Block& block, std::int64_t channels) {
    a_.annotate(fmt::format("window of {} channels", channels));
    const std::int64_t scale_bytes = k_.column_vectors * vector_bytes_;
    start_products(block, scale_bytes);
    fetch_weights_ahead();
    a_.mov(window_weights_, weights_);
    const std::int64_t corrections_at = scale_bytes * (k_.nonnegative_input ? 1 : 2);
    a_.advance(weights_, corrections_at + (by_words() ? scale_bytes : 0));
    emit_taps(block, channels);
    if (by_words()) emit_corrections(block, channels, corrections_at);
    dequantize(block);
    a_.advance(window_scales_, k_.scale_window_bytes);
  }

  /// s32 starts at 0, or where the zero point's share of the sum is taken off.
  void start_products(const Block& block, std::int64_t compensation_offset) {
    for_each_accumulator(block, [&](int p, int c) {
      const Vec product = block.registers.product(p, c);
      if (k_.nonnegative_input) {
        unit_->zero(product);
      } else if (p == 0) {
        unit_->load(product, a_.ptr[weights_ + displacement(compensation_offset + c * vector_bytes_)]);
      } else {
        unit_->copy(product, block.registers.product(0, c));
      }
    });
  }

  /// Loops over taps and k-steps: as many of the inner ones unrolled as fit.
  void emit_taps(const Block& block, std::int64_t channels) {
    const std::int64_t steps = window_bytes(channels) / channels_per_step;
    const std::int64_t tap_bytes = k_.dilation_w * pixel_bytes(channels);
    const std::int64_t tap_row_bytes = k_.dilation_h * k_.field_columns * pixel_bytes(channels);
    if (k_.kernel_h * k_.kernel_w * steps <= unrolled()) {
      std::int64_t done = 0;
      for (std::int64_t ky = 0; ky < k_.kernel_h; ++ky)
        for (std::int64_t kx = 0; kx < k_.kernel_w; ++kx, done += rows_of(steps))
          emit_steps(block, channels, slice_, ky * tap_row_bytes + kx * tap_bytes, done, steps);
      advance_weights(done);
      return;
    }
    a_.mov(tap_row_, slice_);
    a_.repeat(tap_rows_left_, k_.kernel_h, [&] {
      if (k_.kernel_w * steps <= unrolled()) {
        for (std::int64_t kx = 0; kx < k_.kernel_w; ++kx)
          emit_steps(block, channels, tap_row_, kx * tap_bytes, kx * rows_of(steps), steps);
        advance_weights(k_.kernel_w * rows_of(steps));
      } else {
        a_.mov(tap_, tap_row_);
        a_.repeat(taps_left_, k_.kernel_w, [&] {
          emit_deep_tap(block, channels, steps);
          a_.advance(tap_, tap_bytes - steps / looped_steps * looped_steps * channels_per_step * deep(steps));
        });
      }
      a_.advance(tap_row_, tap_row_bytes);
    });
  }

  [[nodiscard]] std::int64_t deep(std::int64_t steps) const { return steps > unrolled() ? 1 : 0; }
  [[nodiscard]] std::int64_t unrolled() const { return by_words() ? unrolled_steps_by_words : unrolled_steps; }

  /// One tap at tap_, which is left behind the steps that were looped over.
  void emit_deep_tap(const Block& block, std::int64_t channels, std::int64_t steps) {
    if (deep(steps) == 0) {
      emit_steps(block, channels, tap_, 0, 0, steps);
      advance_weights(rows_of(steps));
      return;
    }
    a_.repeat(steps_left_, steps / looped_steps, [&] {
      emit_steps(block, channels, tap_, 0, 0, looped_steps);
      advance_weights(rows_of(looped_steps));
      a_.advance(tap_, looped_steps * channels_per_step);
    });
    emit_steps(block, channels, tap_, 0, 0, steps % looped_steps);
    advance_weights(rows_of(steps % looped_steps));
  }

  [[nodiscard]] std::int64_t rows_of(std::int64_t steps) const { return weight_rows(steps, k_.word_depth); }
  void advance_weights(std::int64_t rows) { a_.advance(weights_, rows * k_.column_vectors * vector_bytes_); }

  /// The heart: `steps` k-steps of one tap that lies at `from` + `offset`; weights start `first_row` rows on.
  void emit_steps(const Block& block, std::int64_t channels, const Reg64& from, std::int64_t offset,
                  std::int64_t first_row, std::int64_t steps) {
    const IconvRegisters& registers = block.registers;
    std::int64_t first_step = 0;
    if (by_words()) {
      WordChunkEmitter chunks(*unit_, registers, block.pixels(), columns(), k_.word_depth);
      for (std::int64_t chunk = 0; chunk < steps / chunk_steps; ++chunk) {
        const bool last = chunk + 1 == steps / chunk_steps || (chunk + 1) % residual_chunks == 0;
        chunks.emit({.activations =
                         [&](int p) {
                           return from + displacement(offset + chunk * chunk_bytes +
                                                      pixel_offset(block, p) * pixel_bytes(channels));
                         },
                     .weights =
                         [&](std::int64_t row, int c) {
                           const std::int64_t at = first_row + chunk * rows_of(chunk_steps) + row;
                           return a_.ptr[weights_ + displacement((at * k_.column_vectors + c) * vector_bytes_)];
                         }},
                    chunk % residual_chunks == 0, last);
      }
      first_step = steps / chunk_steps * chunk_steps;
    }
    for (std::int64_t step = first_step; step < steps; ++step) {
      const std::int64_t weights_at =
          (first_row + rows_of(first_step) + step - first_step) * k_.column_vectors * vector_bytes_;
      for (int c = 0; c < columns(); ++c) {
        const std::int64_t at = weights_at + c * vector_bytes_;
        if (!registers.weights_in_memory()) unit_->load(registers.weights(c), a_.ptr[weights_ + displacement(at)]);
      }
      for (int p = 0; p < block.pixels(); ++p) {
        const std::int64_t at = offset + pixel_offset(block, p) * pixel_bytes(channels) + step * channels_per_step;
        unit_->broadcast(registers.activations(p), a_.dword[from + displacement(at)]);
        for (int c = 0; c < columns(); ++c) {
          const Source weights = registers.weights_in_memory()
                                     ? Source(a_.ptr[weights_ + displacement(weights_at + c * vector_bytes_)])
                                     : Source(registers.weights(c));
          unit_->dot4(registers.product(p, c), registers.activations(p), weights);
        }
      }
    }
  }

  /// What found no place in any chunk of the window: k-steps from a list, few or none.
  void emit_corrections(const Block& block, std::int64_t channels, std::int64_t list_at) {
    a_.annotate("corrections");
    const Reg64 step = tap_row_, next = tap_, left = tap_rows_left_, scratch = taps_left_;
    a_.mov(left, a_.ptr[window_weights_ + displacement(list_at + offsetof(CorrectionList, count))]);
    a_.mov(next, a_.ptr[window_weights_ + displacement(list_at + offsetof(CorrectionList, offset))]);
    a_.add(next, a_.ptr[args_ + offsetof(IconvArgs, corrections)]);
    a_.repeat_while(left, [&] {
      a_.movsxd(step, a_.dword[next + offsetof(Correction, tap_row)]);
      a_.imul(step, step, displacement(k_.dilation_h * k_.field_columns * pixel_bytes(channels)));
      a_.movsxd(scratch, a_.dword[next + offsetof(Correction, offset)]);
      a_.add(step, scratch);
      a_.add(step, slice_);
      for (int p = 0; p < block.pixels(); ++p) {
        const Vec activations = block.registers.activations(p);
        unit_->broadcast(activations, a_.dword[step + displacement(pixel_offset(block, p) * pixel_bytes(channels))]);
        for (int c = 0; c < columns(); ++c)
          unit_->dot4(block.registers.product(p, c), activations, a_.ptr[next + displacement((1 + c) * vector_bytes_)]);
      }
      a_.advance(next, (1 + k_.column_vectors) * vector_bytes_);
    });
  }

  /// sum += float(product) * weight scale * activation scale.
  void dequantize(const Block& block) {
    a_.annotate("dequantize");
    const IconvRegisters& registers = block.registers;
    if (!k_.scale_per_pixel) unit_->broadcast(registers.activations(0), a_.dword[window_scales_]);
    for_each_accumulator(block, [&](int p, int c) {
      const Vec product = registers.product(p, c);
      unit_->to_float(product, product);
      unit_->mul(product, product, a_.ptr[window_weights_ + displacement(c * vector_bytes_)]);
      const Source scale = k_.scale_per_pixel ? Source(a_.ptr_b[window_scales_ + displacement(scale_offset(block, p))])
                                              : Source(registers.activations(0));
      if (one_window()) {
        unit_->mul(product, product, scale);
      } else if (sums_in_frame()) {
        const Vec sum = registers.passing(p, c);
        unit_->load(sum, sum_in_frame(p, c));
        unit_->fma(sum, product, scale);
        unit_->store(sum_in_frame(p, c), sum);
      } else {
        unit_->fma(registers.sum(p, c), product, scale);
      }
    });
  }

  void emit_epilogue(const Block& block) {
    a_.annotate("epilogue");
    a_.mov(weights_, a_.ptr[args_ + offsetof(IconvArgs, weights)]);
    EpilogueEmitter epilogue(*unit_, k_.epilogue, block.registers.temporaries(), epilogue_mask);
    const std::int64_t slopes_at = k_.epilogue.bias ? k_.column_vectors * vector_bytes_ : 0;
    for_each_accumulator(block, [&](int p, int c) {
      const std::int64_t dst_at = dst_offset(block, p, c);
      if (sums_in_frame()) unit_->load(block.registers.sum(p, c), sum_in_frame(p, c));
      epilogue.apply(block.registers.sum(p, c),
                     {.bias = a_.ptr[weights_ + displacement(c * vector_bytes_)],
                      .slopes = a_.ptr[weights_ + displacement(slopes_at + c * vector_bytes_)],
                      .residual = a_.ptr[dst_ + residual_ + displacement(dst_at)],
                      .lanes = lanes_of(c)});
      unit_->store(a_.ptr[dst_ + displacement(dst_at)], block.registers.sum(p, c), lanes_of(c));
    });
  }

  // ---- offsets ----------------------------------------------------------------------------------------------------
  template <class Visit>
  void for_each_accumulator(const Block& block, const Visit& visit) const {
    for (int p = 0; p < block.pixels(); ++p)
      for (int c = 0; c < columns(); ++c) visit(p, c);
  }
  [[nodiscard]] std::int64_t pixel_bytes(std::int64_t channels) const {
    return k_.pixel_bytes != 0 ? k_.pixel_bytes : window_bytes(channels);
  }
  /// In field pixels, from the block's first output pixel to another.
  [[nodiscard]] std::int64_t pixel_offset(const Block& block, int p) const {
    return p / block.columns * k_.stride_h * k_.field_columns + p % block.columns * k_.stride_w;
  }
  [[nodiscard]] std::int64_t dst_offset(const Block& block, int p, int c) const {
    return p / block.columns * k_.dst_row_bytes + p % block.columns * k_.dst_pixel_bytes + c * vector_bytes_;
  }
  [[nodiscard]] std::int64_t scale_offset(const Block& block, int p) const {
    return (p / block.columns * k_.field_columns + p % block.columns) * k_.scale_pixel_bytes;
  }
  [[nodiscard]] std::int64_t header_bytes() const {
    return ((k_.epilogue.bias ? 1 : 0) + (k_.epilogue.activation == ActivationKind::prelu ? 1 : 0)) *
           k_.column_vectors * vector_bytes_;
  }

  const IconvKernel& k_;
  Assembler a_;
  std::unique_ptr<VectorUnit> unit_;
  std::int64_t vector_bytes_;

  // General registers; what is used rarely lives on the stack.
  const Reg64 args_ = a_.rdi;
  const Reg64 field_ = a_.rbx;           ///< first window's slice, at the block's first pixel
  const Reg64 scales_ = a_.r8;           ///< first window's scale, at the block's first pixel
  const Reg64 dst_ = a_.rsi;             ///< at the block's first pixel
  const Reg64 residual_ = a_.rdx;        ///< minus dst_; without a residual:
  const Reg64 ahead_ = a_.rdx;           ///< the next line of the next call's weights
  const Reg64 slice_ = a_.r9;            ///< the window's slice, at the block's first pixel
  const Reg64 weights_ = a_.r10;         ///< the next k-step's
  const Reg64 window_weights_ = a_.r11;  ///< the window's weight scales
  const Reg64 window_scales_ = a_.r12;   ///< the window's activation scales
  const Reg64 tap_row_ = a_.r13, tap_ = a_.rcx;
  const Reg64 windows_left_ = a_.r14, tap_rows_left_ = a_.r15, taps_left_ = a_.rax;
  const Address rows_left_ = a_.qword[a_.rsp], blocks_left_ = a_.qword[a_.rsp + 8], steps_left_ = a_.qword[a_.rsp + 16];
  const Address pixel_ = a_.qword[a_.rsp + 24];  ///< field pixels from the tile's first to the block's first
};

}  // namespace

std::string IconvKernel::name() const {
  std::string name = fmt::format("iconv{}x{}_s{}x{}_d{}x{}_w{}x{}", kernel_h, kernel_w, stride_h, stride_w, dilation_h,
                                 dilation_w, windows.full, windows.channels);
  if (windows.tail_channels != 0) name += fmt::format("_{}", windows.tail_channels);
  name +=
      fmt::format("_tile{}x{}_field{}x{}_block{}x{}x{}_oc{}_dst{}x{}", tile_rows, tile_columns, field_rows,
                  field_columns, block_rows, block_columns, column_vectors, channels, dst_row_bytes, dst_pixel_bytes);
  if (pixel_bytes != 0) name += fmt::format("_pixel{}", pixel_bytes);
  if (slice_bytes != 0) name += fmt::format("_slice{}", slice_bytes);
  if (scale_per_pixel) name += fmt::format("_perpixel{}x{}", scale_window_bytes, scale_pixel_bytes);
  if (word_depth != 0) name += fmt::format("_words{}", word_depth);
  if (weights_ahead != 0) name += fmt::format("_ahead{}", weights_ahead);
  if (ask_for_outputs) name += "_ask";
  return name + (nonnegative_input ? "_u8" : "_s8") + epilogue.name() + "_" + std::string(isa_name(isa));
}

KernelImage emit_iconv(const IconvKernel& kernel) { return IconvEmitter(kernel).emit(); }

}  // namespace octavo::jit

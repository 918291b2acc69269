// SPDX-License-Identifier: Apache-2.0
// Composition of the quantize kernel: walks over the field, maxima, scales, bytes, filling.
#include "jit/quantize_emitter.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "jit/float_bits.h"
#include "jit/vector_unit.h"
#include "jit/window_quantizer.h"

namespace octavo::jit {

namespace {

using Xbyak::Address;
using Xbyak::Reg64;

constexpr std::int64_t batch_vectors = 128;    ///< a batch has no more windows than fill this many vectors of a pixel
constexpr std::int64_t unrolled_vectors = 32;  ///< of a window: more are looped over
constexpr std::int64_t looped_vectors = 16;

class QuantizeEmitter {
 public:
  explicit QuantizeEmitter(const QuantizeKernel& kernel)
      : k_(kernel),
        unit_(make_vector_unit(kernel.isa, a_)),
        lanes_(unit_->lanes()),
        quantizer_(*unit_, kernel.nonnegative_input,
                   {.inverse = fixed(1), .zero = fixed(2), .usable = Mask{1}, .usable_tail = Mask{2}}),
        layout_(kernel.windows, kernel.field_rows, kernel.field_columns, kernel.scale_per_pixel) {}

  KernelImage emit() {
    a_.prologue(128);
    unit_->broadcast(magnitude_, a_.constant_dword(magnitude_bits));
    quantizer_.start();
    a_.mov(source_, a_.ptr[args_ + offsetof(QuantizeArgs, image)]);
    a_.mov(slice_, a_.ptr[args_ + offsetof(QuantizeArgs, field)]);
    a_.mov(scales_, a_.ptr[args_ + offsetof(QuantizeArgs, scales)]);
    if (k_.scale_per_pixel && k_.field_rows * k_.field_columns > 1)
      emit_pixel_batches();
    else
      emit_window_batches();
    a_.epilogue();
    return a_.finish(k_.name());
  }

 private:
  // ---- batches of channel windows, one scale for the whole field ---------------------------------------------------
  void emit_window_batches() {
    const WindowRun& run = k_.windows;
    if (run.tail_channels == 0) {  // every group looks like the windows that follow it
      emit_equal_windows(run.groups * run.full, run.channels);
      return;
    }
    a_.repeat(groups_left_, run.groups, [&] {
      emit_equal_windows(run.full, run.channels);
      emit_equal_windows(1, run.tail_channels);
    });
  }

  void emit_equal_windows(std::int64_t count, std::int64_t channels) {
    const std::int64_t fits = std::max<std::int64_t>(1, batch_vectors / vectors(channels));
    const std::int64_t batch = std::min({batch_size(), fits, count});
    a_.repeat(batches_left_, count / batch, [&] { emit_window_batch(batch, channels); });
    if (count % batch != 0) emit_window_batch(count % batch, channels);
  }

  /// Leaves source_, slice_ and scales_ behind the batch.
  void emit_window_batch(std::int64_t count, std::int64_t channels) {
    a_.annotate(fmt::format("maxima of {} windows of {} channels", count, channels));
    set_tail_mask(channels);
    for (int i = 0; i < batch_size(); ++i) unit_->zero(maximum(i));
    for_each_row([&] {
      a_.mov(pixel_, row_);
      for_each_pixel([&] {
        ask_for_next_row(count * channels);
        for (std::int64_t i = 0; i < count; ++i)
          emit_maximum(maximum(static_cast<int>(i)), pixel_, i * channels * bytes_per_float, channels);
        a_.advance(pixel_, k_.src_pixel_bytes);
      });
    });
    emit_scales(count);
    a_.advance(scales_, count * bytes_per_float);

    a_.annotate(fmt::format("bytes of {} windows", count));
    a_.mov(inverse_cursor_, a_.rsp);
    a_.repeat(windows_left_, count, [&] {
      emit_take_inverse(channels);
      a_.mov(bytes_, slice_);
      a_.mov(outside_, a_.ptr[args_ + offsetof(QuantizeArgs, outside_before)]);
      for_each_row([&] {
        emit_filling(channels);
        a_.mov(pixel_, row_);
        for_each_pixel([&] {
          emit_bytes(channels);
          a_.advance(pixel_, k_.src_pixel_bytes);
        });
        a_.mov(outside_, a_.ptr[args_ + offsetof(QuantizeArgs, outside_between)]);
      });
      a_.mov(outside_, a_.ptr[args_ + offsetof(QuantizeArgs, outside_after)]);
      emit_filling(channels);
      a_.advance(source_, channels * bytes_per_float);
      a_.advance(slice_, k_.field_rows * k_.field_columns * window_bytes(channels));
    });
  }

  /// A field's row is too short for the hardware to learn that another follows far away.
  void ask_for_next_row(std::int64_t channels) {
    if (k_.field_rows == 1 || vectors(channels) > batch_vectors) return;
    for (std::int64_t at = 0; at < channels * bytes_per_float; at += cache_line_bytes)
      a_.prefetcht0(a_.ptr[pixel_ + displacement(k_.src_row_bytes + at)]);
  }

  /// Rows of the rectangle inside the image; row_ at the window's first channel.
  template <class Body>
  void for_each_row(const Body& body) {
    a_.mov(row_, source_);
    a_.mov(rows_left_, a_.ptr[args_ + offsetof(QuantizeArgs, rows)]);
    a_.repeat_while(rows_left_, [&] {
      body();
      a_.advance(row_, k_.src_row_bytes);
    });
  }
  template <class Body>
  void for_each_pixel(const Body& body) {
    a_.mov(pixels_left_, a_.ptr[args_ + offsetof(QuantizeArgs, columns)]);
    a_.repeat_while(pixels_left_, body);
  }

  // ---- batches of pixels, each with its own scale -------------------------------------------------------------------
  void emit_pixel_batches() {
    a_.mov(row_, source_);
    a_.mov(pixel_index_, 0);
    a_.repeat(rows_on_stack_, k_.field_rows, [&] {
      const std::int64_t batches = k_.field_columns / batch_size(), rest = k_.field_columns % batch_size();
      a_.repeat(batches_left_, batches, [&] { emit_pixel_batch(batch_size()); });
      if (rest != 0) emit_pixel_batch(rest);
      a_.advance(row_, k_.src_row_bytes - k_.field_columns * k_.src_pixel_bytes);
    });
  }

  /// All windows of `pixels` pixels at row_. `slice_` is at the first window's slice and the first pixel's bytes.
  void emit_pixel_batch(std::int64_t pixels) {
    const WindowRun& run = k_.windows;
    a_.mov(source_, row_);
    a_.mov(group_slices_, slice_);
    a_.repeat(groups_left_, run.groups, [&] {
      a_.mov(bytes_base_, group_slices_);
      a_.repeat(windows_left_, run.full, [&] {
        emit_pixel_batch_window(pixels, run.channels);
        a_.advance(bytes_base_, layout_.slice_bytes);
      });
      if (run.tail_channels != 0) {
        a_.imul(bytes_, pixel_index_, displacement(window_bytes(run.channels) - window_bytes(run.tail_channels)));
        a_.sub(bytes_base_, bytes_);
        emit_pixel_batch_window(pixels, run.tail_channels);
      }
      a_.advance(group_slices_, layout_.group_bytes);
    });
    a_.advance(row_, pixels * k_.src_pixel_bytes);
    a_.advance(slice_, pixels * window_bytes(run.channels));
    a_.advance(scales_,
               pixels * bytes_per_float - run.groups * run.windows() * layout_.scales_per_window * bytes_per_float);
    a_.advance(pixel_index_, pixels);
  }

  /// Leaves source_ and scales_ at the next window.
  void emit_pixel_batch_window(std::int64_t pixels, std::int64_t channels) {
    a_.annotate(fmt::format("{} pixels of {} channels", pixels, channels));
    set_tail_mask(channels);
    for (int i = 0; i < batch_size(); ++i) unit_->zero(maximum(i));
    for (std::int64_t i = 0; i < pixels; ++i)
      emit_maximum(maximum(static_cast<int>(i)), source_, i * k_.src_pixel_bytes, channels);
    emit_scales(pixels);
    a_.mov(inverse_cursor_, a_.rsp);
    a_.mov(pixel_, source_);
    a_.mov(bytes_, bytes_base_);
    find_next_batch(pixels, channels);
    a_.repeat(pixels_left_, pixels, [&] {
      emit_take_inverse(channels);
      ask_for_next_batch(channels);
      emit_bytes(channels);
      a_.advance(pixel_, k_.src_pixel_bytes);
    });
    a_.advance(source_, channels * bytes_per_float);
    a_.advance(scales_, layout_.scales_per_window * bytes_per_float);
  }

  /// Where the next batch begins: the next window of the same pixels or, after the last one, the next pixels.
  void find_next_batch(std::int64_t pixels, std::int64_t channels) {
    const WindowRun& run = k_.windows;
    a_.lea(next_batch_, a_.ptr[source_ + displacement(channels * bytes_per_float)]);
    a_.mov(a_.rax, row_);
    a_.advance(a_.rax, run.groups * (run.full * run.channels + run.tail_channels) * bytes_per_float);
    a_.cmp(next_batch_, a_.rax);
    a_.lea(a_.rax, a_.ptr[row_ + displacement(pixels * k_.src_pixel_bytes)]);
    a_.cmove(next_batch_, a_.rax);
  }
  /// Fetching into L1 and making bytes are both slow, and use nothing of each other. A pixel of the next batch.
  void ask_for_next_batch(std::int64_t channels) {
    if (vectors(channels) > unrolled_vectors) return;  // such a batch is larger than L1
    for (std::int64_t at = 0; at < channels * bytes_per_float; at += cache_line_bytes)
      a_.prefetcht0(a_.ptr[next_batch_ + displacement(at)]);
    a_.advance(next_batch_, k_.src_pixel_bytes);
  }

  // ---- parts --------------------------------------------------------------------------------------------------------
  [[nodiscard]] std::int64_t vectors(std::int64_t channels) const { return (channels + lanes_ - 1) / lanes_; }

  void set_tail_mask(std::int64_t channels) {
    const std::int64_t tail = channels % lanes_;
    if (tail == 0) return;
    unit_->set_mask(tail_channels_, (std::uint64_t{1} << tail) - 1, a_.rax);
  }

  /// d = max(d, magnitudes of the channels at from + offset), lane by lane.
  void emit_maximum(Vec d, const Reg64& from, std::int64_t offset, std::int64_t channels) {
    const std::int64_t whole = channels / lanes_;
    std::int64_t done = 0;
    const auto some = [&](const Reg64& base, std::int64_t at, std::int64_t count) {
      for (std::int64_t v = 0; v < count; ++v) {
        const Vec t = temporary(static_cast<int>(v));
        unit_->and_bits(t, magnitude_, a_.ptr[base + displacement(at + v * unit_->bytes())]);
        unit_->max_unsigned(d, d, t);
      }
    };
    if (whole > unrolled_vectors) {
      a_.lea(vector_cursor_, a_.ptr[from + displacement(offset)]);
      a_.repeat(vectors_left_, whole / looped_vectors, [&] {
        some(vector_cursor_, 0, looped_vectors);
        a_.advance(vector_cursor_, looped_vectors * unit_->bytes());
      });
      done = whole / looped_vectors * looped_vectors;
    }
    some(from, offset + done * unit_->bytes(), whole - done);
    if (channels % lanes_ != 0) {
      const Vec t = temporary(0);
      unit_->load(t, a_.ptr[from + displacement(offset + whole * unit_->bytes())], tail_channels_);
      unit_->and_bits(t, t, magnitude_);
      unit_->max_unsigned(d, d, t);
    }
  }

  /// From the batch's maxima: scales to scales_, inverses to the stack.
  void emit_scales(std::int64_t count) {
    a_.annotate("scales");
    std::vector<Vec> maxima;
    for (int i = 0; i < batch_size(); ++i) maxima.push_back(maximum(i));
    unit_->transpose_max(maxima, temporary(0));
    const Vec scale = temporary(0), inverse = temporary(1);
    quantizer_.scales(scale, inverse, maximum(0), temporary(2));
    unit_->store(a_.ptr[a_.rsp], inverse);
    unit_->set_mask(some_lanes_, (std::uint64_t{1} << count) - 1, a_.rax);
    unit_->store(a_.ptr[scales_], scale, some_lanes_);
  }

  [[nodiscard]] Mask tail_of(std::int64_t channels) const { return channels % lanes_ == 0 ? Mask{} : tail_channels_; }

  void emit_take_inverse(std::int64_t channels) {
    quantizer_.take_inverse(a_.dword[inverse_cursor_], tail_of(channels));
    a_.advance(inverse_cursor_, bytes_per_float);
  }

  /// One pixel of a window, from pixel_ to bytes_, which is left behind it.
  void emit_bytes(std::int64_t channels) {
    const ZeroPoint zero_point = quantizer_.zero_point();
    const std::int64_t whole = channels / lanes_, packs = whole / 4;
    const auto load = [&](Vec d, const Reg64& base, std::int64_t vector, Mask tail) {
      quantizer_.integers(d, a_.ptr[base + displacement(vector * unit_->bytes())], tail);
    };
    const auto pack = [&](const Reg64& base, std::int64_t count) {
      for (std::int64_t i = 0; i < count; ++i) {
        const int first = static_cast<int>(i % 2) * 4;
        for (int j = 0; j < 4; ++j) load(maximum(first + j), base, i * 4 + j, {});
        unit_->store_packed4(a_.ptr[bytes_ + displacement(i * unit_->bytes())], maximum(first), maximum(first + 1),
                             maximum(first + 2), maximum(first + 3), zero_point);
      }
      a_.advance(bytes_, count * unit_->bytes());
    };
    Reg64 rest = pixel_;
    std::int64_t done = 0;
    if (whole > unrolled_vectors) {
      rest = vector_cursor_;
      a_.mov(vector_cursor_, pixel_);
      a_.repeat(vectors_left_, whole / looped_vectors, [&] {
        pack(vector_cursor_, looped_vectors / 4);
        a_.advance(vector_cursor_, looped_vectors * unit_->bytes());
      });
      done = whole / looped_vectors * looped_vectors;
    }
    pack(rest, packs - done / 4);
    for (std::int64_t v = packs * 4; v < whole; ++v) {
      load(maximum(0), rest, v - done, {});
      unit_->store_packed1(a_.ptr[bytes_], maximum(0), zero_point, static_cast<int>(lanes_));
      a_.advance(bytes_, lanes_);
    }
    if (channels % lanes_ != 0) {
      const std::int64_t bytes = window_bytes(channels % lanes_);
      load(maximum(0), rest, whole - done, tail_channels_);
      unit_->store_packed1(a_.ptr[bytes_], maximum(0), zero_point, static_cast<int>(bytes));
      a_.advance(bytes_, bytes);
    }
  }

  /// The zero point into outside_ pixels at bytes_, which is left behind them.
  void emit_filling(std::int64_t channels) {
    Xbyak::Label again, rest, done;
    const Vec filling = temporary(0);
    const int step = unit_->bytes();
    quantizer_.zero_point_bytes(filling);
    a_.imul(outside_, outside_, displacement(window_bytes(channels)));
    a_.L(again);
    a_.cmp(outside_, step);
    a_.jl(rest, a_.T_NEAR);
    unit_->store(a_.ptr[bytes_], filling);
    a_.add(bytes_, step);
    a_.sub(outside_, step);
    a_.jmp(again, a_.T_NEAR);
    a_.L(rest);
    a_.shr(outside_, 2);  // a pixel's bytes are a multiple of four
    a_.jz(done, a_.T_NEAR);
    unit_->set_mask_of_first(some_lanes_, outside_, a_.rax);
    unit_->store(a_.ptr[bytes_], filling, some_lanes_);
    a_.lea(bytes_, a_.ptr[bytes_ + outside_ * 4]);
    a_.L(done);
  }

  /// Windows whose maxima share a register in the end.
  [[nodiscard]] std::int64_t batch_size() const { return lanes_; }
  static Vec maximum(int i) { return {i}; }  ///< as many as lanes; free while bytes are written
  [[nodiscard]] Vec fixed(int i) const { return {unit_->lanes() + i}; }
  [[nodiscard]] Vec temporary(int i) const {
    const int first = unit_->lanes() + 3;
    return {first + i % std::min(8, unit_->registers() - first)};
  }

  const QuantizeKernel& k_;
  Assembler a_;
  std::unique_ptr<VectorUnit> unit_;
  std::int64_t lanes_;
  WindowQuantizer quantizer_;  // has registers fixed(1), fixed(2) and masks 1, 2
  ScratchLayout layout_;
  const Vec magnitude_ = fixed(0);
  static constexpr Mask tail_channels_{3}, some_lanes_{4};

  // General registers; rax is scratch. The outer counters live on the stack, behind the inverses.
  const Reg64 args_ = a_.rdi;
  const Reg64 source_ = a_.r11;  ///< the window's first channel at the first pixel (of the rectangle or batch)
  const Reg64 slice_ = a_.r12, scales_ = a_.r13;
  const Reg64 row_ = a_.r9, rows_left_ = a_.r8;
  const Reg64 pixel_ = a_.rsi, pixels_left_ = a_.rcx;
  const Reg64 bytes_ = a_.rdx;  ///< where the next bytes go
  const Reg64 outside_ = a_.r15, inverse_cursor_ = a_.r14, vector_cursor_ = a_.rbx, vectors_left_ = a_.r10;
  const Reg64 bytes_base_ = a_.r8, group_slices_ = a_.r15, next_batch_ = a_.rdi;  ///< batches of pixels only
  const Address groups_left_ = a_.qword[a_.rsp + 64], batches_left_ = a_.qword[a_.rsp + 72],
                windows_left_ = a_.qword[a_.rsp + 80], rows_on_stack_ = a_.qword[a_.rsp + 88],
                pixel_index_ = a_.qword[a_.rsp + 96];
};

}  // namespace

std::string QuantizeKernel::name() const {
  std::string name = fmt::format("quantize_w{}x{}x{}", windows.groups, windows.full, windows.channels);
  if (windows.tail_channels != 0) name += fmt::format("_{}", windows.tail_channels);
  name += fmt::format("_field{}x{}_src{}x{}", field_rows, field_columns, src_row_bytes, src_pixel_bytes);
  if (scale_per_pixel) name += "_perpixel";
  return name + (nonnegative_input ? "_u8" : "_s8") + "_" + std::string(isa_name(isa));
}

KernelImage emit_quantize(const QuantizeKernel& kernel) { return QuantizeEmitter(kernel).emit(); }

}  // namespace octavo::jit

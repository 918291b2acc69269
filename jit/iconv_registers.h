// SPDX-License-Identifier: Apache-2.0
// The vector registers of a register block of the convolution kernels: which holds what (jit/iconv_emitter.h).
#pragma once

#include <array>
#include <cstdint>

#include "jit/epilogue_emitter.h"
#include "jit/vector_unit.h"

namespace octavo::jit {

/// Accumulators of a block are numbered pixel by pixel.
class IconvRegisters {
 public:
  IconvRegisters(std::int64_t pixels, std::int64_t column_vectors, bool one_window, bool by_words, int registers)
      : pixels_(static_cast<int>(pixels)),
        columns_(static_cast<int>(column_vectors)),
        one_window_(one_window),
        by_words_(by_words),
        registers_(registers) {}

  [[nodiscard]] Vec product(int pixel, int column) const { return {pixel * columns_ + column}; }
  /// With one window the sum is the product itself, converted in place; by words it comes there from the frame.
  [[nodiscard]] Vec sum(int pixel, int column) const {
    return {(one_window_ || by_words_ ? 0 : pixels_ * columns_) + pixel * columns_ + column};
  }
  [[nodiscard]] Vec weights(int column) const { return {accumulators() + column}; }
  /// With a single pixel weights are used once: from memory, without a register.
  [[nodiscard]] bool weights_in_memory() const { return pixels_ == 1 || by_words_; }
  /// A sum on its way from the frame and back.
  [[nodiscard]] Vec passing(int pixel, int column) const {
    return by_words_ ? residual(pixel, column) : Vec{registers_ - 1};
  }
  /// By words: the 16-bit sum of the residual.
  [[nodiscard]] Vec residual(int pixel, int column) const { return {(pixels_ + pixel) * columns_ + column}; }
  /// By words: activations of two k-steps, the words of two products, words of 1.
  [[nodiscard]] Vec activations_of_step(std::int64_t step) const {
    return {accumulators() + static_cast<int>(step % 2)};
  }
  [[nodiscard]] Vec words(int i) const { return {accumulators() + 2 + i}; }
  [[nodiscard]] Vec ones() const { return {accumulators() + 4}; }
  [[nodiscard]] Vec activations(int pixel) const {
    if (by_words_) return activations_of_step(pixel);
    const int first = accumulators() + (weights_in_memory() ? 0 : columns_);
    return {first + pixel % (registers_ - first)};
  }
  /// Registers that are not sums, from the top; free once the last window is dequantized.
  [[nodiscard]] std::array<Vec, EpilogueEmitter::temporaries> temporaries() const {
    std::array<Vec, EpilogueEmitter::temporaries> free{};
    int next = registers_;
    for (Vec& vec : free) {
      do {
        --next;
      } while (next >= sum(0, 0).index && next <= sum(pixels_ - 1, columns_ - 1).index);
      vec = {next};
    }
    return free;
  }

 private:
  [[nodiscard]] int accumulators() const { return pixels_ * columns_ * (one_window_ && !by_words_ ? 1 : 2); }

  int pixels_, columns_;
  bool one_window_, by_words_;
  int registers_;
};

}  // namespace octavo::jit

// SPDX-License-Identifier: Apache-2.0
// Dot products by 16-bit words (jit/word_split.h), in a register block of the convolution kernels: a chunk of four
// k-steps whose weights have been split, then its residual.
#pragma once

#include <cstdint>
#include <functional>

#include "jit/iconv_registers.h"
#include "jit/vector_unit.h"

namespace octavo::jit {

/// Where a chunk's operands lie.
struct ChunkOperands {
  std::function<Xbyak::RegExp(int pixel)> activations;                  ///< chunk_bytes of them
  std::function<Xbyak::Address(std::int64_t row, int column)> weights;  ///< a vector; rows as in weight_rows()
};

class WordChunkEmitter {
 public:
  /// A block of `pixels` x `columns` vectors, whose registers hold words (IconvRegisters, by_words). `depth`: 1, 2 or 4
  /// k-steps share a 16-bit sum.
  WordChunkEmitter(VectorUnit& unit, const IconvRegisters& registers, int pixels, int columns, std::int64_t depth)
      : unit_(unit), registers_(registers), pixels_(pixels), columns_(columns), depth_(depth) {}

  /// products += the chunk's: 16-bit sums of `depth` k-steps, then the residual, whose sum begins with the `first`
  /// chunk and ends with the `last`.
  void emit(const ChunkOperands& chunk, bool first, bool last);

 private:
  void main_steps(const ChunkOperands& chunk);
  void main_steps_of_one_column(const ChunkOperands& chunk);
  void residual(const ChunkOperands& chunk, bool first, bool last);
  void residual_of_one_column(const ChunkOperands& chunk, bool first, bool last);
  void load(Vec d, const ChunkOperands& chunk, int pixel, std::int64_t step);
  /// Weights of two rows, in the registers that activations have otherwise.
  void hold(const ChunkOperands& chunk, std::int64_t row);
  /// Products of the activations that were picked, to the residual's sum; with the `last` chunk, that to the product.
  void add_residual(Vec picked, int pixel, int column, const Source& weights, bool first, bool last);

  VectorUnit& unit_;
  const IconvRegisters& registers_;
  int pixels_, columns_;
  std::int64_t depth_;
};

}  // namespace octavo::jit

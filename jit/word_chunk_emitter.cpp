// SPDX-License-Identifier: Apache-2.0
// With one vector of output channels, activations are used once and weights by every pixel: there weights have the
// registers (as many as there are) that activations have otherwise.
#include "jit/word_chunk_emitter.h"

#include "jit/word_split.h"

namespace octavo::jit {

namespace {

constexpr std::int64_t bytes_per_step = 4, rows_held = 2;

}  // namespace

void WordChunkEmitter::emit(const ChunkOperands& chunk, bool first, bool last) {
  if (columns_ == 1) {
    main_steps_of_one_column(chunk);
    residual_of_one_column(chunk, first, last);
  } else {
    main_steps(chunk);
    residual(chunk, first, last);
  }
}

void WordChunkEmitter::main_steps(const ChunkOperands& chunk) {
  const bool reloads = depth_ > 2;  // activations of a sum that have no registers of their own
  for (std::int64_t begin = 0; begin < chunk_steps; begin += depth_) {
    for (int p = 0; p < pixels_; ++p) {
      for (std::int64_t i = 0; i < depth_ && !reloads; ++i)
        load(registers_.activations_of_step(begin + i), chunk, p, begin + i);
      for (int c = 0; c < columns_; ++c) {
        for (std::int64_t i = 0; i < depth_; ++i) {
          const Vec activations = registers_.activations_of_step(begin + i), words = registers_.words(i == 0 ? 0 : 1);
          if (reloads) load(activations, chunk, p, begin + i);
          unit_.word_products(words, activations, chunk.weights(begin + i, c));
          if (i != 0) unit_.add_words(registers_.words(0), registers_.words(0), words);
        }
        unit_.add_pairs(registers_.product(p, c), registers_.words(0), registers_.ones());
      }
    }
  }
}

void WordChunkEmitter::main_steps_of_one_column(const ChunkOperands& chunk) {
  for (std::int64_t begin = 0; begin < chunk_steps; begin += depth_) {
    if (begin % rows_held == 0) hold(chunk, begin);
    for (int p = 0; p < pixels_; ++p) {
      for (std::int64_t i = 0; i < depth_; ++i) {
        const Vec words = registers_.words(i == 0 ? 0 : 1);
        load(words, chunk, p, begin + i);
        unit_.word_products(
            words, words,
            i < rows_held ? Source(registers_.activations_of_step(begin + i)) : Source(chunk.weights(begin + i, 0)));
        if (i != 0) unit_.add_words(registers_.words(0), registers_.words(0), words);
      }
      unit_.add_pairs(registers_.product(p, 0), registers_.words(0), registers_.ones());
    }
  }
}

void WordChunkEmitter::residual(const ChunkOperands& chunk, bool first, bool last) {
  const Vec activations = registers_.activations_of_step(0), words = registers_.words(0);
  for (int p = 0; p < pixels_; ++p) {
    unit_.broadcast_16_bytes(activations, unit_.assembler().ptr[chunk.activations(p)]);
    for (int c = 0; c < columns_; ++c) {
      unit_.pick_bytes(words, activations, chunk.weights(chunk_steps, c));
      add_residual(words, p, c, chunk.weights(chunk_steps + 1, c), first, last);
    }
  }
}

void WordChunkEmitter::residual_of_one_column(const ChunkOperands& chunk, bool first, bool last) {
  hold(chunk, chunk_steps);
  for (int p = 0; p < pixels_; ++p) {
    const Vec words = registers_.words(p % 2);
    unit_.broadcast_16_bytes(words, unit_.assembler().ptr[chunk.activations(p)]);
    unit_.pick_bytes(words, words, registers_.activations_of_step(0));
    add_residual(words, p, 0, registers_.activations_of_step(1), first, last);
  }
}

void WordChunkEmitter::add_residual(Vec picked, int pixel, int column, const Source& weights, bool first, bool last) {
  const Vec sum = registers_.residual(pixel, column);
  unit_.word_products(first ? sum : picked, picked, weights);
  if (!first) unit_.add_words(sum, sum, picked);
  if (last) unit_.add_pairs(registers_.product(pixel, column), sum, registers_.ones());
}

void WordChunkEmitter::load(Vec d, const ChunkOperands& chunk, int pixel, std::int64_t step) {
  const int at = static_cast<int>(step * bytes_per_step);
  unit_.broadcast(d, unit_.assembler().dword[chunk.activations(pixel) + at]);
}

void WordChunkEmitter::hold(const ChunkOperands& chunk, std::int64_t row) {
  for (std::int64_t i = 0; i < rows_held; ++i) unit_.load(registers_.activations_of_step(i), chunk.weights(row + i, 0));
}

}  // namespace octavo::jit

// SPDX-License-Identifier: Apache-2.0
// Runs of pixels, and counts of registers.
#include "jit/iconv_block.h"

#include <algorithm>

#include "jit/epilogue_emitter.h"
#include "jit/vector_unit.h"

namespace octavo::jit {

std::vector<PixelRun> balanced_runs(std::int64_t total, std::int64_t longest) {
  const std::int64_t runs = (total + longest - 1) / longest;
  const std::int64_t longer = total % runs;
  std::vector<PixelRun> result;
  if (longer != 0) result.push_back({longer, total / runs + 1});
  if (longer != runs) result.push_back({runs - longer, total / runs});
  return result;
}

bool iconv_sums_in_frame(Isa isa, bool one_window, bool by_words) {
  constexpr int enough = 20;  // for products and sums side by side
  return !one_window && (by_words || vector_facts(isa).registers < enough);
}

std::int64_t iconv_registers(Isa isa, std::int64_t pixels, std::int64_t column_vectors, bool one_window,
                             bool by_words) {
  const std::int64_t accumulators = pixels * column_vectors;
  if (by_words) return 2 * accumulators + 5;
  const bool in_frame = iconv_sums_in_frame(isa, one_window, by_words);
  const std::int64_t while_multiplying =
      accumulators * (one_window || in_frame ? 1 : 2) + (pixels == 1 ? 0 : column_vectors) + (in_frame ? 2 : 1);
  return std::max(while_multiplying, accumulators + EpilogueEmitter::temporaries);
}

}  // namespace octavo::jit

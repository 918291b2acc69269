// SPDX-License-Identifier: Apache-2.0
// How the taps of one kernel row fall into four-byte dot products, for depthwise convolution.
//
// The quantized field of a channel is stored as groups: the bytes of four neighbouring columns in one dword, a group
// every `step` columns (4: each byte once; 2: each byte twice, so that more outputs find their taps in one group). One
// dot product with a suitably placed weight dword then adds up to four taps. Which bytes of a group an output needs
// depends on its column modulo the group: its phase. Example, 3 taps, stride 1:
//   step 2:  phase 0 = [w0 w1 w2 0], phase 1 = [0 w0 w1 w2]                            1 dot product a row each
//   step 4:  phases 0, 1 as above, phase 2 = [0 0 w0 w1][w2 0 0 0], phase 3 = ...      1.5 on average
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "jit/conv_spec.h"

namespace octavo::jit {

/// Bytes of a group.
constexpr std::int64_t group_bytes = 4;

/// One dot product of a kernel row.
struct TapGroup {
  std::int64_t group = 0;                        ///< counted from the output's first group
  std::array<std::int64_t, group_bytes> taps{};  ///< kernel column of each byte, or -1
  std::int64_t index = 0;                        ///< among all weight dwords of a kernel row
};

struct DepthwiseTaps {
  DepthwiseTaps(const ConvSpec& spec, std::int64_t group_step);

  std::int64_t step;
  std::int64_t field_stride;                  ///< field columns from an output to the next
  std::vector<std::vector<TapGroup>> phases;  ///< output column x of a tile has phase x % phases.size()
  std::int64_t row_dwords = 0;                ///< weight dwords of a kernel row, all phases

  [[nodiscard]] const std::vector<TapGroup>& of_column(std::int64_t x) const {
    return phases[static_cast<std::size_t>(x) % phases.size()];
  }
  /// First group of output column x.
  [[nodiscard]] std::int64_t first_group(std::int64_t x) const { return x * field_stride / step; }
  /// Groups of a field row that serves output columns [0, columns).
  [[nodiscard]] std::int64_t groups(std::int64_t columns) const;
  /// Dot products of a kernel row, on average over the phases.
  [[nodiscard]] double dots_per_row() const {
    return static_cast<double>(row_dwords) / static_cast<double>(phases.size());
  }
};

}  // namespace octavo::jit

// SPDX-License-Identifier: Apache-2.0
// Maximum or average over windows of channels-last images, by a team of threads: Pool, and integer layers that pool in
// a second pass.
#pragma once

#include <cstdint>

#include "graph/ops.h"

namespace octavo::runtime {

/// Windows along one axis.
struct PoolAxis {
  std::int64_t in = 1, out = 1, kernel = 1, stride = 1, pad_begin = 0, pad_end = 0;
  bool include_padding = true;  ///< an average counts the padding that a window covers
};

class PoolLoop {
 public:
  PoolLoop(graph::PoolKind kind, const PoolAxis& rows, const PoolAxis& columns, std::int64_t images,
           std::int64_t channels)
      : kind_(kind), rows_(rows), columns_(columns), images_(images), channels_(channels) {}

  /// x: [images][rows.in][columns.in][channels]; y likewise with `out`. A maximum is NaN where one of its numbers is.
  void run(const float* x, float* y, int threads) const;

 private:
  void pool_row(const float* x, std::int64_t row, float* y) const;

  graph::PoolKind kind_;
  PoolAxis rows_, columns_;
  std::int64_t images_, channels_;
};

}  // namespace octavo::runtime

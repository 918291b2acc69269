// SPDX-License-Identifier: Apache-2.0
// What reading memory costs here: the limit of a Linear of one row, which reads every weight once.
#pragma once

#include <memory>
#include <vector>

#include "jit/aligned_bytes.h"
#include "jit/kernel.h"
#include "jit/kernel_cache.h"

namespace octavo::tools {

/// Each thread reads a part of its own of a buffer on huge pages, four times as large as the last level of cache. Run
/// between the runs of a layer it also leaves nothing of that layer's weights in any cache.
class ReadBandwidth {
 public:
  ReadBandwidth(int threads, jit::KernelCache& cache);
  /// One pass over the buffer, by all threads together; to be timed by the caller, as it times the layer.
  void read() const;
  [[nodiscard]] double bytes() const;

 private:
  int threads_;
  std::shared_ptr<const jit::Kernel> probe_;
  std::vector<jit::AlignedBytes> parts_;
};

}  // namespace octavo::tools

// SPDX-License-Identifier: Apache-2.0
#include "tools/read_bandwidth.h"

#include <cstdint>
#include <cstring>

#include "jit/peak_probe.h"
#include "jit/plan.h"
#include "octavo/isa.h"
#include "runtime/parallel.h"

namespace octavo::tools {

ReadBandwidth::ReadBandwidth(int threads, jit::KernelCache& cache) : threads_(threads) {
  const jit::KernelRequest request{"read_probe", [] { return jit::emit_read_probe(default_isa()); }};
  probe_ = cache.get({&request, 1}).front();
  const std::int64_t block = jit::read_probe_block_bytes(default_isa());
  const std::int64_t part = 4 * jit::Machine::detect().l3_bytes / threads / block * block;
  for (int thread = 0; thread < threads; ++thread) {
    parts_.emplace_back(static_cast<std::size_t>(part));
    std::memset(parts_.back().data(), 1, parts_.back().size());  // memory that was never written is all one page
  }
}

void ReadBandwidth::read() const {
  const std::int64_t block = jit::read_probe_block_bytes(default_isa());
  runtime::parallel_for(threads_, threads_, 0, [&](int, std::int64_t begin, std::int64_t end) {
    for (; begin < end; ++begin) {
      const jit::AlignedBytes& part = parts_[static_cast<std::size_t>(begin)];
      (*probe_)(jit::ReadProbeArgs{part.data(), static_cast<std::int64_t>(part.size()) / block});
    }
  });
}

double ReadBandwidth::bytes() const { return static_cast<double>(parts_.front().size()) * threads_; }

}  // namespace octavo::tools

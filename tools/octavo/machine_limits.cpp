// SPDX-License-Identifier: Apache-2.0
// Probes on all threads at once: see machine_limits.h.
#include "tools/octavo/machine_limits.h"

#include <omp.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <vector>

#include "jit/aligned_bytes.h"
#include "jit/kernel_cache.h"
#include "jit/peak_probe.h"
#include "jit/plan.h"
#include "runtime/parallel.h"

namespace octavo::tool {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kRepeats = 7;

/// `share` on every thread at once, each from a common start; the best of several rates of all together, `work` being
/// what one share does.
template <class Work>
double best_rate(int threads, double work, const Work& share) {
  double best = 0;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    std::vector<double> seconds(static_cast<std::size_t>(threads), 0);
#pragma omp parallel num_threads(threads)
    {
      const int thread = omp_get_thread_num();
#pragma omp barrier
      const auto start = Clock::now();
      share(thread);
      seconds[static_cast<std::size_t>(thread)] = std::chrono::duration<double>(Clock::now() - start).count();
    }
    best = std::max(best, work * threads / *std::max_element(seconds.begin(), seconds.end()));
  }
  return best;
}

/// Each thread reads a buffer of its own, again and again, until it has read `bytes` in all.
double read_bandwidth(const jit::Kernel& probe, Isa isa, int threads, std::int64_t buffer_bytes, std::int64_t bytes) {
  const std::int64_t block = jit::read_probe_block_bytes(isa);
  const std::int64_t blocks = buffer_bytes / block, passes = std::max<std::int64_t>(bytes / buffer_bytes, 1);
  std::vector<jit::AlignedBytes> buffers;
  for (int thread = 0; thread < threads; ++thread) {
    buffers.emplace_back(static_cast<std::size_t>(blocks * block));
    std::memset(buffers.back().data(), 1, buffers.back().size());  // memory that was never written is all one page
  }
  return best_rate(threads, static_cast<double>(passes * blocks * block), [&](int thread) {
    const jit::ReadProbeArgs args{buffers[static_cast<std::size_t>(thread)].data(), blocks};
    for (std::int64_t pass = 0; pass < passes; ++pass) probe(args);
  });
}

}  // namespace

std::optional<MachineLimits> measure_limits(Isa isa, int threads) {
  if (isa == Isa::reference) return std::nullopt;
  const runtime::OmpThreads omp_threads(threads);
  jit::KernelCache cache;
  const std::array<jit::KernelRequest, 3> requests{
      jit::KernelRequest{"peak_probe", [isa] { return jit::emit_peak_probe(isa); }},
      jit::KernelRequest{"fma_probe", [isa] { return jit::emit_fma_probe(isa); }},
      jit::KernelRequest{"read_probe", [isa] { return jit::emit_read_probe(isa); }}};
  const auto kernels = cache.get(requests);
  constexpr std::int64_t iterations = 50'000;  // some 5 ms
  const jit::PeakProbeArgs args{iterations};
  MachineLimits limits;
  limits.int8_rate = best_rate(threads, static_cast<double>(jit::peak_probe_products(isa) * iterations),
                               [&](int) { (*kernels[0])(args); });
  limits.fp32_rate = best_rate(threads, static_cast<double>(jit::fma_probe_products(isa) * iterations),
                               [&](int) { (*kernels[1])(args); });
  const jit::Machine machine = jit::Machine::detect();
  // Far beyond what a core's own caches hold, and within a share of the last level; far beyond that level.
  const std::int64_t in_cache = std::max(machine.l3_bytes / (4 * threads), 2 * machine.l2_bytes);
  const std::int64_t in_memory = std::max<std::int64_t>(4 * machine.l3_bytes / threads, 8 * in_cache);
  limits.cache_bandwidth = read_bandwidth(*kernels[2], isa, threads, in_cache, 4 * in_cache);
  limits.memory_bandwidth = read_bandwidth(*kernels[2], isa, threads, in_memory, in_memory);
  return limits;
}

}  // namespace octavo::tool

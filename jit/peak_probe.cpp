// SPDX-License-Identifier: Apache-2.0
// More chains than a dot product has cycles of latency, unrolled far enough that the loop costs nothing.
#include "jit/peak_probe.h"

#include <string>

#include "jit/vector_unit.h"

namespace octavo::jit {

namespace {
constexpr int chains = 14, rounds = 16;
}

std::int64_t peak_probe_products(Isa isa) { return std::int64_t{4} * vector_facts(isa).lanes * chains * rounds; }

KernelImage emit_peak_probe(Isa isa) {
  Assembler a;
  const auto unit = make_vector_unit(isa, a);
  a.prologue();
  a.mov(a.rcx, a.ptr[a.rdi + offsetof(PeakProbeArgs, iterations)]);
  for (int i = 0; i < chains + 2; ++i) unit->zero({i});
  a.repeat_while(a.rcx, [&] {
    for (int round = 0; round < rounds; ++round)
      for (int i = 0; i < chains; ++i) unit->dot4({i}, {chains}, Vec{chains + 1});
  });
  a.epilogue();
  return a.finish("peak_probe_" + std::string(isa_name(isa)));
}

}  // namespace octavo::jit

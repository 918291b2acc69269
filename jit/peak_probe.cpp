// SPDX-License-Identifier: Apache-2.0
// More chains than a dot product has cycles of latency, unrolled far enough that the loop costs nothing.
#include "jit/peak_probe.h"

#include <string>

#include "jit/vector_unit.h"

namespace octavo::jit {

namespace {

constexpr int chains = 14, rounds = 16;

/// `step` for each chain, round after round; registers after the chains' hold zeros too.
template <class Step>
KernelImage emit_chains(Isa isa, const std::string& name, const Step& step) {
  Assembler a;
  const auto unit = make_vector_unit(isa, a);
  a.prologue();
  a.mov(a.rcx, a.ptr[a.rdi + offsetof(PeakProbeArgs, iterations)]);
  for (int i = 0; i < chains + 2; ++i) unit->zero({i});
  a.repeat_while(a.rcx, [&] {
    for (int round = 0; round < rounds; ++round)
      for (int i = 0; i < chains; ++i) step(*unit, Vec{i});
  });
  a.epilogue();
  return a.finish(name + "_" + std::string(isa_name(isa)));
}

}  // namespace

std::int64_t peak_probe_products(Isa isa) { return 4 * fma_probe_products(isa); }

KernelImage emit_peak_probe(Isa isa) {
  return emit_chains(isa, "peak_probe",
                     [](VectorUnit& unit, Vec chain) { unit.dot4(chain, {chains}, Vec{chains + 1}); });
}

std::int64_t fma_probe_products(Isa isa) { return std::int64_t{vector_facts(isa).lanes} * chains * rounds; }

KernelImage emit_fma_probe(Isa isa) {
  return emit_chains(isa, "fma_probe", [](VectorUnit& unit, Vec chain) { unit.fma(chain, {chains}, Vec{chains + 1}); });
}

std::int64_t read_probe_block_bytes(Isa isa) { return std::int64_t{vector_facts(isa).lanes} * 4 * rounds; }

KernelImage emit_read_probe(Isa isa) {
  Assembler a;
  const auto unit = make_vector_unit(isa, a);
  a.prologue();
  a.mov(a.rsi, a.ptr[a.rdi + offsetof(ReadProbeArgs, start)]);
  a.mov(a.rcx, a.ptr[a.rdi + offsetof(ReadProbeArgs, blocks)]);
  a.repeat_while(a.rcx, [&] {
    for (int i = 0; i < rounds; ++i) unit->load({i % chains}, a.ptr[a.rsi + i * unit->bytes()]);
    a.advance(a.rsi, read_probe_block_bytes(isa));
  });
  a.epilogue();
  return a.finish("read_probe_" + std::string(isa_name(isa)));
}

}  // namespace octavo::jit

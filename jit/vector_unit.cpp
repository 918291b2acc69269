// SPDX-License-Identifier: Apache-2.0
// Which unit, and which facts, belong to an ISA.
#include "jit/vector_unit.h"

#include "jit/vector_unit_avx512.h"
#include "octavo/error.h"

namespace octavo::jit {

std::unique_ptr<VectorUnit> make_vector_unit(Isa isa, Assembler& assembler) {
  if (isa == Isa::avx512vnni) return std::make_unique<Avx512VnniUnit>(assembler);
  throw Error(ErrorKind::unsupported, "no machine code is written for ISA '" + std::string(isa_name(isa)) + "'");
}

VectorFacts vector_facts(Isa) { return {.lanes = 16, .registers = 32}; }

int packed_channel(Isa, int position) {
  // Packing works within 128-bit quarters: quarter q of the result holds quarter q of each of the four sources.
  const int quad = position / 4;
  const int quarter = quad / 4, source = quad % 4;
  return source * 16 + quarter * 4 + position % 4;
}

}  // namespace octavo::jit

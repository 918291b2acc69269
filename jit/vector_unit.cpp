// SPDX-License-Identifier: Apache-2.0
// Which unit, and which facts, belong to an ISA.
#include "jit/vector_unit.h"

#include "jit/vector_unit_avx2.h"
#include "jit/vector_unit_avx512.h"
#include "octavo/error.h"

namespace octavo::jit {

std::unique_ptr<VectorUnit> make_vector_unit(Isa isa, Assembler& assembler) {
  switch (isa) {
    case Isa::avx2:
      return std::make_unique<Avx2Unit>(assembler, Avx2Unit::Dot4::by_words);
    case Isa::avxvnni:
      return std::make_unique<Avx2Unit>(assembler, Avx2Unit::vnni_of_this_machine());
    case Isa::avx512bw:
      return std::make_unique<Avx512Unit>(assembler, Avx512Unit::Dot4::by_words);
    case Isa::avx512vnni:
      return std::make_unique<Avx512Unit>(assembler, Avx512Unit::Dot4::vnni);
    case Isa::reference:
      break;
  }
  throw Error(ErrorKind::unsupported, "no machine code is written for ISA '" + std::string(isa_name(isa)) + "'");
}

VectorFacts vector_facts(Isa isa) {
  switch (isa) {
    case Isa::avx2:
    case Isa::avxvnni:
      return {.lanes = 8, .registers = Avx2Unit::usable_registers, .vnni = isa == Isa::avxvnni};
    case Isa::avx512bw:
      return {.lanes = 16, .registers = Avx512Unit::usable_registers(Avx512Unit::Dot4::by_words), .vnni = false};
    case Isa::avx512vnni:
    case Isa::reference:
      break;
  }
  return {.lanes = 16, .registers = Avx512Unit::usable_registers(Avx512Unit::Dot4::vnni), .vnni = true};
}

int packed_channel(Isa isa, int position) {
  // Packing works within 128-bit quarters: quarter q of the result holds quarter q of each of the four sources.
  const int quad = position / 4;
  const int quarter = quad / 4, source = quad % 4;
  return source * vector_facts(isa).lanes + quarter * 4 + position % 4;
}

}  // namespace octavo::jit

// SPDX-License-Identifier: Apache-2.0
// Properties of emitted code that no run can show: every kernel of a spread of layers is decoded, instruction by
// instruction, and held against what its ISA and the calling convention allow.
#include <Zydis/Zydis.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "jit/kernel_cache.h"
#include "jit/layer.h"
#include "jit/plan.h"
#include "jit/vector_unit.h"
#include "octavo/isa.h"
#include "tests/jit/layer_case.h"
#include "tests/jit/random_spec.h"

namespace octavo::jit {
namespace {

using testing::LayerCase;
using testing::RandomSpecs;
using testing::SquareConv;

struct Instruction {
  std::size_t offset = 0;
  ZydisDecodedInstruction what{};
  std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operands{};
  std::string text;
};

/// All instructions, or those before the first byte that is none.
std::vector<Instruction> decode(std::span<const std::uint8_t> code) {
  ZydisDecoder decoder;
  ZydisFormatter formatter;
  ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
  ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
  std::vector<Instruction> instructions;
  for (std::size_t offset = 0; offset < code.size();) {
    Instruction next;
    next.offset = offset;
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code.data() + offset, code.size() - offset, &next.what,
                                             next.operands.data()))) {
      break;
    }
    std::array<char, 256> text{};
    ZydisFormatterFormatInstruction(&formatter, &next.what, next.operands.data(), next.what.operand_count_visible,
                                    text.data(), text.size(), offset, nullptr);
    next.text = text.data();
    offset += next.what.length;
    instructions.push_back(next);
  }
  return instructions;
}

/// Layers of every kind, so that every emitter and most of their branches write code.
std::vector<ConvSpec> spread(Isa isa) {
  std::vector<ConvSpec> specs = {
      SquareConv{.in_channels = 64, .out_channels = 64, .size = 14, .kernel = 3, .pad = 1}.spec(),
      SquareConv{.in_channels = 3, .out_channels = 20, .size = 23, .kernel = 7, .stride = 2, .pad = 3}.spec(),
      SquareConv{.in_channels = 96, .out_channels = 40, .size = 9}.spec(),
      SquareConv{.in_channels = 256, .out_channels = 100, .size = 1}.spec(),
      SquareConv{.in_channels = 48, .out_channels = 48, .size = 14, .kernel = 3, .pad = 1, .groups = 48}.spec(),
      SquareConv{.in_channels = 150, .out_channels = 150, .size = 15, .kernel = 5, .stride = 2, .pad = 2, .groups = 150}
          .spec(),
      SquareConv{.in_channels = 18, .out_channels = 18, .size = 40, .kernel = 31, .pad = 15, .groups = 18}.spec(),
      SquareConv{.in_channels = 16, .out_channels = 16, .size = 12, .kernel = 3, .dilation = 2, .groups = 16}.spec(),
  };
  const std::size_t shapes = specs.size();
  for (std::size_t i = 0; i < shapes; ++i) {
    for (const ActivationKind activation : {ActivationKind::leaky_relu, ActivationKind::prelu, ActivationKind::relu6,
                                            ActivationKind::sigmoid, ActivationKind::tanh}) {
      ConvSpec spec = specs[i];
      spec.epilogue = {.bias = true, .residual = true, .activation = activation, .slope = 0.1F};
      spec.nonnegative_input = activation == ActivationKind::prelu;
      spec.window.channels = activation == ActivationKind::tanh ? 0 : 32;
      specs.push_back(spec);
    }
  }
  RandomSpecs random(7, isa);
  for (int i = 0; i < 40; ++i) specs.push_back(random.convolution());
  for (ConvSpec& spec : specs) spec.isa = isa;
  return specs;
}

/// Every kernel of the spread, by name.
std::map<std::string, std::shared_ptr<const Kernel>> kernels_of(Isa isa, unsigned seed) {
  KernelCache cache;
  std::map<std::string, std::shared_ptr<const Kernel>> by_name;
  for (const ConvSpec& spec : spread(isa)) {
    const LayerCase c(spec, seed);
    const Layer layer(spec, make_plan(spec, Machine::detect(), 1), c.weights(), cache);
    for (const auto& kernel : layer.kernels()) by_name.emplace(kernel->name(), kernel);
  }
  return by_name;
}

/// Of every ISA of this machine.
class Code : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    for (const Isa isa : isa_list()) {
      if (isa == Isa::reference) continue;
      for (const auto& [name, kernel] : kernels_of(isa, 1))
        kernels_.push_back({isa, kernel, decode(kernel->image().instructions())});
    }
  }
  static void TearDownTestSuite() { kernels_.clear(); }
  void SetUp() override {
    if (isa_list().back() == Isa::reference) GTEST_SKIP() << "this machine runs no machine code of octavo";
    ASSERT_GT(kernels_.size(), 50U);
  }

  struct Decoded {
    Isa isa;
    std::shared_ptr<const Kernel> kernel;
    std::vector<Instruction> instructions;
  };
  static std::vector<Decoded> kernels_;
};
std::vector<Code::Decoded> Code::kernels_;

TEST_F(Code, EveryByteBeforeTheConstantsDecodes) {
  for (const auto& [isa, kernel, instructions] : kernels_) {
    ASSERT_FALSE(instructions.empty()) << kernel->name();
    EXPECT_EQ(instructions.back().offset + instructions.back().what.length, kernel->image().instructions().size())
        << kernel->name();
  }
}

/// What an ISA may use, as isa.cpp detects it; prefetchw is a nop where it is unknown.
bool belongs_to(Isa isa, const Instruction& instruction) {
  const std::set<std::string> common = {"BASE", "LONGMODE",          "AVX", "AVX2", "FMA",
                                        "BMI2", "AMD3DNOW_PREFETCH", "SSE", "SSE2"};
  const std::string extension = ZydisISAExtGetString(instruction.what.meta.isa_ext);
  const std::string set = ZydisISASetGetString(instruction.what.meta.isa_set);
  if (common.contains(extension)) return !set.starts_with("AVX512");
  if (isa == Isa::avxvnni) return extension == "AVX_VNNI" || set == "AVX512_VNNI_256";
  if (isa == Isa::avx2 || (extension != "AVX512EVEX" && extension != "AVX512VEX")) return false;
  return set.starts_with("AVX512F_") || set.starts_with("AVX512BW_") || set.starts_with("AVX512DQ_") ||
         (isa == Isa::avx512vnni && set.starts_with("AVX512_VNNI_"));
}

TEST_F(Code, NoInstructionIsOutsideTheDeclaredIsa) {
  for (const auto& [isa, kernel, instructions] : kernels_) {
    for (const Instruction& instruction : instructions)
      EXPECT_TRUE(belongs_to(isa, instruction)) << kernel->name() << ": " << instruction.text << " is of "
                                                << ZydisISAExtGetString(instruction.what.meta.isa_ext) << ", "
                                                << ZydisISASetGetString(instruction.what.meta.isa_set);
  }
}

TEST_F(Code, VzeroupperStandsBeforeEveryReturn) {
  for (const auto& [isa, kernel, instructions] : kernels_) {
    std::size_t returns = 0;
    for (std::size_t i = 0; i < instructions.size(); ++i) {
      if (instructions[i].what.mnemonic != ZYDIS_MNEMONIC_RET) continue;
      ++returns;
      ASSERT_GT(i, 0U);
      EXPECT_EQ(instructions[i - 1].what.mnemonic, ZYDIS_MNEMONIC_VZEROUPPER) << kernel->name();
    }
    EXPECT_GE(returns, 1U) << kernel->name();
  }
}

TEST_F(Code, CalleeSavedRegistersAreSavedBeforeTheyAreWritten) {
  const std::vector<ZydisRegister> callee_saved = {ZYDIS_REGISTER_RBX, ZYDIS_REGISTER_RBP, ZYDIS_REGISTER_R12,
                                                   ZYDIS_REGISTER_R13, ZYDIS_REGISTER_R14, ZYDIS_REGISTER_R15};
  for (const auto& [isa, kernel, instructions] : kernels_) {
    std::vector<ZydisRegister> pushed, popped;
    for (const Instruction& instruction : instructions) {
      const ZydisDecodedOperand& first = instruction.operands[0];
      if (instruction.what.mnemonic == ZYDIS_MNEMONIC_PUSH) pushed.push_back(first.reg.value);
      if (instruction.what.mnemonic == ZYDIS_MNEMONIC_POP) {
        popped.push_back(first.reg.value);
        continue;
      }
      for (std::size_t i = 0; i < instruction.what.operand_count; ++i) {
        const ZydisDecodedOperand& operand = instruction.operands[i];
        if (operand.type != ZYDIS_OPERAND_TYPE_REGISTER || (operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) == 0) {
          continue;
        }
        const ZydisRegister whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, operand.reg.value);
        if (std::find(callee_saved.begin(), callee_saved.end(), whole) == callee_saved.end()) continue;
        EXPECT_NE(std::find(pushed.begin(), pushed.end(), whole), pushed.end())
            << kernel->name() << " at " << instruction.offset << ": " << instruction.text;
      }
    }
    // Popped in the opposite order of the pushes: what is saved is restored, and into its own register.
    std::reverse(popped.begin(), popped.end());
    EXPECT_EQ(pushed, popped) << kernel->name();
  }
}

TEST_F(Code, JumpsLandOnInstructionsOfTheKernelAndNothingIsCalled) {
  for (const auto& [isa, kernel, instructions] : kernels_) {
    std::set<std::size_t> starts;
    for (const Instruction& instruction : instructions) starts.insert(instruction.offset);
    for (const Instruction& instruction : instructions) {
      const auto category = instruction.what.meta.category;
      EXPECT_NE(category, ZYDIS_CATEGORY_CALL) << kernel->name();
      EXPECT_NE(category, ZYDIS_CATEGORY_SYSCALL) << kernel->name();
      if (category != ZYDIS_CATEGORY_COND_BR && category != ZYDIS_CATEGORY_UNCOND_BR) continue;
      ZyanU64 target = 0;
      ASSERT_TRUE(ZYAN_SUCCESS(
          ZydisCalcAbsoluteAddress(&instruction.what, &instruction.operands[0], instruction.offset, &target)))
          << kernel->name() << ": " << instruction.text;
      EXPECT_TRUE(starts.contains(target)) << kernel->name() << ": " << instruction.text;
    }
  }
}

TEST_F(Code, RipRelativeOperandsReadConstants) {
  for (const auto& [isa, kernel, instructions] : kernels_) {
    const std::size_t constants = kernel->image().instructions().size();
    for (const Instruction& instruction : instructions) {
      for (std::size_t i = 0; i < instruction.what.operand_count_visible; ++i) {
        const ZydisDecodedOperand& operand = instruction.operands[i];
        if (operand.type != ZYDIS_OPERAND_TYPE_MEMORY || operand.mem.base != ZYDIS_REGISTER_RIP) continue;
        const auto at =
            static_cast<std::int64_t>(instruction.offset + instruction.what.length) + operand.mem.disp.value;
        EXPECT_GE(at, static_cast<std::int64_t>(constants)) << kernel->name() << ": " << instruction.text;
        EXPECT_LE(at + 4, static_cast<std::int64_t>(kernel->code().size())) << kernel->name();
        EXPECT_EQ(operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE, 0) << kernel->name();
      }
    }
  }
}

TEST_F(Code, AnnotationsAreInOrderAndWithinTheCode) {
  for (const auto& [isa, kernel, instructions] : kernels_) {
    const auto annotations = kernel->annotations();
    ASSERT_FALSE(annotations.empty()) << kernel->name();
    EXPECT_EQ(annotations.front().offset, 0U) << kernel->name();
    EXPECT_LE(annotations.back().offset, kernel->code().size()) << kernel->name();
    EXPECT_TRUE(std::is_sorted(annotations.begin(), annotations.end(), [](const auto& a, const auto& b) {
      return a.offset < b.offset;
    })) << kernel->name();
  }
}

TEST_F(Code, EmittingIsDeterministic) {
  std::map<std::string, std::vector<std::uint8_t>> first;
  for (const auto& decoded : kernels_) {
    first.emplace(decoded.kernel->name(), std::vector(decoded.kernel->code().begin(), decoded.kernel->code().end()));
  }
  for (const Isa isa : isa_list()) {
    if (isa == Isa::reference) continue;
    // Other weights: code must not depend on them, but for the depth of 16-bit sums, which is part of the name
    // (absent where none pays).
    for (const auto& [name, kernel] : kernels_of(isa, 2)) {
      const auto same = first.find(name);
      if (same == first.end() && !vector_facts(isa).vnni) continue;
      ASSERT_NE(same, first.end()) << name;
      EXPECT_TRUE(std::ranges::equal(kernel->code(), same->second)) << name;
    }
  }
}

}  // namespace
}  // namespace octavo::jit

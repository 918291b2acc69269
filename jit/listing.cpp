// SPDX-License-Identifier: Apache-2.0
#include "jit/listing.h"

#include <Zydis/Zydis.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <iterator>
#include <map>
#include <set>

namespace octavo::jit {
namespace {

/// One instruction, or one byte that is none.
struct Line {
  std::size_t offset = 0, length = 1;
  std::string mnemonic, text;
  std::size_t jump_target = no_target;  ///< offset that it jumps to

  static constexpr std::size_t no_target = ~std::size_t{0};
};

class Disassembler {
 public:
  Disassembler() {
    ZydisDecoderInit(&decoder_, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    ZydisFormatterInit(&formatter_, ZYDIS_FORMATTER_STYLE_INTEL);
    ZydisFormatterSetProperty(&formatter_, ZYDIS_FORMATTER_PROP_FORCE_SIZE, ZYAN_TRUE);
    ZydisFormatterSetProperty(&formatter_, ZYDIS_FORMATTER_PROP_HEX_UPPERCASE, ZYAN_FALSE);
    for (const ZydisFormatterProperty padding : {ZYDIS_FORMATTER_PROP_ADDR_PADDING_ABSOLUTE,
                                                 ZYDIS_FORMATTER_PROP_DISP_PADDING, ZYDIS_FORMATTER_PROP_IMM_PADDING}) {
      ZydisFormatterSetProperty(&formatter_, padding, ZYDIS_PADDING_DISABLED);
    }
  }

  [[nodiscard]] std::vector<Line> lines(std::span<const std::uint8_t> code) const {
    std::vector<Line> lines;
    for (std::size_t offset = 0; offset < code.size(); offset += lines.back().length) {
      lines.push_back(line(code, offset));
    }
    return lines;
  }

 private:
  [[nodiscard]] Line line(std::span<const std::uint8_t> code, std::size_t offset) const {
    ZydisDecodedInstruction instruction;
    std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operands;
    const ZyanStatus status =
        ZydisDecoderDecodeFull(&decoder_, code.data() + offset, code.size() - offset, &instruction, operands.data());
    if (!ZYAN_SUCCESS(status)) return {offset, 1, "db", fmt::format("db {:#04x}", code[offset]), Line::no_target};
    std::array<char, 256> text{};
    ZydisFormatterFormatInstruction(&formatter_, &instruction, operands.data(), instruction.operand_count_visible,
                                    text.data(), text.size(), offset, nullptr);
    Line line{offset, instruction.length, ZydisMnemonicGetString(instruction.mnemonic), text.data(), Line::no_target};
    ZyanU64 target = 0;
    const bool jumps = instruction.meta.category == ZYDIS_CATEGORY_COND_BR ||
                       instruction.meta.category == ZYDIS_CATEGORY_UNCOND_BR ||
                       instruction.meta.category == ZYDIS_CATEGORY_CALL;
    if (jumps && ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&instruction, operands.data(), offset, &target))) {
      line.jump_target = target;
    }
    return line;
  }

  ZydisDecoder decoder_;
  ZydisFormatter formatter_;
};

InstructionMix mix_of(const std::vector<Line>& lines) {
  std::map<std::string, std::size_t> counts;
  for (const Line& line : lines) ++counts[line.mnemonic];
  InstructionMix mix(counts.begin(), counts.end());
  std::stable_sort(mix.begin(), mix.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  return mix;
}

}  // namespace

InstructionMix instruction_mix(std::span<const std::uint8_t> code) { return mix_of(Disassembler().lines(code)); }

std::string listing(const KernelImage& image) {
  const std::vector<Line> lines = Disassembler().lines(image.instructions());
  std::set<std::size_t> targets;
  for (const Line& line : lines) targets.insert(line.jump_target);
  std::vector<Annotation> phases = image.annotations;
  std::stable_sort(phases.begin(), phases.end(),
                   [](const Annotation& a, const Annotation& b) { return a.offset < b.offset; });

  std::string text = fmt::format("; {}\n; {} bytes, {} instructions:", image.name, image.code.size(), lines.size());
  const char* separator = " ";
  for (const auto& [mnemonic, count] : mix_of(lines)) {
    text += fmt::format("{}{} {}", separator, count, mnemonic);
    separator = ", ";
  }
  text += '\n';
  auto phase = phases.begin();
  const auto name_phases_up_to = [&](std::size_t offset) {
    for (; phase != phases.end() && phase->offset <= offset; ++phase) text += fmt::format("\n; {}\n", phase->text);
  };
  for (const Line& line : lines) {
    name_phases_up_to(line.offset);
    std::string bytes;
    for (const std::uint8_t byte : std::span(image.code).subspan(line.offset, line.length)) {
      bytes += fmt::format("{:02x} ", byte);
    }
    text +=
        fmt::format("{}{:#06x}  {:<33} {}\n", targets.contains(line.offset) ? '>' : ' ', line.offset, bytes, line.text);
  }
  for (std::size_t at = image.code.size() - image.constants_bytes; at < image.code.size();
       at += sizeof(std::uint32_t)) {
    name_phases_up_to(at);
    std::uint32_t bits = 0;
    std::memcpy(&bits, image.code.data() + at, sizeof(bits));
    text += fmt::format(" {:#06x}  {:<33} dd {:#010x}  ; {:.9g}\n", at, "", bits, std::bit_cast<float>(bits));
  }
  return text;
}

std::string listing(const Kernel& kernel) { return listing(kernel.image()); }

}  // namespace octavo::jit

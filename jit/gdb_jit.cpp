// SPDX-License-Identifier: Apache-2.0
#include "jit/gdb_jit.h"

#include <elf.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <mutex>

// The names, the layout and the external linkage below are gdb's. Weak, so that a program which links another code
// generator with the same list has one list.
extern "C" {

struct jit_code_entry {
  jit_code_entry* next;
  jit_code_entry* previous;
  const char* symbol_file;
  std::uint64_t symbol_file_bytes;
};

struct jit_descriptor {
  std::uint32_t version;
  std::uint32_t action;  // 0 none, 1 register, 2 unregister
  jit_code_entry* relevant_entry;
  jit_code_entry* first_entry;
};

// NOLINTBEGIN(bugprone-reserved-identifier): gdb looks for these names.
[[gnu::weak, gnu::used]] jit_descriptor __jit_debug_descriptor = {1, 0, nullptr, nullptr};
[[gnu::weak, gnu::used, gnu::noinline]] void __jit_debug_register_code() { __asm__ volatile("" ::: "memory"); }
// NOLINTEND(bugprone-reserved-identifier)
}

namespace octavo::jit {
namespace {

std::mutex& list_mutex() {
  static std::mutex mutex;  // the list is the process's, by gdb's design
  return mutex;
}

class GdbRegistration final : public ProfilerRegistration {
 public:
  explicit GdbRegistration(std::vector<std::byte> file) : file_(std::move(file)) {
    entry_.symbol_file = reinterpret_cast<const char*>(file_.data());
    entry_.symbol_file_bytes = file_.size();
    const std::scoped_lock lock(list_mutex());
    entry_.next = __jit_debug_descriptor.first_entry;
    if (entry_.next != nullptr) entry_.next->previous = &entry_;
    __jit_debug_descriptor.first_entry = &entry_;
    notify(1);
  }
  ~GdbRegistration() override {
    const std::scoped_lock lock(list_mutex());
    if (entry_.next != nullptr) entry_.next->previous = entry_.previous;
    (entry_.previous != nullptr ? entry_.previous->next : __jit_debug_descriptor.first_entry) = entry_.next;
    notify(2);
  }
  GdbRegistration(const GdbRegistration&) = delete;
  GdbRegistration& operator=(const GdbRegistration&) = delete;

 private:
  void notify(std::uint32_t action) {
    __jit_debug_descriptor.action = action;
    __jit_debug_descriptor.relevant_entry = &entry_;
    __jit_debug_register_code();
    __jit_debug_descriptor.action = 0;
    __jit_debug_descriptor.relevant_entry = nullptr;
  }

  std::vector<std::byte> file_;
  jit_code_entry entry_{};
};

/// A string table: offset 0 is the empty string.
class StringTable {
 public:
  std::uint32_t add(const std::string& text) {
    const auto offset = static_cast<std::uint32_t>(bytes_.size());
    bytes_ += text;
    bytes_ += '\0';
    return offset;
  }
  [[nodiscard]] const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_ = std::string(1, '\0');
};

/// Not inlined: GCC 12, with sanitizers, takes the copies for overflows when it sees them beside the allocation.
[[gnu::noinline]] void write_at(std::vector<std::byte>& file, std::size_t offset, const void* data, std::size_t bytes) {
  std::memcpy(file.data() + offset, data, bytes);
}

enum Section : std::uint16_t { null_section, text_section, symbol_section, string_section, section_count };

}  // namespace

std::vector<std::byte> symbol_file(std::span<const CodeSymbol> symbols) {
  const auto address = [](const CodeSymbol& s) { return reinterpret_cast<std::uint64_t>(s.address); };
  std::uint64_t low = address(symbols.front()), high = low;
  StringTable strings;
  std::vector<Elf64_Sym> table(1);
  for (const CodeSymbol& symbol : symbols) {
    low = std::min(low, address(symbol));
    high = std::max(high, address(symbol) + symbol.bytes);
    Elf64_Sym entry{};
    entry.st_name = strings.add(symbol.name);
    entry.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
    entry.st_shndx = text_section;
    entry.st_value = address(symbol);
    entry.st_size = symbol.bytes;
    table.push_back(entry);
  }

  Elf64_Shdr sections[section_count] = {};
  sections[text_section].sh_name = strings.add(".text");
  sections[symbol_section].sh_name = strings.add(".symtab");
  sections[string_section].sh_name = strings.add(".strtab");

  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;  // symbols hold addresses, nothing is relocated
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_ehsize = sizeof(Elf64_Ehdr);
  header.e_shoff = sizeof(Elf64_Ehdr);
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = section_count;
  header.e_shstrndx = string_section;

  Elf64_Shdr& text = sections[text_section];
  text.sh_type = SHT_NOBITS;  // the bytes are in memory already
  text.sh_flags = SHF_ALLOC | SHF_EXECINSTR;
  text.sh_addr = low;
  text.sh_size = high - low;
  text.sh_addralign = 64;

  Elf64_Shdr& symtab = sections[symbol_section];
  symtab.sh_type = SHT_SYMTAB;
  symtab.sh_offset = sizeof(header) + sizeof(sections);
  symtab.sh_size = table.size() * sizeof(Elf64_Sym);
  symtab.sh_link = string_section;
  symtab.sh_info = 1;  // the first global symbol
  symtab.sh_addralign = alignof(Elf64_Sym);
  symtab.sh_entsize = sizeof(Elf64_Sym);

  Elf64_Shdr& strtab = sections[string_section];
  strtab.sh_type = SHT_STRTAB;
  strtab.sh_offset = symtab.sh_offset + symtab.sh_size;
  strtab.sh_size = strings.bytes().size();
  strtab.sh_addralign = 1;

  std::vector<std::byte> file(strtab.sh_offset + strtab.sh_size);
  write_at(file, 0, &header, sizeof(header));
  write_at(file, header.e_shoff, sections, sizeof(sections));
  write_at(file, symtab.sh_offset, table.data(), symtab.sh_size);
  write_at(file, strtab.sh_offset, strings.bytes().data(), strtab.sh_size);
  return file;
}

std::unique_ptr<ProfilerRegistration> register_with_gdb(std::span<const CodeSymbol> symbols) {
  if (symbols.empty()) return nullptr;
  return std::make_unique<GdbRegistration>(symbol_file(symbols));
}

}  // namespace octavo::jit

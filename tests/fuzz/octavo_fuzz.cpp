// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: whatever the bytes, reading an `.octavo` file gives a model that compiles or throws Error. An input
// is a file as it is, or, where it does not begin with the file's magic, its description, up to the first zero byte,
// and its numbers: their checksums are put right, which no fuzzer would hit upon. Built by -DOCTAVO_FUZZ=ON with clang;
// see tests/fuzz/README.md.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/compiler.h"
#include "octavo/error.h"
#include "runtime/crc32c.h"
#include "runtime/json_view.h"
#include "runtime/octavo_file.h"
#include "runtime/octavo_file_layout.h"
#include "tests/fuzz/memory_file.h"

namespace {

using namespace octavo;
using namespace octavo::runtime;
using nlohmann::json;

void repair(json& entry, std::string_view numbers) {
  if (!entry.is_object()) return;
  const std::size_t offset = std::min(entry.value("offset", std::size_t{0}), numbers.size());
  const auto bytes = std::as_bytes(std::span(numbers)).subspan(offset);
  entry["crc32c"] = crc32c(bytes.first(std::min(entry.value("bytes", std::size_t{0}), bytes.size())));
  if (entry.contains("scales")) repair(entry["scales"], numbers);
}

std::string repaired(std::string_view description, std::string_view numbers) {
  try {
    json document;
    (void)JsonView::parse(description, 32, document);
    if (document.is_object() && document.contains("blobs")) {
      for (json& entry : document["blobs"]) repair(entry, numbers);
    }
    return document.dump();
  } catch (const Error&) {
  } catch (const json::exception&) {
  }
  return std::string(description);
}

std::string file_of(std::string_view description, std::string_view numbers) {
  const std::string text = repaired(description, numbers);
  const Preamble preamble = make_preamble(std::as_bytes(std::span(text)), numbers.size());
  std::string file(preamble.blob_offset, '\0');
  std::memcpy(file.data(), &preamble, sizeof(preamble));
  std::memcpy(file.data() + sizeof(preamble), text.data(), text.size());
  return file.append(numbers);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fuzz::MemoryFile file;
  const std::span input(data, size);
  if (is_octavo_file(std::as_bytes(input))) {
    file.write(data, size);
  } else {
    const auto parts = fuzz::parts_of(data, size, std::string_view("\0", 1), 2);
    const std::string bytes = file_of(parts[0], parts[1]);
    file.write(bytes.data(), bytes.size());
  }
  try {
    (void)graph::compile_to(read_octavo_file(file.path()).graph, graph::Stage::fused);
  } catch (const Error&) {
  }
  return 0;
}

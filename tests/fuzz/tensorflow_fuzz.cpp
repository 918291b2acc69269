// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: whatever the bytes, the TensorFlow importer gives a network that verifies or throws Error. Built by
// -DOCTAVO_FUZZ=ON with clang; see tests/fuzz/README.md.
#include <cstddef>
#include <cstdint>
#include <span>

#include "graph/compiler.h"
#include "graph/export/tensorflow.h"
#include "graph/import/sorted_table.h"
#include "graph/import/tensorflow.h"
#include "octavo/error.h"
#include "tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace octavo;
  // The first byte chooses what is fuzzed: a graph, or the table that a checkpoint's index is.
  if (size > 0 && data[0] == 'T') {
    try {
      (void)graph::read_sorted_table(std::as_bytes(std::span(data + 1, size - 1)));
    } catch (const Error&) {
    }
    return 0;
  }
  try {
    const graph::Graph graph = graph::import_tensorflow(fuzz::file_with(data, size));
    try {
      // What loads can be canonicalized and, unless TensorFlow cannot say it, written again.
      (void)graph::compile_to(graph, graph::Stage::canonical);
      (void)graph::export_tensorflow(graph);
    } catch (const Error&) {
    }
  } catch (const Error&) {
  }
  return 0;
}

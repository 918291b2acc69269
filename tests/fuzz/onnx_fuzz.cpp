// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: whatever the bytes, the ONNX importer gives a network that verifies or throws Error. Built by
// -DOCTAVO_FUZZ=ON with clang; see tests/fuzz/README.md.
#include "graph/compiler.h"
#include "graph/export/onnx.h"
#include "graph/import/onnx.h"
#include "octavo/error.h"
#include "tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace octavo;
  try {
    const graph::Graph graph = graph::import_onnx(fuzz::file_with(data, size));
    try {
      // What loads can be canonicalized and, unless ONNX cannot say it, written again.
      (void)graph::compile_to(graph, graph::Stage::canonical);
      (void)graph::export_onnx(graph);
    } catch (const Error&) {
    }
  } catch (const Error&) {
  }
  return 0;
}

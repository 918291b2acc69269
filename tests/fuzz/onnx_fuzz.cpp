// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: whatever the bytes, the ONNX importer gives a network that verifies or throws Error. Built by
// -DOCTAVO_FUZZ=ON with clang; see tests/fuzz/README.md.
#include <cstddef>
#include <cstdint>

#include "graph/compiler.h"
#include "graph/export/onnx.h"
#include "graph/import/onnx.h"
#include "octavo/error.h"
#include "octavo_onnx.pb.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/message_mutator.h"

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

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned int seed) {
  octavo::graph::onnx::ModelProto model;
  return octavo::fuzz::mutate(model, data, size, max_size, seed);
}

extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* first, std::size_t first_size,
                                                 const std::uint8_t* second, std::size_t second_size, std::uint8_t* out,
                                                 std::size_t max_size, unsigned int seed) {
  octavo::graph::onnx::ModelProto model;
  return octavo::fuzz::cross_over(model, {reinterpret_cast<const char*>(first), first_size},
                                  {reinterpret_cast<const char*>(second), second_size}, out, max_size, seed);
}

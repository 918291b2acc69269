// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: whatever the bytes, the BigDL importer gives a network that verifies or throws Error. Built by
// -DOCTAVO_FUZZ=ON with clang; see tests/fuzz/README.md.
#include "graph/compiler.h"
#include "graph/export/bigdl.h"
#include "graph/import/bigdl.h"
#include "octavo/error.h"
#include "octavo_bigdl.pb.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/message_mutator.h"

namespace {

using namespace octavo;

graph::Graph import(const std::string& path) {
  try {
    return graph::import_bigdl(path);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::invalid_argument) throw;  // else: the file does not say its input's shape
  }
  return graph::import_bigdl(path, {.weight_file = {}, .input_shapes = {{"input", {1, 4, 13, 11}}}});
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const graph::Graph graph = import(fuzz::file_with(data, size));
    try {
      // What loads can be canonicalized and, unless BigDL cannot say it, written again.
      (void)graph::compile_to(graph, graph::Stage::canonical);
      (void)graph::export_bigdl(graph);
    } catch (const Error&) {
    }
  } catch (const Error&) {
  }
  return 0;
}

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned int seed) {
  octavo::graph::bigdl::Module model;
  return octavo::fuzz::mutate(model, data, size, max_size, seed);
}

extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* first, std::size_t first_size,
                                                 const std::uint8_t* second, std::size_t second_size, std::uint8_t* out,
                                                 std::size_t max_size, unsigned int seed) {
  octavo::graph::bigdl::Module model;
  return octavo::fuzz::cross_over(model, {reinterpret_cast<const char*>(first), first_size},
                                  {reinterpret_cast<const char*>(second), second_size}, out, max_size, seed);
}

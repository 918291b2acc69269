// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: whatever the bytes, the Torch7 importer gives a network that verifies or throws Error. The first
// byte chooses what the network takes. Built by -DOCTAVO_FUZZ=ON with clang; see tests/fuzz/README.md.
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "graph/compiler.h"
#include "graph/export/torch.h"
#include "graph/import/torch.h"
#include "octavo/error.h"
#include "tests/fuzz/memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace octavo;
  static const std::map<std::string, graph::Shape> kInputs[] = {{{"input", {1, 4, 6, 6}}},
                                                                {{"input", {4, 6, 6}}},
                                                                {{"input", {2, 4}}},
                                                                {{"input_1", {2, 4}}, {"input_2", {2, 4}}}};
  if (size == 0) return 0;
  try {
    const graph::Graph graph =
        graph::import_torch(fuzz::file_with(data + 1, size - 1), {.input_shapes = kInputs[data[0] % 4]});
    try {
      // What loads can be canonicalized and, unless Torch7 cannot say it, written again.
      (void)graph::compile_to(graph, graph::Stage::canonical);
      (void)graph::export_torch(graph);
    } catch (const Error&) {
    }
  } catch (const Error&) {
  }
  return 0;
}

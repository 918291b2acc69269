// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: whatever the bytes, the ONNX importer gives a network that verifies or throws Error. Built by
// -DOCTAVO_FUZZ=ON with clang; see tests/fuzz/README.md.
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "graph/compiler.h"
#include "graph/export/onnx.h"
#include "graph/import/onnx.h"
#include "octavo/error.h"

namespace {

/// A file in memory: the importer maps files.
const std::string& file_with(const std::uint8_t* data, std::size_t size) {
  static const int descriptor = ::memfd_create("onnx", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
  if (::ftruncate(descriptor, 0) != 0 || ::pwrite(descriptor, data, size, 0) != static_cast<ssize_t>(size))
    std::abort();
  return path;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace octavo;
  try {
    const graph::Graph graph = graph::import_onnx(file_with(data, size));
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

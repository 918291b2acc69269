// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: whatever the bytes, the Caffe importer gives a network that verifies or throws Error. An input is a
// prototxt, up to the first zero byte, and a caffemodel; where the prototxt is empty, the caffemodel says it all. Built
// by -DOCTAVO_FUZZ=ON with clang; see tests/fuzz/README.md.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "graph/compiler.h"
#include "graph/export/caffe.h"
#include "graph/import/caffe.h"
#include "octavo/error.h"
#include "tests/fuzz/memory_file.h"

namespace {

using namespace octavo;

graph::Graph import(std::string_view text, std::string_view weights) {
  static const fuzz::MemoryFile prototxt, caffemodel;
  prototxt.write(text.data(), text.size());
  caffemodel.write(weights.data(), weights.size());
  if (text.empty()) return graph::import_caffe_binary(caffemodel.path());
  return graph::import_caffe(prototxt.path(), caffemodel.path());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto files = fuzz::parts_of(data, size, std::string_view("\0", 1), 2);
    const graph::Graph graph = import(files[0], files[1]);
    try {
      // What loads can be canonicalized and, unless Caffe cannot say it, written again.
      (void)graph::compile_to(graph, graph::Stage::canonical);
      (void)graph::export_caffe(graph);
    } catch (const Error&) {
    }
  } catch (const Error&) {
  }
  return 0;
}

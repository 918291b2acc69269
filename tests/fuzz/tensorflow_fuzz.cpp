// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: whatever the bytes, the TensorFlow importer gives a network that verifies or throws Error. An input
// is a graph, binary or text; after a 'T' the table that a checkpoint's index is; after an 'S' a SavedModel, the index
// of its checkpoint and the numbers, separated by kNextFile. Built by -DOCTAVO_FUZZ=ON with clang; see
// tests/fuzz/README.md.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "graph/compiler.h"
#include "graph/export/tensorflow.h"
#include "graph/import/sorted_table.h"
#include "graph/import/tensorflow.h"
#include "octavo/error.h"
#include "octavo_tensorflow.pb.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/message_mutator.h"
#include "tests/fuzz/next_file.h"
#include "tests/runtime/temporary_folder.h"

namespace {

using namespace octavo;

/// A folder whose files lie in memory.
class SavedModelFolder {
 public:
  SavedModelFolder() {
    std::filesystem::create_directory(folder_ / "variables");
    for (std::size_t i = 0; i < std::size(kNames); ++i) {
      std::filesystem::create_symlink(files_[i].path(), folder_ / kNames[i]);
    }
  }
  const std::filesystem::path& with(const std::uint8_t* data, std::size_t size) const {
    const auto parts = fuzz::parts_of(data, size, fuzz::kNextFile, std::size(kNames));
    for (std::size_t i = 0; i < parts.size(); ++i) files_[i].write(parts[i].data(), parts[i].size());
    return folder_.path();
  }

 private:
  static constexpr const char* kNames[] = {"saved_model.pb", "variables/variables.index",
                                           "variables/variables.data-00000-of-00001"};
  const test::TemporaryFolder folder_;
  const fuzz::MemoryFile files_[std::size(kNames)];
};

graph::Graph import(const std::uint8_t* data, std::size_t size) {
  static const SavedModelFolder saved;
  if (size > 0 && data[0] == 'S') return graph::import_tensorflow(saved.with(data + 1, size - 1));
  return graph::import_tensorflow(fuzz::file_with(data, size));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 0 && data[0] == 'T') {
    try {
      (void)graph::read_sorted_table(std::as_bytes(std::span(data + 1, size - 1)));
    } catch (const Error&) {
    }
    return 0;
  }
  try {
    const graph::Graph graph = import(data, size);
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

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned int seed) {
  if (size > 0 && (data[0] == 'T' || data[0] == 'S')) return LLVMFuzzerMutate(data, size, max_size);
  octavo::graph::tensorflow::GraphDef model;
  return octavo::fuzz::mutate(model, data, size, max_size, seed);
}

extern "C" std::size_t LLVMFuzzerCustomCrossOver(const std::uint8_t* first, std::size_t first_size,
                                                 const std::uint8_t* second, std::size_t second_size, std::uint8_t* out,
                                                 std::size_t max_size, unsigned int seed) {
  octavo::graph::tensorflow::GraphDef model;
  return octavo::fuzz::cross_over(model, {reinterpret_cast<const char*>(first), first_size},
                                  {reinterpret_cast<const char*>(second), second_size}, out, max_size, seed);
}

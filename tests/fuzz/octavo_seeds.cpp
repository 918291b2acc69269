// SPDX-License-Identifier: Apache-2.0
// Writes the seeds of the `.octavo` fuzzer into a folder: descriptions and numbers of networks of one layer, quantized
// where that has weights, and one whole file.
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "graph/compiler.h"
#include "graph/import/caffe.h"
#include "octavo/error.h"
#include "runtime/octavo_file.h"
#include "runtime/octavo_file_layout.h"
#include "tests/fuzz/caffe_seed_layers.h"
#include "tests/fuzz/memory_file.h"

namespace {

using namespace octavo;

runtime::ModelContent content_of(const std::string& text, bool quantized) {
  const fuzz::MemoryFile file;
  file.write(text.data(), text.size());
  runtime::ModelContent content;
  content.graph = graph::import_caffe(file.path(), {});
  if (quantized) content.graph = graph::quantize_weights(graph::compile_to(content.graph, graph::Stage::canonical), {});
  content.labels = {"one"};
  content.image_input = ImageInput{};
  content.image_input->mean_image = Tensor({1, 1, 1}, {2.0F});
  return content;
}

std::string written(const std::filesystem::path& file, const runtime::ModelContent& content) {
  runtime::write_octavo_file(file, content);
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: octavo_fuzz_octavo_seeds FOLDER\n", stderr);
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  std::filesystem::create_directories(folder);
  for (const fuzz::CaffeSeed& seed : fuzz::kCaffeSeeds) {
    const std::string type = seed.type;
    const bool quantized = type == "Convolution" || type == "InnerProduct";
    try {
      const std::string file = written(folder / "whole", content_of(fuzz::caffe_text(seed), quantized));
      runtime::Preamble preamble;
      std::memcpy(&preamble, file.data(), sizeof(preamble));
      std::ofstream(folder / type, std::ios::binary)
          << file.substr(sizeof(preamble), preamble.description_bytes) << '\0' << file.substr(preamble.blob_offset);
    } catch (const Error& error) {
      std::fprintf(stderr, "%s: %s\n", seed.type, error.what());
    }
  }
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
// Writes the seeds of the Caffe fuzzer into a folder: networks of one layer, of today's generation and of V1 and V0.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "graph/export/caffe.h"
#include "graph/import/caffe.h"
#include "octavo/error.h"
#include "tests/fuzz/caffe_seed_layers.h"
#include "tests/fuzz/memory_file.h"

namespace {

using namespace octavo;

constexpr const char* kV1 =
    "input: 'x' input_dim: 1 input_dim: 4 input_dim: 4 input_dim: 4 layers { name: 'l' type: CONVOLUTION bottom: 'x' "
    "top: 'y' convolution_param { num_output: 2 kernel_size: 1 } } layers { name: 'r' type: RELU bottom: 'y' top: 'y' "
    "}";
constexpr const char* kV0 =
    "input: 'x' input_dim: 1 input_dim: 4 input_dim: 4 input_dim: 4 layers { layer { name: 'p' type: 'padding' pad: 1 "
    "} bottom: 'x' top: 'p' } layers { layer { name: 'l' type: 'conv' num_output: 2 kernelsize: 3 group: 2 stride: 2 } "
    "bottom: 'p' top: 'y' }";
constexpr const char* kData =
    "layer { name: 'd' type: 'ImageData' top: 'x' top: 'label' transform_param { crop_size: 4 mean_value: 1 } } layer "
    "{ name: 's' type: 'Silence' bottom: 'label' }";

/// The text, and the binary network with weights from a seed where octavo can write it.
void write(const std::filesystem::path& folder, const std::string& name, const std::string& text) {
  const fuzz::MemoryFile file;
  file.write(text.data(), text.size());
  std::string weights;
  try {
    weights = graph::export_caffe(graph::import_caffe(file.path(), {})).caffemodel;
    std::ofstream(folder / (name + ".caffemodel"), std::ios::binary) << '\0' << weights;
  } catch (const Error&) {
  }
  std::ofstream(folder / name, std::ios::binary) << text << '\0' << weights;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: octavo_fuzz_caffe_seeds FOLDER\n", stderr);
    return 2;
  }
  const std::filesystem::path folder = argv[1];
  std::filesystem::create_directories(folder);
  for (const fuzz::CaffeSeed& seed : fuzz::kCaffeSeeds) write(folder, seed.type, fuzz::caffe_text(seed));
  write(folder, "v1", kV1);
  write(folder, "v0", kV0);
  write(folder, "data", kData);
  return 0;
}

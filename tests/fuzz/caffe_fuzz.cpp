// SPDX-License-Identifier: Apache-2.0
// libFuzzer target: whatever the bytes, the Caffe importer gives a network that verifies or throws Error. An input is a
// prototxt, up to the first zero byte, and a caffemodel; where the prototxt is empty, the caffemodel says it all. Built
// by -DOCTAVO_FUZZ=ON with clang; see tests/fuzz/README.md.
#include <google/protobuf/text_format.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "graph/compiler.h"
#include "graph/export/caffe.h"
#include "graph/import/caffe.h"
#include "octavo/error.h"
#include "octavo_caffe.pb.h"
#include "tests/fuzz/memory_file.h"
#include "tests/fuzz/message_mutator.h"

namespace {

using namespace octavo;

constexpr std::string_view kEndOfText("\0", 1);

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
    const auto files = fuzz::parts_of(data, size, kEndOfText, 2);
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

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned int seed) {
  using google::protobuf::TextFormat;
  std::minstd_rand random(seed);
  const auto files = fuzz::parts_of(data, size, kEndOfText, 2);
  const std::string weights(files[1]);
  std::string text(files[0]);
  graph::caffe::NetParameter net;
  TextFormat::Parser parser;
  parser.AllowPartialMessage(true);
  if (text.empty() && size > 1) return 1 + fuzz::mutate(net, data + 1, size - 1, max_size - 1, seed);
  if (random() % 8 == 0 || !parser.ParseFromString(text, &net)) return LLVMFuzzerMutate(data, size, max_size);
  for (auto changes = 1 + random() % 4; changes > 0; --changes) fuzz::change(net, random);
  TextFormat::PrintToString(net, &text);
  text.append(kEndOfText).append(weights);
  if (text.size() > max_size) return LLVMFuzzerMutate(data, size, max_size);
  std::memcpy(data, text.data(), text.size());
  return text.size();
}

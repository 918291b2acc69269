// SPDX-License-Identifier: Apache-2.0
// Writes the files of the zoo: see tools/zoo/zoo.h. Weights are made and written in small pieces.
#include "tools/zoo/zoo.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "graph/blob.h"
#include "octavo/error.h"
#include "runtime/atomic_file.h"
#include "tools/zoo/networks.h"

namespace octavo::zoo {
namespace {

struct Entry {
  ZooNetwork network;
  CaffeSketch (*sketch)();
};

constexpr std::array kEntries{
    Entry{{"lenet", "28x28 digits, 0.4 M parameters"}, lenet},
    Entry{{"alexnet", "five convolutions from 11x11 down, 61.0 M parameters"}, alexnet},
    Entry{{"vgg16", "thirteen 3x3 convolutions, 138.4 M parameters"}, [] { return vgg(16); }},
    Entry{{"vgg19", "sixteen 3x3 convolutions, 143.7 M parameters"}, [] { return vgg(19); }},
    Entry{{"googlenet", "nine inception modules, 7.0 M parameters"}, googlenet},
    Entry{{"inception-v3", "eleven inception modules with 1x7 and 7x1 convolutions, 23.8 M parameters"}, inception_v3},
    Entry{{"resnet50", "sixteen residual bottlenecks, 25.6 M parameters"}, [] { return resnet(50); }},
    Entry{{"resnet101", "thirty-three residual bottlenecks, 44.6 M parameters"}, [] { return resnet(101); }},
    Entry{{"resnet152", "fifty residual bottlenecks, 60.2 M parameters"}, [] { return resnet(152); }},
    Entry{{"ssd300-vgg16", "detector of Pascal VOC's 20 categories, 26.3 M parameters"},
          [] { return ssd_vgg16(300, 21); }},
    Entry{{"ssd512-vgg16", "the same for pictures of 512x512, 27.2 M parameters"}, [] { return ssd_vgg16(512, 21); }},
    Entry{{"ssd300-vgg16-coco", "detector of COCO's 80 categories, 34.3 M parameters"},
          [] { return ssd_vgg16(300, 81); }},
    Entry{{"ssd512-vgg16-coco", "the same for pictures of 512x512, 36.0 M parameters"},
          [] { return ssd_vgg16(512, 81); }},
    Entry{{"squeezenet1.0", "eight fire modules, 1.25 M parameters"}, squeezenet_1_0},
    Entry{{"squeezenet1.1", "the same with 2.4 times less computation, 1.24 M parameters"}, squeezenet_1_1},
    Entry{{"densenet161", "seventy-eight densely connected layers, 28.7 M parameters"}, densenet161},
    Entry{{"mobilenet-v1", "thirteen depthwise and 1x1 pairs, 4.2 M parameters"}, mobilenet_v1},
    Entry{{"ssd300-mobilenet-v1", "detector of Pascal VOC's 20 categories, 5.8 M parameters"}, ssd300_mobilenet_v1},
    Entry{{"mobilenet-v2", "seventeen inverted bottlenecks, 3.5 M parameters"}, mobilenet_v2},
};

constexpr auto kNetworks = [] {
  std::array<ZooNetwork, kEntries.size()> networks;
  for (std::size_t i = 0; i < networks.size(); ++i) networks[i] = kEntries[i].network;
  return networks;
}();

const Entry& find(std::string_view name) {
  const auto* const found =
      std::find_if(kEntries.begin(), kEntries.end(), [&](const Entry& entry) { return entry.network.name == name; });
  if (found != kEntries.end()) return *found;
  std::string names;
  for (const ZooNetwork& network : kNetworks) names += fmt::format("{}{}", names.empty() ? "" : ", ", network.name);
  throw Error(ErrorKind::invalid_argument, fmt::format("there is no network '{}'", name), {}, "there are " + names);
}

// ---- protobuf's wire format, as far as it is needed ---------------------------------------------------------------

void put_varint(std::string& bytes, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>(value | 0x80));
  bytes.push_back(static_cast<char>(value));
}

void put_header(std::string& bytes, std::uint32_t field, std::uint64_t length) {
  put_varint(bytes, std::uint64_t{field} << 3 | 2);
  put_varint(bytes, length);
}

/// A BlobProto up to its numbers, which follow as they are.
std::string blob_header(const graph::BlobNeed& blob, std::uint64_t data_bytes) {
  std::string dims;
  for (const std::int64_t dim : blob.shape) put_varint(dims, static_cast<std::uint64_t>(dim));
  std::string shape;
  put_header(shape, 1, dims.size());  // BlobShape.dim
  shape += dims;
  std::string header;
  put_header(header, 7, shape.size());  // BlobProto.shape
  header += shape;
  put_header(header, 5, data_bytes);  // BlobProto.data
  return header;
}

class ModelWriter {
 public:
  ModelWriter(const CaffeSketch& sketch, const std::filesystem::path& file, std::uint64_t seed,
              const std::function<void(double)>& progress)
      : sketch_(sketch), file_(file), seed_(seed), progress_(progress) {}

  std::int64_t write() {
    std::string name;
    put_header(name, 1, sketch_.name().size());  // NetParameter.name
    put(name + sketch_.name());
    for (const SketchLayer& layer : sketch_.layers()) write_layer(layer);
    file_.commit();
    return bytes_;
  }

 private:
  void put(std::span<const std::byte> bytes) {
    file_.write(bytes);
    bytes_ += static_cast<std::int64_t>(bytes.size());
  }
  void put(const std::string& text) { put(std::as_bytes(std::span(text))); }

  void write_layer(const SketchLayer& layer) {
    std::string message = layer.param.SerializeAsString();
    std::vector<std::string> headers;
    std::uint64_t size = message.size();
    for (const graph::BlobNeed& blob : layer.blobs) {
      const auto data_bytes = static_cast<std::uint64_t>(graph::element_count(blob.shape)) * sizeof(float);
      const std::string blob_start = blob_header(blob, data_bytes);
      std::string& header = headers.emplace_back();
      put_header(header, 7, blob_start.size() + data_bytes);  // LayerParameter.blobs
      header += blob_start;
      size += header.size() + data_bytes;
    }
    std::string start;
    put_header(start, 100, size);  // NetParameter.layer
    put(start + message);
    for (std::size_t i = 0; i < layer.blobs.size(); ++i) {
      put(headers[i]);
      write_numbers(layer.blobs[i], graph::blob_stream(seed_, layer.param.name(), i));
    }
  }

  void write_numbers(const graph::BlobNeed& blob, std::uint64_t stream) {
    constexpr std::size_t kPiece = std::size_t{1} << 18;
    const auto count = static_cast<std::size_t>(graph::element_count(blob.shape));
    piece_.resize(std::min(count, kPiece));
    for (std::size_t first = 0; first < count; first += kPiece) {
      const auto part = std::span(piece_).first(std::min(kPiece, count - first));
      graph::fill_seeded(part, blob.spread, stream, first);
      put(std::as_bytes(part));
      written_ += static_cast<std::int64_t>(part.size());
      if (progress_) progress_(static_cast<double>(written_) / static_cast<double>(sketch_.parameters()));
    }
  }

  const CaffeSketch& sketch_;
  runtime::AtomicFile file_;
  std::uint64_t seed_;
  const std::function<void(double)>& progress_;
  std::vector<float> piece_;
  std::int64_t written_ = 0, bytes_ = 0;
};

}  // namespace

std::span<const ZooNetwork> zoo_networks() { return kNetworks; }

std::string zoo_topology(std::string_view name) { return find(name).sketch().text(); }
std::int64_t zoo_parameters(std::string_view name) { return find(name).sketch().parameters(); }

ZooFiles write_zoo(std::string_view name, const std::filesystem::path& directory, std::uint64_t seed,
                   const std::function<void(double)>& progress) {
  const CaffeSketch sketch = find(name).sketch();
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) throw Error(ErrorKind::io, "cannot make the directory: " + error.message(), directory.string());

  ZooFiles files;
  files.prototxt = directory / fmt::format("{}.prototxt", name);
  files.caffemodel = directory / fmt::format("{}.caffemodel", name);
  files.parameters = sketch.parameters();
  files.bytes = ModelWriter(sketch, files.caffemodel, seed, progress).write();

  runtime::AtomicFile prototxt(files.prototxt);
  const std::string text =
      fmt::format("# {}, written by octavo zoo: weights are random (seed {}), not trained.\n", name, seed) +
      sketch.text();
  prototxt.write(std::as_bytes(std::span(text)));
  prototxt.commit();
  return files;
}

}  // namespace octavo::zoo

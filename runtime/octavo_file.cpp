// SPDX-License-Identifier: Apache-2.0
// The `.octavo` file: description and blobs together.
#include "runtime/octavo_file.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <nlohmann/json.hpp>

#include "graph/mapped_file.h"
#include "octavo/error.h"
#include "runtime/atomic_file.h"
#include "runtime/json_view.h"
#include "runtime/octavo_file_blobs.h"
#include "runtime/octavo_file_graph.h"
#include "runtime/octavo_file_layout.h"

namespace octavo::runtime {
namespace {

using nlohmann::json;

/// The description nests graph, nodes, a node, its attributes, an activation, ... : ten levels would do.
constexpr std::size_t kMaxDepth = 32;

constexpr std::array<std::string_view, 2> kResizeModes = {"stretch", "shorter_side"};
constexpr std::array<std::string_view, 3> kChannelOrders = {"rgb", "bgr", "gray"};

template <class E>
E read_enum(const JsonView& from, std::span<const std::string_view> names) {
  const auto found = std::find(names.begin(), names.end(), from.text());
  if (found == names.end()) from.fail("unknown '" + from.text() + "'");
  return static_cast<E>(found - names.begin());
}

json numbers_to_json(const std::vector<float>& numbers) {
  json list = json::array();
  for (const float number : numbers) list.push_back(json_number(number));
  return list;
}

std::vector<float> numbers_from_json(const JsonView& list) {
  std::vector<float> numbers;
  for (const auto& item : list.items()) numbers.push_back(item.number());
  return numbers;
}

json image_to_json(const ImageInput& input, BlobWriter& blobs) {
  json mean_image = nullptr;
  if (input.mean_image) {
    const auto values = input.mean_image->values();
    mean_image = blobs.add(graph::make_blob(input.mean_image->shape(), {values.begin(), values.end()}));
  }
  return {{"resize", {input.resize_h, input.resize_w}},
          {"resize_mode", kResizeModes.at(static_cast<std::size_t>(input.resize_mode))},
          {"antialias", input.antialias},
          {"crop", {input.crop_h, input.crop_w}},
          {"order", kChannelOrders.at(static_cast<std::size_t>(input.order))},
          {"mean", numbers_to_json(input.mean)},
          {"mean_image", std::move(mean_image)},
          {"scale", numbers_to_json(input.scale)}};
}

std::array<std::int64_t, 2> size_from_json(const JsonView& list) {
  const auto items = list.items();
  if (items.size() != 2) list.fail("two numbers are expected");
  return {items[0].integer(0), items[1].integer(0)};
}

ImageInput image_from_json(const JsonView& image, const std::vector<graph::BlobPtr>& blobs) {
  image.expect_only({"resize", "resize_mode", "antialias", "crop", "order", "mean", "mean_image", "scale"});
  ImageInput input;
  const auto resize = size_from_json(image.at("resize")), crop = size_from_json(image.at("crop"));
  input.resize_h = resize[0];
  input.resize_w = resize[1];
  input.crop_h = crop[0];
  input.crop_w = crop[1];
  input.resize_mode = read_enum<ResizeMode>(image.at("resize_mode"), kResizeModes);
  input.order = read_enum<ChannelOrder>(image.at("order"), kChannelOrders);
  input.antialias = image.at("antialias").boolean();
  input.mean = numbers_from_json(image.at("mean"));
  input.scale = numbers_from_json(image.at("scale"));
  if (const JsonView mean_image = image.at("mean_image"); !mean_image.is_null()) {
    const auto index = mean_image.integer(0, static_cast<std::int64_t>(blobs.size()) - 1);
    const graph::Blob& blob = *blobs[static_cast<std::size_t>(index)];
    if (blob.quantized()) mean_image.fail("a mean image is fp32");
    input.mean_image = Tensor(blob.shape, graph::to_float(blob));
  }
  return input;
}

json quantization_to_json(const std::vector<LayerQuantization>& layers) {
  json list = json::array();
  for (const auto& layer : layers) {
    list.push_back({{"layer", layer.layer},
                    {"op", layer.op},
                    {"quantized", layer.quantized},
                    {"reason", layer.reason},
                    {"weights", layer.weights},
                    {"bias_corrected", layer.bias_corrected}});
  }
  return list;
}

std::vector<LayerQuantization> quantization_from_json(const JsonView& list) {
  std::vector<LayerQuantization> layers;
  for (const auto& item : list.items()) {
    item.expect_only({"layer", "op", "quantized", "reason", "weights", "bias_corrected"});
    layers.push_back({item.at("layer").text(), item.at("op").text(), item.at("quantized").boolean(),
                      item.at("reason").text(), item.at("weights").integer(0),
                      item.has("bias_corrected") && item.at("bias_corrected").boolean()});
  }
  return layers;
}

std::string describe(const ModelContent& content, BlobWriter& blobs) {
  json description = {
      {"graph", graph_to_json(content.graph, blobs)},
      {"quantization", quantization_to_json(content.quantization)},
      {"labels", content.labels},
      {"image_input", content.image_input ? image_to_json(*content.image_input, blobs) : json(nullptr)}};
  description["blobs"] = blobs.table();  // last: everything before may add to it
  try {
    return description.dump();
  } catch (const json::exception&) {
    throw Error(ErrorKind::invalid_argument, "a layer's name or a label is not UTF-8 text", {},
                "convert the label file to UTF-8");
  }
}

ModelContent read_description(std::string_view text, std::span<const std::byte> region,
                              const std::shared_ptr<const void>& owner) {
  json document;
  const JsonView description = JsonView::parse(text, kMaxDepth, document);
  description.expect_only({"graph", "quantization", "labels", "image_input", "blobs"});
  const auto blobs = read_blobs(description.at("blobs"), region, owner);
  ModelContent content;
  content.graph = graph_from_json(description.at("graph"), blobs);
  content.quantization = quantization_from_json(description.at("quantization"));
  for (const auto& label : description.at("labels").items()) content.labels.push_back(label.text());
  if (const JsonView image = description.at("image_input"); !image.is_null()) {
    content.image_input = image_from_json(image, blobs);
  }
  return content;
}

}  // namespace

bool is_octavo_file(std::span<const std::byte> first_bytes) {
  return first_bytes.size() >= kOctavoMagic.size() &&
         std::memcmp(first_bytes.data(), kOctavoMagic.data(), kOctavoMagic.size()) == 0;
}

void write_octavo_file(const std::filesystem::path& file, const ModelContent& content) {
  BlobWriter blobs;
  const std::string description = describe(content, blobs);
  if (description.size() > kMaxDescriptionBytes) {
    throw Error(ErrorKind::unsupported, "a model whose description takes more than 16 MB", file.string());
  }
  const auto text = std::as_bytes(std::span(description));
  const Preamble preamble = make_preamble(text, blobs.bytes());
  constexpr std::array<std::byte, kBlobAlignment> kZeros{};
  AtomicFile out(file);
  const auto write_padded = [&](std::span<const std::byte> bytes) {
    out.write(bytes);
    out.write(std::span(kZeros).first(align_blob(bytes.size()) - bytes.size()));
  };
  out.write(std::as_bytes(std::span(&preamble, 1)));
  write_padded(text);
  for (const auto& section : blobs.sections()) write_padded(section);
  out.commit();
}

ModelContent read_octavo_file(const std::filesystem::path& file) {
  const auto mapped = graph::MappedFile::open(file);
  const auto bytes = mapped->bytes();
  try {
    const Preamble preamble = read_preamble(bytes);
    const auto text = bytes.subspan(sizeof(Preamble), preamble.description_bytes);
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): bytes as characters
    auto content = read_description({reinterpret_cast<const char*>(text.data()), text.size()},
                                    bytes.subspan(preamble.blob_offset), mapped);
    graph::verify(content.graph);
    graph::infer_shapes(content.graph);
    return content;
  } catch (const Error& error) {
    // Whatever rule the content breaks: to the caller, the file is what is wrong.
    const bool own_kind = error.kind() == ErrorKind::unsupported || error.kind() == ErrorKind::resource;
    throw Error(own_kind ? error.kind() : ErrorKind::malformed, error.what(), file.string());
  } catch (const std::bad_alloc&) {
    throw Error(ErrorKind::resource, "no memory for this model", file.string());
  }
}

}  // namespace octavo::runtime

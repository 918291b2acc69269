// SPDX-License-Identifier: Apache-2.0
// The `.octavo` file: what is written comes back, in the same bytes, and any damage is found.
#include "runtime/octavo_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "runtime/crc32c.h"
#include "runtime/octavo_file_graph.h"
#include "runtime/octavo_file_layout.h"
#include "tests/runtime/expect_error.h"
#include "tests/runtime/graph_equality.h"
#include "tests/runtime/sample_model.h"
#include "tests/runtime/temporary_folder.h"

namespace octavo::runtime {
namespace {

using nlohmann::json;
using octavo::test::Bytes;
using octavo::test::expect_error;
using octavo::test::read_bytes;
using octavo::test::sample_graph;
using octavo::test::transcript;

graph::Graph quantized_graph() {
  graph::QuantizationRules rules;
  rules.convolution_window.channels = 16;
  rules.layer_windows["fc"] = {.channels = 0};  // fp32 scales
  return quantize_weights(canonicalize(sample_graph()), rules);
}

ModelContent full_content() {
  ModelContent content;
  content.graph = quantized_graph();
  content.quantization = {{"conv1", "Convolution", true, "window of 3 channels", 540, true},
                          {"fc", "Linear", false, "", 1}};
  content.labels = {"tench", "Gänsegeier, \"quoted\"", ""};
  ImageInput input;
  input.resize_h = 256;
  input.resize_w = 300;
  input.resize_mode = ResizeMode::shorter_side;
  input.antialias = true;
  input.crop_h = input.crop_w = 12;
  input.order = ChannelOrder::rgb;
  input.mean_image = Tensor({3, 2, 1}, {1.5F, 2, 3, 4, 5, -0.0F});
  input.scale = {0.1F, 1.0F / 3, 1e-30F};
  content.image_input = input;
  return content;
}

class OctavoFile : public testing::Test {
 protected:
  ModelContent read(const Bytes& bytes) const { return read_octavo_file(folder_.put("given.octavo", bytes)); }
  Bytes written(const ModelContent& content) const {
    write_octavo_file(folder_ / "written.octavo", content);
    return read_bytes(folder_ / "written.octavo");
  }
  /// The file with its description changed, all checksums right.
  static Bytes with_description(const Bytes& file, const std::function<void(json&)>& change) {
    Preamble old;
    std::memcpy(&old, file.data(), sizeof(old));
    const auto start = file.begin() + sizeof(old);
    json description = json::parse(start, start + static_cast<std::ptrdiff_t>(old.description_bytes));
    change(description);
    return assemble(description.dump(), Bytes(file.begin() + static_cast<std::ptrdiff_t>(old.blob_offset), file.end()));
  }
  static Bytes assemble(const std::string& description, const Bytes& blobs) {
    const Preamble preamble = make_preamble(std::as_bytes(std::span(description)), blobs.size());
    Bytes file(preamble.blob_offset + blobs.size());
    std::memcpy(file.data(), &preamble, sizeof(preamble));
    std::memcpy(file.data() + sizeof(preamble), description.data(), description.size());
    std::copy(blobs.begin(), blobs.end(), file.begin() + static_cast<std::ptrdiff_t>(preamble.blob_offset));
    return file;
  }
  static Bytes with_preamble(Bytes file, const std::function<void(Preamble&)>& change) {
    Preamble preamble;
    std::memcpy(&preamble, file.data(), sizeof(preamble));
    change(preamble);
    preamble.preamble_crc = crc32c_of(preamble);
    std::memcpy(file.data(), &preamble, sizeof(preamble));
    return file;
  }
  static std::uint32_t crc32c_of(const Preamble& preamble) {
    return crc32c(std::as_bytes(std::span(&preamble, 1)).first(offsetof(Preamble, preamble_crc)));
  }

  octavo::test::TemporaryFolder folder_;
};

TEST_F(OctavoFile, GivesBackAFloatAndAQuantizedGraph) {
  for (const graph::Graph& graph : {sample_graph(), canonicalize(sample_graph()), quantized_graph()}) {
    ModelContent content;
    content.graph = graph;
    const ModelContent back = read(written(content));
    graph::Graph expected = graph;
    infer_shapes(expected);
    EXPECT_EQ(transcript(back.graph), transcript(expected));
  }
}

TEST_F(OctavoFile, GivesBackLabelsImageInputAndDecisions) {
  const ModelContent content = full_content();
  const ModelContent back = read(written(content));
  EXPECT_EQ(back.labels, content.labels);
  ASSERT_EQ(back.quantization.size(), 2U);
  EXPECT_EQ(back.quantization[0].reason, "window of 3 channels");
  EXPECT_EQ(back.quantization[0].weights, 540);
  EXPECT_TRUE(back.quantization[0].quantized);
  EXPECT_TRUE(back.quantization[0].bias_corrected);
  EXPECT_FALSE(back.quantization[1].quantized);
  const auto forget = [](json& d) {
    for (json& layer : d["quantization"]) layer.erase("bias_corrected");
  };
  EXPECT_FALSE(read(with_description(written(content), forget)).quantization[0].bias_corrected) << "an earlier file";
  ASSERT_TRUE(back.image_input.has_value());
  const ImageInput &a = *content.image_input, &b = *back.image_input;
  EXPECT_EQ(b.resize_h, a.resize_h);
  EXPECT_EQ(b.resize_w, a.resize_w);
  EXPECT_EQ(b.resize_mode, a.resize_mode);
  EXPECT_EQ(b.antialias, a.antialias);
  EXPECT_EQ(b.crop_h, a.crop_h);
  EXPECT_EQ(b.crop_w, a.crop_w);
  EXPECT_EQ(b.order, a.order);
  EXPECT_EQ(b.mean, a.mean);
  EXPECT_EQ(b.scale, a.scale);
  ASSERT_TRUE(b.mean_image.has_value());
  EXPECT_EQ(b.mean_image->shape(), a.mean_image->shape());
  EXPECT_TRUE(std::ranges::equal(b.mean_image->values(), a.mean_image->values()));
}

TEST_F(OctavoFile, EqualModelsGiveEqualBytes) {
  const Bytes first = written(full_content());
  EXPECT_EQ(written(full_content()), first);  // built anew
  EXPECT_EQ(written(read(first)), first);     // read and written again
}

TEST_F(OctavoFile, EqualBlobsAreStoredOnce) {
  const auto bytes_with_bias = [&](float last) {
    ModelContent content;
    content.graph = sample_graph();
    std::vector<float> bias(2000, 0.5F);
    bias.back() = last;
    content.image_input = ImageInput{};
    content.image_input->mean_image = Tensor({2000}, std::vector<float>(2000, 0.5F));
    std::get<graph::Convolution>(content.graph.nodes[1].op).bias = graph::make_blob({2000}, bias);
    return written(content).size();
  };
  EXPECT_GT(bytes_with_bias(1.0F), bytes_with_bias(0.5F) + 7900);
}

TEST_F(OctavoFile, SharedBlobsStayShared) {
  ModelContent content;
  content.graph = sample_graph();
  const auto shared = graph::make_blob({18}, std::vector<float>(18, 0.25F));
  std::get<graph::Convolution>(content.graph.nodes[4].op).bias = shared;
  content.graph.add_node("again", content.graph.nodes[4].op, content.graph.nodes[4].inputs,
                         {content.graph.add_value("again")});
  const graph::Graph back = read(written(content)).graph;
  EXPECT_EQ(std::get<graph::Convolution>(back.nodes[4].op).weights,
            std::get<graph::Convolution>(back.nodes.back().op).weights);
}

TEST_F(OctavoFile, ABlobOutlivesTheModelAndTheFile) {
  graph::BlobPtr weights;
  {
    const ModelContent back = read(written(full_content()));
    weights = std::get<graph::Convolution>(back.graph.nodes[1].op).weights;
  }
  std::filesystem::remove(folder_ / "given.octavo");
  const auto expected = quantized_graph();
  EXPECT_TRUE(
      std::ranges::equal(weights->q.values, std::get<graph::Convolution>(expected.nodes[1].op).weights->q.values));
}

TEST_F(OctavoFile, NumbersAreAlignedTo64Bytes) {
  const ModelContent back = read(written(full_content()));
  for (const auto& node : back.graph.nodes) {
    if (const auto* conv = std::get_if<graph::Convolution>(&node.op)) {
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(conv->weights->q.values.data()) % 64, 0U);  // NOLINT
    }
  }
}

TEST_F(OctavoFile, WindowedScalesTakeTwoBytesAndOthersFour) {
  (void)with_description(written(full_content()), [](const json& description) {
    int narrow = 0, wide = 0;
    for (const auto& blob : description["blobs"]) {
      if (!blob.contains("scales")) continue;
      const bool is_narrow = blob["scales"]["type"] == "bf16";
      (is_narrow ? narrow : wide) += 1;
      const std::int64_t windows = (blob["shape"][1].get<std::int64_t>() - 1) / blob["window"].get<std::int64_t>() + 1;
      EXPECT_EQ(blob["scales"]["bytes"], blob["shape"][0].get<std::int64_t>() * windows * (is_narrow ? 2 : 4));
    }
    EXPECT_EQ(narrow, 2);  // conv1, conv2
    EXPECT_EQ(wide, 1);    // fc
  });
}

// ---- every attribute of every op --------------------------------------------------------------------------------

/// Fills attributes with random values, extremes included.
class Filler {
 public:
  explicit Filler(unsigned seed) : random_(seed) {}
  void operator()(std::string_view, auto& value) { fill(value); }

 private:
  void fill(bool& value) { value = random_() % 2 == 0; }
  void fill(std::int64_t& value) {
    constexpr std::int64_t kExtremes[] = {std::numeric_limits<std::int64_t>::min(),
                                          std::numeric_limits<std::int64_t>::max(), -1, 0};
    value = random_() % 3 == 0 ? kExtremes[random_() % 4] : static_cast<std::int64_t>(random_() % 1000);
  }
  void fill(float& value) {
    constexpr float kExtremes[] = {std::numeric_limits<float>::infinity(),
                                   -std::numeric_limits<float>::infinity(),
                                   std::numeric_limits<float>::max(),
                                   std::numeric_limits<float>::denorm_min(),
                                   std::numeric_limits<float>::quiet_NaN(),
                                   -0.0F,
                                   0.1F,
                                   1.0F / 3};
    value = kExtremes[random_() % std::size(kExtremes)];
  }
  void fill(graph::Pair& value) {
    for (auto& number : value) fill(number);
  }
  template <class T>
  void fill(std::vector<T>& value) {
    value.resize(random_() % 4);
    for (auto& item : value) fill(item);
  }
  void fill(graph::BlobPtr& value) {
    value = nullptr;
    if (random_() % 2 == 0) value = octavo::test::random_blob({2, static_cast<std::int64_t>(random_() % 5)}, random_);
  }
  void fill(graph::Activation& value) { graph::Activation::fields(value, *this); }
  void fill(graph::QuantizationWindow& value) {
    value = {static_cast<std::int64_t>(random_() % 256), static_cast<std::int64_t>(random_() % 9), 0};
  }
  void fill(graph::UnaryKind& value) { value = static_cast<graph::UnaryKind>(random_() % 43); }
  void fill(graph::PoolKind& value) { value = static_cast<graph::PoolKind>(random_() % 2); }
  void fill(graph::EltwiseKind& value) { value = static_cast<graph::EltwiseKind>(random_() % 3); }
  void fill(graph::ReductionKind& value) { value = static_cast<graph::ReductionKind>(random_() % 8); }
  void fill(graph::BinaryKind& value) { value = static_cast<graph::BinaryKind>(random_() % 17); }
  void fill(graph::PadKind& value) { value = static_cast<graph::PadKind>(random_() % 4); }
  void fill(graph::ResizeKind& value) { value = static_cast<graph::ResizeKind>(random_() % 3); }
  void fill(graph::ResizeCoordinates& value) { value = static_cast<graph::ResizeCoordinates>(random_() % 5); }
  void fill(graph::ResizeRounding& value) { value = static_cast<graph::ResizeRounding>(random_() % 4); }
  void fill(graph::BoxCode& value) { value = static_cast<graph::BoxCode>(random_() % 3); }
  void fill(jit::ActivationKind& value) { value = static_cast<jit::ActivationKind>(random_() % 7); }

  std::mt19937 random_;
};

template <std::size_t I = 0>
void fill_every_op(graph::Graph& graph, unsigned seed) {
  if constexpr (I < std::variant_size_v<graph::Op>) {
    using Op = std::variant_alternative_t<I, graph::Op>;
    constexpr std::string_view kFirstCompilerOp = graph::Quantize::kName;
    if constexpr (Op::kName != kFirstCompilerOp) {
      Op op;
      Filler filler(seed + static_cast<unsigned>(I));
      Op::fields(op, filler);
      graph.nodes.push_back({"node" + std::to_string(I), op, {0}, {1}});
      fill_every_op<I + 1>(graph, seed);
    }
  }
}

TEST(OctavoFileGraph, EveryAttributeOfEveryOpComesBack) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    graph::Graph graph;
    graph.values = {{"a", {}}, {"b", {}}};
    graph.outputs = {1, 0};
    fill_every_op(graph, 100 * seed);
    ASSERT_GE(graph.nodes.size(), 37U);
    BlobWriter writer;
    const std::string text = graph_to_json(graph, writer).dump();
    Bytes region(writer.bytes());
    std::size_t offset = 0;
    for (const auto& section : writer.sections()) {
      if (!section.empty()) std::memcpy(&region[offset], section.data(), section.size());
      offset = align_blob(offset + section.size());
    }
    json document, table;
    const JsonView view = JsonView::parse(text, 32, document);
    const JsonView table_view = JsonView::parse(writer.table().dump(), 32, table);
    const auto blobs = read_blobs(table_view, std::as_bytes(std::span(region)), nullptr);
    EXPECT_EQ(transcript(graph_from_json(view, blobs)), transcript(graph)) << "seed " << seed;
  }
}

TEST(OctavoFileGraph, CompiledGraphsAreNotStored) {
  BlobWriter writer;
  const graph::Graph fused = compile_to(quantized_graph(), graph::Stage::fused);
  expect_error(ErrorKind::unsupported, "cannot be stored", [&] { (void)graph_to_json(fused, writer); });
}

// ---- damage -----------------------------------------------------------------------------------------------------

TEST_F(OctavoFile, EveryTruncationIsFound) {
  const Bytes file = written(full_content());
  const std::size_t step = 7;
  for (std::size_t size = 0; size < file.size(); size += size < 200 ? 1 : step) {
    expect_error(ErrorKind::malformed, "given.octavo",
                 [&] { (void)read(Bytes(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size))); });
  }
  Bytes longer = file;
  longer.resize(longer.size() + 64);
  expect_error(ErrorKind::malformed, "wrong length", [&] { (void)read(longer); });
}

TEST_F(OctavoFile, AFlippedBitIsFoundWhereverItIs) {
  const Bytes file = written(full_content());
  std::mt19937 random(3);
  for (std::size_t at = 0; at < file.size();
       at += at < 500 ? 1 : 7) {  // the preamble wholly, of what checksums hold a part
    Bytes spoilt = file;
    spoilt[at] ^= static_cast<std::uint8_t>(1U << random() % 8);
    expect_error(ErrorKind::malformed, "given.octavo", [&] { (void)read(spoilt); });
  }
}

TEST_F(OctavoFile, ANewerVersionIsNamed) {
  const Bytes newer = with_preamble(written(full_content()), [](Preamble& p) { p.version = 2; });
  expect_error(ErrorKind::unsupported, "version 2", [&] { (void)read(newer); });
}

TEST_F(OctavoFile, AHostilePreambleIsRefused) {
  const Bytes file = written(full_content());
  const std::pair<const char*, std::function<void(Preamble&)>> cases[] = {
      {"does not follow", [](Preamble& p) { p.version = 0; }},
      {"does not follow", [](Preamble& p) { p.preamble_bytes = 128; }},
      {"does not follow", [](Preamble& p) { p.reserved[2] = 1; }},
      {"out of range", [](Preamble& p) { p.description_bytes = std::numeric_limits<std::uint64_t>::max(); }},
      {"out of range", [](Preamble& p) { p.description_bytes = std::numeric_limits<std::uint64_t>::max() - 63; }},
      {"out of range", [](Preamble& p) { p.description_bytes += 64; }},
      {"out of range", [](Preamble& p) { p.blob_offset = 0; }},
      {"out of range", [](Preamble& p) { p.blob_offset += 64; }},
      {"wrong length", [](Preamble& p) { p.blob_bytes += 64; }},
      {"wrong length", [](Preamble& p) { p.blob_bytes = std::numeric_limits<std::uint64_t>::max(); }},
      {"wrong length",
       [](Preamble& p) {
         p.description_bytes += 8 << 20U;
         p.blob_offset += 8 << 20U;
       }},
  };
  for (const auto& [part, change] : cases) {
    expect_error(ErrorKind::malformed, part, [&, &c = change] { (void)read(with_preamble(file, c)); });
  }
}

TEST_F(OctavoFile, AHostileDescriptionIsRefused) {
  const Bytes file = written(full_content());
  const auto& huge = std::numeric_limits<std::int64_t>::max();
  const std::pair<const char*, std::function<void(json&)>> cases[] = {
      // the table of blobs
      {"does not lie behind", [](json& d) { d["blobs"][1]["offset"] = 0; }},
      {"does not lie behind", [](json& d) { d["blobs"][0]["offset"] = 64; }},
      {"does not lie behind", [&](json& d) { d["blobs"][1]["offset"] = huge; }},
      {"does not lie behind", [](json& d) { d["blobs"][1]["offset"] = -64; }},
      {"does not fit its shape", [](json& d) { d["blobs"][0]["bytes"] = 1; }},
      {"too many elements",
       [&](json& d) {
         d["blobs"][0]["shape"] = {huge, huge};
       }},
      {"out of range",
       [](json& d) {
         d["blobs"][0]["shape"] = {-1, -1};
       }},
      {"checksum", [](json& d) { d["blobs"][0]["crc32c"] = 0; }},
      {"unknown type 'f64'", [](json& d) { d["blobs"][0]["type"] = "f64"; }},
      {"a list is expected", [](json& d) { d["blobs"] = json::object(); }},
      {"belong to no blob", [](json& d) { d["blobs"].erase(d["blobs"].size() - 1); }},
      {"out of range", [](json& d) { d["blobs"][0]["window"] = 0; }},
      {"unknown 'zip'", [](json& d) { d["blobs"][0]["zip"] = 1; }},
      {"beyond the end",
       [](json& d) {
         auto& last = d["blobs"].back();
         last["shape"] = {1 << 20};
         last["bytes"] = 4 << 20;
       }},
      // the graph
      {"out of range", [](json& d) { d["graph"]["nodes"][1]["inputs"] = {99}; }},
      {"out of range", [](json& d) { d["graph"]["nodes"][1]["inputs"] = {-1}; }},
      {"whole number", [](json& d) { d["graph"]["nodes"][1]["inputs"] = {0.5}; }},
      {"whole number", [](json& d) { d["graph"]["outputs"] = {18446744073709551615ULL}; }},
      {"out of range", [](json& d) { d["graph"]["nodes"][1]["attributes"]["weights"] = 99; }},
      {"", [](json& d) { d["graph"]["nodes"][1]["attributes"]["weights"] = nullptr; }},
      {"",
       [](json& d) {
         d["graph"]["nodes"][1]["attributes"]["stride"] = {0, 0};
       }},
      {"",
       [&](json& d) {
         d["graph"]["nodes"][1]["attributes"]["pad_begin"] = {huge, huge};
       }},
      {"",
       [&](json& d) {
         d["graph"]["nodes"][0]["attributes"]["shape"] = {huge, 3, huge, huge};
       }},
      {"",
       [](json& d) {
         d["graph"]["nodes"][0]["attributes"]["shape"] = {1, 3, -12, 12};
       }},
      {"two numbers",
       [](json& d) {
         d["graph"]["nodes"][1]["attributes"]["kernel"] = {1, 2, 3};
       }},
      {"unknown 'colour'", [](json& d) { d["graph"]["nodes"][1]["attributes"]["colour"] = 1; }},
      {"unknown op 'Warp'", [](json& d) { d["graph"]["nodes"][1]["op"] = "Warp"; }},
      {"unknown op 'FusedLinear'", [](json& d) { d["graph"]["nodes"][1]["op"] = "FusedLinear"; }},
      {"unknown 'swish'", [](json& d) { d["graph"]["nodes"][1]["attributes"]["activation"]["kind"] = "swish"; }},
      {"no 'op'", [](json& d) { d["graph"]["nodes"][1].erase("op"); }},
      {"", [](json& d) { d["graph"]["nodes"][2]["inputs"] = {4}; }},   // not yet made
      {"", [](json& d) { d["graph"]["nodes"][2]["outputs"] = {0}; }},  // made twice
      {"", [](json& d) { d["graph"]["nodes"][2]["name"] = "conv1"; }},
      {"a string", [](json& d) { d["graph"]["values"][0] = 1; }},
      {"", [](json& d) { d["graph"] = json::array(); }},
      // the rest
      {"unknown 'extra'", [](json& d) { d["extra"] = 1; }},
      {"a string", [](json& d) { d["labels"] = {1}; }},
      {"two numbers", [](json& d) { d["image_input"]["crop"] = {1}; }},
      {"unknown 'cmyk'", [](json& d) { d["image_input"]["order"] = "cmyk"; }},
      {"range of a float", [](json& d) { d["image_input"]["scale"] = {1e300}; }},
      {"out of range", [](json& d) { d["image_input"]["mean_image"] = 99; }},
      {"fp32", [](json& d) { d["image_input"]["mean_image"] = 0; }},
      {"out of range", [](json& d) { d["quantization"][0]["weights"] = -1; }},
      {"true or false", [](json& d) { d["quantization"][0]["bias_corrected"] = 1; }},
  };
  for (const auto& [part, change] : cases) {
    expect_error(ErrorKind::malformed, part, [&, &c = change] { (void)read(with_description(file, c)); });
  }
}

/// Changes one leaf of a document at random.
void mutate(json& document, std::mt19937& random) {
  std::vector<json*> leaves;
  const auto collect = [&](auto& self, json& part) -> void {
    if (!part.is_structured() || part.empty()) {
      leaves.push_back(&part);
      return;
    }
    for (auto& child : part) self(self, child);
  };
  collect(collect, document);
  json& leaf = *leaves[random() % leaves.size()];
  const json values[] = {0,
                         1,
                         -1,
                         2,
                         3,
                         64,
                         1e9,
                         std::numeric_limits<std::int64_t>::max(),
                         std::numeric_limits<std::int64_t>::min(),
                         0.5,
                         nullptr,
                         true,
                         "",
                         "relu",
                         json::array(),
                         json::object(),
                         json::array({1, 2}),
                         *leaves[random() % leaves.size()]};
  leaf = values[random() % std::size(values)];
}

TEST_F(OctavoFile, RandomChangesOfTheDescriptionGiveAnErrorOrAGraphThatCompiles) {
  const Bytes file = written(full_content());
  std::mt19937 random(11);
  int read_well = 0, refused = 0;
  for (int round = 0; round < 1500; ++round) {
    const Bytes changed = with_description(file, [&](json& d) {
      for (unsigned changes = 1 + random() % 2; changes > 0; --changes)
        mutate(random() % 8 == 0 ? d : d["graph"], random);
    });
    try {
      const ModelContent content = read(changed);
      ++read_well;
      (void)compile_to(content.graph, graph::Stage::fused);
    } catch (const Error&) {
      ++refused;
    }
  }
  EXPECT_GT(read_well, 20);
  EXPECT_GT(refused, 500);
}

TEST_F(OctavoFile, HostileNumbersAreRefused) {
  const Bytes file = written(full_content());
  Preamble preamble;
  std::memcpy(&preamble, file.data(), sizeof(preamble));
  // Rewrites a number of a blob and its checksum.
  const auto rewritten = [&](const std::function<json&(json&)>& entry_of, const Bytes& number) {
    Bytes blobs(file.begin() + static_cast<std::ptrdiff_t>(preamble.blob_offset), file.end());
    const auto start = file.begin() + sizeof(preamble);
    json description = json::parse(start, start + static_cast<std::ptrdiff_t>(preamble.description_bytes));
    json& entry = entry_of(description);
    const std::size_t offset = entry["offset"], bytes = entry["bytes"];
    std::copy(number.begin(), number.end(), blobs.begin() + static_cast<std::ptrdiff_t>(offset));
    entry["crc32c"] = crc32c(std::as_bytes(std::span(blobs)).subspan(offset, bytes));
    return assemble(description.dump(), blobs);
  };
  const auto weights = [](json& d) -> json& { return d["blobs"][0]; };
  const auto scales = [](json& d) -> json& { return d["blobs"][0]["scales"]; };
  EXPECT_NO_THROW((void)read(rewritten(weights, {0x81})));
  expect_error(ErrorKind::malformed, "-128", [&] { (void)read(rewritten(weights, {0x80})); });
  expect_error(ErrorKind::malformed, "not finite", [&] { (void)read(rewritten(scales, {0x80, 0x7f})); });  // inf
  expect_error(ErrorKind::malformed, "not finite", [&] { (void)read(rewritten(scales, {0xc0, 0x7f})); });  // NaN
  expect_error(ErrorKind::malformed, "negative", [&] { (void)read(rewritten(scales, {0x80, 0xbf})); });    // -1
}

TEST_F(OctavoFile, TextThatIsNoDescriptionIsRefused) {
  for (const std::string text : {"", "{", "null", "[]", "{}", "\"\\ud800\"", "\xff\xfe"}) {
    EXPECT_THROW((void)read(assemble(text, {})), Error) << text;
  }
  expect_error(ErrorKind::malformed, "too deeply", [&] { (void)read(assemble(std::string(1 << 20U, '['), {})); });
}

TEST_F(OctavoFile, WhatCannotBeOpenedIsAnIoError) {
  expect_error(ErrorKind::io, "cannot open", [&] { (void)read_octavo_file(folder_ / "absent.octavo"); });
  expect_error(ErrorKind::io, "regular file", [&] { (void)read_octavo_file(folder_.path()); });
  expect_error(ErrorKind::malformed, "cut off: 0 bytes", [&] { (void)read({}); });
}

TEST_F(OctavoFile, NamesThatAreNotUtf8AreRefusedByNameNotStoredBroken) {
  ModelContent content = full_content();
  content.labels = {"G\xe4nsegeier"};
  expect_error(ErrorKind::invalid_argument, "UTF-8", [&] { write_octavo_file(folder_ / "latin.octavo", content); });
  EXPECT_FALSE(std::filesystem::exists(folder_ / "latin.octavo"));
}

// ---- whole or not at all ----------------------------------------------------------------------------------------

TEST_F(OctavoFile, SavingOverAMappedFileKeepsTheLoadedModel) {
  write_octavo_file(folder_ / "m.octavo", full_content());
  const ModelContent loaded = read_octavo_file(folder_ / "m.octavo");
  const std::string before = transcript(loaded.graph);
  ModelContent other;
  other.graph = sample_graph(77);
  write_octavo_file(folder_ / "m.octavo", other);
  EXPECT_EQ(transcript(loaded.graph), before);
}

TEST_F(OctavoFile, WhereNothingCanBeWrittenIsAnIoError) {
  expect_error(ErrorKind::io, "no-such-folder",
               [&] { write_octavo_file(folder_ / "no-such-folder" / "m.octavo", full_content()); });
  expect_error(ErrorKind::io, "folder", [&] { write_octavo_file(folder_.path(), full_content()); });
}

}  // namespace
}  // namespace octavo::runtime

// SPDX-License-Identifier: Apache-2.0
// Networks that others trained and wrote, beside the numbers that other frameworks computed of them.
//
//   octavo_third_party DATA LIST [--markdown]
//   octavo_third_party --weights TOPOLOGY PROTOTXT CAFFEMODEL    writes a topology with the weights that it gets here
//
// LIST is tests/third_party.json, whose answers tools/peers/third_party.py records: up to 32 numbers of each output,
// evenly spread, and the range of all of them. Ends with 1 when an answer differs by more than 1e-4 of its range, with
// 77 when there is no such folder.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "octavo/octavo.h"
#include "tests/runtime/temporary_folder.h"

namespace octavo::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kSkipped = 77;
constexpr float kTolerance = 1e-4F;  // of the range of an output

std::string text_of(const fs::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

/// The n-th input of a network: numbers between -1 and 1, which the script gives to the other framework, too.
Tensor input_of(const Shape& shape, std::int64_t which) {
  Tensor tensor(shape);
  for (std::int64_t i = 0; i < tensor.size(); ++i) {
    tensor.data()[i] = static_cast<float>((i * 7919 + which * 131) % 1000) / 500.0F - 1.0F;
  }
  return tensor;
}

/// The topology up to the layer of this name.
fs::path cut_before(const TemporaryFolder& folder, const fs::path& prototxt, const std::string& layer) {
  std::string text = text_of(prototxt);
  text.resize(text.rfind("layer {", text.find('"' + layer + '"')));
  return folder.put("cut.prototxt", {text.begin(), text.end()});
}

Model load(const json& network, const fs::path& data, const TemporaryFolder& folder) {
  const fs::path file = data / network.at("file");
  const auto shapes = network.at("inputs").get<std::map<std::string, Shape>>();
  if (network.contains("untrained")) return Model::load_caffe_untrained(file);
  if (network.contains("prototxt")) {
    const fs::path prototxt = data / network["prototxt"];
    return Model::load_caffe(network.contains("until") ? cut_before(folder, prototxt, network["until"]) : prototxt,
                             file);
  }
  if (network.contains("weights")) return Model::load_bigdl(file, data / network["weights"], shapes);
  if (file.extension() == ".pb") {
    TensorflowOptions options;
    for (const auto& [name, shape] : shapes) options.inputs.push_back(name);
    options.outputs = network.at("outputs");
    options.input_shapes = shapes;
    options.channels_first = false;
    return Model::load_tensorflow(file, options);
  }
  return Model::load(file, {.input_shapes = shapes});
}

/// The largest difference from the numbers that were recorded, as a share of the range; infinite for a NaN.
float difference(const Tensor& output, const json& answer) {
  const auto numbers = answer.at("numbers").get<std::vector<float>>();
  const auto count = answer.at("count").get<std::int64_t>(), recorded = static_cast<std::int64_t>(numbers.size());
  if (output.size() != count || recorded == 0) return INFINITY;
  float worst = 0;
  for (std::int64_t i = 0; i < recorded; ++i) {
    const float off = std::fabs(output.data()[i * count / recorded] - numbers[static_cast<std::size_t>(i)]);
    worst = std::isnan(off) ? INFINITY : std::max(worst, off);
  }
  return worst / std::max(answer.at("range").get<float>(), 1e-30F);
}

struct Result {
  std::int64_t nodes = 0;
  float worst = 0;
};

Result run(const json& network, const fs::path& data) {
  const TemporaryFolder folder;
  const Model model = load(network, data, folder);
  const std::string graph = model.print();
  const auto shapes = network.at("inputs").get<std::map<std::string, Shape>>();
  std::vector<Tensor> inputs;
  std::vector<Shape> dims;
  for (const std::string& name : model.input_names()) {
    dims.push_back(shapes.at(name));
    inputs.push_back(input_of(dims.back(), static_cast<std::int64_t>(inputs.size())));
  }
  CompileOptions options;
  options.threads = 1;
  // A TensorFlow network ends with the outputs that it was loaded for; those of others are picked here.
  if (!network.at("file").get<std::string>().ends_with(".pb")) options.outputs = network.at("outputs");
  const std::vector<Tensor> outputs = model.compile(options, dims).predict(inputs);
  Result result{std::ranges::count(graph, '\n') - 2, 0};  // between "graph NAME" and "return VALUE"
  const json& answers = network.at("answers");
  if (outputs.size() != answers.size()) return {result.nodes, INFINITY};
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    result.worst = std::max(result.worst, difference(outputs[i], answers[i]));
  }
  return result;
}

int run_all(const fs::path& data, const json& list, bool markdown) {
  if (markdown) fmt::print("| file | nodes | checked against | largest difference |\n|---|---|---|---|\n");
  int wrong = 0;
  for (const json& network : list) {
    const auto file = network.at("file").get<std::string>(), reference = network.at("answered_by").get<std::string>();
    try {
      const Result result = run(network, data);
      wrong += result.worst <= kTolerance ? 0 : 1;
      const auto* row = markdown ? "| `{}` | {} | {} | {:.1e} |\n" : "{}: {} nodes, {}: {:.1e} of the range\n";
      fmt::print(fmt::runtime(row), file, result.nodes, reference, result.worst);
    } catch (const Error& error) {
      ++wrong;
      fmt::print("{}: {}: {}\n", file, error.where(), error.what());
    }
  }
  if (wrong != 0) fmt::print("{} of {} differ by more than {:.0e} of the range\n", wrong, list.size(), kTolerance);
  return wrong == 0 ? 0 : 1;
}

}  // namespace
}  // namespace octavo::test

int main(int argc, char** argv) {
  using namespace octavo::test;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() < 2) {
    fmt::print(stderr, "usage: octavo_third_party DATA LIST [--markdown]\n");
    return 2;
  }
  if (arguments[0] == "--weights" && arguments.size() == 4) {
    octavo::Model::load_caffe_untrained(arguments[1]).save_caffe(arguments[2], arguments[3]);
    return 0;
  }
  if (!fs::exists(arguments[0])) {
    fmt::print("skipped: there is no {}\n", arguments[0]);
    return kSkipped;
  }
  return run_all(arguments[0], json::parse(text_of(arguments[1])), std::ranges::count(arguments, "--markdown") > 0);
}

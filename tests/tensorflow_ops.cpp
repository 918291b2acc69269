// SPDX-License-Identifier: Apache-2.0
// Runs a folder of small frozen TensorFlow graphs: each folder with a frozen_model.pb, inputs (NAME.placeholder.csv and
// .shape) and TensorFlow's own outputs (NAME.prediction.csv and .shape; NAME.1.prediction.csv for a second output).
//
//   octavo_tensorflow_ops FOLDER EXPECTED [FILTER] [--verbose]
//
// EXPECTED is a list of the graphs that are out of scope, a line each: path, then why. Ends with 1 when a graph gives a
// wrong answer, fails without being in the list, or passes in spite of it; with 77 when there is no such folder.
//
// Most of the graphs have no inputs: their variables are given as inputs first, so that the operators run; where an
// operator has to know them at import, they stay constants.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "graph/import/tensorflow.h"
#include "graph/import/tensorflow_attributes.h"
#include "graph/import/tensorflow_file.h"
#include "jit/kernel_cache.h"
#include "octavo/error.h"
#include "octavo/tensor.h"
#include "runtime/program_builder.h"
#include "tests/open_rest.h"

namespace octavo::test {
namespace {

namespace fs = std::filesystem;

constexpr int kSkipped = 77;
constexpr double kRelative = 1e-4;  // of the range of the expected numbers

struct Numbers {
  Shape shape;
  std::vector<double> values;
};

double number_of(const std::string& word) {
  if (word == "true" || word == "True") return 1;
  if (word == "false" || word == "False") return 0;
  return std::stod(word);
}

Numbers read_numbers(const fs::path& csv) {
  Numbers numbers;
  fs::path shape = csv;
  std::ifstream sizes(shape.replace_extension(".shape"));
  for (std::int64_t dim = 0; sizes >> dim;) numbers.shape.push_back(dim);
  std::ifstream stream(csv);
  for (std::string word; stream >> word;) numbers.values.push_back(number_of(word));
  if (numbers.shape == Shape{0} && numbers.values.size() == 1) numbers.shape.clear();  // a scalar is written so
  return numbers;
}

struct Case {
  std::map<std::string, Numbers> inputs, outputs;  ///< by the graph's names
};

/// The name before `ending`, as the graph has it; nothing when the file is another one.
std::optional<std::string> name_before(const std::string& file, const std::string& ending) {
  if (!file.ends_with(ending)) return std::nullopt;
  std::string name = file.substr(0, file.size() - ending.size());
  for (std::size_t at = name.find("____"); at != std::string::npos; at = name.find("____")) name.replace(at, 4, "/");
  if (const std::size_t dot = name.rfind('.'); dot != std::string::npos) name[dot] = ':';
  return name;
}

Case read_case(const fs::path& folder) {
  Case test;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string file = entry.path().filename().string();
    if (const auto input = name_before(file, ".placeholder.csv")) test.inputs[*input] = read_numbers(entry);
    if (const auto output = name_before(file, ".prediction.csv")) test.outputs[*output] = read_numbers(entry);
  }
  return test;
}

Tensor as_tensor(const Numbers& numbers) {
  Tensor tensor(numbers.shape.empty() ? Shape{1} : numbers.shape);
  if (tensor.size() != static_cast<std::int64_t>(numbers.values.size())) {
    throw Error(ErrorKind::unsupported, "an input without numbers");
  }
  std::transform(numbers.values.begin(), numbers.values.end(), tensor.data(),
                 [](double v) { return static_cast<float>(v); });
  return tensor;
}

/// What is wrong with the answer; empty when nothing is.
std::string difference(const Tensor& actual, const Numbers& expected) {
  const Shape shape = expected.shape.empty() ? Shape{1} : expected.shape;
  if (actual.shape() != shape) return "another shape";
  double low = std::numeric_limits<double>::infinity(), high = -low, most = 0;
  for (const double value : expected.values) {
    if (!std::isfinite(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
    most = std::max(most, std::fabs(value));
  }
  const double range = std::max({high - low, most, 1e-30});
  for (std::int64_t i = 0; i < actual.size(); ++i) {
    const auto a = static_cast<double>(actual.data()[i]);
    const double e = expected.values.at(static_cast<std::size_t>(i));
    if ((std::isnan(a) && std::isnan(e)) || a == e || std::fabs(a - e) <= kRelative * range) continue;
    return fmt::format("element {} is {}, expected {}", i, a, e);
  }
  return {};
}

/// The variables of a frozen graph: constants that are read through a node of their own. As inputs, by name.
std::map<std::string, Numbers> variables_of(const graph::TensorflowFile& file) {
  std::set<std::string> read;
  for (const auto& node : file.nodes()) {
    if (node.op == "Identity" && node.inputs.size() == 1) read.insert(node.inputs[0]);
  }
  std::map<std::string, Numbers> variables;
  graph::ImportBudget budget(file.bytes());
  for (const auto& node : file.nodes()) {
    if (node.op != "Const" || !read.contains(node.name)) continue;
    const graph::TensorflowAttributes attributes(node, file.owner(), budget);
    const auto type = attributes.type("dtype");
    if (!type || !graph::is_floating(*type)) continue;
    const graph::ConstantPtr value = attributes.tensor("value");
    Numbers numbers{value->shape, {}};
    for (std::size_t i = 0; i < static_cast<std::size_t>(value->count()); ++i) numbers.values.push_back(value->real(i));
    if (!numbers.values.empty()) variables[node.name] = std::move(numbers);
  }
  return variables;
}

struct Outcome {
  enum class Kind { passed, unsupported, failed } kind = Kind::passed;
  std::string reason;
  bool computed = false;  ///< with its variables as inputs
};

Outcome run(const fs::path& model, const Case& test, const std::map<std::string, Numbers>& inputs) {
  graph::TensorflowImportOptions options;
  options.channels_first = false;
  for (const auto& [name, numbers] : inputs) {
    options.inputs.push_back(name);
    options.input_shapes[name] = numbers.shape;
  }
  for (const auto& [name, numbers] : test.outputs) {
    if (std::find(numbers.shape.begin(), numbers.shape.end(), 0) != numbers.shape.end()) {
      throw Error(ErrorKind::unsupported, "an output without numbers");
    }
    options.outputs.push_back(name);
  }
  const graph::Graph graph = graph::import_tensorflow(model, options);
  CompileOptions compile;
  compile.threads = 1;
  const Program program = runtime::compile_graph(graph, compile, std::make_shared<jit::KernelCache>(), {});
  std::vector<Tensor> given;
  for (const graph::Node* node : graph.inputs()) given.push_back(as_tensor(inputs.at(node->name)));
  const std::vector<Tensor> outputs = program.predict(given);
  std::size_t i = 0;
  for (const auto& [name, expected] : test.outputs) {
    if (const std::string wrong = difference(without_rest(outputs.at(i++), expected.shape), expected); !wrong.empty()) {
      return {Outcome::Kind::failed, fmt::format("{}: {}", name, wrong)};
    }
  }
  return {};
}

Outcome run(const fs::path& folder) {
  const fs::path model = folder / "frozen_model.pb";
  try {
    const Case test = read_case(folder);
    std::map<std::string, Numbers> inputs = test.inputs;
    {
      const graph::TensorflowFile file(model);
      inputs.merge(variables_of(file));
    }
    if (inputs.size() != test.inputs.size()) {
      try {
        Outcome outcome = run(model, test, inputs);
        outcome.computed = true;
        return outcome;
      } catch (const Error&) {
        // Some operator has to know a variable at import.
      }
    }
    return run(model, test, test.inputs);
  } catch (const Error& error) {
    const bool beyond = error.kind() == ErrorKind::unsupported;
    return {beyond ? Outcome::Kind::unsupported : Outcome::Kind::failed, error.what()};
  }
}

std::map<std::string, std::string> read_expected(const fs::path& file) {
  std::map<std::string, std::string> expected;
  std::ifstream stream(file);
  for (std::string line; std::getline(stream, line);) {
    if (line.empty() || line[0] == '#') continue;
    const std::size_t space = line.find(' ');
    expected[line.substr(0, space)] = space == std::string::npos ? "" : line.substr(space + 1);
  }
  return expected;
}

int report(const fs::path& root, const fs::path& list, const std::string& filter, bool verbose) {
  const std::map<std::string, std::string> out_of_scope = read_expected(list);
  std::set<std::string> graphs;
  for (const auto& entry : fs::recursive_directory_iterator(root)) {
    if (entry.path().filename() == "frozen_model.pb") {
      graphs.insert(fs::relative(entry.path().parent_path(), root).generic_string());
    }
  }
  int passed = 0, computed = 0, unsupported = 0, wrong = 0;
  for (const std::string& name : graphs) {
    if (name.find(filter) == std::string::npos) continue;
    const Outcome outcome = run(root / name);
    const bool listed = out_of_scope.contains(name);
    if (outcome.kind == Outcome::Kind::passed) {
      ++passed;
      computed += outcome.computed ? 1 : 0;
      if (listed) {
        ++wrong;
        fmt::print("PASSED in spite of the list: {}\n", name);
      }
      continue;
    }
    if (outcome.kind == Outcome::Kind::unsupported && listed) {
      ++unsupported;
      if (verbose) fmt::print("{} {}\n", name, outcome.reason);
      continue;
    }
    ++wrong;
    fmt::print("{} {}: {}\n", outcome.kind == Outcome::Kind::failed ? "FAILED" : "UNSUPPORTED", name, outcome.reason);
  }
  fmt::print(
      "{} graphs pass ({} of them with their variables as inputs), {} are out of scope, {} are not as expected\n",
      passed, computed, unsupported, wrong);
  return wrong == 0 ? 0 : 1;
}

}  // namespace
}  // namespace octavo::test

int main(int argc, char** argv) {
  if (argc < 3 || !std::filesystem::is_directory(argv[1])) {
    fmt::print("there is no folder of TensorFlow graphs: skipped\n");
    return octavo::test::kSkipped;
  }
  const bool verbose = std::string_view(argv[argc - 1]) == "--verbose";
  return octavo::test::report(argv[1], argv[2], argc > 3 + (verbose ? 1 : 0) ? argv[3] : "", verbose);
}

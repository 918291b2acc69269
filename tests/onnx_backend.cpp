// SPDX-License-Identifier: Apache-2.0
// Runs ONNX's own backend tests: folders with a model.onnx and test_data_set_*/{input,output}_*.pb each. Prints, for
// each operator, how many pass; ends with 1 when one gives a wrong answer, with 77 when there is no such folder.
//
//   octavo_onnx_backend FOLDER [FILTER] [--figures]
//
// --figures: the largest difference of each test that passes, as a share of the expected numbers' range.
//
// A test hands every operand to the model as an input, weights included. What octavo needs to know at import is fixed
// then: first all inputs but the first, then all of them.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "graph/import/onnx.h"
#include "graph/import/onnx_model_file.h"
#include "jit/kernel_cache.h"
#include "octavo/error.h"
#include "octavo/tensor.h"
#include "runtime/program_builder.h"
#include "tests/open_rest.h"

namespace octavo::test {
namespace {

namespace fs = std::filesystem;
using graph::ConstantPtr;

constexpr int kSkipped = 77;
constexpr double kRelative = 1e-3, kAbsolute = 1e-6;  // the relative one is ONNX's own

ConstantPtr read_tensor(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  const std::vector<char> bytes(std::istreambuf_iterator<char>(stream), {});
  return graph::decode_onnx_tensor(std::as_bytes(std::span(bytes)), {});
}

std::vector<ConstantPtr> read_all(const fs::path& folder, const std::string& kind) {
  std::vector<ConstantPtr> tensors;
  for (int i = 0; fs::exists(folder / fmt::format("{}_{}.pb", kind, i)); ++i) {
    tensors.push_back(read_tensor(folder / fmt::format("{}_{}.pb", kind, i)));
  }
  return tensors;
}

Tensor as_tensor(const graph::ConstantTensor& tensor) {
  Tensor result(tensor.shape.empty() ? Shape{1} : tensor.shape);
  for (std::int64_t i = 0; i < result.size(); ++i) {
    result.data()[i] = static_cast<float>(tensor.real(static_cast<std::size_t>(i)));
  }
  return result;
}

/// What is wrong with the answer; empty when nothing is.
std::string difference(const Tensor& actual, const graph::ConstantTensor& expected) {
  const Shape shape = expected.shape.empty() ? Shape{1} : expected.shape;
  if (actual.shape() != shape) return "another shape";
  const bool half = expected.type == graph::ElementType::float16 || expected.type == graph::ElementType::bfloat16;
  const double relative = half ? 1e-2 : kRelative, absolute = half ? 1e-3 : kAbsolute;
  for (std::int64_t i = 0; i < actual.size(); ++i) {
    const auto a = static_cast<double>(actual.data()[i]);
    const double e = expected.real(static_cast<std::size_t>(i));
    if (std::isnan(a) && std::isnan(e)) continue;
    if (a == e || std::fabs(a - e) <= absolute + relative * std::fabs(e)) continue;
    return fmt::format("element {} is {}, expected {}", i, a, e);
  }
  return {};
}

/// Of finite numbers.
double share_of_range(const Tensor& actual, const graph::ConstantTensor& expected) {
  double low = std::numeric_limits<double>::infinity(), high = -low, worst = 0;
  for (std::int64_t i = 0; i < actual.size(); ++i) {
    const double e = expected.real(static_cast<std::size_t>(i));
    if (!std::isfinite(e)) continue;
    low = std::min(low, e);
    high = std::max(high, e);
    worst = std::max(worst, std::fabs(static_cast<double>(actual.data()[i]) - e));
  }
  return worst == 0 ? 0 : worst / std::max(high - low, 1e-30);
}

struct Outcome {
  enum class Kind { passed, unsupported, failed } kind = Kind::passed;
  std::string reason;
  double share = 0;  ///< the largest difference
};

struct Case {
  std::vector<std::string> input_names;
  std::vector<ConstantPtr> inputs, outputs;
};

Outcome run(const fs::path& model, const Case& test, std::size_t first_fixed) {
  graph::OnnxImportOptions options;
  std::map<std::string, Tensor> given;
  for (std::size_t i = 0; i < test.inputs.size(); ++i) {
    if (i >= first_fixed) {
      options.fixed_inputs[test.input_names.at(i)] = test.inputs[i];
    } else {
      options.input_shapes[test.input_names.at(i)] = test.inputs[i]->shape;
      if (test.inputs[i]->count() == 0) throw Error(ErrorKind::unsupported, "a value without numbers");
      given.emplace(test.input_names[i], as_tensor(*test.inputs[i]));
    }
  }
  const graph::Graph graph = graph::import_onnx(model, options);
  CompileOptions compile;
  compile.threads = 1;
  const Program program = runtime::compile_graph(graph, compile, std::make_shared<jit::KernelCache>(), {});
  std::vector<Tensor> inputs;
  for (const graph::Node* node : graph.inputs()) inputs.push_back(given.at(node->name));
  std::vector<Tensor> outputs = program.predict(inputs);
  for (std::size_t i = 0; i < std::min(outputs.size(), test.outputs.size()); ++i) {
    outputs[i] = without_rest(outputs[i], test.outputs[i]->shape);
  }
  Outcome outcome;
  for (std::size_t i = 0; i < test.outputs.size() && i < outputs.size(); ++i) {
    if (const std::string wrong = difference(outputs[i], *test.outputs[i]); !wrong.empty()) {
      return {Outcome::Kind::failed, wrong};
    }
    outcome.share = std::max(outcome.share, share_of_range(outputs[i], *test.outputs[i]));
  }
  return outcome;
}

/// With as few inputs fixed as it takes.
Outcome run(const fs::path& folder) {
  Case test;
  const fs::path model = folder / "model.onnx";
  std::string reason;
  try {
    const graph::OnnxModelFile file(model);
    for (const auto& input : file.graph().inputs) test.input_names.push_back(input.name);
    test.inputs = read_all(folder / "test_data_set_0", "input");
    test.outputs = read_all(folder / "test_data_set_0", "output");
  } catch (const Error& error) {
    return {Outcome::Kind::unsupported, error.what()};
  }
  for (const std::size_t first_fixed : {std::size_t{1000}, std::size_t{1}, std::size_t{0}}) {
    try {
      return run(model, test, first_fixed);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::unsupported) return {Outcome::Kind::failed, error.what()};
      if (reason.empty() || first_fixed != 0) reason = error.what();
    }
  }
  return {Outcome::Kind::unsupported, reason};
}

struct Tally {
  int passed = 0, unsupported = 0, failed = 0;
};

/// Tests of a function's expansion count for the function.
std::string operator_of(const fs::path& folder) {
  try {
    const graph::OnnxModelFile file(folder / "model.onnx");
    std::string type;
    for (const auto& node : file.graph().nodes) {
      if (!type.empty() && node.op_type != type) return "(several)";
      type = node.op_type;
    }
    return type;
  } catch (const Error&) {
    return "(unreadable)";
  }
}

int report(const fs::path& root, const std::string& filter, bool figures) {
  std::map<std::string, Tally> tallies;
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(root)) {
    const std::string name = entry.path().filename().string();
    if (fs::exists(entry.path() / "model.onnx") && name.find(filter) != std::string::npos) folders.push_back(entry);
  }
  std::sort(folders.begin(), folders.end());
  Tally all;
  for (const fs::path& folder : folders) {
    const Outcome outcome = run(folder);
    Tally& tally = tallies[operator_of(folder)];
    const auto count = [&](int Tally::*which) {
      ++(tally.*which);
      ++(all.*which);
    };
    if (outcome.kind == Outcome::Kind::passed) count(&Tally::passed);
    if (outcome.kind == Outcome::Kind::unsupported) count(&Tally::unsupported);
    if (outcome.kind == Outcome::Kind::failed) count(&Tally::failed);
    if (figures && outcome.kind == Outcome::Kind::passed) {
      fmt::print("passed {}: {:.2g} of the range\n", folder.filename().string(), outcome.share);
    }
    if (outcome.kind != Outcome::Kind::passed) {
      fmt::print("{} {}: {}\n", outcome.kind == Outcome::Kind::failed ? "FAILED" : "unsupported",
                 folder.filename().string(), outcome.reason);
    }
  }
  fmt::print("\n{:32}{:>8}{:>13}{:>8}\n", "operator", "passed", "unsupported", "failed");
  for (const auto& [name, tally] : tallies) {
    fmt::print("{:32}{:8}{:13}{:8}\n", name, tally.passed, tally.unsupported, tally.failed);
  }
  fmt::print("{:32}{:8}{:13}{:8}\n", "all", all.passed, all.unsupported, all.failed);
  return all.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace octavo::test

int main(int argc, char** argv) {
  if (argc < 2 || !std::filesystem::is_directory(argv[1])) {
    fmt::print("there is no folder of ONNX's backend tests: skipped\n");
    return octavo::test::kSkipped;
  }
  const bool figures = std::string_view(argv[argc - 1]) == "--figures";
  return octavo::test::report(argv[1], argc > 2 + (figures ? 1 : 0) ? argv[2] : "", figures);
}

// SPDX-License-Identifier: Apache-2.0
// See graph/import/bigdl_inputs.h.
#include "graph/import/bigdl_inputs.h"

#include <algorithm>
#include <utility>

#include "graph/import/bigdl_attributes.h"
#include "graph/import/bigdl_limits.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

Shape batch_of_one(Shape sizes) {
  sizes.insert(sizes.begin(), -1);
  return sizes;
}

/// What the module itself says.
std::optional<Shape> stated_shape(const BigdlModule& module) {
  if (auto shape = read_bigdl_shape(module.input_shape)) return shape;
  if (module.family != BigdlFamily::keras) return std::nullopt;
  if (auto shape = BigdlAttributes(module).shape("inputShape")) return batch_of_one(std::move(*shape));
  return std::nullopt;
}

/// What a layer leaves no choice about.
std::optional<Shape> implied_shape(const BigdlModule& module) {
  const BigdlAttributes attributes(module);
  const bool layer = module.family == BigdlFamily::nn || module.family == BigdlFamily::quantized;
  if (!layer) return std::nullopt;
  if (module.type == "Linear") return Shape{-1, attributes.integer("inputSize")};
  if (module.type == "BatchNormalization") return Shape{-1, attributes.integer("nOutput")};
  if (module.type != "Reshape" && module.type != "View") return std::nullopt;
  Shape sizes = attributes.integers(module.type == "View" ? "sizes" : "size");
  if (sizes.empty() || std::ranges::any_of(sizes, [](std::int64_t size) { return size < 1; })) return std::nullopt;
  return module.type == "Reshape" && attributes.integer("batchMode", 0) == 1 ? sizes : batch_of_one(std::move(sizes));
}

class InputFinder {
 public:
  std::vector<BigdlInput> inputs_of(const BigdlModule& module) {
    // A module may be looked at for several inputs; nested ones must not multiply.
    if (++looks_ > 4 * kMaxBigdlModules) throw Error(ErrorKind::malformed, "too many ways to the first layers");
    const auto stated = stated_shape(module);
    if (module.attributes.contains("inputNames")) {
      std::vector<BigdlInput> inputs = graph_inputs(module);
      if (inputs.size() == 1 && stated) inputs[0].shape = stated;
      return inputs;
    }
    if (module.type == "ParallelTable" && !module.parts.empty()) return parallel_inputs(module);
    if (stated) return {{"input", stated}};
    if (!module.parts.empty()) return first_inputs(module);
    auto implied = implied_shape(module);  // before the list: what it throws must not meet a half-made one
    return {{"input", std::move(implied)}};
  }

 private:
  std::optional<Shape> shape_of(const BigdlModule& module) { return inputs_of(module)[0].shape; }

  /// A graph names its inputs. One that does not say its shape may feed a module that does.
  std::vector<BigdlInput> graph_inputs(const BigdlModule& module) {
    std::vector<BigdlInput> inputs;
    for (const std::string& name : BigdlAttributes(module).texts("inputNames")) {
      if (inputs.size() == kMaxBigdlInputs) throw Error(ErrorKind::malformed, "a graph of too many inputs");
      BigdlInput& input = inputs.emplace_back(BigdlInput{name, std::nullopt});
      for (const BigdlModule& part : module.parts) {
        if (part.name == name) input.shape = shape_of(part);
      }
      for (const BigdlModule& part : module.parts) {
        if (!input.shape && part.sources == std::vector<std::string>{name}) input.shape = shape_of(part);
      }
    }
    if (inputs.empty()) inputs.push_back({"input", std::nullopt});
    return inputs;
  }

  std::vector<BigdlInput> parallel_inputs(const BigdlModule& module) {
    std::vector<BigdlInput> inputs;
    for (const BigdlModule& part : module.parts) {
      auto shape = shape_of(part);
      inputs.push_back({"input_" + std::to_string(inputs.size() + 1), std::move(shape)});
    }
    return inputs;
  }

  /// Behind a layer that changes nothing comes another chance; in branches, the next one.
  std::vector<BigdlInput> first_inputs(const BigdlModule& module) {
    const bool branches = module.type == "Concat" || module.type == "ConcatTable";
    for (const BigdlModule& part : module.parts) {
      std::vector<BigdlInput> inputs = inputs_of(part);
      const bool copies = part.type == "Identity" || part.type == "Input" || part.type == "Dropout";
      if (inputs.size() > 1 || inputs[0].shape || (!branches && !copies)) return inputs;
    }
    return {{"input", std::nullopt}};
  }

  std::size_t looks_ = 0;
};

}  // namespace

std::vector<BigdlInput> bigdl_inputs(const BigdlModule& root) { return InputFinder().inputs_of(root); }

}  // namespace octavo::graph

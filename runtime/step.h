// SPDX-License-Identifier: Apache-2.0
// One executable step of a program, and how the program talks to it.
#pragma once

#include <cstddef>
#include <dnnl.hpp>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "jit/kernel_cache.h"
#include "jit/plan.h"
#include "octavo/program.h"

namespace octavo::runtime {

/// What steps are built with.
struct BuildContext {
  dnnl::engine engine;
  jit::KernelCache* kernels = nullptr;
  jit::Machine machine;
  Isa isa = Isa::reference;
  int threads = 1;
};

/// What a step runs with: the memory of one predict() call.
struct RunContext {
  dnnl::stream stream;
  int threads = 1;
  std::vector<float*> values;    ///< by ValueId: where each value lies
  std::byte* scratch = nullptr;  ///< at least the step's scratch_bytes(), 64-byte aligned
};

/// How a value lies in memory. 4-D values: dense NHWC (`nhwc`), or what a oneDNN primitive asked for; others: dense
/// row-major.
using Layout = dnnl::memory::desc;

class Step {
 public:
  virtual ~Step() = default;
  /// Runs from many threads at once on different contexts; allocates nothing.
  virtual void run(RunContext& context) const = 0;
  [[nodiscard]] virtual std::size_t scratch_bytes() const { return 0; }
  [[nodiscard]] virtual std::size_t weight_bytes() const { return 0; }
  [[nodiscard]] virtual std::vector<std::shared_ptr<const jit::Kernel>> kernels() const { return {}; }

  LayerInfo info;
};

/// What a builder wants of its 4-D inputs; the program inserts reorders where a value lies otherwise.
enum class Demand {
  any,    ///< takes whatever layout comes
  nhwc,   ///< dense channels-last
  plain,  ///< dense row-major in logical (NCHW) order
};

struct StepRequest {
  const graph::Graph& graph;  ///< shapes inferred
  const graph::Node& node;
  std::vector<Layout> inputs;  ///< after the demanded reorders
  const BuildContext& context;
};

struct BuiltStep {
  std::unique_ptr<Step> step;   ///< null when alias
  std::vector<Layout> outputs;  ///< as the step writes them
  bool alias = false;           ///< output 0 is input 0 in the same memory: nothing to run
};

/// One op's way into a program. runtime/steps/registry.cpp lists them all; one op family a file under runtime/steps/.
struct OpBuilder {
  Demand demand = Demand::any;
  BuiltStep (*build)(const StepRequest& request) = nullptr;
};
[[nodiscard]] const OpBuilder& builder_of(const graph::Op& op);

}  // namespace octavo::runtime

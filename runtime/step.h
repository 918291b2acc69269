// SPDX-License-Identifier: Apache-2.0
// One executable step of a program, and how an op becomes one.
//
// To add an op: a file under runtime/steps/ with a class derived from Step and a function that builds it, declared in
// runtime/steps/builders.h; a line in runtime/steps/registry.cpp.
#pragma once

#include <cstddef>
#include <dnnl.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "jit/kernel_cache.h"
#include "jit/plan.h"
#include "jit/tuning.h"
#include "octavo/program.h"
#include "runtime/layout.h"
#include "runtime/thread_scratch.h"

namespace octavo::runtime {

/// What steps are built with.
struct BuildContext {
  dnnl::engine engine;
  jit::KernelCache* kernels = nullptr;
  jit::Machine machine;
  Isa isa = Isa::reference;
  int threads = 1;
  AccuracyBudget accuracy{};
  jit::TuningTable tuning{};  ///< plans that were measured
};

/// What a step keeps for each concurrent predict() call, beside scratch memory (oneDNN's argument objects).
class StepState {
 public:
  StepState() = default;
  StepState(const StepState&) = delete;
  StepState& operator=(const StepState&) = delete;
  virtual ~StepState() = default;
};

/// Index into RunContext::values.
using Slot = std::size_t;

/// What a step runs with: the memory of one predict() call.
struct RunContext {
  dnnl::stream stream;
  int threads = 1;
  std::vector<float*> values;  ///< by slot: where each value lies, 64-byte aligned but for inputs and parts of a Concat
  std::byte* scratch = nullptr;  ///< at least the step's scratch_bytes(), 64-byte aligned
  ThreadScratch thread_scratch;  ///< at least the step's thread_scratch_bytes() for each thread
  StepState* state = nullptr;    ///< what the step's make_state() returned
};

class Step {
 public:
  Step() = default;
  Step(const Step&) = delete;
  Step& operator=(const Step&) = delete;
  virtual ~Step() = default;
  /// Runs from many threads at once on different contexts; allocates nothing.
  virtual void run(RunContext& context) const = 0;
  [[nodiscard]] virtual std::size_t scratch_bytes() const { return 0; }
  [[nodiscard]] virtual std::size_t thread_scratch_bytes() const { return 0; }  ///< for each thread, beside that
  [[nodiscard]] virtual std::size_t weight_bytes() const { return 0; }
  [[nodiscard]] virtual std::vector<std::shared_ptr<const jit::Kernel>> kernels() const { return {}; }
  [[nodiscard]] virtual std::unique_ptr<StepState> make_state() const { return nullptr; }
  /// What a windowed integer layer computes for one image: what a tuner measures. Null for other steps.
  [[nodiscard]] virtual const jit::ConvSpec* spec() const { return nullptr; }

  LayerInfo info;  ///< the builder writes algorithm and reason; the program the rest
};

/// What a builder wants of its 4-D inputs; the program inserts reorders where a value lies otherwise.
enum class Demand {
  any,    ///< whatever layout comes; several 4-D inputs come in one layout
  nhwc,   ///< channels-last
  plain,  ///< row-major in logical (NCHW) order
  sizes,  ///< only the shapes matter: the step reads no input
};

/// What a builder is given. Inputs lie as demanded.
struct StepRequest {
  const graph::Graph& graph;  ///< shapes inferred
  const graph::Node& node;
  const BuildContext& context;
  std::vector<Slot> inputs, outputs;
  std::vector<Layout> input_layouts;
  /// Floats from a pixel of output 0 to the next, channels-last, where that is part of a larger value; 0: it is not.
  std::int64_t output_pixel_stride = 0;
  std::vector<bool> inputs_in_place{};  ///< Concat: those that lie within output 0 already

  [[nodiscard]] const Shape& input_shape(std::size_t i = 0) const { return graph.values[node.inputs[i]].shape; }
  [[nodiscard]] const Shape& output_shape(std::size_t i = 0) const { return graph.values[node.outputs[i]].shape; }
};

struct BuiltStep {
  std::unique_ptr<Step> step;   ///< null when alias
  std::vector<Layout> outputs;  ///< as the step writes them
  bool alias = false;           ///< every output is input 0 in the same memory: nothing to run
  /// Output 0 may be written over this input (same size and layout, each element read before its place is written).
  /// The program does so when nothing needs the input afterwards; the step must be right either way.
  std::optional<std::size_t> in_place;
};

/// One op's way into a program. runtime/steps/registry.cpp lists them all; one op family a file under runtime/steps/.
struct OpBuilder {
  Demand demand = Demand::any;
  BuiltStep (*build)(const StepRequest& request) = nullptr;
};
/// Throws Error(unsupported) for an op that is no part of an executable graph (Quantize, IntegerConvolution, ...).
[[nodiscard]] OpBuilder builder_of(const graph::Op& op);

}  // namespace octavo::runtime

// SPDX-License-Identifier: Apache-2.0
// What a Program holds: steps in order, and where each slot lies.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "octavo/program.h"
#include "runtime/context_pool.h"
#include "runtime/step.h"

namespace octavo::runtime {

/// Where a slot lies during a predict() call.
struct SlotPlace {
  enum class Kind {
    arena,   ///< `where`: offset in bytes
    input,   ///< `where`: index of the caller's input
    output,  ///< `where`: index of the caller's output
  };
  Kind kind = Kind::arena;
  std::size_t where = 0;
};

}  // namespace octavo::runtime

namespace octavo {

struct Program::Impl {
  std::vector<std::unique_ptr<runtime::Step>> steps;
  std::vector<runtime::SlotPlace> slots;
  std::size_t scratch_offset = 0, thread_scratch_offset = 0, thread_scratch_stride = 0, arena_bytes = 0;
  int threads = 1;
  dnnl::engine engine;

  std::vector<std::string> input_names, output_names;
  std::vector<Shape> input_shapes, output_shapes;
  std::vector<LayerInfo> layers;  ///< a step each
  ProgramStatistics statistics;

  /// A context of this program's size. Throws Error(resource).
  [[nodiscard]] std::unique_ptr<runtime::Context> make_context() const;
  void run(std::span<const float* const> inputs, std::span<float* const> outputs, double* layer_seconds) const;

  mutable runtime::ContextPool contexts{[this] { return make_context(); }};
};

}  // namespace octavo

// SPDX-License-Identifier: Apache-2.0
// A oneDNN primitive as a step runs it: created once, weights in its own format, arguments bound without allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <dnnl.hpp>
#include <memory>
#include <span>
#include <vector>

#include "graph/ops.h"
#include "runtime/step.h"

namespace octavo::runtime {

/// A dense fp32 value of that shape and layout.
[[nodiscard]] dnnl::memory::desc onednn_desc(const Shape& shape, Layout layout);
/// The same, in a format of oneDNN's choice.
[[nodiscard]] dnnl::memory::desc onednn_any(const Shape& shape);

/// A blob's numbers, which lie as `stored` says (a groups dimension in front, say), in the order `wanted`.
[[nodiscard]] dnnl::memory pack_constant(const graph::Blob& blob, const dnnl::memory::desc& stored,
                                         const dnnl::memory::desc& wanted, const dnnl::engine& engine);

/// A copy of `source` in the order `wanted`.
[[nodiscard]] dnnl::memory repack(const dnnl::memory& source, const dnnl::memory::desc& wanted,
                                  const dnnl::engine& engine);

/// What an activation and a residual addition ask of oneDNN; PReLU is left to the step (see runtime/steps/prelu.h).
[[nodiscard]] dnnl::primitive_attr onednn_attributes(const graph::Activation& activation, bool add_residual);

/// A primitive and what it is called with. Immutable after building; run() is safe from many threads, each with a state
/// of its own.
class OnednnCall {
 public:
  OnednnCall(dnnl::primitive primitive, const dnnl::engine& engine)
      : primitive_(std::move(primitive)), engine_(engine) {}

  void bind_slot(int argument, const dnnl::memory::desc& desc, Slot slot);
  void bind_constant(int argument, dnnl::memory memory);
  void bind_scratch(const dnnl::memory::desc& desc);

  [[nodiscard]] std::unique_ptr<StepState> make_state() const;
  /// Throws Error(resource) when oneDNN fails.
  void run(RunContext& context) const;
  [[nodiscard]] std::size_t scratch_bytes() const { return scratch_bytes_; }
  [[nodiscard]] std::size_t weight_bytes() const;

 private:
  struct Argument {
    int index;
    dnnl::memory::desc desc;
    Slot slot;
  };
  dnnl::primitive primitive_;
  dnnl::engine engine_;
  std::vector<Argument> slots_;
  std::vector<std::pair<int, dnnl::memory>> constants_;
  dnnl::memory::desc scratch_;
  std::size_t scratch_bytes_ = 0;
};

}  // namespace octavo::runtime

// SPDX-License-Identifier: Apache-2.0
// Running a program, and what it tells of itself.
#include "octavo/program.h"

#include <chrono>
#include <map>

#include "graph/check.h"
#include "jit/listing.h"
#include "octavo/error.h"
#include "runtime/parallel.h"
#include "runtime/program_impl.h"

namespace octavo {

using runtime::SlotPlace;

std::int64_t LayerWork::multiply_accumulates() const {
  return images * out_h * out_w * out_channels * (in_channels / groups) * kernel_h * kernel_w;
}

std::unique_ptr<runtime::Context> Program::Impl::make_context() const {
  auto context = std::make_unique<runtime::Context>();
  context->arena = runtime::AlignedBuffer(arena_bytes);
  std::byte* const base = context->arena.data();
  runtime::RunContext& run = context->run;
  run.stream = dnnl::stream(engine);
  run.threads = threads;
  run.scratch = base + scratch_offset;
  run.thread_scratch = {base + thread_scratch_offset, thread_scratch_stride};
  run.values.assign(slots.size(), nullptr);
  for (std::size_t slot = 0; slot < slots.size(); ++slot)
    if (slots[slot].kind == SlotPlace::Kind::arena)
      run.values[slot] = reinterpret_cast<float*>(base + slots[slot].where);
  context->states.reserve(steps.size());
  for (const auto& step : steps) context->states.push_back(step->make_state());
  return context;
}

void Program::Impl::run(std::span<const float* const> inputs, std::span<float* const> outputs,
                        double* layer_seconds) const {
  using Clock = std::chrono::steady_clock;
  const runtime::OmpThreads omp_threads(threads);
  const runtime::ContextPool::Lease context = contexts.acquire();
  runtime::RunContext& run = context->run;
  for (std::size_t slot = 0; slot < slots.size(); ++slot) {
    // No step writes to a slot that is an input of the caller (program_steps.cpp).
    if (slots[slot].kind == SlotPlace::Kind::input) run.values[slot] = const_cast<float*>(inputs[slots[slot].where]);
    if (slots[slot].kind == SlotPlace::Kind::output) run.values[slot] = outputs[slots[slot].where];
  }
  Clock::time_point before = layer_seconds == nullptr ? Clock::time_point{} : Clock::now();
  for (std::size_t i = 0; i < steps.size(); ++i) {
    run.state = context->states[i].get();
    steps[i]->run(run);
    if (layer_seconds != nullptr) {
      const Clock::time_point after = Clock::now();
      layer_seconds[i] = std::chrono::duration<double>(after - before).count();
      before = after;
    }
  }
}

namespace {

void check_count(std::size_t given, std::size_t expected, const char* what) {
  if (given == expected) return;
  throw Error(ErrorKind::invalid_argument, "predict() was given " + std::to_string(given) + " " + what +
                                               " for a network of " + std::to_string(expected));
}

void check_present(std::span<const float* const> pointers, const std::vector<std::string>& names, const char* what) {
  for (std::size_t i = 0; i < pointers.size(); ++i) {
    if (pointers[i] == nullptr)
      throw Error(ErrorKind::invalid_argument, "predict() was given a null pointer", what + (" '" + names[i] + "'"));
  }
}

}  // namespace

std::vector<Tensor> Program::predict(std::span<const Tensor> inputs) const {
  check_count(inputs.size(), impl_->input_shapes.size(), "inputs");
  std::vector<const float*> input_data;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].shape() != impl_->input_shapes[i]) {
      throw Error(ErrorKind::invalid_argument,
                  "the input has the shape " + graph::to_text(inputs[i].shape()) + ", the program was compiled for " +
                      graph::to_text(impl_->input_shapes[i]),
                  "input '" + impl_->input_names[i] + "'", "compile a program for this shape");
    }
    input_data.push_back(inputs[i].data());
  }
  std::vector<Tensor> outputs;
  std::vector<float*> output_data;
  outputs.reserve(impl_->output_shapes.size());
  for (const Shape& shape : impl_->output_shapes) output_data.push_back(outputs.emplace_back(shape).data());
  impl_->run(input_data, output_data, nullptr);
  return outputs;
}

Tensor Program::predict(const Tensor& input) const {
  check_count(1, impl_->input_shapes.size(), "inputs");
  return std::move(predict(std::span<const Tensor>(&input, 1)).front());
}

void Program::predict(std::span<const float* const> inputs, std::span<float* const> outputs) const {
  check_count(inputs.size(), impl_->input_shapes.size(), "inputs");
  check_count(outputs.size(), impl_->output_shapes.size(), "outputs");
  check_present(inputs, impl_->input_names, "input");
  check_present(outputs, impl_->output_names, "output");
  impl_->run(inputs, outputs, nullptr);
}

void Program::predict(std::span<const float* const> inputs, std::span<float* const> outputs,
                      std::vector<double>& layer_seconds) const {
  check_count(inputs.size(), impl_->input_shapes.size(), "inputs");
  check_count(outputs.size(), impl_->output_shapes.size(), "outputs");
  check_present(inputs, impl_->input_names, "input");
  check_present(outputs, impl_->output_names, "output");
  layer_seconds.resize(impl_->steps.size());
  impl_->run(inputs, outputs, layer_seconds.data());
}

std::vector<KernelInfo> Program::kernels() const {
  std::vector<KernelInfo> kernels;
  std::map<const jit::Kernel*, std::size_t> index;
  for (const auto& step : impl_->steps) {
    for (const auto& kernel : step->kernels()) {
      const auto [found, is_new] = index.emplace(kernel.get(), kernels.size());
      if (is_new) kernels.push_back({kernel->name(), {}, kernel->code(), jit::listing(*kernel)});
      std::vector<std::string>& layers = kernels[found->second].layers;
      if (layers.empty() || layers.back() != step->info.name) layers.push_back(step->info.name);
    }
  }
  return kernels;
}

const std::vector<Shape>& Program::input_shapes() const { return impl_->input_shapes; }
const std::vector<Shape>& Program::output_shapes() const { return impl_->output_shapes; }
const std::vector<std::string>& Program::output_names() const { return impl_->output_names; }
const std::vector<LayerInfo>& Program::layers() const { return impl_->layers; }
const ProgramStatistics& Program::statistics() const { return impl_->statistics; }
int Program::threads() const { return impl_->threads; }

}  // namespace octavo

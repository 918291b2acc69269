// SPDX-License-Identifier: Apache-2.0
// A oneDNN primitive as a step runs it.
#include "runtime/onednn.h"

#include <utility>

#include "octavo/error.h"

namespace octavo::runtime {
namespace {

using dnnl::memory;

/// Argument objects of one concurrent call, with the addresses that they hold at present.
struct CallState final : StepState {
  std::vector<memory> memories;            ///< slots first, then constants, then scratch
  std::vector<void*> addresses;            ///< of the slots and the scratch: setting one that is set costs time
  std::vector<dnnl_exec_arg_t> arguments;  ///< as the C interface takes them: the C++ one allocates in each call
};

memory::format_tag plain_tag(std::size_t rank) {
  switch (rank) {
    case 1:
      return memory::format_tag::a;
    case 2:
      return memory::format_tag::ab;
    case 3:
      return memory::format_tag::abc;
    case 4:
      return memory::format_tag::abcd;
    case 5:
      return memory::format_tag::abcde;
    default:
      return memory::format_tag::abcdef;
  }
}

void set_address(memory& target, void*& current, void* wanted) {
  if (current == wanted) return;
  target.set_data_handle(wanted);
  current = wanted;
}

}  // namespace

memory::desc onednn_desc(const Shape& shape, Layout layout) {
  return {shape, memory::data_type::f32, layout == Layout::nhwc ? memory::format_tag::nhwc : plain_tag(shape.size())};
}

memory::desc onednn_any(const Shape& shape) { return {shape, memory::data_type::f32, memory::format_tag::any}; }

memory pack_constant(const graph::Blob& blob, const memory::desc& stored, const memory::desc& wanted,
                     const dnnl::engine& engine) {
  const std::vector<float> dequantized = blob.quantized() ? graph::to_float(blob) : std::vector<float>{};
  const float* const numbers = blob.quantized() ? dequantized.data() : blob.f32.values.data();
  // oneDNN only reads the source of a reorder.
  return repack(memory(stored, engine, const_cast<float*>(numbers)), wanted, engine);
}

memory repack(const memory& source, const memory::desc& wanted, const dnnl::engine& engine) {
  memory packed(wanted, engine), from = source;
  dnnl::stream stream(engine);
  dnnl::reorder(from, packed).execute(stream, from, packed);
  stream.wait();
  return packed;
}

dnnl::primitive_attr onednn_attributes(const graph::Activation& activation, bool add_residual) {
  using dnnl::algorithm;
  dnnl::post_ops operations;
  if (add_residual) operations.append_sum(1.0F);
  switch (activation.kind) {
    case jit::ActivationKind::none:
    case jit::ActivationKind::prelu:
      break;
    case jit::ActivationKind::relu:
      operations.append_eltwise(1.0F, algorithm::eltwise_relu, 0.0F, 0.0F);
      break;
    case jit::ActivationKind::leaky_relu:
      operations.append_eltwise(1.0F, algorithm::eltwise_relu, activation.slope, 0.0F);
      break;
    case jit::ActivationKind::relu6:
      operations.append_eltwise(1.0F, algorithm::eltwise_clip, 0.0F, 6.0F);
      break;
    case jit::ActivationKind::sigmoid:
      operations.append_eltwise(1.0F, algorithm::eltwise_logistic, 0.0F, 0.0F);
      break;
    case jit::ActivationKind::tanh:
      operations.append_eltwise(1.0F, algorithm::eltwise_tanh, 0.0F, 0.0F);
      break;
  }
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);  // oneDNN's own is not safe under threads
  attributes.set_post_ops(operations);
  return attributes;
}

void OnednnCall::bind_slot(int argument, const memory::desc& desc, Slot slot) {
  slots_.push_back({argument, desc, slot});
}

void OnednnCall::bind_constant(int argument, memory memory) { constants_.emplace_back(argument, std::move(memory)); }

void OnednnCall::bind_scratch(const memory::desc& desc) {
  scratch_ = desc;
  scratch_bytes_ = desc.get_size();
}

std::unique_ptr<StepState> OnednnCall::make_state() const {
  auto state = std::make_unique<CallState>();
  const auto add = [&](int index, memory memory) {
    state->arguments.push_back({index, memory.get()});
    state->memories.push_back(std::move(memory));
  };
  for (const Argument& argument : slots_) add(argument.index, memory(argument.desc, engine_, nullptr));
  if (scratch_bytes_ != 0) add(DNNL_ARG_SCRATCHPAD, memory(scratch_, engine_, nullptr));
  state->addresses.assign(state->memories.size(), nullptr);
  for (const auto& [index, constant] : constants_) add(index, constant);
  return state;
}

void OnednnCall::run(RunContext& context) const {
  auto& state = static_cast<CallState&>(*context.state);
  for (std::size_t i = 0; i < slots_.size(); ++i)
    set_address(state.memories[i], state.addresses[i], context.values[slots_[i].slot]);
  if (scratch_bytes_ != 0) set_address(state.memories[slots_.size()], state.addresses[slots_.size()], context.scratch);
  const dnnl_status_t status = dnnl_primitive_execute(primitive_.get(), context.stream.get(),
                                                      static_cast<int>(state.arguments.size()), state.arguments.data());
  if (status != dnnl_success) throw Error(ErrorKind::resource, "oneDNN failed with status " + std::to_string(status));
}

std::size_t OnednnCall::weight_bytes() const {
  std::size_t bytes = 0;
  for (const auto& [index, constant] : constants_) bytes += constant.get_desc().get_size();
  return bytes;
}

}  // namespace octavo::runtime

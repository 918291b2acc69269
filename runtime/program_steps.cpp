// SPDX-License-Identifier: Apache-2.0
// Nodes to steps: layouts, slots, what shares memory, where everything lies.
#include "runtime/program_steps.h"

#include <algorithm>
#include <array>
#include <dnnl.hpp>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "graph/check.h"
#include "octavo/error.h"
#include "runtime/concat_placement.h"
#include "runtime/memory_plan.h"
#include "runtime/program_impl.h"
#include "runtime/steps/reorder.h"

namespace octavo::runtime {
namespace {

using graph::ValueId;
using BufferId = std::size_t;

/// Memory behind one or more slots.
struct Buffer {
  SlotPlace::Kind kind = SlotPlace::Kind::arena;
  std::size_t external = 0;  ///< index of the caller's input or output
  std::size_t bytes = 0;
};

/// What memory planning needs to know of a step.
struct Traffic {
  std::vector<Slot> inputs, outputs;
  std::optional<std::size_t> in_place;
};

class Builder {
 public:
  Builder(const graph::Graph& graph, const BuildContext& context)
      : graph_(graph), context_(context), slots_of_value_(graph.values.size()), places_(place_in_concats(graph)) {}

  void build(Program::Impl& program) {
    for (const graph::Node& node : graph_.nodes) {
      try {
        add_node(node, program);
      } catch (const dnnl::error& error) {
        if (error.status == dnnl_out_of_memory) throw Error(ErrorKind::resource, "out of memory", place_of(node));
        throw Error(ErrorKind::unsupported, std::string("oneDNN refuses it: ") + error.what(), place_of(node));
      } catch (const Error& error) {  // machine code knows shapes, not layers
        if (error.where().find(node.name) != std::string::npos) throw;
        throw Error(error.kind(), error.what(), place_of(node));
      }
    }
    add_outputs(program);
    share_in_place();
    place_slots(program);
  }

 private:
  struct ValueSlots {
    std::array<std::optional<Slot>, 2> in_layout;  ///< by Layout
    Layout native = Layout::plain;                 ///< as its producer wrote it
  };

  /// `offset`: in bytes, from the buffer's begin.
  Slot new_slot(BufferId buffer, std::size_t offset = 0) {
    buffer_of_slot_.push_back(buffer);
    offset_of_slot_.push_back(offset);
    return buffer_of_slot_.size() - 1;
  }

  Slot new_slot(Buffer buffer) {
    buffers_.push_back(buffer);
    return new_slot(buffers_.size() - 1);
  }

  [[nodiscard]] std::size_t bytes_of(ValueId value) const {
    return static_cast<std::size_t>(graph::element_count(graph_.values[value].shape)) * sizeof(float);
  }

  /// The memory of a value that parts of it may be written to before its own node comes.
  BufferId buffer_of_whole(ValueId value) {
    const auto [found, is_new] = buffer_of_whole_.emplace(value, buffers_.size());
    if (is_new) buffers_.push_back(Buffer{.bytes = bytes_of(value)});
    return found->second;
  }

  Slot new_output(ValueId value) {
    if (const auto& place = places_[value])
      return new_slot(buffer_of_whole(place->whole), static_cast<std::size_t>(place->first_channel) * sizeof(float));
    if (buffer_of_whole_.contains(value)) return new_slot(buffer_of_whole_[value]);
    return new_slot(Buffer{.bytes = bytes_of(value)});
  }

  void bind(ValueId value, Layout layout, Slot slot) {
    ValueSlots& slots = slots_of_value_[value];
    slots.native = layout;
    slots.in_layout[static_cast<std::size_t>(layout)] = slot;
    if (graph_.values[value].shape.size() == 4 && layouts_coincide(graph_.values[value].shape))
      slots.in_layout = {slot, slot};
  }

  void add_step(std::unique_ptr<Step> step, Traffic traffic, Program::Impl& program) {
    program.steps.push_back(std::move(step));
    traffic_.push_back(std::move(traffic));
  }

  /// The value in the layout, by a reorder (once for each value) where it lies otherwise.
  Slot slot_in(ValueId value, Layout layout, Program::Impl& program) {
    ValueSlots& slots = slots_of_value_[value];
    std::optional<Slot>& wanted = slots.in_layout[static_cast<std::size_t>(layout)];
    if (!wanted) {
      const Slot source = *slots.in_layout[static_cast<std::size_t>(slots.native)];
      wanted = new_slot(Buffer{.bytes = bytes_of(value)});
      const graph::Value& described = graph_.values[value];
      auto step = make_reorder(described.shape, slots.native, layout, source, *wanted);
      step->info.name = described.name + (layout == Layout::nhwc ? ":nhwc" : ":nchw");
      step->info.type = "Reorder";
      step->info.output = described.shape;
      add_step(std::move(step), {{source}, {*wanted}, std::nullopt}, program);
    }
    return *wanted;
  }

  /// The layouts in which a node gets its inputs.
  [[nodiscard]] std::vector<Layout> choose_layouts(const graph::Node& node, Demand demand) const {
    std::vector<Layout> layouts(node.inputs.size(), Layout::plain);
    bool seen = false, mixed = false;
    Layout first = Layout::plain;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      if (graph_.values[node.inputs[i]].shape.size() != 4) continue;
      layouts[i] = demand == Demand::nhwc ? Layout::nhwc : Layout::plain;
      const Layout native = slots_of_value_[node.inputs[i]].native;
      if (demand == Demand::sizes) layouts[i] = native;
      mixed = mixed || (seen && native != first);
      if (!seen) first = native;
      seen = true;
    }
    if (demand == Demand::any) {
      for (std::size_t i = 0; i < node.inputs.size(); ++i)
        if (graph_.values[node.inputs[i]].shape.size() == 4) layouts[i] = mixed ? Layout::nhwc : first;
    }
    return layouts;
  }

  void add_input(const graph::Node& node, Program::Impl& program) {
    const ValueId value = node.outputs.front();
    const std::size_t index = program.input_names.size();
    bind(value, Layout::plain, new_slot(Buffer{SlotPlace::Kind::input, index, bytes_of(value)}));
    program.input_names.push_back(node.name);
    program.input_shapes.push_back(graph_.values[value].shape);
  }

  void add_node(const graph::Node& node, Program::Impl& program) {
    if (std::holds_alternative<graph::Input>(node.op)) return add_input(node, program);
    const OpBuilder op_builder = builder_of(node.op);
    StepRequest request{graph_, node, context_, {}, {}, choose_layouts(node, op_builder.demand)};
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      request.inputs.push_back(slot_in(node.inputs[i], request.input_layouts[i], program));
      request.inputs_in_place.push_back(places_[node.inputs[i]].has_value());
    }
    for (const ValueId output : node.outputs) request.outputs.push_back(new_output(output));
    if (const auto& place = places_[node.outputs.front()]) request.output_pixel_stride = place->channels;

    BuiltStep built = op_builder.build(request);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (built.alias) {
        buffer_of_slot_[request.outputs[i]] = buffer_of_slot_[request.inputs.front()];
        offset_of_slot_[request.outputs[i]] = offset_of_slot_[request.inputs.front()];
      }
      bind(node.outputs[i], built.outputs[i], request.outputs[i]);
    }
    if (built.alias) return;
    built.step->info.name = node.name;
    built.step->info.type = op_name(node.op);
    built.step->info.output = graph_.values[node.outputs.front()].shape;
    if (op_builder.demand == Demand::sizes) request.inputs.clear();  // nothing has to live until then
    add_step(std::move(built.step), {request.inputs, request.outputs, built.in_place}, program);
  }

  void add_outputs(Program::Impl& program) {
    for (const ValueId value : graph_.outputs) {
      const ValueSlots& slots = slots_of_value_[value];
      const auto& plain = slots.in_layout[static_cast<std::size_t>(Layout::plain)];
      const Layout from = plain ? Layout::plain : slots.native;
      const Slot source = *slots.in_layout[static_cast<std::size_t>(from)];
      const Slot target = new_slot(Buffer{SlotPlace::Kind::output, program.output_names.size(), bytes_of(value)});
      const graph::Value& described = graph_.values[value];
      auto step = make_reorder(described.shape, from, Layout::plain, source, target);
      step->info.name = described.name + ":output";
      step->info.type = "Output";
      step->info.output = described.shape;
      add_step(std::move(step), {{source}, {target}, std::nullopt}, program);
      program.output_names.push_back(described.name);
      program.output_shapes.push_back(described.shape);
    }
  }

  struct Lifetime {
    std::size_t first = SIZE_MAX, last = 0;
  };
  [[nodiscard]] std::vector<Lifetime> lifetimes() const {
    std::vector<Lifetime> result(buffers_.size());
    for (std::size_t step = 0; step < traffic_.size(); ++step) {
      for (const auto* slots : {&traffic_[step].inputs, &traffic_[step].outputs}) {
        for (const Slot slot : *slots) {
          Lifetime& lifetime = result[buffer_of_slot_[slot]];
          lifetime.first = std::min(lifetime.first, step);
          lifetime.last = std::max(lifetime.last, step);
        }
      }
    }
    return result;
  }

  /// Lets steps that can, write over an input that nobody reads afterwards.
  void share_in_place() {
    std::vector<Lifetime> lives = lifetimes();
    for (std::size_t step = 0; step < traffic_.size(); ++step) {
      const Traffic& traffic = traffic_[step];
      if (!traffic.in_place) continue;
      const BufferId source = buffer_of_slot_[traffic.inputs[*traffic.in_place]];
      const BufferId target = buffer_of_slot_[traffic.outputs.front()];
      const auto readers = std::count_if(traffic.inputs.begin(), traffic.inputs.end(),
                                         [&](Slot slot) { return buffer_of_slot_[slot] == source; });
      if (buffers_[source].kind != SlotPlace::Kind::arena || buffers_[target].kind != SlotPlace::Kind::arena ||
          buffers_[source].bytes != buffers_[target].bytes || lives[source].last != step || readers != 1)
        continue;
      std::replace(buffer_of_slot_.begin(), buffer_of_slot_.end(), target, source);
      lives[source].last = lives[target].last;
    }
  }

  void place_slots(Program::Impl& program) const {
    const std::vector<Lifetime> lives = lifetimes();
    std::vector<BufferRequest> requests(buffers_.size());
    for (BufferId id = 0; id < buffers_.size(); ++id) {
      const bool in_arena = buffers_[id].kind == SlotPlace::Kind::arena && lives[id].first != SIZE_MAX;
      if (in_arena) requests[id] = {buffers_[id].bytes, lives[id].first, lives[id].last};
    }
    const MemoryPlan plan = program.threads > 1 ? plan_memory_by_halves(requests) : plan_memory(requests);
    for (Slot slot = 0; slot < buffer_of_slot_.size(); ++slot) {
      const BufferId id = buffer_of_slot_[slot];
      const Buffer& buffer = buffers_[id];
      const bool in_arena = buffer.kind == SlotPlace::Kind::arena;
      program.slots.push_back({buffer.kind, in_arena ? plan.offsets[id] + offset_of_slot_[slot] : buffer.external});
    }
    std::size_t scratch = 0, of_thread = 0;
    for (const auto& step : program.steps) {
      scratch = std::max(scratch, step->scratch_bytes());
      of_thread = std::max(of_thread, step->thread_scratch_bytes());
    }
    program.scratch_offset = plan.bytes;
    program.thread_scratch_offset = program.scratch_offset + align_up(scratch);
    program.thread_scratch_stride = align_up(of_thread);
    program.arena_bytes =
        program.thread_scratch_offset + static_cast<std::size_t>(program.threads) * program.thread_scratch_stride;
  }

  const graph::Graph& graph_;
  const BuildContext& context_;
  std::vector<ValueSlots> slots_of_value_;
  std::vector<std::optional<ChannelPlace>> places_;  ///< by value
  std::map<ValueId, BufferId> buffer_of_whole_;
  std::vector<BufferId> buffer_of_slot_;
  std::vector<std::size_t> offset_of_slot_;  ///< in bytes
  std::vector<Buffer> buffers_;
  std::vector<Traffic> traffic_;
};

}  // namespace

void add_steps(const graph::Graph& graph, const BuildContext& context, Program::Impl& program) {
  Builder(graph, context).build(program);
}

}  // namespace octavo::runtime

// SPDX-License-Identifier: Apache-2.0
// If, Loop and Scan: see graph/import/onnx_importer.h. The graph has no control flow; a branch whose condition is known
// is taken at import, both are computed where it is not, and a loop that makes a known number of passes is written out,
// pass after pass.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "graph/axes.h"
#include "graph/check.h"
#include "graph/import/onnx_importer.h"
#include "graph/import/onnx_limits.h"
#include "graph/import/open_extent.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

constexpr std::size_t kMaxDepth = 8;  // of graphs within graphs

const char* const kFixedShapes =
    "octavo writes loops out, so it has to know at import how often they run: cut the network before this node "
    "(--outputs, LoadOptions::outputs)";

/// Whether a condition holds; throws Error(unsupported) when the network computes it.
bool known_truth(const ImportedValue& condition, std::string_view what) {
  if (!condition.is_constant())
    NodeBuilder::unsupported(fmt::format("{} is computed by the network", what), kFixedShapes);
  require(condition.constant->count() == 1, "{} is not one truth value", what);
  return condition.constant->real(0) != 0;
}

ImportedValue constant_integer(std::int64_t number) {
  return NodeBuilder::constant_value(make_tensor(ElementType::int64, {}, std::vector<std::int64_t>{number}));
}

ImportedValue constant_truth(bool truth) {
  return NodeBuilder::constant_value(make_tensor(ElementType::boolean, {}, std::vector<std::int64_t>{truth ? 1 : 0}));
}

/// Values of one shape along a new axis; constants stay constants.
ImportedValue stacked(OnnxNode& node, const std::vector<ImportedValue>& parts, std::int64_t given_axis) {
  if (parts.empty()) OnnxNode::unsupported("a result without numbers: the loop makes no pass");
  const auto rank = static_cast<std::int64_t>(parts[0].shape.size()) + 1;
  require(rank <= 8, "a value of {} dimensions", rank);
  const std::int64_t axis = canonical_axis(given_axis, rank);
  Shape shape = parts[0].shape;
  shape.insert(shape.begin() + axis, 1);
  const bool known = std::all_of(parts.begin(), parts.end(), [](const auto& part) { return part.is_constant(); });
  std::vector<ConstantPtr> constants;
  std::vector<ImportedValue> values;
  for (const ImportedValue& part : parts) {
    require(part.shape == parts[0].shape, "passes give results of different shapes");
    if (part.open) OnnxNode::unsupported("passes give results of which only a run tells how large they are");
    if (known) {
      constants.push_back(reshaped(*part.constant, shape));
    } else {
      values.push_back(node.add_reshape(part, shape));
    }
  }
  if (known) return OnnxNode::constant_value(joined(constants, axis, node.budget()));
  if (values.size() == 1) return values[0];
  return node.add(Concat{.axis = axis}, values);
}

/// One position of an axis, without the axis.
ImportedValue position_of(OnnxNode& node, const ImportedValue& x, std::int64_t axis, std::int64_t at) {
  if (x.open) OnnxNode::unsupported("it walks along a value of which only a run tells how large it is");
  Shape shape = x.shape;
  shape.erase(shape.begin() + axis);
  const StridedSlice slice{.axes = {axis}, .begins = {at}, .ends = {at + 1}, .steps = {1}};
  if (x.is_constant()) {
    return OnnxNode::constant_value(reshaped(*sliced(*x.constant, slice, node.budget()), std::move(shape)));
  }
  if (x.shape[static_cast<std::size_t>(axis)] == 1) return node.add_reshape(x, shape);
  return node.add_reshape(node.add(slice, {x}), shape);
}

/// Number i of a list that may be shorter.
std::int64_t entry(const std::vector<std::int64_t>& list, std::size_t i) { return i < list.size() ? list[i] : 0; }

}  // namespace

OnnxGraphProto OnnxImporter::body_of(const OnnxNodeProto& proto, std::string_view attribute) const {
  const std::span<const std::byte> message = OnnxAttributes(proto, source_).graph(attribute);
  return read_onnx_graph(message, file_.offset_of(message));
}

std::vector<ImportedValue> OnnxImporter::run_body(const OnnxGraphProto& body, std::vector<ImportedValue> inputs) {
  require(scopes_.size() <= kMaxDepth, "graphs within graphs, more than {} deep", kMaxDepth);
  require(body.inputs.size() == inputs.size(), "a body of {} inputs is given {}", body.inputs.size(), inputs.size());
  scopes_.push_back({body});
  std::vector<ImportedValue> outputs;
  for (std::size_t i = 0; i < inputs.size(); ++i) scopes_.back().values[body.inputs[i].name] = std::move(inputs[i]);
  convert_nodes(body);
  for (const OnnxValueInfo& output : body.outputs) outputs.push_back(find(output.name));
  scopes_.pop_back();
  return outputs;
}

std::vector<ImportedValue> OnnxImporter::convert_if(const OnnxNodeProto& proto) {
  const ImportedValue condition = context(proto).input();
  if (condition.is_constant()) {
    return run_body(body_of(proto, known_truth(condition, "its condition") ? "then_branch" : "else_branch"), {});
  }
  const std::vector<ImportedValue> yes = run_body(body_of(proto, "then_branch"), {});
  const std::vector<ImportedValue> no = run_body(body_of(proto, "else_branch"), {});
  require(element_count(condition.shape) == 1 && yes.size() == no.size(), "its branches do not fit");
  OnnxNode node = context(proto);
  std::vector<ImportedValue> results;
  for (std::size_t i = 0; i < yes.size(); ++i) {
    results.push_back(chosen_open(node, condition, yes[i], no[i]));
  }
  node.results(std::move(results));
  return node.finish();
}

/// Inputs: the most passes, a condition, carried values. The body's: number of the pass, condition, carried values; its
/// outputs: condition, carried values, and what is collected.
std::vector<ImportedValue> OnnxImporter::convert_loop(const OnnxNodeProto& proto) {
  const OnnxGraphProto body = body_of(proto, "body");
  const OnnxNode before = context(proto);
  const bool limited = before.has_input(0);
  if (limited && !before.input(0).is_constant()) {
    OnnxNode::unsupported("its number of passes is computed by the network", kFixedShapes);
  }
  const std::int64_t most = limited ? before.integers(0, "number of passes").value().at(0) : 0;
  bool goes_on = !before.has_input(1) || known_truth(before.input(1), "its condition");
  const std::size_t carried_count = std::max<std::size_t>(before.input_count(), 2) - 2;
  require(body.outputs.size() > carried_count, "a body of {} outputs for {} carried values", body.outputs.size(),
          carried_count);
  std::vector<ImportedValue> carried;
  for (std::size_t i = 0; i < carried_count; ++i) carried.push_back(before.input(2 + i));
  std::vector<std::vector<ImportedValue>> collected(body.outputs.size() - 1 - carried_count);
  for (std::int64_t pass = 0; goes_on && (!limited || pass < most); ++pass) {
    ++converted_;  // a body without nodes must end, too
    require(converted_ <= kMaxOnnxNodes, "a loop of more than {} passes", kMaxOnnxNodes);
    std::vector<ImportedValue> inputs{constant_integer(pass), constant_truth(true)};
    inputs.insert(inputs.end(), carried.begin(), carried.end());
    const std::vector<ImportedValue> outputs = run_body(body, std::move(inputs));
    goes_on = known_truth(outputs.at(0), "whether it goes on");
    const auto end_of_carried = outputs.begin() + 1 + static_cast<std::ptrdiff_t>(carried_count);
    carried.assign(outputs.begin() + 1, end_of_carried);
    for (std::size_t i = 0; i < collected.size(); ++i)
      collected[i].push_back(*(end_of_carried + static_cast<std::ptrdiff_t>(i)));
  }
  OnnxNode node = context(proto);
  std::vector<ImportedValue> results = std::move(carried);
  for (std::size_t i = 0; i < collected.size(); ++i) {
    const bool read = carried_count + i < proto.outputs.size() && !proto.outputs[carried_count + i].empty();
    results.push_back(read ? stacked(node, collected[i], 0) : ImportedValue{});
  }
  node.results(std::move(results));
  return node.finish();
}

/// Inputs: carried values, then those that are walked along an axis, position by position.
std::vector<ImportedValue> OnnxImporter::convert_scan(const OnnxNodeProto& proto) {
  if (file_.opset() < 9) OnnxNode::unsupported("Scan of operator set 8");
  const OnnxGraphProto body = body_of(proto, "body");
  std::vector<ImportedValue> carried, walked;
  std::vector<std::int64_t> axes, backwards, output_axes, output_backwards;
  {
    const OnnxNode before = context(proto);
    const OnnxAttributes& attributes = before.attributes();
    const std::int64_t walked_count = attributes.integer("num_scan_inputs", 0);
    require(walked_count > 0 && walked_count <= static_cast<std::int64_t>(before.input_count()),
            "num_scan_inputs is {} of {}", walked_count, before.input_count());
    const std::size_t carried_count = before.input_count() - static_cast<std::size_t>(walked_count);
    for (std::size_t i = 0; i < before.input_count(); ++i) {
      (i < carried_count ? carried : walked).push_back(before.input(i));
    }
    axes = attributes.integers("scan_input_axes");
    backwards = attributes.integers("scan_input_directions");
    output_axes = attributes.integers("scan_output_axes");
    output_backwards = attributes.integers("scan_output_directions");
  }
  std::int64_t passes = -1;
  std::vector<std::int64_t> along;
  for (std::size_t i = 0; i < walked.size(); ++i) {
    if (walked[i].shape.empty()) OnnxNode::malformed("a scalar cannot be walked along");
    along.push_back(canonical_axis(entry(axes, i), static_cast<std::int64_t>(walked[i].shape.size())));
    const std::int64_t size = walked[i].shape[static_cast<std::size_t>(along.back())];
    require(passes < 0 || passes == size, "inputs of {} and of {} positions", passes, size);
    passes = size;
  }
  require(body.outputs.size() >= carried.size(), "a body of {} outputs for {} carried values", body.outputs.size(),
          carried.size());
  std::vector<std::vector<ImportedValue>> collected(body.outputs.size() - carried.size());
  for (std::int64_t pass = 0; pass < passes; ++pass) {
    ++converted_;
    require(converted_ <= kMaxOnnxNodes, "a loop of more than {} passes", kMaxOnnxNodes);
    std::vector<ImportedValue> inputs = carried;
    OnnxNode node = context(proto);
    for (std::size_t i = 0; i < walked.size(); ++i) {
      inputs.push_back(position_of(node, walked[i], along[i], entry(backwards, i) != 0 ? passes - 1 - pass : pass));
    }
    const std::vector<ImportedValue> outputs = run_body(body, std::move(inputs));
    const auto end_of_carried = outputs.begin() + static_cast<std::ptrdiff_t>(carried.size());
    carried.assign(outputs.begin(), end_of_carried);
    for (std::size_t i = 0; i < collected.size(); ++i)
      collected[i].push_back(*(end_of_carried + static_cast<std::ptrdiff_t>(i)));
  }
  OnnxNode node = context(proto);
  std::vector<ImportedValue> results = std::move(carried);
  for (std::size_t i = 0; i < collected.size(); ++i) {
    if (entry(output_backwards, i) != 0) std::reverse(collected[i].begin(), collected[i].end());
    results.push_back(stacked(node, collected[i], entry(output_axes, i)));
  }
  node.results(std::move(results));
  return node.finish();
}

std::optional<std::vector<ImportedValue>> OnnxImporter::convert_control(const OnnxNodeProto& proto) {
  if (!proto.domain.empty() && proto.domain != "ai.onnx") return std::nullopt;
  if (proto.op_type == "If") return convert_if(proto);
  if (proto.op_type == "Loop") return convert_loop(proto);
  if (proto.op_type == "Scan") return convert_scan(proto);
  return std::nullopt;
}

}  // namespace octavo::graph

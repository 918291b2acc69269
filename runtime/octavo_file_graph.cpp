// SPDX-License-Identifier: Apache-2.0
// Visitors over the ops' fields: one that writes JSON, one that reads it.
#include "runtime/octavo_file_graph.h"

#include <nlohmann/json.hpp>
#include <type_traits>
#include <utility>

#include "graph/enum_names.h"
#include "octavo/error.h"

namespace octavo::runtime {
namespace {

using nlohmann::json;

template <class T>
constexpr bool kMadeByCompiler = std::is_same_v<T, graph::Quantize> || std::is_same_v<T, graph::IntegerConvolution> ||
                                 std::is_same_v<T, graph::IntegerLinear> || std::is_same_v<T, graph::Dequantize> ||
                                 std::is_same_v<T, graph::FusedConvolution> || std::is_same_v<T, graph::FusedLinear>;

// The last name of each enumeration.
constexpr auto last_of(graph::UnaryKind) { return graph::UnaryKind::atanh; }
constexpr auto last_of(graph::PoolKind) { return graph::PoolKind::average; }
constexpr auto last_of(graph::EltwiseKind) { return graph::EltwiseKind::max; }
constexpr auto last_of(graph::ReductionKind) { return graph::ReductionKind::log_sum_exp; }
constexpr auto last_of(graph::BinaryKind) { return graph::BinaryKind::logical_xor; }
constexpr auto last_of(graph::PadKind) { return graph::PadKind::wrap; }
constexpr auto last_of(graph::ResizeKind) { return graph::ResizeKind::cubic; }
constexpr auto last_of(graph::ResizeCoordinates) { return graph::ResizeCoordinates::align_corners; }
constexpr auto last_of(graph::ResizeRounding) { return graph::ResizeRounding::ceil; }
constexpr auto last_of(graph::BoxCode) { return graph::BoxCode::corner_size; }
constexpr auto last_of(jit::ActivationKind) { return jit::ActivationKind::tanh; }

// ---- writing ----------------------------------------------------------------------------------------------------

class Writer {
 public:
  explicit Writer(BlobWriter& blobs) : blobs_(blobs) {}
  void operator()(const char* key, const auto& value) { object_[key] = encode(value); }
  json take() { return std::move(object_); }

 private:
  json encode(bool value) { return value; }
  json encode(std::int64_t value) { return value; }
  json encode(float value) { return json_number(value); }
  json encode(const graph::Pair& value) { return value; }
  json encode(const std::vector<std::int64_t>& value) { return value; }
  json encode(const std::vector<float>& value) {
    json list = json::array();
    for (const float number : value) list.push_back(json_number(number));
    return list;
  }
  json encode(const graph::BlobPtr& value) { return value ? json(blobs_.add(value)) : json(nullptr); }
  json encode(const graph::QuantizationWindow& value) {
    return {{"channels", value.channels}, {"tile_h", value.tile_h}, {"tile_w", value.tile_w}};
  }
  json encode(const graph::Activation& value) {
    Writer inner(blobs_);
    graph::Activation::fields(value, inner);
    return inner.take();
  }
  template <class E>
  requires std::is_enum_v<E> json encode(E value) { return graph::enum_name(value); }

  BlobWriter& blobs_;
  json object_ = json::object();
};

json attributes_of(const graph::Node& node, BlobWriter& blobs) {
  return std::visit(
      [&]<class Op>(const Op& op) {
        if (kMadeByCompiler<Op>) {
          throw Error(ErrorKind::unsupported, "a compiled graph cannot be stored", "layer '" + node.name + "'");
        }
        Writer writer(blobs);
        Op::fields(op, writer);
        return writer.take();
      },
      node.op);
}

// ---- reading ----------------------------------------------------------------------------------------------------

class Reader {
 public:
  Reader(const JsonView& object, const std::vector<graph::BlobPtr>& blobs) : object_(object), blobs_(blobs) {}
  void operator()(const char* key, auto& value) {
    known_.emplace_back(key);
    if (object_.has(key)) decode(object_.at(key), value);
  }
  void finish() const { object_.expect_only(known_); }

 private:
  static void decode(const JsonView& from, bool& value) { value = from.boolean(); }
  static void decode(const JsonView& from, std::int64_t& value) { value = from.integer(); }
  static void decode(const JsonView& from, float& value) { value = from.number(); }
  static void decode(const JsonView& from, graph::Pair& value) {
    const auto items = from.items();
    if (items.size() != value.size()) from.fail("two numbers are expected");
    for (std::size_t i = 0; i < value.size(); ++i) value[i] = items[i].integer();
  }
  template <class T>
  static void decode(const JsonView& from, std::vector<T>& value) {
    value.clear();
    for (const auto& item : from.items()) decode(item, value.emplace_back());
  }
  void decode(const JsonView& from, graph::BlobPtr& value) const {
    value = nullptr;
    if (from.is_null()) return;
    value = blobs_[static_cast<std::size_t>(from.integer(0, static_cast<std::int64_t>(blobs_.size()) - 1))];
  }
  static void decode(const JsonView& from, graph::QuantizationWindow& value) {
    from.expect_only({"channels", "tile_h", "tile_w"});
    value = {from.at("channels").integer(0), from.at("tile_h").integer(0), from.at("tile_w").integer(0)};
  }
  void decode(const JsonView& from, graph::Activation& value) const {
    Reader inner(from, blobs_);
    graph::Activation::fields(value, inner);
    inner.finish();
  }
  template <class E>
  requires std::is_enum_v<E>
  static void decode(const JsonView& from, E& value) {
    for (int i = 0; i <= static_cast<int>(last_of(E{})); ++i) {
      value = static_cast<E>(i);
      if (graph::enum_name(value) == from.text()) return;
    }
    from.fail("unknown '" + from.text() + "'");
  }

  const JsonView& object_;
  const std::vector<graph::BlobPtr>& blobs_;
  std::vector<std::string_view> known_;
};

template <class Op>
bool read_if(const std::string& name, const JsonView& attributes, const std::vector<graph::BlobPtr>& blobs,
             graph::Op& to) {
  if (kMadeByCompiler<Op> || Op::kName != name) return false;
  Op op;
  Reader reader(attributes, blobs);
  Op::fields(op, reader);
  reader.finish();
  to = std::move(op);
  return true;
}

graph::Op read_op(const JsonView& node, const std::vector<graph::BlobPtr>& blobs) {
  const JsonView name = node.at("op"), attributes = node.at("attributes");
  graph::Op op;
  const bool found = [&]<std::size_t... I>(std::index_sequence<I...>) {
    return (read_if<std::variant_alternative_t<I, graph::Op>>(name.text(), attributes, blobs, op) || ...);
  }
  (std::make_index_sequence<std::variant_size_v<graph::Op>>());
  if (!found) name.fail("unknown op '" + name.text() + "'");
  return op;
}

std::vector<graph::ValueId> read_ids(const JsonView& list, std::size_t values) {
  std::vector<graph::ValueId> ids;
  for (const auto& item : list.items()) {
    ids.push_back(static_cast<graph::ValueId>(item.integer(0, static_cast<std::int64_t>(values) - 1)));
  }
  return ids;
}

}  // namespace

json graph_to_json(const graph::Graph& graph, BlobWriter& blobs) {
  json values = json::array(), nodes = json::array();
  for (const auto& value : graph.values) values.push_back(value.name);
  for (const auto& node : graph.nodes) {
    nodes.push_back({{"name", node.name},
                     {"op", graph::op_name(node.op)},
                     {"inputs", node.inputs},
                     {"outputs", node.outputs},
                     {"attributes", attributes_of(node, blobs)}});
  }
  return {{"name", graph.name}, {"values", values}, {"nodes", nodes}, {"outputs", graph.outputs}};
}

graph::Graph graph_from_json(const JsonView& json, const std::vector<graph::BlobPtr>& blobs) {
  json.expect_only({"name", "values", "nodes", "outputs"});
  graph::Graph graph;
  graph.name = json.at("name").text();
  for (const auto& value : json.at("values").items()) graph.values.push_back({value.text(), {}});
  for (const auto& node : json.at("nodes").items()) {
    node.expect_only({"name", "op", "inputs", "outputs", "attributes"});
    graph.nodes.push_back({node.at("name").text(), read_op(node, blobs),
                           read_ids(node.at("inputs"), graph.values.size()),
                           read_ids(node.at("outputs"), graph.values.size())});
  }
  graph.outputs = read_ids(json.at("outputs"), graph.values.size());
  return graph;
}

}  // namespace octavo::runtime

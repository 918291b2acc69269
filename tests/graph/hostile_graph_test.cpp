// SPDX-License-Identifier: Apache-2.0
// Graphs as a broken or hostile file may have them: any number in any attribute, any blob in any place, any edge.
// Whatever they hold, they are refused with an Error or they are sound; nothing crashes, overflows or takes long. Run
// under the sanitizers, this is where out-of-range arithmetic would show.
#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <random>
#include <type_traits>

#include "graph/compiler.h"
#include "tests/graph/net.h"

namespace octavo::graph::test {
namespace {

class Hostile {
 public:
  explicit Hostile(std::uint32_t seed) : random_(seed) {}

  Graph graph() {
    Graph graph;
    const std::size_t values = 2 + pick(6);
    for (std::size_t i = 0; i < values; ++i) graph.values.push_back({"v" + std::to_string(pick(12)), {}});
    const std::size_t nodes = 1 + pick(6);
    for (std::size_t i = 0; i < nodes; ++i) {
      Op op = random_op();
      std::vector<ValueId> inputs(std::holds_alternative<Input>(op) ? 0 : 1 + pick(3));
      for (ValueId& value : inputs) value = pick(values + 1);
      std::vector<ValueId> outputs(1 + pick(2));
      for (ValueId& value : outputs) value = pick(values + 1);
      graph.add_node("n" + std::to_string(pick(12)), std::move(op), std::move(inputs), std::move(outputs));
    }
    graph.outputs = {pick(values + 1)};
    return graph;
  }

  /// Sound inputs and one op.
  Graph one_op(Op op) {
    Net net;
    std::vector<ValueId> inputs;
    const std::size_t count = 1 + pick(2);
    for (std::size_t i = 0; i < count; ++i) inputs.push_back(net.input("x" + std::to_string(i), shape()));
    const auto outputs = net.add_many("op", std::move(op), inputs, 1 + pick(2));
    return net.done(outputs);
  }

  /// An op with some of its attributes replaced.
  Op random_op() { return op_of(pick(std::variant_size_v<Op>), std::make_index_sequence<std::variant_size_v<Op>>{}); }

  std::size_t pick(std::size_t below) { return random_() % below; }

 private:
  template <std::size_t... I>
  Op op_of(std::size_t index, std::index_sequence<I...>) {
    Op op;
    static_cast<void>(((index == I ? (op.emplace<I>(), true) : false) || ...));
    std::visit([&](auto& typed) { mutate(typed); }, op);
    return op;
  }

  template <class T>
  void mutate(T& op) {
    T::fields(op, [&](std::string_view, auto& field) {
      if (pick(4) == 0) set(field);
    });
  }

  std::int64_t number() {
    constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
    static constexpr std::array<std::int64_t, 16> kNumbers{0,
                                                           1,
                                                           2,
                                                           3,
                                                           4,
                                                           8,
                                                           -1,
                                                           -2,
                                                           1 << 20,
                                                           (std::int64_t{1} << 31) - 1,
                                                           std::int64_t{1} << 31,
                                                           std::int64_t{1} << 40,
                                                           std::int64_t{1} << 62,
                                                           kMost,
                                                           -kMost,
                                                           -kMost - 1};
    return kNumbers[pick(pick(2) == 0 ? 6 : kNumbers.size())];
  }
  std::int64_t dimension() {
    return pick(6) == 0 ? std::max<std::int64_t>(number(), 1) >> pick(40) | 1 : 1 + static_cast<std::int64_t>(pick(8));
  }
  Shape shape() {
    Shape result(1 + pick(5));
    if (pick(2) == 0) result.resize(4);
    for (std::int64_t& dim : result) dim = dimension();
    while (element_count_or_zero(result) == 0) result.pop_back();
    return result;
  }
  static std::int64_t element_count_or_zero(const Shape& shape) {
    try {
      const std::int64_t count = element_count(shape);
      return count <= std::int64_t{1} << 40 ? count : 0;
    } catch (const Error&) {
      return 0;
    }
  }

  void set(bool& field) { field = pick(2) == 0; }
  void set(std::int64_t& field) { field = number(); }
  void set(float& field) {
    static constexpr std::array<float, 8> kNumbers{0.0F,
                                                   -0.0F,
                                                   1.0F,
                                                   -1.0F,
                                                   1e-45F,
                                                   3e38F,
                                                   std::numeric_limits<float>::infinity(),
                                                   std::numeric_limits<float>::quiet_NaN()};
    field = kNumbers[pick(kNumbers.size())];
  }
  template <class Enum>
  requires std::is_enum_v<Enum>
  void set(Enum& field) { field = static_cast<Enum>(static_cast<int>(pick(12)) - 1); }
  void set(Pair& field) {
    for (std::int64_t& value : field) set(value);
  }
  template <class T>
  void set(std::vector<T>& field) {
    field.resize(pick(5));
    for (T& value : field) set(value);
  }
  void set(QuantizationWindow& field) {
    set(field.channels);
    set(field.tile_h);
    set(field.tile_w);
  }
  void set(Activation& field) { mutate(field); }
  void set(BlobPtr& field) {
    if (pick(6) == 0) {
      field = nullptr;
      return;
    }
    auto blob = std::make_shared<Blob>();
    blob->shape.resize(pick(5));
    for (std::int64_t& dim : blob->shape) dim = pick(8) == 0 ? number() : 1 + static_cast<std::int64_t>(pick(4));
    std::size_t count = pick(70);
    if (const std::int64_t own = element_count_or_zero(blob->shape); own > 0 && own < 1000 && pick(8) != 0) {
      count = static_cast<std::size_t>(own);
    }
    if (pick(2) == 0) {
      blob->f32 = Data<float>(std::vector<float>(count, 0.5F));
    } else {
      blob->q = Data<std::int8_t>(std::vector<std::int8_t>(count, 3));
      blob->scales = Data<float>(std::vector<float>(pick(9), 0.5F));
      set(blob->window);
    }
    field = std::move(blob);
  }

  std::mt19937 random_;
};

/// True when the graph is sound; false when it is refused in the way it has to be.
bool survives(const Graph& graph) {
  static_cast<void>(print(graph));
  try {
    verify(graph);
    Graph shaped = graph;
    infer_shapes(shaped);
    verify(shaped);
  } catch (const Error&) {
    return false;
  }
  // Sound: then every stage takes it, or says why not.
  try {
    const Graph quantized = stage_of(graph) <= Stage::quantized ? quantize_weights(canonicalize(graph), {}) : graph;
    verify(compile_to(quantized, Stage::fused));
  } catch (const Error&) {
  }
  return true;
}

TEST(HostileGraphs, PropertyRandomGraphsAreRefusedOrSound) {
  for (std::uint32_t seed = 0; seed < 20000; ++seed) survives(Hostile(seed).graph());
}

TEST(HostileGraphs, PropertyEveryOpIsRefusedOrSoundWhateverItsAttributes) {
  std::array<std::size_t, std::variant_size_v<Op>> sound{};
  for (std::uint32_t seed = 0; seed < 30000; ++seed) {
    Hostile hostile(seed);
    Op op = hostile.random_op();
    const std::size_t kind = op.index();
    if (survives(hostile.one_op(std::move(op)))) ++sound[kind];
  }
  // Not all is refused: what is left went through the shape rules and the passes.
  EXPECT_GT(sound[Op{Unary{}}.index()], 100U);
  EXPECT_GT(sound[Op{Pool{}}.index()], 10U);
  EXPECT_GT(sound[Op{Reshape{}}.index()], 10U);
  EXPECT_GT(sound[Op{Concat{}}.index()], 10U);
}

}  // namespace
}  // namespace octavo::graph::test

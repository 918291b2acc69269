// SPDX-License-Identifier: Apache-2.0
// Programs as a whole: concurrent calls, no allocation, errors, outputs by name, what they tell of themselves.
#include "octavo/program.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <omp.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <new>
#include <set>
#include <thread>

#include "tests/runtime/expect_error.h"
#include "tests/runtime/sample_network.h"

namespace {

std::atomic<long> allocations{0};

}  // namespace

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kCountsAllocations = false;  // sanitizers bring allocation functions of their own
#else
constexpr bool kCountsAllocations = true;

namespace {

void* count_and_allocate(std::size_t bytes, std::size_t alignment) {
  ++allocations;
  void* const memory = std::aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

/// Not inlined: the compiler would see free() of what operator new gave, and warn.
[[gnu::noinline]] void release(void* memory) noexcept { std::free(memory); }

}  // namespace

// Every allocation of this executable is counted.
void* operator new(std::size_t bytes) { return count_and_allocate(bytes, alignof(std::max_align_t)); }
void* operator new[](std::size_t bytes) { return count_and_allocate(bytes, alignof(std::max_align_t)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return count_and_allocate(bytes, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t bytes, std::align_val_t alignment) {
  return count_and_allocate(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { release(memory); }
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept { release(memory); }
#endif

namespace octavo::test {
namespace {

using testing::Contains;
using testing::ElementsAre;

Tensor sample_input(std::int64_t batch, unsigned seed) {
  const Values values = random_values({batch, 3, 20, 20}, seed);
  return {values.shape, values.numbers};
}

std::vector<float> numbers(const Tensor& tensor) { return {tensor.values().begin(), tensor.values().end()}; }

TEST(Program, TellsItsShapesNamesAndLayers) {
  const Program program = build(sample_network(2, true), 2);
  EXPECT_THAT(program.input_shapes(), ElementsAre(Shape{2, 3, 20, 20}));
  EXPECT_THAT(program.output_shapes(), ElementsAre(Shape{2, 10}, Shape{2, 72, 10, 10}));
  EXPECT_THAT(program.output_names(), ElementsAre("prob", "join"));
  EXPECT_EQ(program.threads(), 2);
  std::set<std::string> names;
  for (const LayerInfo& layer : program.layers()) {
    EXPECT_TRUE(names.insert(layer.name).second) << layer.name << " twice";
    EXPECT_FALSE(layer.type.empty());
    EXPECT_FALSE(layer.algorithm.empty()) << layer.name;
    EXPECT_FALSE(layer.output.empty()) << layer.name;
  }
  for (const char* name : {"conv1", "pool1", "conv2", "narrow", "join", "norm", "scores", "prob"})
    EXPECT_THAT(names, Contains(name));
  EXPECT_GT(program.statistics().arena_bytes, 0U);
  EXPECT_GT(program.statistics().weight_bytes, 0U);
}

TEST(Program, ListsEachKernelOnceWithTheLayersThatCallIt) {
  const Program program = build(sample_network(1, true));
  std::set<std::string> names;
  for (const KernelInfo& kernel : program.kernels()) {
    EXPECT_TRUE(names.insert(kernel.name).second) << kernel.name << " twice";
    EXPECT_FALSE(kernel.code.empty());
    EXPECT_THAT(kernel.listing, testing::HasSubstr(kernel.name));
    EXPECT_FALSE(kernel.layers.empty());
  }
  for (const LayerInfo& layer : program.layers())
    for (const std::string& kernel : layer.kernels) EXPECT_THAT(names, Contains(kernel));
  EXPECT_EQ(names.size(), program.statistics().kernels);
}

TEST(Program, LayersAreTimedInOrder) {
  const Program program = build(sample_network(1, true));
  const Tensor input = sample_input(1, 1);
  std::vector<float> prob(10), join(7200);
  const float* const inputs[] = {input.data()};
  float* const outputs[] = {prob.data(), join.data()};
  std::vector<double> seconds;
  program.predict(inputs, outputs, seconds);
  ASSERT_EQ(seconds.size(), program.layers().size());
  for (const double time : seconds) EXPECT_GE(time, 0.0);
  const std::vector<Tensor> tensors = program.predict(std::span<const Tensor>(&input, 1));
  EXPECT_EQ(prob, numbers(tensors[0]));
  EXPECT_EQ(join, numbers(tensors[1]));
}

TEST(Program, AnErrorOfTheCodeGeneratorNamesTheLayer) {
  try {
    static_cast<void>(build(sample_network(1, true, std::int64_t{1} << 29)));
    FAIL() << "a tile of 2^29 pixels was taken";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("layer '"));
  }
}

TEST(Program, EightThreadsOnOneProgramGetWhatOneGets) {
  for (const bool quantized : {false, true}) {
    const Program program = build(sample_network(2, quantized), 1);
    constexpr unsigned kThreads = 8, kRounds = 20;
    std::vector<std::vector<float>> expected;
    for (unsigned i = 0; i < kThreads; ++i) expected.push_back(numbers(program.predict(sample_input(2, i))));
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        const Tensor input = sample_input(2, i);
        for (unsigned round = 0; round < kRounds; ++round)
          if (numbers(program.predict(input)) != expected[i]) ++wrong;
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(wrong, 0) << (quantized ? "int8" : "fp32");
  }
}

TEST(Program, TheThreadCountChangesNoNumbersWhereWindowsAreGiven) {
  // Without a tile the plan chooses one, and a tile is a window: another thread count may round otherwise.
  const Tensor input = sample_input(3, 5);
  const std::vector<float> one = numbers(build(sample_network(3, true, 4), 1).predict(input));
  for (const int threads : {2, 3, 7})
    EXPECT_EQ(numbers(build(sample_network(3, true, 4), threads).predict(input)), one);
}

TEST(Program, LeavesTheCallersThreadCountAlone) {
  const int before = omp_get_max_threads();
  const Program program = build(sample_network(1, true), before + 2);
  EXPECT_EQ(omp_get_max_threads(), before);
  (void)program.predict(sample_input(1, 1));
  EXPECT_EQ(omp_get_max_threads(), before);
}

TEST(Program, RunsInsideTheCallersOwnParallelRegion) {
  const Program program = build(sample_network(1, true), 3);
  const Tensor input = sample_input(1, 1);
  const std::vector<float> expected = numbers(program.predict(input));
  std::atomic<int> wrong{0};
#pragma omp parallel num_threads(2)
  if (numbers(program.predict(input)) != expected) ++wrong;
  EXPECT_EQ(wrong, 0);
}

/// Allocations of one predict() call after two to warm up.
long allocations_of(const Program& program, std::int64_t batch) {
  const Tensor input = sample_input(batch, 1);
  std::vector<float> prob(static_cast<std::size_t>(batch * 10)), join(static_cast<std::size_t>(batch * 7200));
  const float* const inputs[] = {input.data()};
  float* const outputs[] = {prob.data(), join.data()};
  for (int round = 0; round < 2; ++round) program.predict(inputs, outputs);
  const long before = allocations;
  program.predict(inputs, outputs);
  return allocations - before;
}

TEST(Program, AllocatesNothingAfterWarmUp) {
  if (!kCountsAllocations) GTEST_SKIP() << "allocations are not counted under sanitizers";
  for (const int threads : {1, 2}) EXPECT_EQ(allocations_of(build(sample_network(2, true), threads), 2), 0);
}

TEST(Program, Fp32LayersAllocateOnlyOnednnsOwnBookkeeping) {
  if (!kCountsAllocations) GTEST_SKIP() << "allocations are not counted under sanitizers";
  // oneDNN's execute() makes a small map of its arguments and a handful of descriptors, in every call; nothing grows
  // with the tensors.
  constexpr long kLayers = 4, kOfOnednn = 40;
  const long small = allocations_of(build(sample_network(2, false), 1), 2);
  EXPECT_LE(small, kLayers * kOfOnednn);
  EXPECT_EQ(allocations_of(build(sample_network(8, false), 1), 8), small);
}

TEST(Program, WrongInputsAreErrorsThatNameTheShapes) {
  const Program program = build(sample_network(2, true));
  expect_error(ErrorKind::invalid_argument, "[1,3,20,20]", [&] { (void)program.predict(sample_input(1, 1)); });
  expect_error(ErrorKind::invalid_argument, "'data'", [&] { (void)program.predict(Tensor({2, 3, 400})); });
  const std::vector<Tensor> two(2, sample_input(2, 1));
  expect_error(ErrorKind::invalid_argument, "2 inputs", [&] { (void)program.predict(two); });
  std::vector<float*> outputs(1);
  const std::vector<const float*> inputs(1);
  expect_error(ErrorKind::invalid_argument, "1 outputs", [&] { program.predict(inputs, outputs); });
  std::vector<float> prob(20), join(14400);
  const std::vector<float*> both{prob.data(), join.data()}, one{prob.data(), nullptr};
  expect_error(ErrorKind::invalid_argument, "input 'data'", [&] { program.predict(inputs, both); });
  const std::vector<const float*> given{two[0].data()};
  std::vector<double> seconds;
  expect_error(ErrorKind::invalid_argument, "null pointer", [&] { program.predict(given, one, seconds); });
}

TEST(Program, ImpossibleOptionsAreErrors) {
  const Graph graph = sample_network(1, true);
  for (const int threads : {-1, 100'000}) {
    expect_error(ErrorKind::invalid_argument, "thread count", [&] { (void)build(graph, threads); });
  }
}

Program compile(const Graph& graph, const std::vector<std::string>& outputs) {
  CompileOptions options;
  options.threads = 1;
  options.outputs = outputs;
  return runtime::compile_graph(graph, options, std::make_shared<jit::KernelCache>());
}

TEST(CompileGraph, GivesIntermediateOutputsByNameInOrder) {
  const Graph graph = sample_network(1, false);
  const Program program = compile(graph, {"conv2", "prob", "pool1"});
  EXPECT_THAT(program.output_names(), ElementsAre("conv2", "prob", "pool1"));
  const Tensor input = sample_input(1, 1);
  const std::vector<Tensor> outputs = program.predict(std::span<const Tensor>(&input, 1));
  EXPECT_EQ(outputs[0].shape(), (Shape{1, 32, 10, 10}));
  EXPECT_EQ(numbers(outputs[1]), numbers(compile(graph, {}).predict(input)));
}

TEST(CompileGraph, AnUnknownOutputIsAnErrorThatListsNearNames) {
  expect_error(ErrorKind::invalid_argument, "conv2", [] { (void)compile(sample_network(1, false), {"conw2"}); });
}

TEST(CompileGraph, OverridesInputShapes) {
  CompileOptions options;
  options.threads = 1;
  const Program program = runtime::compile_graph(sample_network(1, false), options,
                                                 std::make_shared<jit::KernelCache>(), {{"data", {5, 3, 20, 20}}});
  EXPECT_THAT(program.output_shapes()[0], ElementsAre(5, 10));
}

TEST(CompileGraph, AnInputMayBeAnOutput) {
  SmallNetwork network;
  const ValueId x = network.input("x", {1, 2, 3, 3});
  const ValueId y = network.add("y", graph::Unary{.kind = graph::UnaryKind::relu}, {x});
  const Values input = random_values({1, 2, 3, 3}, 1);
  const Program program = build(network.finish({x, y, x}));
  const Tensor tensor(input.shape, input.numbers);
  const std::vector<Tensor> outputs = program.predict(std::span<const Tensor>(&tensor, 1));
  EXPECT_EQ(numbers(outputs[0]), input.numbers);
  EXPECT_EQ(numbers(outputs[2]), input.numbers);
  EXPECT_EQ(numbers(tensor), input.numbers) << "the caller's tensor was written to";
}

TEST(CompileGraph, StepsInPlaceSpareWhatIsReadLater) {
  // Two functions of one value: neither may run over it before the other has read it.
  SmallNetwork network;
  const ValueId x = network.add("x", graph::Unary{.kind = graph::UnaryKind::abs}, {network.input("data", {64})});
  const ValueId a =
      network.add("a", graph::Unary{.kind = graph::UnaryKind::power, .alpha = 1, .beta = 1, .gamma = 1}, {x});
  const ValueId b =
      network.add("b", graph::Unary{.kind = graph::UnaryKind::power, .alpha = 0, .beta = 2, .gamma = 1}, {x});
  const ValueId sum = network.add("sum", graph::Eltwise{}, {a, b});
  const Values input = random_values({64}, 1);
  const Values result = run(network.finish({sum}), {input});
  for (std::size_t i = 0; i < 64; ++i) EXPECT_FLOAT_EQ(result.numbers[i], 1 + 3 * std::fabs(input.numbers[i])) << i;
}

}  // namespace
}  // namespace octavo::test

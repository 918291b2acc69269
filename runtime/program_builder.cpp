// SPDX-License-Identifier: Apache-2.0
// From a graph to a program: what the options ask for, the passes, what the program tells of itself.
#include "runtime/program_builder.h"

#include <algorithm>
#include <chrono>
#include <dnnl.hpp>
#include <mutex>
#include <new>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

#include "graph/compiler.h"
#include "octavo/error.h"
#include "runtime/parallel.h"
#include "runtime/program_impl.h"
#include "runtime/program_steps.h"
#include "runtime/tuning_file.h"

namespace octavo::runtime {
namespace {

/// libgomp ends the process when the system refuses it a thread: find out before it can, with threads of our own.
void require_threads(int threads) {
  std::mutex gate;
  std::vector<std::jthread> others;
  std::unique_lock closed(gate);  // opened before the threads are waited for, on every way out
  try {
    others.reserve(static_cast<std::size_t>(threads - 1));
    for (int i = 1; i < threads; ++i) others.emplace_back([&gate] { const std::lock_guard wait(gate); });
  } catch (const std::system_error&) {
    const std::size_t started = others.size() + 1;
    throw Error(
        ErrorKind::resource,
        "the system lets this process have " + std::to_string(started) + " of " + std::to_string(threads) + " threads",
        {}, "ask for fewer: CompileOptions::threads, --threads");
  }
}

/// Layer rows and sums, from the steps.
void describe(Program::Impl& program) {
  std::set<const jit::Kernel*> distinct;
  for (const auto& step : program.steps) {
    for (const auto& kernel : step->kernels()) {
      step->info.kernels.push_back(kernel->name());
      if (distinct.insert(kernel.get()).second) program.statistics.code_bytes += kernel->code().size();
    }
    program.statistics.weight_bytes += step->weight_bytes();
    program.layers.push_back(step->info);
  }
  program.statistics.kernels = distinct.size();
  program.statistics.arena_bytes = program.arena_bytes;
}

}  // namespace

Isa choose_isa(const CompileOptions& options) {
  if (!options.isa) return default_isa();
  const std::vector<Isa> available = isa_list();
  if (std::find(available.begin(), available.end(), *options.isa) == available.end()) {
    throw Error(ErrorKind::invalid_argument, "this machine cannot run " + std::string(isa_name(*options.isa)), {},
                "leave the choice to octavo, or take 'reference'");
  }
  return *options.isa;
}

int choose_threads(const CompileOptions& options) {
  constexpr int kMost = 1024;
  if (options.threads < 0 || options.threads > kMost) {
    throw Error(ErrorKind::invalid_argument,
                "the thread count " + std::to_string(options.threads) + " is not in 0.." + std::to_string(kMost));
  }
  const int threads = options.threads == 0 ? omp_get_num_procs() : options.threads;
  require_threads(threads);
  return threads;
}

Program build_program(const graph::Graph& graph, const CompileOptions& options,
                      std::shared_ptr<jit::KernelCache> kernels) {
  const auto start = std::chrono::steady_clock::now();
  const double emitted_before = kernels->statistics().emit_seconds;
  auto program = std::make_shared<Program::Impl>();
  program->threads = choose_threads(options);
  program->engine = dnnl::engine(dnnl::engine::kind::cpu, 0);
  const OmpThreads omp_threads(program->threads);  // oneDNN divides its work when a primitive is created
  const BuildContext context{program->engine,  kernels.get(),    jit::Machine::detect(),     choose_isa(options),
                             program->threads, options.accuracy, load_tuning(options.tuning)};
  try {
    add_steps(graph, context, *program);
  } catch (const std::bad_alloc&) {
    throw Error(ErrorKind::resource, "out of memory while compiling", graph.name);
  }
  describe(*program);
  program->statistics.emit_seconds = kernels->statistics().emit_seconds - emitted_before;
  program->statistics.compile_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return Program(std::move(program));
}

Program compile_graph(const graph::Graph& graph, const CompileOptions& options,
                      std::shared_ptr<jit::KernelCache> kernels,
                      const std::map<std::string, graph::Shape>& input_shapes) {
  graph::Graph compiled = graph::canonicalize(options.outputs.empty() ? graph : select_outputs(graph, options.outputs));
  compiled = graph::fuse_quantization(graph::insert_quantization(std::move(compiled)));
  graph::infer_shapes(compiled, input_shapes);
  compiled = graph::fuse_pool(std::move(compiled));
  graph::verify(compiled);
  return build_program(compiled, options, std::move(kernels));
}

}  // namespace octavo::runtime

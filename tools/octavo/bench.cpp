// SPDX-License-Identifier: Apache-2.0
// octavo bench: time of a network and of its layers, against other ways to run it, in one process.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <memory>
#include <optional>

#include "octavo/error.h"
#include "octavo/isa.h"
#include "tools/octavo/bench_result.h"
#include "tools/octavo/command.h"
#include "tools/octavo/console.h"
#include "tools/octavo/files_read.h"
#include "tools/octavo/json_output.h"
#include "tools/octavo/machine_limits.h"
#include "tools/octavo/model_options.h"
#include "tools/octavo/onednn_int8.h"
#include "tools/octavo/option_checks.h"
#include "tools/octavo/scaling.h"
#include "tools/octavo/text.h"
#include "tools/octavo/timing.h"

namespace octavo::tool {
namespace {

constexpr const char* kFp32 = "onednn-fp32";
constexpr const char* kInt8 = "onednn-int8";

struct Bench {
  ModelArgument model;
  QuantizeArguments quantization;
  CompileArguments compile;
  Repeats repeats;
  std::int64_t batch = 1;
  std::vector<std::string> against;
  std::string report;
  bool json = false, scaling = false;

  [[nodiscard]] bool asked_for(const std::string& peer) const {
    return std::find(against.begin(), against.end(), peer) != against.end();
  }
  [[nodiscard]] ExitCode run() const;
  [[nodiscard]] ExitCode run_scaling(const Model& ours, const CompileOptions& options,
                                     const std::vector<Shape>& shapes) const;
};

std::string cpu_name() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("model name", 0) == 0) return line.substr(std::min(line.find(": ") + 2, line.size()));
  }
  return "unknown CPU";
}

/// Runs `work`, adds its time to `milliseconds`.
template <class Work>
auto clocked(double& milliseconds, const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  auto result = work();
  milliseconds += std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return result;
}

ExitCode Bench::run_scaling(const Model& ours, const CompileOptions& options, const std::vector<Shape>& shapes) const {
  if (!against.empty() || !report.empty())
    throw Error(ErrorKind::invalid_argument, "--scaling measures octavo alone: no --against, no --report");
  const Scaling measured = measure_scaling(ours, options, shapes, repeats);
  const std::string isa(isa_name(options.isa.value_or(default_isa())));
  if (json) {
    Json result = {{"model", ours.name()}, {"batch", batch}, {"cpu", cpu_name()}, {"isa", isa}};
    result.update(scaling_json(measured));
    print_json(result);
  } else {
    print(fmt::format("{}, batch {}, {}, {}; {} interleaved rounds\n\n", ours.name(), batch, cpu_name(), isa,
                      measured.rounds) +
          scaling_text(measured));
  }
  return ExitCode::ok;
}

ExitCode Bench::run() const {
  FilesRead read;
  model.add_to(read);
  quantization.add_to(read);
  compile.add_to(read);
  read.refuse_as_outputs({report});
  BenchResult result;
  const Model opened = clocked(result.load_ms, [&] { return model.open(); });
  const Model ours = clocked(result.quantize_ms, [&] { return quantization.apply(opened); });
  compile.note_if_slow();
  const CompileOptions options = compile.options();
  const Isa isa = options.isa.value_or(default_isa());
  const std::vector<Shape> shapes = batched_inputs(opened, batch);
  if (scaling) return run_scaling(ours, options, shapes);
  const Program program = clocked(result.compile_ms, [&] { return compile_batch(ours, options, batch); });

  std::vector<Program> programs = {program};
  std::vector<Timed> timed;
  timed.emplace_back(program);
  const bool has_fp32 = asked_for(kFp32), has_int8 = asked_for(kInt8);
  if (has_fp32) {
    // The network as trained, or, when only 8-bit weights are left of it, those as fp32: as fast either way.
    programs.push_back((opened.quantized() ? opened.dequantize() : opened).compile(options, shapes));
    timed.emplace_back(programs.back());
  }
  std::optional<OnednnInt8> int8;
  if (has_int8) int8.emplace(program.layers(), program.threads());
  result.rounds = measure(timed, repeats, [&] {
    if (int8) int8->run();
  });

  result.model = opened.name();
  result.cpu = cpu_name();
  result.isa = isa_name(isa);
  result.batch = batch;
  result.threads = program.threads();
  result.statistics = program.statistics();
  result.octavo = timed.front().total();
  for (const std::string& peer : against) {
    if (std::find(result.peers.begin(), result.peers.end(), peer) == result.peers.end()) result.peers.push_back(peer);
  }
  result.add_program(program, timed.front().layers(), {});
  if (has_fp32) {
    result.whole[kFp32] = timed.back().total();
    result.add_program(programs.back(), timed.back().layers(), kFp32);
  }
  if (int8) result.add_layers(program.layers(), *int8, kInt8);

  if (!report.empty()) {
    result.limits = measure_limits(isa, program.threads());
    write_file(report, as_html(result));
  }
  if (json) {
    print_json(as_json(result));
  } else {
    print(as_text(result));
  }
  return ExitCode::ok;
}

}  // namespace

Command define_bench(CLI::App& app) {
  auto bench = std::make_shared<Bench>();
  bench->model.declare(app, true);
  app.add_option("--batch", bench->batch, "pictures a run")
      ->type_name("N")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  bench->compile.declare(app);
  app.add_option("--against", bench->against,
                 "peers measured in the same run, comma-separated: onednn-fp32, onednn-int8")
      ->type_name("NAMES")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember({kFp32, kInt8}));
  app.add_option("--seconds", bench->repeats.seconds, "of measuring, at least, each for layers and for the whole")
      ->type_name("S")
      ->check(number_between(0, 3600))
      ->capture_default_str();
  app.add_option("--rounds", bench->repeats.least, "at least")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_flag("--scaling", bench->scaling, "octavo at 1, 2, ... threads (up to --threads), interleaved: speed-ups");
  bench->quantization.declare(app, nullptr);
  app.add_option("--report", bench->report, "write a page with charts and a roofline picture too")
      ->type_name("FILE.html");
  add_json_flag(app, bench->json);
  app.footer(
      "An fp32 model is quantized first. onednn-fp32 is the same network, all layers in fp32 on oneDNN; onednn-int8\n"
      "each layer that octavo runs in 8 bits, alone, with static scales given and no quantization counted.\n"
      "All run in turn in one process; ratio is the peer's median time over octavo's. A layer that onednn-fp32\n"
      "does not have (its work is part of another) counts 0 there.\n"
      "Examples:\n"
      "  octavo zoo vgg16 --output zoo && octavo bench zoo/vgg16.prototxt --against onednn-fp32,onednn-int8\n"
      "  octavo bench net.octavo --batch 8 --against onednn-fp32 --json");
  return [bench] { return bench->run(); };
}

}  // namespace octavo::tool

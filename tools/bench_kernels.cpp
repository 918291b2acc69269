// SPDX-License-Identifier: Apache-2.0
// How close single layers come to the machine's dot product rate: one core, one image, everything included
// (quantization, epilogue, stores), walked as the runtime walks it. Layers are given in the shape syntax of oneDNN's
// benchdnn, e.g. ic64ih56oc64oh56kh3ph1n"conv2"; without any, those of VGG-16 and some 1x1 and Linear layers.
#include <fmt/format.h>
#include <time.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "jit/kernel_cache.h"
#include "jit/layer.h"
#include "jit/peak_probe.h"
#include "octavo/error.h"
#include "runtime/synthetic_layer.h"
#include "tools/problem.h"
#include "tools/read_bandwidth.h"

namespace octavo::tools {
namespace {

using Clock = std::chrono::steady_clock;

/// Of this thread's own processor time: what runs beside it on a busy machine does not count.
double thread_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double seconds_of(const auto& work) {
  const double start = thread_seconds();
  work();
  return thread_seconds() - start;
}

/// The time that passes, for a team of threads.
double passed_seconds_of(const auto& work) {
  const auto start = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Options {
  std::vector<std::string> problems;
  std::int64_t window = -1, tile = 0, tile_w = 0, rows = 0, vectors = 0;
  jit::WinogradLimit winograd = jit::WinogradLimit::none;
  std::string problems_file;
  double seconds = 0.4;
  int threads = 1, plan_threads = 0;
  bool json = false, signed_input = false, explain = false, gather = true;
  std::string order;
};

struct Result {
  std::string name;
  double products, milliseconds, quantize_milliseconds, rate, peak_ratio, weight_bandwidth;
  double read_ratio;  ///< of a Linear of one row: weights read, of what the machine reads at best; else 0
  std::string plan, reason;
};

jit::Plan plan_of(const jit::ConvSpec& spec, const Options& options) {
  jit::Plan plan = jit::make_plan(spec, jit::Machine::detect(), options.plan_threads);
  if (plan.gathered && !options.gather) {
    const auto candidates = jit::plan_candidates(spec, jit::Machine::detect(), options.plan_threads);
    plan = std::find_if(candidates.begin(), candidates.end(), [](const auto& c) { return !c.plan.gathered; })->plan;
  }
  if (options.tile != 0 && !plan.scale_per_pixel) plan.tile_h = plan.tile_w = options.tile;
  if (options.tile != 0 && plan.scale_per_pixel) plan.tile_w = options.tile;
  if (options.tile_w != 0) plan.tile_w = options.tile_w;
  if (options.rows != 0) plan.rows = options.rows;
  if (options.vectors != 0) plan.column_vectors = options.vectors;
  if (options.order == "tile") plan.order = jit::WorkOrder::tile_outer;
  if (options.order == "channel") plan.order = jit::WorkOrder::channel_outer;
  return plan;
}

/// The share of the machine's read bandwidth at which a Linear of one row reads its weights from memory: the median of
/// pairs, the probe's pass over its own memory before each run.
double read_ratio_of(const runtime::PlannedLayer& layer, const Options& options, jit::KernelCache& cache) {
  constexpr std::size_t pairs = 15;
  const auto clock = [&](const auto& work) {
    return options.threads == 1 ? seconds_of(work) : passed_seconds_of(work);
  };
  const ReadBandwidth probe(options.threads, cache);
  const auto bytes = static_cast<double>(layer.layer().packed_bytes());
  std::vector<double> ratios;
  while (ratios.size() < pairs) {
    const double before = clock([&] { probe.read(); }), seconds = clock([&] { layer.run(); });
    const double rate = probe.bytes() / std::min(before, clock([&] { probe.read(); }));
    ratios.push_back(bytes / seconds / rate);
  }
  return median(ratios);
}

/// The probe runs between the layer's runs, so that a clock that changes, changes for both.
Result measure(const Problem& problem, const Options& options, const jit::Kernel& probe, jit::KernelCache& cache) {
  jit::ConvSpec spec = problem.spec;
  spec.isa = default_isa();
  spec.nonnegative_input = !options.signed_input && spec.in_channels > 3;
  spec.epilogue = {.bias = true, .activation = jit::ActivationKind::relu};
  spec.winograd = options.winograd;
  spec.window.channels = options.window >= 0 ? options.window : (spec.in_h == 1 ? 128 : 64);
  const runtime::SyntheticLayer synthetic(spec);
  const runtime::PlannedLayer layer(synthetic, plan_of(spec, options), options.threads, cache);
  const jit::PeakProbeArgs probe_args{200};
  const double probe_products = static_cast<double>(jit::peak_probe_products(spec.isa) * probe_args.iterations);
  const double products = static_cast<double>(spec.out_h * spec.out_w * spec.out_channels * spec.channels_per_group() *
                                              spec.kernel_h * spec.kernel_w);
  layer.run();
  std::vector<double> times, quantize_times, ratios;
  for (const auto start = Clock::now();
       times.size() < 5 || Clock::now() - start < std::chrono::duration<double>(options.seconds);) {
    double probe_time = seconds_of([&] { probe(probe_args); });
    times.push_back(options.threads == 1 ? seconds_of([&] { layer.run(); }) : passed_seconds_of([&] { layer.run(); }));
    probe_time = std::min(probe_time, seconds_of([&] { probe(probe_args); }));
    quantize_times.push_back(seconds_of([&] { layer.quantize(); }));
    ratios.push_back((products / times.back()) / (probe_products / probe_time * options.threads));
  }
  const double time = median(times);
  return {problem.name,
          products,
          time * 1e3,
          median(quantize_times) * 1e3,
          products / time,
          median(ratios),
          static_cast<double>(layer.layer().packed_bytes()) / time,
          spec.out_h * spec.out_w == 1 ? read_ratio_of(layer, options, cache) : 0.0,
          layer.layer().plan().name(),
          layer.layer().plan().reason};
}

std::vector<std::string> default_problems() {
  return {
      R"(ic3ih224oc64oh224kh3ph1n"vgg:conv1_1")",
      R"(ic64ih224oc64oh224kh3ph1n"vgg:conv1_2")",
      R"(ic64ih112oc128oh112kh3ph1n"vgg:conv2_1")",
      R"(ic128ih112oc128oh112kh3ph1n"vgg:conv2_2")",
      R"(ic128ih56oc256oh56kh3ph1n"vgg:conv3_1")",
      R"(ic256ih56oc256oh56kh3ph1n"vgg:conv3_2")",
      R"(ic256ih28oc512oh28kh3ph1n"vgg:conv4_1")",
      R"(ic512ih28oc512oh28kh3ph1n"vgg:conv4_2")",
      R"(ic512ih14oc512oh14kh3ph1n"vgg:conv5_1")",
      R"(ic25088oc4096n"vgg:fc6")",
      R"(ic4096oc4096n"vgg:fc7")",
      R"(ic4096oc1000n"vgg:fc8")",
      R"(mb8ic25088oc4096n"vgg:fc6 batch 8")",
      R"(ic128ih1iw3136oc128n"1x1 128->128 at 56x56")",
      R"(ic256ih1iw3136oc256n"1x1 256->256 at 56x56")",
      R"(ic512ih1iw784oc512n"1x1 512->512 at 28x28")",
      R"(ic256ih56oc64oh56kh1n"1x1 256->64 at 56x56")",
      R"(ic64ih56oc256oh56kh1n"1x1 64->256 at 56x56")",
      R"(ic1024ih14oc2048oh7kh1sh2n"1x1 stride 2 1024->2048 at 14x14")",
      R"(ic3ih224oc64oh112kh7sh2ph3n"resnet:conv1")",
      R"(ic3ih227oc96oh55kh11sh4n"alexnet:conv1")",
      R"(g2ic96ih27oc256oh27kh5ph2n"alexnet:conv2")",
  };
}

std::vector<Problem> problems_of(const Options& options) {
  std::vector<Problem> problems;
  if (!options.problems_file.empty()) {
    std::ifstream in(options.problems_file, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    if (!in) throw Error(ErrorKind::io, "cannot read", options.problems_file);
    problems = parse_problems(text, options.problems_file);
  }
  const bool known = options.problems.empty() && problems.empty();
  for (const std::string& text : known ? default_problems() : options.problems) problems.push_back(parse_problem(text));
  return problems;
}

void print_table(const std::vector<Result>& results, double peak, bool explain) {
  fmt::print("dot product peak: {:.1f} GMAC/s, one core\n", peak / 1e9);
  fmt::print("{:<34} {:>9} {:>9} {:>8} {:>7} {:>12} {:>9}\n", "layer", "ms", "quantize", "GMAC/s", "peak",
             "weights GB/s", "of memory");
  for (const Result& r : results) {
    fmt::print("{:<34} {:>9.3f} {:>8.1f}% {:>8.1f} {:>6.1f}% {:>12.1f} {:>9}  {}\n", r.name, r.milliseconds,
               100 * r.quantize_milliseconds / r.milliseconds, r.rate / 1e9, 100 * r.peak_ratio,
               r.weight_bandwidth / 1e9, r.read_ratio == 0 ? "" : fmt::format("{:.0f}%", 100 * r.read_ratio), r.plan);
    if (explain) fmt::print("    {}\n", r.reason);
  }
}

void print_json(const std::vector<Result>& results, double peak) {
  nlohmann::json rows = nlohmann::json::array();
  for (const Result& r : results)
    rows.push_back({{"name", r.name},
                    {"ms", r.milliseconds},
                    {"quantize_ms", r.quantize_milliseconds},
                    {"gmac_per_second", r.rate / 1e9},
                    {"peak_ratio", r.peak_ratio},
                    {"weight_gb_per_second", r.weight_bandwidth / 1e9},
                    {"read_ratio", r.read_ratio},
                    {"plan", r.plan},
                    {"reason", r.reason}});
  fmt::print("{}\n", nlohmann::json{{"peak_gmac_per_second", peak / 1e9}, {"layers", rows}}.dump(2));
}

int run(const Options& options) {
  if (default_isa() == Isa::reference)
    throw Error(ErrorKind::unsupported, "this machine runs the scalar reference, which has no peak to compare with");
  jit::KernelCache cache;
  const jit::KernelRequest request{"peak_probe", [] { return jit::emit_peak_probe(default_isa()); }};
  const auto probe = cache.get({&request, 1}).front();
  double peak = 0;
  const jit::PeakProbeArgs args{20000};
  for (int i = 0; i < 5; ++i)
    peak = std::max(peak, static_cast<double>(jit::peak_probe_products(default_isa()) * args.iterations) /
                              seconds_of([&] { (*probe)(args); }));
  std::vector<Result> results;
  for (const Problem& problem : problems_of(options)) results.push_back(measure(problem, options, *probe, cache));
  if (options.json)
    print_json(results, peak);
  else
    print_table(results, peak, options.explain);
  const jit::KernelCacheStatistics statistics = cache.statistics();
  if (!options.json)
    fmt::print("{} kernels, emitted in {:.0f} us each\n", statistics.misses,
               1e6 * statistics.emit_seconds / static_cast<double>(statistics.misses));
  return 0;
}

}  // namespace
}  // namespace octavo::tools

int main(int argc, char** argv) {
  CLI::App app{"Measures single layers against the machine's dot product rate, on one core."};
  octavo::tools::Options options;
  app.add_option("problems", options.problems, "layers in benchdnn's shape syntax (default: a list of known ones)");
  app.add_option("--window", options.window, "input channels of a window, 0 for all (default: 64, Linear 128)");
  app.add_option("--tile", options.tile, "overrides the plan: output rows and columns of a tile");
  app.add_option("--tile-columns", options.tile_w, "overrides the plan: output columns of a tile");
  app.add_option("--rows", options.rows, "overrides the plan: pixels of the register block");
  app.add_option("--vectors", options.vectors, "overrides the plan: vectors of the register block");
  const std::map<std::string, octavo::jit::WinogradLimit> limits{{"none", octavo::jit::WinogradLimit::none},
                                                                 {"2x2", octavo::jit::WinogradLimit::tiles2x2},
                                                                 {"2x4", octavo::jit::WinogradLimit::tiles2x4},
                                                                 {"4x4", octavo::jit::WinogradLimit::tiles4x4}};
  app.add_flag("!--no-gather", options.gather, "pictures pixel by pixel, their taps not gathered");
  app.add_option("--winograd", options.winograd, "the largest Winograd tile: none (default), 2x2, 2x4, 4x4")
      ->transform(CLI::CheckedTransformer(limits));
  app.add_option("--shapes", options.problems_file, "layers from a benchdnn batch file");
  app.add_option("--threads", options.threads, "runs on that many threads, by the time that passes")
      ->check(CLI::Range(1, 1024));
  app.add_option("--plan-threads", options.plan_threads, "plans for that many threads (default: as many as run)");
  app.add_option("--order", options.order, "overrides the plan: tile or channel outermost")
      ->check(CLI::IsMember({"tile", "channel"}));
  app.add_option("--seconds", options.seconds, "measured for each layer");
  app.add_flag("--signed", options.signed_input, "inputs of any sign (default: inputs >= 0 but for the first layer)");
  app.add_flag("--explain", options.explain, "prints the reason of each plan");
  app.add_flag("--json", options.json, "prints JSON");
  CLI11_PARSE(app, argc, argv);
  if (options.plan_threads < 1) options.plan_threads = options.threads;
  try {
    return octavo::tools::run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_kernels: {}\n", error.what());
    return 1;
  }
}

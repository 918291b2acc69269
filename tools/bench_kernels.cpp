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
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "jit/aligned_bytes.h"
#include "jit/kernel_cache.h"
#include "jit/layer.h"
#include "jit/peak_probe.h"
#include "octavo/error.h"
#include "tools/problem.h"

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

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Options {
  std::vector<std::string> problems;
  std::int64_t window = -1, tile = 0, tile_w = 0, rows = 0, vectors = 0;
  double seconds = 0.4;
  int threads = 1;
  bool json = false, signed_input = false, explain = false;
  std::string order;
};

/// What a layer reads, with room to write its output: filled once, as a network's buffers would be.
class Workload {
 public:
  Workload(const jit::ConvSpec& spec, const jit::Plan& plan, jit::KernelCache& cache)
      : weights_(spec),
        layer_(spec, plan, weights_.view(spec), cache),
        image_(sizeof(float) * static_cast<std::size_t>(spec.in_h * spec.in_w * spec.src_stride())),
        output_(sizeof(float) * static_cast<std::size_t>(spec.out_h * spec.out_w * spec.dst_stride())) {
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    for (float& x : image()) x = spec.nonnegative_input ? std::max(0.0F, normal(random)) : normal(random);
    const std::int64_t scratches = plan.order == jit::WorkOrder::tile_outer ? 1 : layer_.tiles();
    scratch_.resize(static_cast<std::size_t>(scratches) * layer_.scratch_bytes() + alignment);
    void* start = scratch_.data();
    std::size_t space = scratch_.size();
    aligned_ = static_cast<std::byte*>(std::align(alignment, scratch_.size() - alignment, start, space));
  }

  void run() {
    if (layer_.plan().order == jit::WorkOrder::tile_outer) {
      for (std::int64_t tile = 0; tile < layer_.tiles(); ++tile) {
        layer_.quantize(tile, image().data(), aligned_);
        for (std::int64_t block = 0; block < layer_.channel_blocks(); ++block) compute(tile, block, aligned_);
      }
      return;
    }
    quantize_all();
    for (std::int64_t block = 0; block < layer_.channel_blocks(); ++block)
      for (std::int64_t tile = 0; tile < layer_.tiles(); ++tile) compute(tile, block, scratch_of(tile));
  }
  /// The quantization alone, to say what part of the time it is.
  void quantize_all() {
    const bool shared = layer_.plan().order == jit::WorkOrder::tile_outer;
    for (std::int64_t tile = 0; tile < layer_.tiles(); ++tile)
      layer_.quantize(tile, image().data(), shared ? aligned_ : scratch_of(tile));
  }
  [[nodiscard]] const jit::Layer& layer() const { return layer_; }

 private:
  static constexpr std::size_t alignment = 64;

  struct RandomWeights {
    explicit RandomWeights(const jit::ConvSpec& spec)
        : q(static_cast<std::size_t>(spec.out_channels * spec.channels_per_group() * spec.kernel_h * spec.kernel_w)),
          scales(static_cast<std::size_t>(spec.out_channels * spec.windows()), 0x1p-10F),
          bias(static_cast<std::size_t>(spec.out_channels), 0.5F) {
      // Nearly normal, as the weights of trained layers are: ISAs without VNNI care.
      constexpr float deviation = 38.0F, largest = 127.0F;
      std::minstd_rand random(2);
      std::normal_distribution<float> normal(0.0F, deviation);
      for (auto& value : q) value = static_cast<std::int8_t>(std::clamp(normal(random), -largest, largest));
    }
    [[nodiscard]] jit::WindowedWeights view(const jit::ConvSpec& spec) const {
      return {q, scales, spec.epilogue.bias ? std::span<const float>(bias) : std::span<const float>(), {}};
    }
    std::vector<std::int8_t> q;
    std::vector<float> scales, bias;
  };

  [[nodiscard]] std::span<float> image() const {
    return {reinterpret_cast<float*>(image_.data()), image_.size() / sizeof(float)};
  }
  void compute(std::int64_t tile, std::int64_t block, const std::byte* scratch) {
    layer_.compute(tile, block, scratch, nullptr, reinterpret_cast<float*>(output_.data()));
  }
  [[nodiscard]] std::byte* scratch_of(std::int64_t tile) const {
    return aligned_ + static_cast<std::size_t>(tile) * layer_.scratch_bytes();
  }

  RandomWeights weights_;
  jit::Layer layer_;
  jit::AlignedBytes image_, output_;
  std::vector<std::byte> scratch_;
  std::byte* aligned_ = nullptr;
};

struct Result {
  std::string name;
  double products, milliseconds, quantize_milliseconds, rate, peak_ratio, weight_bandwidth;
  std::string plan, reason;
};

jit::Plan plan_of(const jit::ConvSpec& spec, const Options& options) {
  jit::Plan plan = jit::make_plan(spec, jit::Machine::detect(), options.threads);
  if (options.tile != 0 && !plan.scale_per_pixel) plan.tile_h = plan.tile_w = options.tile;
  if (options.tile != 0 && plan.scale_per_pixel) plan.tile_w = options.tile;
  if (options.tile_w != 0) plan.tile_w = options.tile_w;
  if (options.rows != 0) plan.rows = options.rows;
  if (options.vectors != 0) plan.column_vectors = options.vectors;
  if (options.order == "tile") plan.order = jit::WorkOrder::tile_outer;
  if (options.order == "channel") plan.order = jit::WorkOrder::channel_outer;
  return plan;
}

/// The probe runs between the layer's runs, so that a clock that changes, changes for both.
Result measure(const Problem& problem, const Options& options, const jit::Kernel& probe, jit::KernelCache& cache) {
  jit::ConvSpec spec = problem.spec;
  spec.isa = default_isa();
  spec.nonnegative_input = !options.signed_input && spec.in_channels > 3;
  spec.epilogue = {.bias = true, .activation = jit::ActivationKind::relu};
  spec.window.channels = options.window >= 0 ? options.window : (spec.in_h == 1 ? 128 : 64);
  Workload workload(spec, plan_of(spec, options), cache);
  const jit::PeakProbeArgs probe_args{200};
  const double probe_products = static_cast<double>(jit::peak_probe_products(spec.isa) * probe_args.iterations);
  const double products = static_cast<double>(spec.out_h * spec.out_w * spec.out_channels * spec.channels_per_group() *
                                              spec.kernel_h * spec.kernel_w);
  workload.run();
  std::vector<double> times, quantize_times, ratios;
  for (const auto start = Clock::now();
       times.size() < 5 || Clock::now() - start < std::chrono::duration<double>(options.seconds);) {
    double probe_time = seconds_of([&] { probe(probe_args); });
    times.push_back(seconds_of([&] { workload.run(); }));
    probe_time = std::min(probe_time, seconds_of([&] { probe(probe_args); }));
    quantize_times.push_back(seconds_of([&] { workload.quantize_all(); }));
    ratios.push_back((products / times.back()) / (probe_products / probe_time));
  }
  const double time = median(times);
  return {problem.name,
          products,
          time * 1e3,
          median(quantize_times) * 1e3,
          products / time,
          median(ratios),
          static_cast<double>(workload.layer().packed_bytes()) / time,
          workload.layer().plan().name(),
          workload.layer().plan().reason};
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

void print_table(const std::vector<Result>& results, double peak, bool explain) {
  fmt::print("dot product peak: {:.1f} GMAC/s, one core\n", peak / 1e9);
  fmt::print("{:<34} {:>9} {:>9} {:>8} {:>7} {:>10}\n", "layer", "ms", "quantize", "GMAC/s", "peak", "weights GB/s");
  for (const Result& r : results) {
    fmt::print("{:<34} {:>9.3f} {:>8.1f}% {:>8.1f} {:>6.1f}% {:>10.1f}  {}\n", r.name, r.milliseconds,
               100 * r.quantize_milliseconds / r.milliseconds, r.rate / 1e9, 100 * r.peak_ratio,
               r.weight_bandwidth / 1e9, r.plan);
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
  for (const std::string& text : options.problems.empty() ? default_problems() : options.problems)
    results.push_back(measure(parse_problem(text), options, *probe, cache));
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
  app.add_option("--plan-threads", options.threads, "plans for that many threads (still runs on one)");
  app.add_option("--order", options.order, "overrides the plan: tile or channel outermost")
      ->check(CLI::IsMember({"tile", "channel"}));
  app.add_option("--seconds", options.seconds, "measured for each layer");
  app.add_flag("--signed", options.signed_input, "inputs of any sign (default: inputs >= 0 but for the first layer)");
  app.add_flag("--explain", options.explain, "prints the reason of each plan");
  app.add_flag("--json", options.json, "prints JSON");
  CLI11_PARSE(app, argc, argv);
  try {
    return octavo::tools::run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bench_kernels: {}\n", error.what());
    return 1;
  }
}

// SPDX-License-Identifier: Apache-2.0
// octavo tune: measures many plans of each integer layer and keeps those that beat the planner's choice.
#include "octavo/tune.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "jit/kernel_cache.h"
#include "jit/winograd_layout.h"
#include "octavo/error.h"
#include "octavo/model.h"
#include "runtime/tuner.h"
#include "runtime/tuning_file.h"
#include "tools/octavo/command.h"
#include "tools/octavo/console.h"
#include "tools/octavo/files_read.h"
#include "tools/octavo/json_output.h"
#include "tools/octavo/model_options.h"
#include "tools/octavo/option_checks.h"
#include "tools/octavo/text.h"
#include "tools/problem.h"

namespace octavo::tool {
namespace {

struct Tune {
  ModelArgument model;
  QuantizeArguments quantization;
  CompileArguments compile;
  std::vector<std::string> shapes;
  std::string shapes_file, output;
  std::int64_t batch = 1, candidates = 200;
  double seconds = 10;
  bool signed_input = false, json = false;

  [[nodiscard]] ExitCode run() const;

 private:
  [[nodiscard]] std::vector<runtime::LayerToTune> layers_of_shapes() const;
  [[nodiscard]] TuneOptions options() const;
  void check_file(const std::filesystem::path& file) const;
};

/// --shape and --shapes, as layers with bias and ReLU: what most layers of networks are.
std::vector<runtime::LayerToTune> Tune::layers_of_shapes() const {
  std::vector<tools::Problem> problems;
  if (std::find(shapes.begin(), shapes.end(), "") != shapes.end()) {
    throw Error(ErrorKind::invalid_argument, "an empty text is no layer", "--shape",
                "for example --shape ic64ih56oc64oh56kh3ph1");
  }
  for (const std::string& text : shapes) problems.push_back(tools::parse_problem(text));
  if (!shapes_file.empty()) {
    for (tools::Problem& problem :
         tools::parse_problems(fmt::format("{}", fmt::join(read_lines(shapes_file), "\n")), shapes_file))
      problems.push_back(std::move(problem));
  }
  const std::optional<Window> given = quantization.window_for_all();
  const AccuracyBudget accuracy = compile.options().accuracy;
  std::vector<runtime::LayerToTune> layers;
  for (tools::Problem& problem : problems) {
    jit::ConvSpec& spec = problem.spec;
    const bool linear = spec.kernel_h == 1 && spec.kernel_w == 1 && spec.in_h == 1;
    const Window window = given.value_or(Window{.channels = linear ? 128 : 64});
    spec.window = {window.channels, window.tile_h, window.tile_w};
    spec.nonnegative_input = !signed_input && spec.in_channels > 3;
    spec.epilogue = {.bias = true, .activation = jit::ActivationKind::relu};
    // A shape has no weights to predict its noise from: what the budget allows at most.
    if (jit::winograd_fits(spec)) spec.winograd = static_cast<jit::WinogradLimit>(accuracy.largest);
    layers.push_back({spec, problem.name});
  }
  return layers;
}

TuneOptions Tune::options() const {
  const CompileOptions compiled = compile.options();
  TuneOptions options;
  options.threads = compiled.threads;
  options.isa = compiled.isa;
  options.accuracy = compiled.accuracy;
  options.candidates = static_cast<std::size_t>(candidates);
  options.seconds = seconds;
  options.file = output.empty() && compiled.tuning ? *compiled.tuning : std::filesystem::path(output);
  check_file(options.file);
  return options;
}

/// What is tuned is kept somewhere, and not in place of what says what to tune.
void Tune::check_file(const std::filesystem::path& file) const {
  if (output.empty() && file == "none") {
    throw Error(ErrorKind::invalid_argument, "the plans have to be kept in a file", "--tuning none",
                "name one with -o, or leave --tuning out");
  }
  FilesRead read;
  model.add_to(read);
  quantization.add_to(read);
  read.add(shapes_file);
  read.refuse_as_outputs({file.empty() ? runtime::default_tuning_file().value_or("") : file});
}

Json as_json(const std::vector<TunedLayer>& layers, const std::string& file) {
  Json rows = Json::array();
  for (const TunedLayer& layer : layers) {
    rows.push_back({{"spec", layer.spec},
                    {"layers", layer.layers},
                    {"candidates", layer.candidates},
                    {"planner", {{"plan", layer.planner}, {"us", layer.planner_us}}},
                    {"best", {{"plan", layer.best}, {"us", layer.best_us}}},
                    {"ratio", {{"median", layer.ratio}, {"low", layer.ratio_low}, {"high", layer.ratio_high}}},
                    {"twin", {{"low", layer.twin_low}, {"high", layer.twin_high}}},
                    {"kept", layer.kept},
                    {"verdict", layer.verdict}});
  }
  return {{"file", file}, {"layers", rows}};
}

std::string as_text(const std::vector<TunedLayer>& layers, const std::string& file) {
  using enum Table::Align;
  Table table({{"layer"}, {"planner's plan"}, {"us", right}, {"best plan"}, {"us", right}, {"gain", right}, {"kept"}});
  std::size_t kept = 0, candidates = 0;
  for (const TunedLayer& layer : layers) {
    const std::string name =
        layer.layers.front() + (layer.layers.size() == 1 ? "" : fmt::format(" and {} more", layer.layers.size() - 1));
    table.add({name, layer.planner, fmt::format("{:.1f}", layer.planner_us), layer.best,
               fmt::format("{:.1f}", layer.best_us), fmt::format("{:+.1f}%", 100 * (1 - layer.ratio)),
               layer.kept ? "yes" : "no"});
    kept += layer.kept ? 1 : 0;
    candidates += layer.candidates;
  }
  std::string text = table.text() + "\n";
  for (const TunedLayer& layer : layers) text += fmt::format("{}: {}\n", layer.layers.front(), layer.verdict);
  return text + fmt::format("\n{} measured for {}; {} kept{}\n",
                            count_text(static_cast<std::int64_t>(candidates), "plan"),
                            count_text(static_cast<std::int64_t>(layers.size()), "distinct layer"),
                            kept == 0 ? "none" : std::to_string(kept), kept == 0 ? "" : " in " + file);
}

ExitCode Tune::run() const {
  const bool of_shapes = !shapes.empty() || !shapes_file.empty();
  if (of_shapes == !model.model.empty()) {
    throw Error(ErrorKind::invalid_argument, "what is to be tuned: a MODEL, or layers by --shape and --shapes?", {},
                "try: octavo tune --help");
  }
  std::optional<Progress> progress;
  std::size_t layer_at_work = 0;
  TuneOptions tuning = options();
  tuning.progress = [&](const TuneProgress& at) {
    if (!progress || at.layer != layer_at_work)
      progress.emplace(fmt::format("layer {} of {}, measurements", at.layer + 1, at.layers), at.measurements);
    layer_at_work = at.layer;
    progress->advance(at.done);
  };
  std::vector<TunedLayer> layers;
  if (of_shapes) {
    jit::KernelCache kernels;
    layers = runtime::tune_layers(layers_of_shapes(), tuning, kernels);
  } else {
    const Model opened = model.open();
    layers = quantization.apply(opened).tune(tuning, batched_inputs(opened, batch));
  }
  progress.reset();
  const std::string file =
      tuning.file.empty() ? runtime::default_tuning_file().value_or("").string() : tuning.file.string();
  if (json) {
    print_json(as_json(layers, file));
  } else {
    print(as_text(layers, file));
  }
  return ExitCode::ok;
}

}  // namespace

Command define_tune(CLI::App& app) {
  auto tune = std::make_shared<Tune>();
  tune->model.declare(app, true);
  app.get_option("MODEL")->required(false);
  app.add_option("--shape", tune->shapes, "a layer by itself, in benchdnn's syntax; may be repeated")
      ->type_name("SHAPE")
      ->allow_extra_args(false);
  app.add_option("--shapes", tune->shapes_file, "layers from a benchdnn batch file")->type_name("FILE");
  app.add_flag("--signed", tune->signed_input, "inputs of --shape may be negative (default: only those of 3 channels)");
  app.add_option("--batch", tune->batch, "pictures a run: rows of the 1x1 and Linear layers")
      ->type_name("N")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  tune->compile.declare(app);
  tune->quantization.declare(app, nullptr);
  app.add_option("--candidates", tune->candidates, "plans of a layer that are measured, at most")
      ->type_name("N")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("--budget", tune->seconds, "seconds for a layer, about, at most")
      ->type_name("SECONDS")
      ->check(number_between(0, 86'400))
      ->capture_default_str();
  app.add_option("-o,--output", tune->output, "the file to keep plans in (default: the one that later commands read)")
      ->type_name("FILE");
  add_json_flag(app, tune->json);
  app.footer(
      "Plans that beat the planner's choice by more than the noise are kept, and taken by every later command and\n"
      "program on this processor, for the same layer, thread count and instruction set. Leave the machine alone\n"
      "meanwhile. A --shape has bias and ReLU, and windows of 64 channels (Linear 128) unless --window says "
      "otherwise.\n"
      "Examples:\n"
      "  octavo tune net.octavo --threads 1\n"
      "  octavo tune --shape mb1ic64ih56oc64oh56kh3ph1 --shape ic4096oc1000 --threads 1 -o tuning.json\n"
      "  octavo bench net.octavo --tuning tuning.json");
  return [tune] { return tune->run(); };
}

}  // namespace octavo::tool

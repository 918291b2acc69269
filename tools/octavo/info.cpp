// SPDX-License-Identifier: Apache-2.0
// octavo info: what a network is made of, what is quantized and why, and how each layer runs.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "octavo/program.h"
#include "tools/octavo/command.h"
#include "tools/octavo/console.h"
#include "tools/octavo/json_output.h"
#include "tools/octavo/measure.h"
#include "tools/octavo/model_options.h"
#include "tools/octavo/picture_options.h"

namespace octavo::tool {
namespace {

struct Info {
  ModelArgument model;
  QuantizeArguments quantization;
  CompileArguments compile;
  PictureArguments pictures;
  std::string stage;
  std::int64_t batch = 0;
  bool json = false;

  [[nodiscard]] ExitCode run() const;
  [[nodiscard]] ExitCode run_measure() const;
  /// No --keep-float worst:N, which measures for itself.
  [[nodiscard]] bool keeps_by_name() const {
    return std::none_of(quantization.keep_float.begin(), quantization.keep_float.end(),
                        [](const std::string& name) { return name.rfind("worst:", 0) == 0; });
  }
  [[nodiscard]] Json as_json(const Model& network, const Program& program) const;
  [[nodiscard]] std::string as_text(const Model& network, const Program& program) const;
};

/// For a float model: what quantize() would do.
std::vector<LayerQuantization> decisions(const Model& network) {
  return network.quantized() ? network.quantization() : network.quantize().quantization();
}

std::vector<std::string> shape_texts(const std::vector<Shape>& shapes) {
  std::vector<std::string> texts;
  for (const Shape& shape : shapes) texts.push_back(shape_text(shape));
  return texts;
}

Json ports(const std::vector<std::string>& names, const std::vector<Shape>& shapes) {
  Json rows = Json::array();
  for (std::size_t i = 0; i < names.size(); ++i) rows.push_back({{"name", names[i]}, {"shape", shapes.at(i)}});
  return rows;
}

Json Info::as_json(const Model& network, const Program& program) const {
  const ProgramStatistics& statistics = program.statistics();
  Json layers = Json::array();
  for (const LayerInfo& layer : program.layers()) {
    layers.push_back({{"name", layer.name},
                      {"type", layer.type},
                      {"output", layer.output},
                      {"algorithm", layer.algorithm},
                      {"reason", layer.reason},
                      {"predicted_db", layer.predicted_db},
                      {"kernels", layer.kernels}});
  }
  return {{"model", network.name()},
          {"file_bytes", model.file_bytes()},
          {"untrained", model.untrained()},
          {"parameters", network.parameter_count()},
          {"quantized", network.quantized()},
          {"inputs", ports(network.input_names(), network.input_shapes())},
          {"outputs", ports(program.output_names(), program.output_shapes())},
          {"image_input", network.image_input() ? Json(describe(*network.image_input())) : Json(nullptr)},
          {"labels", network.labels().size()},
          {"quantization", quantization_json(decisions(network))},
          {"program",
           {{"threads", program.threads()},
            {"compile_ms", statistics.compile_seconds * 1e3},
            {"emit_ms", statistics.emit_seconds * 1e3},
            {"kernels", statistics.kernels},
            {"code_bytes", statistics.code_bytes},
            {"weight_bytes", statistics.weight_bytes},
            {"arena_bytes", statistics.arena_bytes},
            {"layers", layers}}}};
}

std::string Info::as_text(const Model& network, const Program& program) const {
  const std::vector<LayerQuantization> layers = decisions(network);
  const ProgramStatistics& statistics = program.statistics();
  std::string text = fmt::format("{}: {} parameters", network.name(), network.parameter_count());
  text += model.untrained() ? ", untrained (seeded weights)\n"
                            : fmt::format(", {} on disk\n", human_bytes(static_cast<double>(model.file_bytes())));
  text += fmt::format("input: {} {}\n", fmt::join(network.input_names(), ", "),
                      fmt::join(shape_texts(network.input_shapes()), ", "));
  text += fmt::format("output: {} {}\n", fmt::join(program.output_names(), ", "),
                      fmt::join(shape_texts(program.output_shapes()), ", "));
  text += "pictures: " + (network.image_input() ? describe(*network.image_input()) : "not described") + "\n";
  if (!network.labels().empty()) text += fmt::format("labels: {}\n", network.labels().size());

  text += fmt::format("\nQuantization{}\n", network.quantized() ? "" : " (an fp32 model: what --quantize would do)");
  text += quantization_table(layers).text() + quantization_summary(layers) + "\n";

  text += fmt::format("\nProgram for {}\n", count_text(program.threads(), "thread"));
  Table steps({{"layer"}, {"type"}, {"output"}, {"algorithm"}, {"why"}});
  Table kernels({{"layer"}, {"kernel"}});
  for (const LayerInfo& layer : program.layers()) {
    steps.add({layer.name, layer.type, shape_text(layer.output), layer.algorithm, layer.reason});
    for (const std::string& kernel : layer.kernels) kernels.add({layer.name, kernel});
  }
  text += steps.text();
  if (!kernels.empty()) text += "\n" + kernels.text();
  text += fmt::format("\n{} kernels, {} of code; {} of packed weights; {} of activations a run\n", statistics.kernels,
                      human_bytes(static_cast<double>(statistics.code_bytes)),
                      human_bytes(static_cast<double>(statistics.weight_bytes)),
                      human_bytes(static_cast<double>(statistics.arena_bytes)));
  text += fmt::format("compiled in {:.1f} ms, of which code was written in {:.1f} ms\n",
                      statistics.compile_seconds * 1e3, statistics.emit_seconds * 1e3);
  return text;
}

/// The noise of each int8 layer, worst first.
ExitCode Info::run_measure() const {
  const Model network = pictures.described(model.open());
  compile.note_if_slow();
  const QuantizeOptions options = network.quantized() ? QuantizeOptions{} : quantization.options(network);
  const std::vector<LayerError> layers = measured_layers(network, quantization.measure, options, compile.options());
  if (json) {
    print_json({{"model", network.name()}, {"layers", measure_json(layers)}});
    return ExitCode::ok;
  }
  std::string worst;
  for (std::size_t i = 0; i < std::min<std::size_t>(3, layers.size()); ++i) {
    worst += fmt::format("{}{} ({:.1f} dB)", i == 0 ? "" : ", ", layers[i].layer, layers[i].alone_db);
  }
  print(fmt::format(
      "{}: signal-to-noise of each int8 layer against fp32, worst first\n{}\nthe most noise of their own: {}\n",
      network.name(), measure_table(layers).text(), worst));
  return ExitCode::ok;
}

ExitCode Info::run() const {
  if (!quantization.measure.empty() && keeps_by_name() && stage.empty()) return run_measure();
  const Model network = quantization.apply(pictures.described(model.open()));
  if (!stage.empty()) {
    const std::string graph = network.print(stage);
    if (json) {
      print_json({{"model", network.name()}, {"stage", stage}, {"graph", graph}});
    } else {
      print(graph);
    }
    return ExitCode::ok;
  }
  compile.note_if_slow();
  const Program program = compile_batch(network, compile.options(), batch);
  if (json) {
    print_json(as_json(network, program));
  } else {
    print(as_text(network, program));
  }
  return ExitCode::ok;
}

}  // namespace

Command define_info(CLI::App& app) {
  auto info = std::make_shared<Info>();
  info->model.declare(app, true);
  app.add_option("--stage", info->stage,
                 "print the graph at this stage instead: imported, canonical, quantized, inserted, fused")
      ->type_name("STAGE");
  info->quantization.declare(app, "look at the network as it would be after quantizing");
  app.add_option("--batch", info->batch, "pictures a run (default: as in the file)")
      ->type_name("N")
      ->check(CLI::Range(1, 65536));
  info->compile.declare(app);
  info->pictures.declare(app);
  add_json_flag(app, info->json);
  app.footer(
      "Examples:\n"
      "  octavo info net.octavo\n"
      "  octavo info --prototxt deploy.prototxt net.caffemodel --quantize --stage fused\n"
      "  octavo info net.octavo --measure pictures/          (each layer's noise in int8, worst first)\n"
      "  octavo info net.pb --measure pictures/ --mean 127.5 --scale 0.00784314 --channel-order rgb\n"
      "  octavo info --json net.octavo | jq '.program.layers[].algorithm'");
  return [info] { return info->run(); };
}

}  // namespace octavo::tool

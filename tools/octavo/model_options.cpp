// SPDX-License-Identifier: Apache-2.0
// Shared options: see model_options.h.
#include "tools/octavo/model_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <functional>
#include <map>
#include <system_error>

#include "octavo/isa.h"
#include "runtime/tuning_file.h"
#include "tools/octavo/measure.h"
#include "tools/octavo/option_checks.h"
#include "tools/octavo/text.h"

namespace octavo::tool {
namespace {

/// "64", "all" or "64@4x7" (channels @ output rows x columns).
Window parse_window(const std::string& text, const std::string& option) {
  constexpr std::array<std::int64_t, 5> known = {16, 32, 64, 128, 256};
  const std::size_t at = text.find('@');
  const std::string channels = text.substr(0, at);
  Window window;
  if (channels == "all") {
    window.channels = 0;
  } else {
    const char* end = channels.data() + channels.size();
    const auto [stop, problem] = std::from_chars(channels.data(), end, window.channels);
    if (problem != std::errc{} || stop != end ||
        std::find(known.begin(), known.end(), window.channels) == known.end()) {
      throw Error(ErrorKind::invalid_argument, fmt::format("\"{}\" is not a window", text), option,
                  "16, 32, 64, 128, 256 or all; with a spatial tile: 64@4x7");
    }
  }
  if (at != std::string::npos) std::tie(window.tile_h, window.tile_w) = parse_size(text.substr(at + 1), option);
  return window;
}

constexpr std::string_view kWorst = "worst:";
bool asks_for_worst(const std::string& kept) { return kept.rfind(kWorst, 0) == 0; }

}  // namespace

std::map<std::string, Shape> parse_input_shapes(const std::vector<std::string>& texts) {
  std::map<std::string, Shape> shapes;
  for (const std::string& text : texts) {
    const std::size_t equals = text.rfind('=');
    Shape shape;
    const char* at = text.data() + (equals == std::string::npos ? text.size() : equals + 1);
    const char* const end = text.data() + text.size();
    while (at < end) {
      std::int64_t dim = 0;
      const auto [stop, problem] = std::from_chars(at, end, dim);
      if (problem != std::errc{} || dim < 1 || (stop != end && *stop != 'x')) break;
      shape.push_back(dim);
      at = stop == end ? end : stop + 1;
    }
    if (equals == std::string::npos || equals == 0 || shape.empty() || at != end || text.back() == 'x') {
      throw Error(ErrorKind::invalid_argument, fmt::format("\"{}\" is not NAME=SHAPE", text), "--input-shape",
                  "for example --input-shape data=1x3x224x224");
    }
    shapes[text.substr(0, equals)] = std::move(shape);
  }
  return shapes;
}

void ModelArgument::declare(CLI::App& app, bool untrained) {
  untrained_allowed = untrained;
  constexpr auto files = "an .octavo, .onnx, .t7, BigDL or TensorFlow .pb file, a SavedModel's folder, a .caffemodel";
  app.add_option("MODEL", model, std::string(files) + (untrained ? ", or a .prototxt alone (untrained weights)" : ""))
      ->required();
  app.add_option("--prototxt", prototxt, "the topology of a .caffemodel (when left out: the one inside it)")
      ->type_name("FILE");
  app.add_option("--weights", weights, "the numbers of a BigDL model that was saved without them")->type_name("FILE");
  app.add_option("--input-shape", input_shapes,
                 "an input's shape, where the file (.onnx, .pb, .t7, BigDL) leaves it open; may be repeated")
      ->type_name("NAME=1x3x224x224")
      ->allow_extra_args(false);
  app.add_option("--tf-inputs", tf_inputs,
                 "nodes of a TensorFlow file that the network begins with (else: placeholders)")
      ->type_name("A,B")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_option("--outputs,--tf-outputs", outputs,
                 "values of an ONNX file, or nodes of a TensorFlow file, that the network ends with (else: as the file "
                 "says)")
      ->type_name("C,D:1")
      ->delimiter(',')
      ->allow_extra_args(false);
  app.add_flag("--tf-order", tf_order, "inputs and outputs stay [N, H, W, C], as TensorFlow has pictures");
  if (untrained) {
    app.add_option("--seed", seed, "of the weights, when MODEL is a .prototxt")
        ->type_name("N")
        ->check(unsigned_number())
        ->capture_default_str();
  }
}

bool ModelArgument::untrained() const { return std::filesystem::path(model).extension() == ".prototxt"; }

Model ModelArgument::open() const {
  if (!prototxt.empty() && (untrained() || std::filesystem::path(model).extension() == ".octavo")) {
    throw Error(ErrorKind::invalid_argument, "this file is its own topology: --prototxt goes with a .caffemodel", model,
                "leave --prototxt out");
  }
  if (!prototxt.empty() || untrained()) {
    if (!input_shapes.empty() || !weights.empty()) {
      throw Error(ErrorKind::invalid_argument,
                  "a Caffe network says its inputs' shapes and has its weights in the caffemodel: --input-shape and "
                  "--weights go with other formats",
                  model, "leave them out");
    }
  }
  if ((!prototxt.empty() || untrained()) && (!tf_inputs.empty() || !outputs.empty() || tf_order)) {
    throw Error(ErrorKind::invalid_argument,
                "--outputs goes with an ONNX or a TensorFlow file, --tf-inputs and --tf-order with a TensorFlow file",
                model, "leave them out");
  }
  if (untrained()) {
    if (!untrained_allowed) {
      throw Error(ErrorKind::invalid_argument, "a prototxt alone has no weights", model,
                  "give the trained weights too: --prototxt FILE.prototxt MODEL.caffemodel");
    }
    return Model::load_caffe_untrained(model, seed);
  }
  if (!prototxt.empty()) return Model::load_caffe(prototxt, model);
  LoadOptions options;
  options.input_shapes = parse_input_shapes(input_shapes);
  options.weights = weights;
  options.inputs = tf_inputs;
  options.outputs = outputs;
  options.channels_first = !tf_order;
  return with_given_shapes([&] { return Model::load(model, options); });
}

/// A shape that the network cannot take looks like a broken file: only its user knows which of the two is wrong.
Model ModelArgument::with_given_shapes(const std::function<Model()>& load) const {
  if (input_shapes.empty()) return load();
  try {
    return load();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::malformed || !error.hint().empty()) throw;  // it knows better
    throw Error(error.kind(), error.what(), {},
                fmt::format("if the file is whole, the network takes another shape than --input-shape {}",
                            fmt::join(input_shapes, ", ")));
  }
}

void ModelArgument::add_to(FilesRead& read) const {
  for (const std::string& file : {prototxt, weights}) read.add(file);
  std::error_code ignored;
  if (std::filesystem::is_directory(model, ignored)) {  // a SavedModel
    for (const char* part : {"saved_model.pb", "variables"}) read.add(std::filesystem::path(model) / part);
  } else {
    read.add(Model::files_of(model));
  }
}

std::uintmax_t ModelArgument::file_bytes() const {
  std::error_code ignored;
  const std::uintmax_t bytes = untrained() ? 0 : std::filesystem::file_size(model, ignored);
  return ignored ? 0 : bytes;
}

void QuantizeArguments::declare(CLI::App& app, const char* flag_help) {
  if (flag_help != nullptr) {
    app.add_flag("--quantize", quantize, flag_help);
  } else {
    quantize = true;
  }
  app.add_option("--window", window,
                 "input channels that share one scale: 16, 32, 64, 128, 256 or all; 64@4x7 also says the output rows "
                 "and columns of an activation window (default: 64, Linear 128)")
      ->type_name("W");
  app.add_option("--layer-window", layer_windows, "the window of one layer; may be repeated")
      ->type_name("NAME=W")
      ->allow_extra_args(false);
  app.add_option(
         "--keep-float", keep_float,
         "leave this layer in fp32, or worst:N, the N that bring the most noise on the pictures of --measure; may "
         "be repeated")
      ->type_name("NAME|worst:N")
      ->allow_extra_args(false);
  app.add_flag("--no-bias-correction", uncorrected,
               "leave biases as they are: by default, where batch normalization tells what a layer's input is on "
               "average, they make up for what rounding the weights does to the mean of its results");
  app.add_option("--measure", measure, "a picture or a folder of them, of which eight are taken, to measure layers on")
      ->type_name("PICTURES");
}

std::optional<Window> QuantizeArguments::window_for_all() const {
  if (window.empty()) return std::nullopt;
  return parse_window(window, "--window");
}

QuantizeOptions QuantizeArguments::options(const Model& model) const {
  QuantizeOptions options;
  options.window = window_for_all();
  options.correct_bias = !uncorrected;
  for (const std::string& text : layer_windows) {
    const std::size_t equals = text.rfind('=');
    if (equals == std::string::npos || equals == 0) {
      throw Error(ErrorKind::invalid_argument, fmt::format("\"{}\" is not NAME=W", text), "--layer-window",
                  "for example --layer-window conv1=32");
    }
    options.layer_windows[text.substr(0, equals)] = parse_window(text.substr(equals + 1), "--layer-window");
  }
  options.keep_float = kept_layers(model, options);
  return options;
}

std::vector<std::string> QuantizeArguments::kept_layers(const Model& model, const QuantizeOptions& options) const {
  std::vector<std::string> names;
  for (const std::string& wanted : keep_float) {
    if (!asks_for_worst(wanted)) {
      names.push_back(wanted);
      continue;
    }
    std::size_t count = 0;
    const char* const end = wanted.data() + wanted.size();
    const auto [stop, problem] = std::from_chars(wanted.data() + kWorst.size(), end, count);
    if (problem != std::errc{} || stop != end || count == 0) {
      throw Error(ErrorKind::invalid_argument, fmt::format("\"{}\" is not worst:N", wanted), "--keep-float",
                  "for example --keep-float worst:3");
    }
    if (measure.empty()) {
      throw Error(ErrorKind::invalid_argument, "which layers are worst has to be measured", "--keep-float",
                  "give pictures: --measure PICTURES");
    }
    const std::vector<LayerError> errors = measured_layers(model, measure, options, {});
    for (std::size_t i = 0; i < std::min(count, errors.size()); ++i) {
      names.push_back(errors[i].layer);
      note(fmt::format("{} stays fp32: {:.1f} dB on its own in int8", errors[i].layer, errors[i].alone_db));
    }
  }
  return names;
}

/// Weights that are stored in 8 bits stay as they are: what asks for anything else would silently change nothing.
void QuantizeArguments::refuse_too_late(const Model& model) const {
  if (!model.quantized()) return;
  const std::vector<LayerQuantization> layers = model.quantization();
  const auto asks_window = [&](const std::string& name) {
    return std::any_of(layer_windows.begin(), layer_windows.end(),
                       [&](const std::string& text) { return text.rfind(name + "=", 0) == 0; });
  };
  const auto refuse = [](const std::string& what, const char* option) {
    throw Error(ErrorKind::invalid_argument, what + " in 8 bits already", option, "start from the fp32 model");
  };
  for (const LayerQuantization& layer : layers) {
    if (!layer.quantized) continue;
    const std::string what = fmt::format("layer '{}' is stored", layer.layer);
    if (asks_window(layer.layer)) refuse(what, "--layer-window");
    if (std::count(keep_float.begin(), keep_float.end(), layer.layer) != 0) refuse(what, "--keep-float");
  }
  const bool whole = std::all_of(layers.begin(), layers.end(), [](const auto& layer) { return layer.quantized; });
  if (whole && std::any_of(keep_float.begin(), keep_float.end(), asks_for_worst))
    refuse("all layers are stored", "--keep-float");
  if (whole && !window.empty()) refuse("all layers are stored", "--window");
  if (whole && uncorrected) refuse("all layers are stored", "--no-bias-correction");
}

Model QuantizeArguments::apply(const Model& model) const {
  const bool ranks = std::any_of(keep_float.begin(), keep_float.end(), asks_for_worst);
  if (!measure.empty() && !ranks) {
    throw Error(ErrorKind::invalid_argument, "pictures to measure on, but nothing to measure for", "--measure",
                "--keep-float worst:N leaves out the worst layers; octavo info --measure lists them");
  }
  if (quantize) {
    refuse_too_late(model);
    return model.quantize(options(model));
  }
  if (window.empty() && layer_windows.empty() && keep_float.empty() && !uncorrected) return model;
  throw Error(ErrorKind::invalid_argument,
              "--window, --layer-window, --keep-float and --no-bias-correction need --quantize");
}

void QuantizeArguments::add_to(FilesRead& read) const { read.add_pictures(measure); }

void CompileArguments::declare(CLI::App& app) {
  app.add_option("--threads", threads, "that one run may use (default: all cores)")
      ->type_name("N")
      ->check(CLI::Range(1, 1024));
  app.add_option("--isa", isa,
                 "instruction set: reference, avx2, avxvnni, avx512bw, avx512vnni (default: the best of this machine)")
      ->type_name("NAME");
  app.add_option("--accuracy", accuracy,
                 "noise that faster 3x3 layers may bring: auto, a least signal-to-noise in dB, or one tile for all: "
                 "direct, 2x2, 2x4, 4x4")
      ->type_name("BUDGET");
  app.add_option("--tuning", tuning, "plans that octavo tune measured: a file, or none (default: the user's own file)")
      ->type_name("FILE");
}

CompileOptions CompileArguments::options() const {
  CompileOptions options;
  options.accuracy = AccuracyBudget::parse(accuracy);
  options.threads = threads;
  if (!isa.empty()) options.isa = parse_isa(isa);
  if (!tuning.empty()) options.tuning = tuning;
  return options;
}

void CompileArguments::add_to(FilesRead& read) const {
  if (tuning.empty()) {
    if (const auto own = runtime::default_tuning_file()) read.add(*own);
  } else if (tuning != "none") {
    read.add(tuning);
  }
}

void CompileArguments::note_if_slow() const {
  if (options().isa.value_or(default_isa()) != Isa::reference) return;
  note(isa_list().back() == Isa::reference
           ? "this processor lacks AVX2: int8 layers run as the scalar reference, right but slow"
           : "int8 layers run as the scalar reference, as asked: right but slow");
}

std::vector<Shape> batched_inputs(const Model& model, std::int64_t batch) {
  std::vector<Shape> shapes = model.input_shapes();
  for (Shape& shape : shapes) {
    if (batch <= 0 || shape.empty()) continue;
    // Networks that PyTorch traced from a list of pictures take one, without a batch.
    if (shape.size() == 3 && shape.front() == 3) {
      if (batch == 1) continue;
      throw Error(ErrorKind::invalid_argument, "the network takes one picture, [3, H, W], without a batch",
                  model.name(), "leave --batch out");
    }
    shape.front() = batch;
  }
  return shapes;
}

namespace {

/// Nothing where the shapes are what the network cannot take; throws what is wrong with the machine.
std::optional<Program> compiled_if_possible(const Model& model, const CompileOptions& options,
                                            const std::vector<Shape>& shapes) {
  try {
    return model.compile(options, shapes);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::resource) throw;
    return std::nullopt;
  }
}

}  // namespace

Program compile_batch(const Model& model, const CompileOptions& options, std::int64_t batch) {
  const std::vector<Shape> shapes = batched_inputs(model, batch);
  try {
    return model.compile(options, shapes);
  } catch (const Error& error) {
    const std::vector<Shape> stored = model.input_shapes();
    if (error.kind() == ErrorKind::resource || shapes == stored || !compiled_if_possible(model, options, stored)) throw;
    throw Error(ErrorKind::invalid_argument,
                fmt::format("the network does not run in batches of {}: {}", batch, error.what()), "--batch",
                fmt::format("the file's own: --batch {}", stored.front().empty() ? 1 : stored.front().front()));
  }
}

bool fixed_to_its_batch(const Model& model, const CompileOptions& options, std::int64_t batch) {
  const std::vector<Shape> shapes = batched_inputs(model, batch), stored = model.input_shapes();
  return shapes != stored && !compiled_if_possible(model, options, shapes) &&
         compiled_if_possible(model, options, stored);
}

Shape only_input_shape(const Model& model) {
  const std::vector<Shape> shapes = model.input_shapes();
  if (shapes.size() != 1) {
    throw Error(ErrorKind::unsupported, fmt::format("the network has {} inputs; this command feeds one", shapes.size()),
                model.name());
  }
  return shapes.front();
}

Table quantization_table(const std::vector<LayerQuantization>& layers) {
  Table table({{"layer"}, {"op"}, {"weights", Table::Align::right}, {"as"}, {"why"}});
  for (const LayerQuantization& layer : layers) {
    table.add(
        {layer.layer, layer.op, fmt::format("{}", layer.weights), layer.quantized ? "int8" : "fp32", layer.reason});
  }
  return table;
}

Json quantization_json(const std::vector<LayerQuantization>& layers) {
  Json rows = Json::array();
  for (const LayerQuantization& layer : layers) {
    rows.push_back({{"layer", layer.layer},
                    {"op", layer.op},
                    {"quantized", layer.quantized},
                    {"reason", layer.reason},
                    {"weights", layer.weights},
                    {"bias_corrected", layer.bias_corrected}});
  }
  return rows;
}

std::string quantization_summary(const std::vector<LayerQuantization>& layers) {
  std::int64_t quantized = 0;
  std::int64_t corrected = 0;
  double weights = 0;
  double quantized_weights = 0;
  for (const LayerQuantization& layer : layers) {
    weights += static_cast<double>(layer.weights);
    if (!layer.quantized) continue;
    ++quantized;
    if (layer.bias_corrected) ++corrected;
    quantized_weights += static_cast<double>(layer.weights);
  }
  std::string text = fmt::format("{} of {} layers with weights are int8, {:.1f}% of the weights", quantized,
                                 layers.size(), weights > 0 ? 100 * quantized_weights / weights : 0.0);
  if (corrected > 0) text += fmt::format("; {} have a corrected bias", corrected);
  return text;
}

}  // namespace octavo::tool

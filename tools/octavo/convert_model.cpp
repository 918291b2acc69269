// SPDX-License-Identifier: Apache-2.0
// octavo convert-model: the command line of BigDL's ConvertModel, with its checks.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "octavo/error.h"
#include "tools/octavo/command.h"
#include "tools/octavo/console.h"
#include "tools/octavo/files_read.h"
#include "tools/octavo/json_output.h"
#include "tools/octavo/model_formats.h"
#include "tools/octavo/model_options.h"

namespace octavo::tool {
namespace {

struct ConvertModel {
  std::string from, to, input, output, prototxt, inputs, outputs;
  std::vector<std::string> input_shapes;
  bool quantize = false, json = false;

  [[nodiscard]] ExitCode run() const;

 private:
  void check() const;
  [[nodiscard]] Model load(const ModelFormat& source) const;
};

[[noreturn]] void refuse(const std::string& what, const std::string& option, const std::string& hint = {}) {
  throw Error(ErrorKind::invalid_argument, what, option, hint);
}

std::vector<std::string> split_names(const std::string& text) {
  std::vector<std::string> names;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t comma = std::min(text.find(',', at), text.size());
    if (comma > at) names.push_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  return names;
}

const ModelFormat& named_format(const std::string& name, const std::string& option) {
  if (const ModelFormat* const format = find_model_format(name)) return *format;
  refuse(fmt::format("\"{}\" is no format that octavo converts", name), option, "one of " + model_format_names());
}

void ConvertModel::check() const {
  if (from == "caffe" && prototxt.empty()) {
    refuse("If model is converted from caffe, the prototxt should be given with --prototxt.", "--prototxt");
  }
  if (from == "tensorflow" && (inputs.empty() || outputs.empty())) {
    refuse("If model is converted from tensorflow, inputs and outputs should be given", "--tf_inputs, --tf_outputs");
  }
  if (!input_shapes.empty() && (from == "caffe" || from == "octavo")) {
    refuse("the file says its inputs' shapes", "--input-shape", "leave it out");
  }
  if (quantize && to != "bigdl" && to != "octavo" && to != "onnx") {
    refuse("Only support quantizing models to BigDL model now.", "--quantize",
           "octavo and onnx files hold 8-bit weights, too");
  }
  if (to == "caffe" && from == "caffe") refuse("a Caffe network is one already", "--to");
  if (to == "caffe" && prototxt.empty()) refuse("a Caffe network has its topology in a file of its own", "--prototxt");
  if (to == "caffe" || to == "torch") {  // these two never replace what is there
    for (const std::filesystem::path& file : files_to_write(named_format(to, "--to"), {output, prototxt, {}, {}}))
      if (std::filesystem::exists(file)) refuse("the file is there already", file.string(), "choose another name");
  }
  FilesRead read;
  read.add(input);
  if (from == "caffe") read.add(prototxt);
  read.refuse_as_outputs(files_to_write(named_format(to, "--to"), {output, prototxt, {}, {}}));
}

Model ConvertModel::load(const ModelFormat& source) const {
  try {
    return source.load({input, prototxt, split_names(inputs), split_names(outputs), parse_input_shapes(input_shapes)});
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::malformed) throw;
    throw Error(error.kind(), error.what(), {}, fmt::format("is it a {} file, as --from says?", source.title));
  }
}

ExitCode ConvertModel::run() const {
  const ModelFormat& source = named_format(from, "--from");
  const ModelFormat& target = named_format(to, "--to");
  check();
  Model model = load(source);
  if (quantize) {
    QuantizeOptions options;
    if (to == "bigdl") options.window = Window{.channels = 0};  // one scale an output channel is all that it has
    model = model.quantize(options);
  }
  target.save(model, {output, prototxt, {}, {}});
  if (json) {
    print_json({{"from", from}, {"to", to}, {"output", output}, {"quantized", model.quantized()}});
  } else {
    print(fmt::format("{} ({}) is written to {} ({})\n", input, source.title, output, target.title));
  }
  return ExitCode::ok;
}

}  // namespace

Command define_convert_model(CLI::App& app) {
  auto command = std::make_shared<ConvertModel>();
  app.alias("ConvertModel");
  const auto lower = [](std::string& name) {
    name = CLI::detail::to_lower(name);
    return std::string();
  };
  app.add_option("--from", command->from, "what to convert: " + model_format_names())
      ->required()
      ->transform(CLI::Validator(lower, "FORMAT"));
  app.add_option("--to", command->to, "into what: " + model_format_names())
      ->required()
      ->transform(CLI::Validator(lower, "FORMAT"));
  app.add_option("--input", command->input, "the model; of a Caffe network the caffemodel")
      ->required()
      ->type_name("FILE");
  app.add_option("--output", command->output, "the file to write")->required()->type_name("FILE");
  app.add_option("--prototxt", command->prototxt,
                 "a Caffe network's topology: read with --from caffe, written with --to caffe")
      ->type_name("FILE");
  app.add_option("--quantize", command->quantize, "true: 8-bit weights (to bigdl, octavo, onnx)")
      ->type_name("true|false")
      ->capture_default_str();
  app.add_option("--tf_inputs", command->inputs, "names of a TensorFlow graph's inputs")->type_name("A,B");
  app.add_option("--tf_outputs", command->outputs, "names of a TensorFlow graph's outputs")->type_name("A,B");
  app.add_option(
         "--input-shape", command->input_shapes,
         "an input's shape, where the file leaves it open (BigDL's command has no such option); may be repeated")
      ->type_name("NAME=1x3x224x224")
      ->allow_extra_args(false);
  add_json_flag(app, command->json);
  app.footer(
      "The same options as BigDL's ConvertModel; `octavo convert` has more.\n"
      "Examples:\n"
      "  octavo convert-model --from caffe --to bigdl --input net.caffemodel --prototxt deploy.prototxt \\\n"
      "      --output net.bigdl --quantize true\n"
      "  octavo convert-model --from bigdl --to caffe --input net.bigdl --output net.caffemodel --prototxt "
      "net.prototxt");
  return [command] { return command->run(); };
}

}  // namespace octavo::tool

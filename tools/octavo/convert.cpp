// SPDX-License-Identifier: Apache-2.0
// octavo convert: a trained network into an .octavo file, or one of another format.
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <vector>

#include "octavo/error.h"
#include "tools/octavo/answers.h"
#include "tools/octavo/command.h"
#include "tools/octavo/console.h"
#include "tools/octavo/files_read.h"
#include "tools/octavo/json_output.h"
#include "tools/octavo/model_formats.h"
#include "tools/octavo/model_options.h"
#include "tools/octavo/picture_options.h"
#include "tools/octavo/text.h"

namespace octavo::tool {
namespace {

struct Convert {
  ModelArgument model;
  QuantizeArguments quantization;
  PictureArguments pictures;
  std::string output, labels;
  bool json = false;

  [[nodiscard]] ExitCode run() const;
  [[nodiscard]] Model build() const;
};

Model Convert::build() const {
  Model built = pictures.described(model.open());
  if (!labels.empty()) built = built.with_labels(read_labels(labels));
  if (const auto classes = built.detection_classes()) note_if_labels_do_not_fit(built.labels().size(), *classes);
  QuantizeArguments wanted = quantization;
  // One scale an output channel is all that BigDL has.
  const bool bigdl = format_to_write(output).name == "bigdl";
  if (bigdl && wanted.quantize && wanted.window.empty() && !built.quantized()) wanted.window = "all";
  return wanted.apply(built);
}

ExitCode Convert::run() const {
  const ModelFormat& format = format_to_write(output);
  if (quantization.quantize && (format.name == "tensorflow" || format.name == "torch")) {
    throw Error(ErrorKind::invalid_argument, fmt::format("a {} file holds no 8-bit weights", format.title),
                "--quantize", "write an .octavo, .onnx or .bigdl file, or leave --quantize out");
  }
  if (std::filesystem::path(output).extension() == ".prototxt") {
    throw Error(ErrorKind::invalid_argument, "a prototxt holds no weights", output,
                fmt::format("name the weights, which get it beside them: {}",
                            std::filesystem::path(output).replace_extension(".caffemodel").string()));
  }
  const std::vector<std::filesystem::path> written = files_to_write(format, {output, {}, {}, {}});
  FilesRead read;
  model.add_to(read);
  quantization.add_to(read);
  pictures.add_to(read);
  read.add(labels);
  read.refuse_as_outputs(written);
  const Model built = build();
  format.save(built, {output, {}, {}, {}});

  std::vector<std::string> names;
  for (const std::filesystem::path& file : written) names.push_back(file.string());
  const std::uintmax_t before = model.file_bytes();
  const std::uintmax_t after = std::filesystem::file_size(output);
  const std::vector<LayerQuantization> layers =
      built.quantized() ? built.quantization() : std::vector<LayerQuantization>{};
  const double ratio = static_cast<double>(before) / static_cast<double>(after);
  if (json) {
    Json result = {{"model", built.name()},
                   {"output", output},
                   {"files", Json(names)},
                   {"parameters", built.parameter_count()},
                   {"bytes_before", before},
                   {"bytes_after", after},
                   {"ratio", ratio},
                   {"quantized", built.quantized()},
                   {"image_input", built.image_input() ? Json(describe(*built.image_input())) : Json(nullptr)},
                   {"labels", built.labels().size()},
                   {"layers", quantization_json(layers)}};
    print_json(result);
    return ExitCode::ok;
  }
  std::string text;
  if (built.quantized()) text += quantization_table(layers).text() + "\n" + quantization_summary(layers) + "\n";
  text += fmt::format("{}: {}\n{}: {}, {:.2f} times smaller\n", model.model, human_bytes(static_cast<double>(before)),
                      output, human_bytes(static_cast<double>(after)), ratio);
  for (std::size_t i = 1; i < names.size(); ++i) text += names[i] + ": the topology, written beside it\n";
  if (!names_model_format(output)) text += fmt::format("{}: an .octavo file, whatever its name\n", output);
  if (format.name == "octavo" && !built.image_input()) {
    text += "pictures: not described; predict and eval will need --mean, --scale, ... (or give them here)\n";
  }
  print(text);
  return ExitCode::ok;
}

}  // namespace

Command define_convert(CLI::App& app) {
  auto convert = std::make_shared<Convert>();
  convert->model.declare(app, false);
  app.add_option(
         "-o,--output", convert->output,
         "the file to write; it appears whole or not at all. FILE.onnx, FILE.pb (TensorFlow), FILE.t7, FILE.bigdl, "
         "FILE.caffemodel (with FILE.prototxt): in those formats, without pictures and labels")
      ->required()
      ->type_name("FILE.octavo");
  convert->quantization.declare(app, "weights in 8 bits; needs no calibration data");
  app.add_option("--labels", convert->labels, "class names to keep in the file, a line each")->type_name("FILE");
  convert->pictures.declare(app);
  add_json_flag(app, convert->json);
  app.footer(
      "Describe the pictures once, here, and predict and eval need no flags.\n"
      "Examples:\n"
      "  octavo convert --prototxt deploy.prototxt net.caffemodel -o net.octavo\n"
      "  octavo convert --prototxt deploy.prototxt net.caffemodel --quantize -o net8.octavo \\\n"
      "      --resize 256 --mean 104,117,123 --channel-order bgr --labels synset_words.txt\n"
      "  octavo convert --prototxt deploy.prototxt ssd.caffemodel --quantize -o ssd.octavo --preset ssd300-vgg16\n"
      "  octavo convert --quantize net.onnx -o net8.octavo\n"
      "  octavo convert net8.octavo -o net8.onnx\n"
      "  octavo convert net.t7 --input-shape input=1x3x224x224 -o net.octavo\n"
      "  octavo convert --quantize --prototxt deploy.prototxt net.caffemodel -o net8.bigdl\n"
      "  octavo convert --quantize frozen.pb --tf-inputs input --tf-outputs logits -o net8.octavo\n"
      "  octavo convert --quantize --window 32 --keep-float conv1 net.octavo -o net8.octavo");
  return [convert] { return convert->run(); };
}

}  // namespace octavo::tool

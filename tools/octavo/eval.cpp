// SPDX-License-Identifier: Apache-2.0
// octavo eval: accuracy on pictures with known classes or objects, fp32 and int8 side by side in one pass.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "octavo/detection.h"
#include "octavo/error.h"
#include "tools/octavo/classifier_report.h"
#include "tools/octavo/command.h"
#include "tools/octavo/console.h"
#include "tools/octavo/detector_evaluation.h"
#include "tools/octavo/detector_scores.h"
#include "tools/octavo/eval_data.h"
#include "tools/octavo/evaluation.h"
#include "tools/octavo/files_read.h"
#include "tools/octavo/json_output.h"
#include "tools/octavo/model_options.h"
#include "tools/octavo/picture_options.h"
#include "tools/octavo/text.h"

namespace octavo::tool {
namespace {

constexpr std::int64_t kUsualBatch = 16;

struct Eval {
  ModelArgument model;
  QuantizeArguments quantization;
  CompileArguments compile;
  PictureArguments pictures;
  EvalDataArguments data;
  std::string reference, reference_prototxt, output, report, detections, save_detections, save_fp32_detections;
  std::int64_t batch = 0;  ///< 0: a usual one, where the network allows it
  bool json = false;

  [[nodiscard]] ExitCode run() const;
  [[nodiscard]] ExitCode run_classifier(const Dataset& dataset) const;
  [[nodiscard]] ExitCode run_detector(const DetectionData& known) const;
  [[nodiscard]] DetectorEvaluation detect(const DetectionData& known) const;
  [[nodiscard]] std::optional<Model> float_model(const Model& opened) const;
  [[nodiscard]] Program program_of(const Model& network, const std::string& file,
                                   const std::vector<std::string>& outputs) const;
  [[nodiscard]] std::string measured_value(const Model& network) const;
  [[nodiscard]] const std::string& reference_file() const {
    return reference.empty() || reference == "self" ? model.model : reference;
  }
  void refuse_fp32_detections() const;
  void require_same_input(const Program& fp32, const Program& int8) const;
  void refuse_overwriting(const std::variant<Dataset, DetectionData>& known) const;
  [[nodiscard]] ExitCode finish(const std::vector<SkippedPicture>& skipped, std::size_t done) const;
};

/// What the quantized network is compared with; nothing for a quantized MODEL alone.
std::optional<Model> Eval::float_model(const Model& opened) const {
  if (!opened.quantized()) {
    if (reference.empty()) return opened;
    throw Error(ErrorKind::invalid_argument, "--reference is for a quantized MODEL; this one is fp32", model.model,
                "it is run as it is and quantized");
  }
  if (reference.empty()) return std::nullopt;
  if (reference == "self") return opened.dequantize();
  Model other = reference_prototxt.empty() ? Model::load(reference) : Model::load_caffe(reference_prototxt, reference);
  if (other.quantized()) {
    throw Error(ErrorKind::invalid_argument, "the reference is quantized", reference, "give the fp32 network");
  }
  return other;
}

/// The scores: before the softmax that ends the network, where one does.
std::string Eval::measured_value(const Model& network) const {
  const std::vector<std::string> outputs = network.output_names();
  const std::vector<std::string> logits = network.logit_names();
  if (output.empty() && outputs.size() != 1) {
    throw Error(ErrorKind::invalid_argument,
                fmt::format("the network has {} outputs: {}", outputs.size(), fmt::join(outputs, ", ")), model.model,
                "say which one with --output");
  }
  const auto at = output.empty() ? outputs.begin() : std::find(outputs.begin(), outputs.end(), output);
  return at == outputs.end() ? output : logits.at(static_cast<std::size_t>(at - outputs.begin()));
}

Program Eval::program_of(const Model& network, const std::string& file, const std::vector<std::string>& outputs) const {
  CompileOptions options = compile.options();
  options.outputs = outputs;
  const Shape shape = only_input_shape(network);
  if (shape.size() != 4) {
    throw Error(ErrorKind::unsupported, "the network's input is not a picture but " + shape_text(shape), file);
  }
  if (batch > 0) return compile_batch(network, options, batch);
  return compile_batch(network, options, fixed_to_its_batch(network, options, kUsualBatch) ? 0 : kUsualBatch);
}

/// Both sides get each picture in the same form.
void Eval::require_same_input(const Program& fp32, const Program& int8) const {
  if (fp32.input_shapes() == int8.input_shapes()) return;
  throw Error(ErrorKind::invalid_argument,
              fmt::format("the reference takes {}, the network {}", shape_text(fp32.input_shapes().front()),
                          shape_text(int8.input_shapes().front())),
              reference, "give the fp32 network that MODEL was made from");
}

ExitCode Eval::finish(const std::vector<SkippedPicture>& skipped, std::size_t done) const {
  for (const SkippedPicture& picture : skipped) {
    if (!json) note("skipped: " + picture.reason);
  }
  if (skipped.empty()) return ExitCode::ok;
  return done > 0 ? ExitCode::partial : ExitCode::input;
}

ExitCode Eval::run_classifier(const Dataset& dataset) const {
  if (!detections.empty() || !save_detections.empty() || !save_fp32_detections.empty()) {
    throw Error(ErrorKind::invalid_argument, "detections are read and written for pictures with objects", {},
                "give --voc, --coco or --truth");
  }
  const Model opened = pictures.described(model.open());
  const std::optional<Model> unquantized = float_model(opened);
  const std::string value = measured_value(opened);
  pictures.note_if_undescribed(opened);
  compile.note_if_slow();
  Evaluation result;
  if (unquantized) result.fp32 = Contestant{program_of(*unquantized, reference_file(), {value}), {}};
  result.int8 = Contestant{program_of(quantization.apply(opened), model.model, {value}), {}};
  if (unquantized) require_same_input(result.fp32->program, result.int8->program);
  result.run(dataset, pictures.over(opened), result.int8->program.threads());
  const auto& classes = opened.labels().empty() ? dataset.class_names : opened.labels();
  if (!report.empty()) write_file(report, classifier_html(result, dataset, opened.name(), value, classes));
  if (json) {
    print_json(classifier_json(result, opened.name(), value));
  } else {
    print(classifier_text(result, opened.name(), value));
  }
  return finish(result.skipped, result.pictures);
}

/// For a run that has no fp32 side.
void Eval::refuse_fp32_detections() const {
  if (save_fp32_detections.empty()) return;
  throw Error(ErrorKind::invalid_argument, "nothing runs in fp32", "--save-fp32-detections",
              "give the fp32 MODEL, or --reference");
}

/// Runs the networks over the pictures.
DetectorEvaluation Eval::detect(const DetectionData& known) const {
  if (known.files.empty()) {
    throw Error(ErrorKind::invalid_argument, "where the pictures are is not said", {},
                known.coco ? "give their folder with --images" : "--truth goes with --detections");
  }
  const Model opened = pictures.described(model.open());
  const std::optional<Model> unquantized = float_model(opened);
  if (!unquantized) refuse_fp32_detections();
  pictures.note_if_undescribed(opened);
  compile.note_if_slow();
  std::optional<Program> fp32;
  if (unquantized) fp32 = program_of(*unquantized, reference_file(), {});
  const Model quantized = quantization.apply(opened);
  const Program int8 = program_of(quantized, model.model, {});
  if (fp32) require_same_input(*fp32, int8);
  for (const Program* program : {fp32 ? &*fp32 : &int8, &int8}) {
    if (!detection_output(*program)) {
      throw Error(ErrorKind::unsupported, "the network is no detector: no output is made by a DetectionOutput layer",
                  model.model);
    }
  }
  DetectorEvaluation result;
  const auto categories = categories_of(opened.labels(), opened.detection_classes().value_or(0), known.truth);
  if (const std::string text = strangers_text(categories, opened.labels(), known.truth); !text.empty()) note(text);
  result.run(known, fp32 ? &*fp32 : nullptr, &int8, pictures.over(opened), categories);
  return result;
}

ExitCode Eval::run_detector(const DetectionData& known) const {
  DetectorEvaluation result;
  std::string name = detections;
  if (detections.empty()) {
    result = detect(known);
    name = model.model;
  } else {
    refuse_fp32_detections();
    result.given.emplace().detections = data.read_detections(detections, known);
    result.given->score(known);
    result.pictures = known.truth.images.size();
  }
  if (!save_detections.empty()) {
    data.write_detections(save_detections, known, (result.given ? result.given : result.int8)->detections);
  }
  if (!save_fp32_detections.empty()) {
    data.write_detections(save_fp32_detections, known, result.fp32.value().detections);
  }
  if (!report.empty()) write_file(report, detector_html(result, known, name));
  if (json) {
    print_json(detector_json(result, known, name));
  } else {
    print(detector_text(result, known, name));
  }
  return finish(result.skipped, result.pictures);
}

void Eval::refuse_overwriting(const std::variant<Dataset, DetectionData>& known) const {
  FilesRead read;
  model.add_to(read);
  quantization.add_to(read);
  compile.add_to(read);
  pictures.add_to(read);
  data.add_to(read, known);
  for (const std::string& file : {reference, reference_prototxt, detections}) read.add(file);
  std::vector<std::filesystem::path> written{report};
  if (const auto* const objects = std::get_if<DetectionData>(&known)) {
    for (const std::string& path : {save_detections, save_fp32_detections}) {
      for (auto& file : data.detection_files(path, *objects)) written.push_back(std::move(file));
    }
  }
  read.refuse_as_outputs(written);
}

ExitCode Eval::run() const {
  if (model.model.empty() == detections.empty()) {
    throw Error(ErrorKind::invalid_argument,
                model.model.empty() ? "there is nothing to judge" : "a MODEL and --detections are given", {},
                "give a MODEL, or detections that were made before (--detections)");
  }
  const auto known = data.read();
  refuse_overwriting(known);
  if (const auto* dataset = std::get_if<Dataset>(&known)) return run_classifier(*dataset);
  return run_detector(std::get<DetectionData>(known));
}

}  // namespace

Command define_eval(CLI::App& app) {
  auto eval = std::make_shared<Eval>();
  eval->model.declare(app, false);
  app.get_option("MODEL")->required(false);
  eval->data.declare(app);
  app.add_option("--reference", eval->reference,
                 "the fp32 network that a quantized MODEL is compared with; self: its own weights as fp32")
      ->type_name("FLOATMODEL");
  app.add_option("--reference-prototxt", eval->reference_prototxt, "its topology, when it is a .caffemodel")
      ->type_name("FILE");
  app.add_option("--output", eval->output, "which output to judge, when the network has several")->type_name("NAME");
  app.add_option("--batch", eval->batch,
                 fmt::format("pictures a run (default: {}, or the file's own where it takes no other)", kUsualBatch))
      ->type_name("N")
      ->check(CLI::Range(1, 4096));
  app.add_option("--report", eval->report, "write a page with charts and the pictures whose answers differ")
      ->type_name("FILE.html");
  app.add_option("--detections", eval->detections,
                 "judge these instead of a MODEL's: a COCO results file, or a folder of VOC's text files")
      ->type_name("PATH");
  app.add_option("--save-detections", eval->save_detections, "write what int8 found, in the same form")
      ->type_name("PATH");
  app.add_option("--save-fp32-detections", eval->save_fp32_detections, "write what fp32 found")->type_name("PATH");
  eval->quantization.declare(app, nullptr);
  eval->compile.declare(app);
  eval->pictures.declare(app);
  add_json_flag(app, eval->json);
  app.footer(
      "An fp32 MODEL is run as it is and quantized; a quantized one alone, or beside --reference. Signal-to-noise is\n"
      "10 log10(sum fp32^2 / sum (fp32 - int8)^2) over the values before the softmax, all pictures together.\n"
      "A detector (--voc, --coco) is scored as the data set's own tool scores it, and its int8 boxes are compared "
      "with\n"
      "its fp32 boxes.\n"
      "In JSON, top1 and top5 are shares of images (0 to 1); fp32, changed and sqnr_db are null without a reference.\n"
      "Examples:\n"
      "  octavo eval net.octavo --images val/                      (val/cat/*.jpg, val/dog/*.jpg)\n"
      "  octavo eval net8.octavo --reference net.octavo --images val/ --labels val.txt --report eval.html\n"
      "  octavo eval ssd.octavo --voc VOCdevkit/VOC2007 --split test\n"
      "  octavo eval ssd.octavo --coco instances_val2017.json --images val2017/ --save-detections found.json\n"
      "  octavo eval --coco instances_val2017.json --detections found.json");
  return [eval] { return eval->run(); };
}

}  // namespace octavo::tool

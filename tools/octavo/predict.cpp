// SPDX-License-Identifier: Apache-2.0
// octavo predict: the answers of a network for pictures, or one of its intermediate values.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "octavo/detection.h"
#include "octavo/error.h"
#include "octavo/program.h"
#include "tools/octavo/answers.h"
#include "tools/octavo/command.h"
#include "tools/octavo/console.h"
#include "tools/octavo/detector_report.h"
#include "tools/octavo/files_read.h"
#include "tools/octavo/json_output.h"
#include "tools/octavo/model_options.h"
#include "tools/octavo/npy.h"
#include "tools/octavo/option_checks.h"
#include "tools/octavo/picture_options.h"
#include "tools/octavo/pictures.h"
#include "tools/octavo/text.h"

namespace octavo::tool {
namespace {

namespace fs = std::filesystem;

struct Predict {
  ModelArgument model;
  QuantizeArguments quantization;
  CompileArguments compile;
  PictureArguments pictures;
  std::vector<std::string> paths;
  std::string labels, layer, output, draw;
  std::size_t top = 5, batch = 1;
  float least_score = 0.5F;
  bool json = false;

  [[nodiscard]] ExitCode run() const;
  [[nodiscard]] Program build(const Model& network) const;
  [[nodiscard]] std::vector<fs::path> drawings_of(const std::vector<fs::path>& files) const;
  void refuse_overwriting(const std::vector<fs::path>& files, const std::vector<fs::path>& drawings) const;
  void prepare_drawings(const Program& program) const;
};

/// What one picture's rows of the outputs say, in words or JSON.
class Report {
 public:
  Report(const Program& program, std::vector<std::string> labels, const Predict& options, ImageInput description)
      : program_(program),
        labels_(std::move(labels)),
        options_(options),
        description_(std::move(description)),
        detections_(detection_output(program)) {}

  /// `drawing`: where the picture with its boxes goes; nowhere when it is empty.
  void add(const fs::path& file, const fs::path& drawing, PictureBatch::Size size, const std::vector<Tensor>& outputs,
           std::size_t row, std::size_t rows) {
    Json answers = Json::array();
    text_ += file.string() + "\n";
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      const std::span<const float> values = row_of(outputs[o], row, rows);
      Json described = {{"name", program_.output_names().at(o)}};
      if (outputs.size() > 1) text_ += fmt::format("  {}:\n", program_.output_names().at(o));
      if (o == detections_) {
        add_objects(file, drawing, size, values, described);
      } else if (one_value_a_class(outputs[o].shape())) {
        add_classes(values, described);
      } else {
        const auto [low, high] = std::minmax_element(values.begin(), values.end());
        described["shape"] = outputs[o].shape();
        if (!values.empty()) {
          described["min"] = *low;
          described["max"] = *high;
          text_ += fmt::format("  {} numbers, {:.6g} to {:.6g}; --layer {} writes them\n", values.size(), *low, *high,
                               program_.output_names().at(o));
        }
      }
      answers.push_back(std::move(described));
    }
    predictions_.push_back({{"file", file.string()}, {"outputs", std::move(answers)}});
  }

  /// What was added since the last call.
  [[nodiscard]] std::string take_text() { return std::exchange(text_, {}); }
  [[nodiscard]] const Json& predictions() const { return predictions_; }

  static std::span<const float> row_of(const Tensor& tensor, std::size_t row, std::size_t rows) {
    const std::size_t length = static_cast<std::size_t>(tensor.size()) / rows;
    return tensor.values().subspan(row * length, length);
  }

 private:
  void add_classes(std::span<const float> values, Json& described) {
    Json best = Json::array();
    for (const Answer& answer : best_answers(values, options_.top)) {
      const std::string label = answer.index < labels_.size() ? labels_[answer.index] : std::string();
      best.push_back(
          {{"class", answer.index}, {"label", label.empty() ? Json(nullptr) : Json(label)}, {"value", answer.value}});
      text_ += fmt::format("  {:8.4f}  {:4}  {}\n", answer.value, answer.index, label);
    }
    described["top"] = std::move(best);
  }

  void add_objects(const fs::path& file, const fs::path& drawing, PictureBatch::Size size, std::span<const float> rows,
                   Json& described) {
    const std::vector<DetectedObject> objects = detected_objects(rows, size.height, size.width, description_,
                                                                 program_.input_shapes().front(), options_.least_score);
    text_ += objects_text(objects, labels_);
    described["objects"] = objects_json(objects, labels_);
    if (drawing.empty()) return;
    write_file(drawing, to_png(drawn(read_picture(file), objects, labels_)));
    described["drawing"] = drawing.string();
  }

  const Program& program_;
  std::vector<std::string> labels_;
  const Predict& options_;
  ImageInput description_;
  std::optional<std::size_t> detections_;
  std::string text_;
  Json predictions_ = Json::array();
};

Program Predict::build(const Model& network) const {
  CompileOptions options = compile.options();
  if (!layer.empty()) options.outputs = {layer};
  const Shape shape = only_input_shape(network);
  if (shape.size() != 4) {
    throw Error(ErrorKind::unsupported, "the network's input is not a picture but " + shape_text(shape), model.model);
  }
  const auto rows = static_cast<std::int64_t>(batch);
  Program program = compile_batch(network, options, rows);
  for (const Shape& made : program.output_shapes()) {
    if (made.empty() || made.front() != rows) {
      throw Error(ErrorKind::unsupported, "an output of " + shape_text(made) + " is not a row a picture", model.model);
    }
  }
  return program;
}

/// Of each file; pictures of one name in several folders get drawings of several names.
std::vector<fs::path> Predict::drawings_of(const std::vector<fs::path>& files) const {
  if (draw.empty()) return std::vector<fs::path>(files.size());
  std::vector<fs::path> drawings;
  std::set<std::string> names;
  for (const fs::path& file : files) {
    std::string name = file.stem().string();
    while (!names.insert(name).second) name += "_";
    drawings.push_back(fs::path(draw) / (name + ".png"));
  }
  return drawings;
}

void Predict::refuse_overwriting(const std::vector<fs::path>& files, const std::vector<fs::path>& drawings) const {
  FilesRead read;
  model.add_to(read);
  quantization.add_to(read);
  compile.add_to(read);
  pictures.add_to(read);
  read.add(labels);
  read.add(files);
  read.refuse_as_outputs({output});
  read.refuse_as_outputs(drawings);
}

void Predict::prepare_drawings(const Program& program) const {
  if (!layer.empty() || !detection_output(program)) {
    throw Error(ErrorKind::invalid_argument, "there are no boxes to draw", model.model,
                "--draw is for detectors, and not for --layer");
  }
  std::error_code problem;
  fs::create_directories(draw, problem);
  if (problem) throw Error(ErrorKind::io, "cannot make the folder: " + problem.message(), draw);
}

ExitCode Predict::run() const {
  if (layer.empty() != output.empty()) {
    throw Error(ErrorKind::invalid_argument, "--layer and --output go together", {},
                "--layer says what to write, --output where");
  }
  std::vector<fs::path> files;
  for (const std::string& path : paths) {
    for (fs::path& file : find_pictures(path)) files.push_back(std::move(file));
  }
  const std::vector<fs::path> drawings = drawings_of(files);
  refuse_overwriting(files, drawings);
  const Model network = quantization.apply(pictures.described(model.open()));
  pictures.note_if_undescribed(network);
  compile.note_if_slow();
  const Program program = build(network);
  if (!draw.empty()) prepare_drawings(program);
  const ImageInput description = pictures.over(network);
  const std::vector<std::string> names = labels.empty() ? network.labels() : read_labels(labels);
  const Shape& answer = program.output_shapes().front();
  if (const auto classes = network.detection_classes()) {
    note_if_labels_do_not_fit(names.size(), *classes);
  } else if (layer.empty() && one_value_a_class(answer)) {
    note_if_labels_do_not_fit(names.size(), answer[1]);
  }
  Report report(program, names, *this, description);
  PictureLoader loader(PictureSource(files), description, program.input_shapes().front(), program.threads());

  std::vector<float> intermediate;
  std::size_t done = 0;
  Progress progress("predict", files.size());
  while (std::optional<PictureBatch> loaded = loader.next()) {
    const std::vector<Tensor> outputs = program.predict(std::span<const Tensor>(&loaded->input, 1));
    for (std::size_t row = 0; row < loaded->pictures.size(); ++row) {
      if (layer.empty()) {
        const std::size_t picture = loaded->pictures[row];
        report.add(files[picture], drawings[picture], loaded->sizes[row], outputs, row, batch);
      } else {
        const std::span<const float> values = Report::row_of(outputs.front(), row, batch);
        intermediate.insert(intermediate.end(), values.begin(), values.end());
      }
    }
    if (!json) print(report.take_text());
    done += loaded->pictures.size();
    progress.advance(done);
  }

  Json skipped = Json::array();
  for (const SkippedPicture& picture : loader.skipped()) {
    skipped.push_back({{"file", picture.file.string()}, {"reason", picture.reason}});
    if (!json) note("skipped: " + picture.reason);
  }
  Json result = {{"model", network.name()}, {"pictures", done}};
  if (!layer.empty() && done > 0) {
    Shape shape = program.output_shapes().front();
    shape.front() = static_cast<std::int64_t>(done);
    write_npy(output, Tensor(shape, std::move(intermediate)));
    result["layer"] = layer;
    result["shape"] = shape;
    result["output"] = output;
    if (!json) print(fmt::format("{}: {} of {} pictures, {}\n", output, layer, done, shape_text(shape)));
  }
  result["predictions"] = report.predictions();
  result["skipped"] = std::move(skipped);
  if (json) print_json(result);
  if (loader.skipped().empty()) return ExitCode::ok;
  return done > 0 ? ExitCode::partial : ExitCode::input;
}

}  // namespace

Command define_predict(CLI::App& app) {
  auto predict = std::make_shared<Predict>();
  predict->model.declare(app, false);
  app.add_option("PICTURES", predict->paths, "JPEG or PNG files, or folders of them")->required();
  app.add_option("--top", predict->top, "answers a picture")
      ->type_name("K")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--score", predict->least_score, "of a detector, show the objects from this score on")
      ->type_name("SCORE")
      ->check(number_between(0, 1))
      ->capture_default_str();
  app.add_option("--draw", predict->draw, "of a detector, write each picture with boxes into this folder, as PNG")
      ->type_name("DIR");
  app.add_option("--labels", predict->labels, "class names, a line each (default: those in the model file)")
      ->type_name("FILE");
  app.add_option("--batch", predict->batch, "pictures a run")
      ->type_name("N")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  app.add_option("--layer", predict->layer, "write the output of this layer instead of answers")->type_name("NAME");
  app.add_option("-o,--output", predict->output, "where --layer goes")->type_name("FILE.npy");
  predict->quantization.declare(app, "run an fp32 model in int8");
  predict->compile.declare(app);
  predict->pictures.declare(app);
  add_json_flag(app, predict->json);
  app.footer(
      "Pictures that cannot be read are reported and skipped; the exit code is then 5 (3 when none could).\n"
      "Examples:\n"
      "  octavo predict net.octavo cat.jpg dog.png\n"
      "  octavo predict net.octavo holiday/ --top 1 --json\n"
      "  octavo predict ssd.octavo street/ --draw boxes/ --score 0.6\n"
      "  octavo predict net.octavo cat.jpg --layer conv1 -o conv1.npy");
  return [predict] { return predict->run(); };
}

}  // namespace octavo::tool

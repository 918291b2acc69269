// SPDX-License-Identifier: Apache-2.0
// octavo eval: accuracy on labelled pictures, fp32 and int8 side by side in one pass.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "octavo/error.h"
#include "tools/octavo/command.h"
#include "tools/octavo/console.h"
#include "tools/octavo/evaluation.h"
#include "tools/octavo/json_output.h"
#include "tools/octavo/model_options.h"
#include "tools/octavo/picture_options.h"
#include "tools/octavo/report.h"
#include "tools/octavo/text.h"

namespace octavo::tool {
namespace {

struct Eval {
  ModelArgument model;
  QuantizeArguments quantization;
  CompileArguments compile;
  PictureArguments pictures;
  std::string images, labels, reference, reference_prototxt, output, report;
  std::size_t limit = 0;
  std::int64_t batch = 16;
  bool json = false;

  [[nodiscard]] ExitCode run() const;
  [[nodiscard]] Dataset dataset() const;
  [[nodiscard]] std::optional<Model> float_model(const Model& opened) const;
  [[nodiscard]] Contestant contestant(const Model& network) const;
  [[nodiscard]] std::string measured_value(const Model& network) const;
};

Dataset Eval::dataset() const {
  Dataset data = labels.empty() ? read_class_folders(images) : read_class_list(images, labels);
  if (limit == 0 || limit >= data.files.size()) return data;
  // Evenly spread: folders come class by class.
  const std::size_t count = data.files.size();
  for (std::size_t i = 0; i < limit; ++i) {
    data.files[i] = data.files[i * count / limit];
    data.classes[i] = data.classes[i * count / limit];
  }
  data.files.resize(limit);
  data.classes.resize(limit);
  return data;
}

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

Contestant Eval::contestant(const Model& network) const {
  CompileOptions options = compile.options();
  options.outputs = {measured_value(network)};
  Shape shape = only_input_shape(network);
  if (shape.size() != 4) {
    throw Error(ErrorKind::unsupported, "the network's input is not a picture but " + shape_text(shape), model.model);
  }
  shape.front() = batch;
  return {.program = network.compile(options, {shape}), .score = {}};
}

double share(std::size_t part, std::size_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0.0;
}

Json score_json(const std::optional<Contestant>& contestant) {
  if (!contestant) return nullptr;
  const Score& score = contestant->score;
  return {
      {"top1", share(score.top1, score.pictures)},
      {"top5", share(score.top5, score.pictures)},
      {"top1_count", score.top1},
      {"top5_count", score.top5},
      {"ms_per_picture", contestant->seconds * 1e3 / static_cast<double>(std::max<std::size_t>(1, score.pictures))}};
}

Json as_json(const Evaluation& result, const std::string& name, const std::string& value) {
  const bool both = result.fp32 && result.int8;
  Json changed = Json::array();
  for (const ChangedAnswer& answer : result.changed) {
    changed.push_back(
        {{"file", answer.file.string()}, {"class", answer.truth}, {"fp32", answer.fp32}, {"int8", answer.int8}});
  }
  Json skipped = Json::array();
  for (const SkippedPicture& picture : result.skipped) {
    skipped.push_back({{"file", picture.file.string()}, {"reason", picture.reason}});
  }
  return {{"model", name},
          {"images", result.pictures},
          {"fp32", score_json(result.fp32)},
          {"int8", score_json(result.int8)},
          {"changed", both ? Json(result.changed.size()) : Json(nullptr)},
          {"sqnr_db", both ? Json(result.fidelity.decibels()) : Json(nullptr)},
          {"measured_on", value},
          {"changed_answers", changed},
          {"skipped", skipped}};
}

std::string as_text(const Evaluation& result, const std::string& name, const std::string& value) {
  Table table({{""},
               {"top-1", Table::Align::right},
               {"top-5", Table::Align::right},
               {"right", Table::Align::right},
               {"ms a picture", Table::Align::right}});
  const auto add = [&](const char* label, const std::optional<Contestant>& c) {
    if (!c) return;
    const std::size_t count = c->score.pictures;
    table.add({label, fmt::format("{:.2f}%", 100 * share(c->score.top1, count)),
               fmt::format("{:.2f}%", 100 * share(c->score.top5, count)), fmt::format("{}", c->score.top1),
               fmt::format("{:.2f}", c->seconds * 1e3 / static_cast<double>(std::max<std::size_t>(1, count)))});
  };
  add("fp32", result.fp32);
  add("int8", result.int8);
  std::string text = fmt::format("{}: {} pictures\n{}", name, result.pictures, table.text());
  if (result.fp32 && result.int8) {
    text += fmt::format("answers that differ: {} of {}\nsignal-to-noise of {}: {:.1f} dB\n", result.changed.size(),
                        result.pictures, value, result.fidelity.decibels());
  }
  return text;
}

std::string as_html(const Evaluation& result, const std::string& name, const std::string& value,
                    const std::vector<std::string>& classes) {
  constexpr std::size_t shown = 100;
  constexpr std::size_t largest_picture = 200'000;
  std::string summary = fmt::format("{} pictures.", result.pictures);
  const bool both = result.fp32 && result.int8;
  if (both) {
    summary += fmt::format(" Answers that differ: {}; signal-to-noise of {}: {:.1f} dB.", result.changed.size(), value,
                           result.fidelity.decibels());
  }
  HtmlReport page("octavo eval: " + name, summary);
  BarChart accuracy{.title = "Accuracy", .unit = "%", .series = {}, .bars = {{"top-1", {}}, {"top-5", {}}}};
  BarChart speed{.title = "Time a picture", .unit = "ms", .series = {}, .bars = {{"predict", {}}}};
  const auto add = [&](const char* label, const std::optional<Contestant>& c) {
    if (!c) return;
    const std::size_t count = std::max<std::size_t>(1, c->score.pictures);
    accuracy.series.emplace_back(label);
    speed.series.emplace_back(label);
    accuracy.bars[0].values.push_back(100 * share(c->score.top1, count));
    accuracy.bars[1].values.push_back(100 * share(c->score.top5, count));
    speed.bars[0].values.push_back(c->seconds * 1e3 / static_cast<double>(count));
  };
  add("int8", result.int8);
  add("fp32", result.fp32);
  page.add(accuracy);
  page.add(speed);
  if (both) {
    const auto class_text = [&](std::size_t c) {
      return c < classes.size() ? fmt::format("{} {}", c, classes[c]) : fmt::format("{}", c);
    };
    std::vector<std::vector<std::string>> rows;
    for (const ChangedAnswer& answer : result.changed) {
      if (rows.size() == shown) break;
      const char* verdict = answer.int8 == answer.truth   ? "int8 is right"
                            : answer.fp32 == answer.truth ? "fp32 is right"
                                                          : "both are wrong";
      rows.push_back({picture_uri(answer.file, largest_picture), answer.file.filename().string(),
                      class_text(answer.truth), class_text(answer.fp32), class_text(answer.int8), verdict});
    }
    page.add_table(fmt::format("Answers that differ ({} of {})", rows.size(), result.changed.size()),
                   {"picture", "file", "class", "fp32 says", "int8 says", ""}, rows);
  }
  return page.html();
}

ExitCode Eval::run() const {
  const Dataset data = dataset();
  const Model opened = model.open();
  const std::optional<Model> unquantized = float_model(opened);
  const std::string value = measured_value(opened);
  pictures.note_if_undescribed(opened);
  compile.note_if_slow();
  Evaluation result;
  if (unquantized) result.fp32 = contestant(*unquantized);
  result.int8 = contestant(quantization.apply(opened));
  result.run(data, pictures.over(opened), result.int8->program.threads());

  for (const SkippedPicture& picture : result.skipped) {
    if (!json) note("skipped: " + picture.reason);
  }
  if (!report.empty()) {
    write_file(report,
               as_html(result, opened.name(), value, opened.labels().empty() ? data.class_names : opened.labels()));
  }
  if (json) {
    print_json(as_json(result, opened.name(), value));
  } else {
    print(as_text(result, opened.name(), value));
  }
  if (result.skipped.empty()) return ExitCode::ok;
  return result.pictures > 0 ? ExitCode::partial : ExitCode::input;
}

}  // namespace

Command define_eval(CLI::App& app) {
  auto eval = std::make_shared<Eval>();
  eval->model.declare(app, false);
  app.add_option("--images", eval->images, "a folder a class, numbered in sorted order; or, with --labels, any folder")
      ->required()
      ->type_name("DIR");
  app.add_option("--labels", eval->labels, "lines `name index`: pictures below DIR and their classes")
      ->type_name("FILE");
  app.add_option("--reference", eval->reference,
                 "the fp32 network that a quantized MODEL is compared with; self: its own weights as fp32")
      ->type_name("FLOATMODEL");
  app.add_option("--reference-prototxt", eval->reference_prototxt, "its topology, when it is a .caffemodel")
      ->type_name("FILE");
  app.add_option("--output", eval->output, "which output to judge, when the network has several")->type_name("NAME");
  app.add_option("--limit", eval->limit, "use this many pictures, evenly spread")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000'000));
  app.add_option("--batch", eval->batch, "pictures a run")
      ->type_name("N")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  app.add_option("--report", eval->report, "write a page with charts and the pictures whose answers differ")
      ->type_name("FILE.html");
  eval->quantization.declare(app, nullptr);
  eval->compile.declare(app);
  eval->pictures.declare(app);
  add_json_flag(app, eval->json);
  app.footer(
      "An fp32 MODEL is run as it is and quantized; a quantized one alone, or beside --reference. Signal-to-noise is\n"
      "10 log10(sum fp32^2 / sum (fp32 - int8)^2) over the values before the softmax, all pictures together.\n"
      "In JSON, top1 and top5 are shares of images (0 to 1); fp32, changed and sqnr_db are null without a reference.\n"
      "Examples:\n"
      "  octavo eval net.octavo --images val/                      (val/cat/*.jpg, val/dog/*.jpg)\n"
      "  octavo eval net8.octavo --reference net.octavo --images val/ --labels val.txt --report eval.html");
  return [eval] { return eval->run(); };
}

}  // namespace octavo::tool

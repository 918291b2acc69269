// SPDX-License-Identifier: Apache-2.0
// See measure.h.
#include "tools/octavo/measure.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "octavo/error.h"
#include "tools/octavo/model_options.h"
#include "tools/octavo/picture_options.h"
#include "tools/octavo/pictures.h"

namespace octavo::tool {
namespace {

std::string decibels(double value) { return std::isnan(value) ? "-" : fmt::format("{:.1f}", value); }
Json json_of(double value) { return std::isnan(value) ? Json(nullptr) : Json(value); }

}  // namespace

std::vector<LayerError> measured_layers(const Model& model, const std::filesystem::path& pictures,
                                        const QuantizeOptions& options, const CompileOptions& compile) {
  constexpr std::size_t kTaken = 8;
  const std::vector<std::filesystem::path> found = find_pictures(pictures);
  const std::size_t count = std::min(kTaken, found.size());
  const PictureArguments as_described;
  as_described.note_if_undescribed(model);
  const ImageInput description = as_described.over(model);
  Shape shape = only_input_shape(model);
  if (shape.size() != 4) {
    throw Error(ErrorKind::unsupported, "the network's input is not a picture but " + shape_text(shape), model.name());
  }
  shape.front() = 1;
  std::vector<Tensor> inputs;
  for (std::size_t i = 0; i < count; ++i) {
    const std::filesystem::path& file = found[i * found.size() / count];
    try {
      inputs.push_back(to_input(read_picture(file), description, shape));
    } catch (const Error& error) {
      if (error.kind() == ErrorKind::invalid_argument || error.kind() == ErrorKind::resource) throw;
      note(std::string("skipped: ") + error.what());
    }
  }
  if (inputs.empty()) throw Error(ErrorKind::io, "no picture could be read", pictures.string());
  Progress progress("measure", inputs.size());
  return model.layer_errors(inputs, options, compile, [&](double done) {
    progress.advance(static_cast<std::size_t>(std::lround(done * static_cast<double>(inputs.size()))));
  });
}

Table measure_table(const std::vector<LayerError>& layers) {
  Table table({{"layer"},
               {"op"},
               {"alone, dB", Table::Align::right},
               {"in the network, dB", Table::Align::right},
               {"predicted, dB", Table::Align::right}});
  for (const LayerError& layer : layers) {
    table.add(
        {layer.layer, layer.op, decibels(layer.alone_db), decibels(layer.network_db), decibels(layer.predicted_db)});
  }
  return table;
}

Json measure_json(const std::vector<LayerError>& layers) {
  Json rows = Json::array();
  for (const LayerError& layer : layers) {
    rows.push_back({{"layer", layer.layer},
                    {"op", layer.op},
                    {"alone_db", json_of(layer.alone_db)},
                    {"network_db", json_of(layer.network_db)},
                    {"predicted_db", json_of(layer.predicted_db)}});
  }
  return rows;
}

}  // namespace octavo::tool

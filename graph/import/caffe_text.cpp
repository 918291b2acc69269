// SPDX-License-Identifier: Apache-2.0
// Reads a prototxt: protobuf's text format, with the place of each layer and of each unknown field kept.
#include <fmt/core.h>
#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "graph/import/caffe_limits.h"
#include "graph/import/caffe_net.h"
#include "graph/import/text_limits.h"
#include "graph/mapped_file.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::TextFormat;

struct Finding {
  int line = 0, column = 0;  ///< from 0
  std::string text;
};

/// The first error ends the parse; warnings are the unknown fields.
class Collector : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, google::protobuf::io::ColumnNumber column, const std::string& text) override {
    if (errors.empty()) errors.push_back({line, column, text});
  }
  void AddWarning(int line, google::protobuf::io::ColumnNumber column, const std::string& text) override {
    warnings.push_back({line, column, text});
  }
  std::vector<Finding> errors, warnings;
};

/// The n-th quoted part of one of protobuf's messages: `... type "octavo.graph.caffe.X" has no field named "y".`
std::string quoted(const std::string& text, int n) {
  std::size_t begin = 0, end = 0;
  for (int i = 0; i <= n; ++i) {
    begin = text.find('"', end);
    if (begin == std::string::npos) return {};
    end = text.find('"', ++begin);
    if (end == std::string::npos) return {};
    if (i < n) ++end;
  }
  std::string part = text.substr(begin, end - begin);
  return part;
}

/// The name of the V1 layer in whose text this place (from 0) stands; empty if it cannot be found.
std::string name_of_layer_at(std::string_view text, int line, int column) {
  std::size_t at = 0;
  for (int i = 0; i < line; ++i) {
    at = text.find('\n', at);
    if (at == std::string_view::npos) return {};
    ++at;
  }
  at = std::min(at + static_cast<std::size_t>(column), text.size());
  const std::size_t begin = text.rfind("layers", at);
  if (begin == std::string_view::npos) return {};
  const std::size_t end = std::min(text.find("layers", at), text.size());
  const std::string_view layer = text.substr(begin, end - begin);
  const std::size_t open = layer.find_first_of("\"'", layer.find("name:"));
  if (open == std::string_view::npos) return {};
  const std::size_t close = layer.find(layer[open], open + 1);
  if (close == std::string_view::npos) return {};
  return std::string(layer.substr(open + 1, close - open - 1));
}

[[noreturn]] void report(const Finding& error, std::string_view text, const std::string& file) {
  const std::string place = fmt::format("{}:{}:{}", file, error.line + 1, error.column + 1);
  if (error.text.starts_with("Unknown enumeration value") && quoted(error.text, 1) == "type") {
    throw Error(ErrorKind::unsupported,
                fmt::format("layer '{}' is of type {}, which octavo does not know",
                            name_of_layer_at(text, error.line, error.column), quoted(error.text, 0)),
                place);
  }
  throw Error(ErrorKind::malformed, error.text, place);
}

/// Places of all layers, in order: the field `layer`, or `layers`.
std::vector<Finding> layer_locations(const caffe::NetParameter& net, const TextFormat::ParseInfoTree& tree) {
  const bool v1 = net.layers_size() > 0;
  const FieldDescriptor* field = caffe::NetParameter::descriptor()->FindFieldByName(v1 ? "layers" : "layer");
  std::vector<Finding> found;
  const int count = v1 ? net.layers_size() : net.layer_size();
  found.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    const TextFormat::ParseLocation location = tree.GetLocation(field, i);
    found.push_back({location.line, location.column, {}});
  }
  return found;
}

std::string unqualified(const std::string& message) {
  const std::size_t dot = message.rfind('.');
  return dot == std::string::npos ? message : message.substr(dot + 1);
}

/// Gives each unknown field to the layer in whose text it stands.
void distribute(const std::vector<Finding>& warnings, const std::vector<Finding>& layers, const std::string& file,
                std::vector<std::vector<UnknownCaffeField>>& unknown) {
  for (const Finding& warning : warnings) {
    const UnknownCaffeField field{quoted(warning.text, 1), unqualified(quoted(warning.text, 0)),
                                  fmt::format("{}:{}:{}", file, warning.line + 1, warning.column + 1)};
    const auto after = std::upper_bound(layers.begin(), layers.end(), warning, [](const auto& a, const auto& b) {
      return std::pair(a.line, a.column) < std::pair(b.line, b.column);
    });
    if (after == layers.begin() || field.message == "NetParameter") {
      throw Error(ErrorKind::malformed, fmt::format("unknown field '{}' of {}", field.name, field.message),
                  field.place);
    }
    unknown[static_cast<std::size_t>(after - layers.begin()) - 1].push_back(field);
  }
}

}  // namespace

CaffeNet read_caffe_text(const std::filesystem::path& prototxt) {
  const std::string file = prototxt.string();
  const auto mapped = MappedFile::open(prototxt);
  const std::string_view text(reinterpret_cast<const char*>(mapped->bytes().data()), mapped->bytes().size());
  if (text.size() > kMaxCaffeTopologyBytes) {
    throw Error(ErrorKind::malformed, "more than 16 MiB of text", file, "the prototxt comes before the caffemodel");
  }
  try {
    check_text_limits(text, kMaxCaffeTextDepth, kMaxCaffeMessages);
  } catch (const Error& error) {
    throw Error(error.kind(), error.what(), file);
  }

  Collector collector;
  TextFormat::ParseInfoTree tree;
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&collector);
  parser.WriteLocationsTo(&tree);
  parser.AllowUnknownField(true);
  parser.SetRecursionLimit(kMaxCaffeTextDepth);
  caffe::NetParameter net;
  google::protobuf::io::ArrayInputStream stream(text.data(), static_cast<int>(text.size()));
  if (!parser.Parse(&stream, &net)) {
    report(collector.errors.empty() ? Finding{0, 0, "cannot be parsed"} : collector.errors.front(), text, file);
  }

  const std::vector<Finding> locations = layer_locations(net, tree);
  std::vector<std::vector<UnknownCaffeField>> unknown(locations.size());
  distribute(collector.warnings, locations, file, unknown);
  std::vector<std::string> places;
  places.reserve(locations.size());
  for (const Finding& location : locations) places.push_back(fmt::format("{}:{}", file, location.line + 1));

  CaffeNet common = to_common_form(net, places, file);
  // Input layers made from net-level fields stand in front; the rest are in order.
  const std::size_t first = common.layers.size() - locations.size();
  for (std::size_t i = 0; i < unknown.size(); ++i) common.layers[first + i].unknown = std::move(unknown[i]);
  return common;
}

CaffeNet read_caffe_topology(const CaffeModelFile& model, const std::filesystem::path& file) {
  const std::string bytes = model.topology();
  caffe::NetParameter net;
  if (!net.ParseFromString(bytes)) {
    throw Error(ErrorKind::malformed, "the description of the layers is broken", file.string());
  }
  const int count = std::max(net.layers_size(), net.layer_size());
  if (count == 0) {
    throw Error(ErrorKind::malformed, "there are no layers in it", file.string(), "is it a caffemodel?");
  }
  std::vector<std::string> places;
  for (int i = 0; i < count; ++i) places.push_back(fmt::format("{}, layer {}", file.string(), i + 1));
  return to_common_form(net, places, file.string());
}

}  // namespace octavo::graph

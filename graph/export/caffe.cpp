// SPDX-License-Identifier: Apache-2.0
// See graph/export/caffe.h.
#include "graph/export/caffe.h"

#include <google/protobuf/text_format.h>

#include <unordered_set>

#include "graph/check.h"
#include "graph/export/caffe_exporter.h"
#include "graph/export/log_softmax.h"
#include "graph/placed_error.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

/// What protocol buffers can hold, less room for everything but the weights.
constexpr std::size_t kMaxCaffeBytes = (std::size_t{2} << 30) - (std::size_t{16} << 20);

}  // namespace

CaffeExport export_caffe(const Graph& graph) {
  verify(graph);
  caffe::NetParameter net;
  net.set_name(graph.name);
  std::unordered_set<std::string> taken;
  for (const Node& node : graph.nodes) taken.insert(node.name);
  for (const Value& value : graph.values) taken.insert(value.name);
  std::unordered_set<const Node*> log_softmax, covered;
  for (const LogSoftmaxNodes& found : find_log_softmax(graph)) {
    log_softmax.insert(found.last);
    covered.insert({found.reduction, found.between});
  }
  for (const Node& node : graph.nodes) {
    if (covered.contains(&node)) continue;
    try {
      CaffeNodeExporter exporter(graph, node, net, taken);
      log_softmax.contains(&node) ? exporter.run_as_log_softmax() : exporter.run();
    } catch (const Error& error) {
      throw placed(error, place_of(node));
    }
  }
  if (net.ByteSizeLong() > kMaxCaffeBytes) {
    throw Error(ErrorKind::unsupported, "the network has more than the 2 GB that a caffemodel can hold", graph.name);
  }
  CaffeExport files;
  files.caffemodel = net.SerializeAsString();
  for (caffe::LayerParameter& layer : *net.mutable_layer()) layer.clear_blobs();
  google::protobuf::TextFormat::PrintToString(net, &files.prototxt);
  return files;
}

}  // namespace octavo::graph

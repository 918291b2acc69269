// SPDX-License-Identifier: Apache-2.0
// See graph/export/caffe.h.
#include "graph/export/caffe.h"

#include <google/protobuf/text_format.h>

#include "graph/check.h"
#include "graph/export/caffe_exporter.h"
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
  for (const Node& node : graph.nodes) {
    try {
      CaffeNodeExporter(graph, node, net, taken).run();
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

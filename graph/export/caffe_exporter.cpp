// SPDX-License-Identifier: Apache-2.0
// What all ops share: layers, parts, numbers. See graph/export/caffe_exporter.h.
#include "graph/export/caffe_exporter.h"

#include <fmt/core.h>

#include <variant>

#include "octavo/error.h"

namespace octavo::graph {

void CaffeNodeExporter::run() {
  std::visit([this](const auto& op) { write(op); }, node_.op);
}

void CaffeNodeExporter::run_as_log_softmax() {
  std::string shares, result;
  layer("Softmax", true, shares).mutable_softmax_param()->set_axis(1);
  part("Log", shares, true, result);
}

void CaffeNodeExporter::cannot(const std::string& what, const std::string& hint) {
  throw Error(ErrorKind::unsupported, "Caffe cannot say " + what, {}, hint);
}

void CaffeNodeExporter::not_written(std::string_view op) {
  throw Error(ErrorKind::unsupported, "octavo does not write " + std::string(op) + " as Caffe");
}

caffe::LayerParameter& CaffeNodeExporter::layer(std::string_view type) {
  caffe::LayerParameter& layer = *net_.add_layer();
  layer.set_name(node_.name);
  layer.set_type(std::string(type));
  for (const ValueId value : node_.inputs) layer.add_bottom(graph_.values[value].name);
  for (const ValueId value : node_.outputs) layer.add_top(graph_.values[value].name);
  return layer;
}

caffe::LayerParameter& CaffeNodeExporter::layer(std::string_view type, bool more, std::string& result) {
  caffe::LayerParameter& made = layer(type);
  while (made.bottom_size() > 1) made.mutable_bottom()->RemoveLast();
  result = out();
  if (!more) return made;
  result = node_.name + "/" + std::string(type);
  for (int suffix = 1; !taken_.insert(result).second; ++suffix) {
    result = fmt::format("{}/{}_{}", node_.name, type, suffix);
  }
  made.set_top(0, result);
  return made;
}

caffe::LayerParameter& CaffeNodeExporter::part(std::string_view type, const std::string& from, bool last,
                                               std::string& result) {
  caffe::LayerParameter& made = *net_.add_layer();
  std::string name = node_.name + "/" + std::string(type);
  for (int suffix = 1; !taken_.insert(name).second; ++suffix) {
    name = fmt::format("{}/{}_{}", node_.name, type, suffix);
  }
  made.set_name(name);
  made.set_type(std::string(type));
  made.add_bottom(from);
  result = last ? out() : name;
  made.add_top(result);
  return made;
}

void CaffeNodeExporter::add_blob(caffe::LayerParameter& layer, const Shape& shape, const std::vector<float>& values) {
  caffe::BlobProto& blob = *layer.add_blobs();
  for (const std::int64_t dim : shape) blob.mutable_shape()->add_dim(dim);
  blob.mutable_data()->Add(values.begin(), values.end());
}

void CaffeNodeExporter::add_blob(caffe::LayerParameter& layer, const BlobPtr& blob) {
  if (blob->quantized()) {
    cannot("weights in 8 bits", "convert the fp32 network, or write BigDL or ONNX, which keep 8-bit weights");
  }
  caffe::BlobProto& to = *layer.add_blobs();
  for (const std::int64_t dim : blob->shape) to.mutable_shape()->add_dim(dim);
  to.mutable_data()->Add(blob->f32.values.begin(), blob->f32.values.end());
}

bool CaffeNodeExporter::plain(bool residual, const Activation& activation) {
  return !residual && activation.kind == jit::ActivationKind::none;
}

void CaffeNodeExporter::finish_layer(std::string result, bool residual, const Activation& activation) {
  using jit::ActivationKind;
  const bool active = activation.kind != ActivationKind::none;
  if (residual) {
    const std::string product = result;
    part("Eltwise", product, !active, result).add_bottom(in(1));
  }
  switch (activation.kind) {
    case ActivationKind::none:
      break;
    case ActivationKind::relu:
      part("ReLU", std::string(result), true, result);
      break;
    case ActivationKind::leaky_relu:
      part("ReLU", std::string(result), true, result).mutable_relu_param()->set_negative_slope(activation.slope);
      break;
    case ActivationKind::relu6:
      part("ReLU6", std::string(result), true, result);
      break;
    case ActivationKind::sigmoid:
      part("Sigmoid", std::string(result), true, result);
      break;
    case ActivationKind::tanh:
      part("TanH", std::string(result), true, result);
      break;
    case ActivationKind::prelu:
      add_blob(part("PReLU", std::string(result), true, result), activation.slopes);
      break;
  }
}

void CaffeNodeExporter::write(const Input&) {
  caffe::LayerParameter& made = layer("Input");
  for (const std::int64_t dim : out_shape()) {
    if (made.input_param().shape_size() == 0) made.mutable_input_param()->add_shape();
    made.mutable_input_param()->mutable_shape(0)->add_dim(dim);
  }
}

void CaffeNodeExporter::write(const Identity&) { layer("Split"); }

}  // namespace octavo::graph

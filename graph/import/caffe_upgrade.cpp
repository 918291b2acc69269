// SPDX-License-Identifier: Apache-2.0
// Older generations of the format in today's form: V1 kept its layer types in an enumeration, V0 kept all parameters of
// all layers in one message, and both had the network's inputs as fields of the network.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "graph/import/caffe_limits.h"
#include "graph/import/caffe_net.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

using caffe::LayerParameter;
using caffe::V0LayerParameter;
using caffe::V1LayerParameter;
using Names = std::pair<std::string_view, std::string_view>;

/// V0's padding layer, until fold_padding_layers(); no file has a type of this name.
constexpr std::string_view kPadding = "padding of V0";

// The rest follow from V1's by dropping the underscores: see type_name().
constexpr std::array kSpecialNames{
    Names{"ABSVAL", "AbsVal"},
    Names{"ARGMAX", "ArgMax"},
    Names{"BNLL", "BNLL"},
    Names{"HDF5_DATA", "HDF5Data"},
    Names{"HDF5_OUTPUT", "HDF5Output"},
    Names{"LRN", "LRN"},
    Names{"MVN", "MVN"},
    Names{"RELU", "ReLU"},
    Names{"SOFTMAX_LOSS", "SoftmaxWithLoss"},
    Names{"TANH", "TanH"},
};

/// "INNER_PRODUCT" -> "InnerProduct"
std::string type_name(V1LayerParameter::LayerType type) {
  const std::string old = V1LayerParameter::LayerType_Name(type);
  const auto special =
      std::find_if(kSpecialNames.begin(), kSpecialNames.end(), [&](const Names& names) { return names.first == old; });
  if (special != kSpecialNames.end()) return std::string(special->second);
  std::string name;
  bool upper = true;
  for (const char c : old) {
    if (c == '_') {
      upper = true;
      continue;
    }
    name.push_back(upper || c < 'A' || c > 'Z' ? c : static_cast<char>(c - 'A' + 'a'));
    upper = false;
  }
  return name;
}

/// V1's parameter messages are today's, under other field numbers but the same names.
void copy_parameters(const V1LayerParameter& old, LayerParameter& layer) {
  const auto* from = old.GetReflection();
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  from->ListFields(old, &fields);
  for (const auto* field : fields) {
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE || field->is_repeated()) continue;
    const auto* target = LayerParameter::descriptor()->FindFieldByName(field->name());
    if (target == nullptr || target->message_type() != field->message_type()) continue;
    layer.GetReflection()->MutableMessage(&layer, target)->CopyFrom(from->GetMessage(old, field));
  }
}

void set_convolution(const V0LayerParameter& old, LayerParameter& layer) {
  auto& to = *layer.mutable_convolution_param();
  to.set_num_output(old.num_output());
  to.set_bias_term(old.biasterm());
  to.set_group(old.group());
  to.add_kernel_size(old.kernelsize());
  to.add_stride(old.stride());
  if (old.has_pad()) to.add_pad(old.pad());
}

void set_pooling(const V0LayerParameter& old, LayerParameter& layer) {
  auto& to = *layer.mutable_pooling_param();
  to.set_pool(old.pool());
  to.set_kernel_size(old.kernelsize());
  to.set_stride(old.stride());
  if (old.has_pad()) to.set_pad(old.pad());
}

void set_data(const V0LayerParameter& old, LayerParameter& layer) {
  auto& transform = *layer.mutable_transform_param();
  transform.set_crop_size(old.cropsize());
  transform.set_mean_file(old.meanfile());
  transform.set_scale(old.scale());
  if (layer.type() == "ImageData") {
    layer.mutable_image_data_param()->set_new_height(static_cast<std::uint32_t>(std::max(old.new_height(), 0)));
    layer.mutable_image_data_param()->set_new_width(static_cast<std::uint32_t>(std::max(old.new_width(), 0)));
  }
}

LayerParameter upgrade_v0(const V0LayerParameter& old) {
  static constexpr std::array kTypes{
      Names{"accuracy", "Accuracy"},
      Names{"bnll", "BNLL"},
      Names{"concat", "Concat"},
      Names{"conv", "Convolution"},
      Names{"data", "Data"},
      Names{"dropout", "Dropout"},
      Names{"euclidean_loss", "EuclideanLoss"},
      Names{"flatten", "Flatten"},
      Names{"hdf5_data", "HDF5Data"},
      Names{"hdf5_output", "HDF5Output"},
      Names{"im2col", "Im2col"},
      Names{"images", "ImageData"},
      Names{"infogain_loss", "InfogainLoss"},
      Names{"innerproduct", "InnerProduct"},
      Names{"lrn", "LRN"},
      Names{"multinomial_logistic_loss", "MultinomialLogisticLoss"},
      Names{"padding", kPadding},  // see fold_padding_layers()
      Names{"pool", "Pooling"},
      Names{"relu", "ReLU"},
      Names{"sigmoid", "Sigmoid"},
      Names{"softmax", "Softmax"},
      Names{"softmax_loss", "SoftmaxWithLoss"},
      Names{"split", "Split"},
      Names{"tanh", "TanH"},
      Names{"window_data", "WindowData"},
  };
  LayerParameter layer;
  layer.set_name(old.name());
  *layer.mutable_blobs() = old.blobs();
  const auto type =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const Names& names) { return names.first == old.type(); });
  layer.set_type(type == kTypes.end() ? old.type() : std::string(type->second));
  if (layer.type() == "Convolution") {
    set_convolution(old, layer);
  } else if (layer.type() == "Pooling") {
    set_pooling(old, layer);
  } else if (layer.type() == "InnerProduct") {
    layer.mutable_inner_product_param()->set_num_output(old.num_output());
    layer.mutable_inner_product_param()->set_bias_term(old.biasterm());
  } else if (layer.type() == "LRN") {
    auto& lrn = *layer.mutable_lrn_param();
    lrn.set_local_size(old.local_size());
    lrn.set_alpha(old.alpha());
    lrn.set_beta(old.beta());
    lrn.set_k(old.k());
  } else if (layer.type() == "Concat") {
    layer.mutable_concat_param()->set_concat_dim(old.concat_dim());
  } else if (layer.type() == kPadding) {
    layer.mutable_convolution_param()->add_pad(old.pad());
  } else if (layer.type() == "Data" || layer.type() == "ImageData" || layer.type() == "WindowData") {
    set_data(old, layer);
  }
  return layer;
}

/// A net-level input `i` and its shape, from `input_shape` or from four `input_dim`s each.
LayerParameter input_layer(const caffe::NetParameter& net, int i) {
  LayerParameter layer;
  layer.set_name(net.input(i));
  layer.set_type("Input");
  layer.add_top(net.input(i));
  auto& shape = *layer.mutable_input_param()->add_shape();
  if (net.input_shape_size() > 0) {
    shape = net.input_shape(i);
  } else {
    for (int d = 0; d < 4; ++d) shape.add_dim(net.input_dim(4 * i + d));
  }
  return layer;
}

}  // namespace

LayerParameter upgrade_layer(const V1LayerParameter& old) {
  LayerParameter layer;
  if (old.has_layer()) {
    layer = upgrade_v0(old.layer());
  } else {
    if (old.type() == V1LayerParameter::NONE) {
      throw Error(ErrorKind::unsupported, fmt::format("layer '{}' has no type", old.name()));
    }
    layer.set_name(old.name());
    layer.set_type(type_name(old.type()));
    *layer.mutable_blobs() = old.blobs();
    copy_parameters(old, layer);
  }
  *layer.mutable_bottom() = old.bottom();
  *layer.mutable_top() = old.top();
  *layer.mutable_include() = old.include();
  *layer.mutable_exclude() = old.exclude();
  *layer.mutable_loss_weight() = old.loss_weight();
  return layer;
}

void fold_padding_layers(std::vector<CaffeLayer>& layers) {
  const auto is_padding = [](const CaffeLayer& layer) { return layer.param.type() == kPadding; };
  std::map<std::string, const LayerParameter*> paddings;  // by top
  for (const CaffeLayer& layer : layers) {
    if (!is_padding(layer)) continue;
    if (layer.param.top_size() != 1 || layer.param.bottom_size() != 1) {
      throw Error(ErrorKind::malformed, "a padding layer has one bottom and one top", layer.place);
    }
    paddings[layer.param.top(0)] = &layer.param;
  }
  for (CaffeLayer& user : layers) {
    for (int b = 0; b < user.param.bottom_size(); ++b) {
      const auto padding = paddings.find(user.param.bottom(b));
      if (padding == paddings.end()) continue;
      const std::uint32_t pad = padding->second->convolution_param().pad_size() > 0  //
                                    ? padding->second->convolution_param().pad(0)
                                    : 0;
      if (user.param.type() == "Convolution") {
        user.param.mutable_convolution_param()->clear_pad();
        user.param.mutable_convolution_param()->add_pad(pad);
      } else if (user.param.type() == "Pooling") {
        user.param.mutable_pooling_param()->set_pad(pad);
      } else {
        throw Error(ErrorKind::unsupported,
                    fmt::format("layer '{}' of type {} follows a padding layer", user.param.name(), user.param.type()),
                    user.place);
      }
      user.param.set_bottom(b, padding->second->bottom(0));
    }
  }
  std::erase_if(layers, is_padding);
}

CaffeNet to_common_form(caffe::NetParameter& message, const std::vector<std::string>& layer_places,
                        const std::string& file) {
  const auto refuse = [&](const char* what, const char* hint = "") {
    throw Error(ErrorKind::malformed, what, file, hint);
  };
  if (message.layer_size() > 0 && message.layers_size() > 0) {
    refuse("it mixes layers of the old format (`layers`) with layers of the new one (`layer`)");
  }
  if (layer_places.size() > kMaxCaffeLayers) refuse("too many layers");
  if (message.input_size() > 0) {
    if (message.input_shape_size() > 0 && message.input_dim_size() > 0) {
      refuse("both input_shape and input_dim are given");
    }
    if (message.input_shape_size() == 0 && message.input_dim_size() == 0) {
      refuse("the inputs have no shape", "add an input_shape for each input");
    }
    if (message.input_shape_size() > 0 && message.input_shape_size() != message.input_size()) {
      refuse("the number of input_shape does not match the number of inputs");
    }
    if (message.input_dim_size() > 0 && message.input_dim_size() != 4 * message.input_size()) {
      refuse("there must be four input_dim for each input");
    }
  }

  CaffeNet net;
  net.name = message.name();
  net.file = file;
  net.state = message.state();
  for (int i = 0; i < message.input_size(); ++i) net.layers.push_back({input_layer(message, i), file, {}});
  for (int i = 0; i < message.layers_size(); ++i) {
    const std::string& place = layer_places[static_cast<std::size_t>(i)];
    try {
      net.layers.push_back({upgrade_layer(message.layers(i)), place, {}});
    } catch (const Error& error) {
      throw Error(error.kind(), error.what(), place);
    }
  }
  for (int i = 0; i < message.layer_size(); ++i) {
    CaffeLayer& layer = net.layers.emplace_back();
    layer.param.Swap(message.mutable_layer(i));
    layer.place = layer_places[static_cast<std::size_t>(i)];
  }
  message.Clear();
  std::size_t tops = 0, bottoms = 0;
  for (const CaffeLayer& layer : net.layers) {
    tops += static_cast<std::size_t>(layer.param.top_size());
    bottoms += static_cast<std::size_t>(layer.param.bottom_size());
  }
  if (tops > kMaxCaffeTops || bottoms > kMaxCaffeBottoms) refuse("too many tops or bottoms");
  return net;
}

}  // namespace octavo::graph

// SPDX-License-Identifier: Apache-2.0
// The table of layer types: see graph/import/caffe_layers.h.
#include "graph/import/caffe_layers.h"

#include <algorithm>
#include <array>

namespace octavo::graph {
namespace {

struct Entry {
  std::string_view type;
  CaffeConverter convert;
};

constexpr std::array kConverters{
    Entry{"AbsVal", convert_absval},
    Entry{"ArgMax", convert_argmax},
    Entry{"BatchNorm", convert_batch_norm},
    Entry{"Bias", convert_bias},
    Entry{"Concat", convert_concat},
    Entry{"Convolution", convert_convolution},
    Entry{"ConvolutionDepthwise", convert_convolution},  // names that branches give to a grouped Convolution
    Entry{"DepthwiseConvolution", convert_convolution},
    Entry{"Crop", convert_crop},
    Entry{"Deconvolution", convert_deconvolution},
    Entry{"DetectionOutput", convert_detection_output},
    Entry{"Dropout", convert_copy},
    Entry{"ELU", convert_elu},
    Entry{"Eltwise", convert_eltwise},
    Entry{"Embed", convert_embed},
    Entry{"Exp", convert_exp},
    Entry{"Flatten", convert_flatten},
    Entry{"InnerProduct", convert_inner_product},
    Entry{"Interp", convert_interp},
    Entry{"LRN", convert_lrn},
    Entry{"Log", convert_log},
    Entry{"Normalize", convert_normalize},
    Entry{"PReLU", convert_prelu},
    Entry{"Permute", convert_permute},
    Entry{"Pooling", convert_pooling},
    Entry{"Power", convert_power},
    Entry{"PriorBox", convert_prior_box},
    Entry{"Proposal", convert_proposal},
    Entry{"Python", convert_python},
    Entry{"ROIPooling", convert_roi_pooling},
    Entry{"ReLU", convert_relu},
    Entry{"ReLU6", convert_relu6},
    Entry{"Reduction", convert_reduction},
    Entry{"Reshape", convert_reshape},
    Entry{"Scale", convert_scale},
    Entry{"Sigmoid", convert_sigmoid},
    Entry{"Slice", convert_slice},
    Entry{"Softmax", convert_softmax},
    Entry{"Split", convert_copy},
    Entry{"TanH", convert_tanh},
    Entry{"Threshold", convert_threshold},
    Entry{"Tile", convert_tile},
    Entry{"Upsample", convert_upsample},
};

constexpr std::array<std::string_view, 8> kData{"Input",     "Data",       "DummyData", "MemoryData",
                                                "ImageData", "WindowData", "HDF5Data",  "AnnotatedData"};

constexpr std::array<std::string_view, 11> kLosses{"Accuracy",
                                                   "ContrastiveLoss",
                                                   "EuclideanLoss",
                                                   "HingeLoss",
                                                   "InfogainLoss",
                                                   "MultinomialLogisticLoss",
                                                   "SigmoidCrossEntropyLoss",
                                                   "SoftmaxWithLoss",
                                                   "SmoothL1Loss",
                                                   "MultiBoxLoss",
                                                   "DetectionEvaluate"};

template <class List>
bool contains(const List& list, std::string_view type) {
  return std::find(list.begin(), list.end(), type) != list.end();
}

}  // namespace

CaffeConverter find_caffe_converter(std::string_view type) {
  const auto* const found =
      std::find_if(kConverters.begin(), kConverters.end(), [&](const Entry& entry) { return entry.type == type; });
  return found == kConverters.end() ? nullptr : found->convert;
}

std::vector<std::string> caffe_layer_types() {
  std::vector<std::string> types;
  for (const Entry& entry : kConverters) types.emplace_back(entry.type);
  return types;
}

bool is_caffe_data(std::string_view type) { return contains(kData, type); }
bool is_caffe_loss(std::string_view type) { return contains(kLosses, type); }

std::string_view caffe_loss_head(std::string_view type) {
  if (type == "SoftmaxWithLoss") return "Softmax";
  if (type == "SigmoidCrossEntropyLoss") return "Sigmoid";
  return {};
}

}  // namespace octavo::graph

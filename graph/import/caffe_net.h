// SPDX-License-Identifier: Apache-2.0
// A Caffe network as it was written, whatever the generation of its format, in one form: layers in order, each with the
// place that it came from.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "graph/import/caffe_model_file.h"
#include "octavo_caffe.pb.h"

namespace octavo::graph {

/// A field that octavo's schema does not have; text only (in binary files they are skipped, as protobuf does).
struct UnknownCaffeField {
  std::string name, message;  ///< "rank", "ConvolutionParameter"
  std::string place;          ///< "deploy.prototxt:12:5"
};

struct CaffeLayer {
  caffe::LayerParameter param;
  std::string place;  ///< "deploy.prototxt:12", or "net.caffemodel, layer 3"
  std::vector<UnknownCaffeField> unknown;
};

struct CaffeNet {
  std::string name, file;
  caffe::NetState state;
  std::vector<CaffeLayer> layers;
};

/// Reads a prototxt. Throws Error: io; malformed with line and column; unsupported for an unknown V1 layer type.
[[nodiscard]] CaffeNet read_caffe_text(const std::filesystem::path& prototxt);
/// The topology that a caffemodel carries. Throws Error(malformed).
[[nodiscard]] CaffeNet read_caffe_topology(const CaffeModelFile& model, const std::filesystem::path& file);

/// From the message, which is emptied: layers of generations V0 and V1 are rewritten as today's, the net-level
/// `input` fields become Input layers. `layer_places[i]` is the place of the i-th layer of whichever generation the
/// file uses, `net_place` that of the rest.
[[nodiscard]] CaffeNet to_common_form(caffe::NetParameter& message, const std::vector<std::string>& layer_places,
                                      const std::string& file);

/// Today's layer for one of V0 or V1. Throws Error(unsupported), without a place.
[[nodiscard]] caffe::LayerParameter upgrade_layer(const caffe::V1LayerParameter& old);
/// V0 kept the padding of a convolution in a layer of its own; folds those into the layers that they feed.
void fold_padding_layers(std::vector<CaffeLayer>& layers);

/// Which layers of a network run.
struct CaffeState {
  int level = 0;
  std::vector<std::string> stages;
};
/// Drops the layers that Caffe would not run at phase TEST (rules `include` and `exclude`: phase, levels, stages). The
/// network's own `state` adds to `state`. Throws Error(malformed) when a layer has both kinds of rules.
void keep_test_layers(CaffeNet& net, const CaffeState& state);

}  // namespace octavo::graph

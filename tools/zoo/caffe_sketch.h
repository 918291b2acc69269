// SPDX-License-Identifier: Apache-2.0
// A Caffe network under construction: layers as their messages, and the blobs that each needs.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "graph/import/caffe_weights.h"
#include "octavo_caffe.pb.h"

namespace octavo::zoo {

struct SketchLayer {
  graph::caffe::LayerParameter param;
  std::vector<graph::BlobNeed> blobs;
};

struct ConvolutionShape {
  std::uint32_t outputs = 0, kernel = 1, stride = 1, pad = 0, groups = 1;
  bool bias = true;
  std::uint32_t dilation = 1;
  std::uint32_t kernel_w = 0;  ///< 0: as `kernel`, which otherwise is the height; padded to keep the size
};

struct PoolShape {
  bool average = false;
  std::uint32_t kernel = 3, stride = 2, pad = 0;
};

/// Of the priors at each cell; `most` 0: none.
struct PriorShape {
  float least = 0, most = 0;
  std::vector<float> ratios{};
  float step = 0;  ///< 0: picture / map
};

/// Functions add a layer that reads blob `bottom` and return the name of the blob that it makes: that of the layer, or
/// of the bottom for layers that work in place.
class CaffeSketch {
 public:
  using Name = std::string;

  CaffeSketch(const std::string& name, std::int64_t channels, std::int64_t size);

  Name convolution(const Name& layer, const Name& bottom, const ConvolutionShape& shape);
  Name relu(const Name& layer, const Name& bottom);
  Name relu6(const Name& layer, const Name& bottom);
  Name lrn(const Name& layer, const Name& bottom, std::uint32_t size, float alpha, float beta);
  Name batch_norm(const Name& layer, const Name& bottom);
  /// Not in place: makes a blob of its own name.
  Name batch_norm_apart(const Name& layer, const Name& bottom);
  Name scale(const Name& layer, const Name& bottom);
  Name pool(const Name& layer, const Name& bottom, const PoolShape& shape);
  Name global_average(const Name& layer, const Name& bottom);
  Name inner_product(const Name& layer, const Name& bottom, std::uint32_t outputs);
  Name dropout(const Name& layer, const Name& bottom, float ratio);
  Name softmax(const Name& layer, const Name& bottom);
  Name concat(const Name& layer, const std::vector<Name>& bottoms);
  Name sum(const Name& layer, const Name& a, const Name& b);

  // Detection: caffe_sketch_detection.cpp.
  /// Each pixel by its own norm, a factor a channel that starts from `scale`.
  Name normalize(const Name& layer, const Name& bottom, float scale);
  /// [N, C, H, W] to rows: pixels, then channels. Adds "layer_perm" and "layer_flat".
  Name flatten_pixels(const Name& layer);
  Name prior_box(const Name& layer, const Name& map, const PriorShape& shape);
  /// `axis`: of values that are no pictures.
  Name concat_rows(const Name& layer, const std::vector<Name>& bottoms, std::int32_t axis);
  /// Confidences of all priors to probabilities: "layer_reshape", "layer_softmax", "layer_flatten".
  Name class_probabilities(const Name& layer, std::uint32_t classes);
  Name detection_output(const Name& layer, const std::vector<Name>& bottoms, std::uint32_t classes);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::vector<SketchLayer>& layers() const { return layers_; }
  [[nodiscard]] std::int64_t parameters() const;
  /// The deploy prototxt.
  [[nodiscard]] std::string text() const;

 private:
  Name add_batch_norm(const Name& layer, const Name& bottom, const Name& top);
  using Picture = std::array<std::int64_t, 3>;  ///< channels, height, width
  SketchLayer& add(const char* type, const Name& layer, const std::vector<Name>& bottoms, const Name& top,
                   const Picture& shape);

  std::string name_;
  std::vector<SketchLayer> layers_;
  std::map<Name, Picture> shapes_;
};

}  // namespace octavo::zoo

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
};

struct PoolShape {
  bool average = false;
  std::uint32_t kernel = 3, stride = 2, pad = 0;
};

/// Functions add a layer that reads blob `bottom` and return the name of the blob that it makes: that of the layer, or
/// of the bottom for layers that work in place.
class CaffeSketch {
 public:
  using Name = std::string;

  CaffeSketch(const std::string& name, std::int64_t channels, std::int64_t size);

  Name convolution(const Name& layer, const Name& bottom, const ConvolutionShape& shape);
  Name relu(const Name& layer, const Name& bottom);
  Name lrn(const Name& layer, const Name& bottom, std::uint32_t size, float alpha, float beta);
  Name batch_norm(const Name& layer, const Name& bottom);
  Name scale(const Name& layer, const Name& bottom);
  Name pool(const Name& layer, const Name& bottom, const PoolShape& shape);
  Name global_average(const Name& layer, const Name& bottom);
  Name inner_product(const Name& layer, const Name& bottom, std::uint32_t outputs);
  Name dropout(const Name& layer, const Name& bottom, float ratio);
  Name softmax(const Name& layer, const Name& bottom);
  Name concat(const Name& layer, const std::vector<Name>& bottoms);
  Name sum(const Name& layer, const Name& a, const Name& b);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::vector<SketchLayer>& layers() const { return layers_; }
  [[nodiscard]] std::int64_t parameters() const;
  /// The deploy prototxt.
  [[nodiscard]] std::string text() const;

 private:
  using Picture = std::array<std::int64_t, 3>;  ///< channels, height, width
  SketchLayer& add(const char* type, const Name& layer, const std::vector<Name>& bottoms, const Name& top,
                   const Picture& shape);

  std::string name_;
  std::vector<SketchLayer> layers_;
  std::map<Name, Picture> shapes_;
};

}  // namespace octavo::zoo

// SPDX-License-Identifier: Apache-2.0
// The blobs of each layer: from the caffemodel by the layer's name, from the prototxt itself, or seeded.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/blob.h"
#include "graph/import/caffe_model_file.h"
#include "graph/import/caffe_net.h"
#include "graph/import/seeded_values.h"

namespace octavo::graph {

/// A blob that a layer needs.
struct BlobNeed {
  Shape shape;
  Spread spread;  ///< when there is no file to take it from
};

class CaffeWeights {
 public:
  /// `model` may be null: all weights are seeded. Not owned.
  CaffeWeights(const CaffeModelFile* model, bool require, std::uint64_t seed)
      : model_(model), require_(require), seed_(seed) {}

  /// The layer's blobs, in order, each of exactly the shape that was asked for. Throws Error(malformed), without the
  /// layer's place: missing, another number of blobs, another shape (the four-dimensional shapes of old files and
  /// vectors with dimensions of one around them are accepted); too many weights to seed.
  [[nodiscard]] std::vector<BlobPtr> blobs(const caffe::LayerParameter& layer, const std::vector<BlobNeed>& needs);

 private:
  [[nodiscard]] std::vector<CaffeBlob> stored(const caffe::LayerParameter& layer) const;
  [[nodiscard]] BlobPtr seeded(const BlobNeed& need, std::string_view layer, std::size_t index);

  const CaffeModelFile* model_;
  bool require_;
  std::uint64_t seed_;
  std::int64_t seeded_ = 0;
};

/// Whether a blob of shape `stored` can stand for one of shape `wanted`: see CaffeWeights::blobs().
[[nodiscard]] bool same_blob_shape(const Shape& stored, const Shape& wanted);

}  // namespace octavo::graph

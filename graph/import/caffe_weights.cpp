// SPDX-License-Identifier: Apache-2.0
// See graph/import/caffe_weights.h.
#include "graph/import/caffe_weights.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <span>
#include <utility>

#include "graph/import/caffe_limits.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

std::span<const std::int64_t> without_leading_ones(const Shape& shape) {
  const auto first = std::find_if(shape.begin(), shape.end(), [](std::int64_t dim) { return dim != 1; });
  return {first, shape.end()};
}

BlobPtr float_blob(Shape shape, Data<float> values) {
  Blob blob;
  blob.shape = std::move(shape);
  blob.f32 = std::move(values);
  return std::make_shared<const Blob>(std::move(blob));
}

}  // namespace

bool same_blob_shape(const Shape& stored, const Shape& wanted) {
  if (std::ranges::equal(without_leading_ones(stored), without_leading_ones(wanted))) return true;
  // A vector of channels, written as [1][C][1][1] or [C][1][1][1].
  const auto not_one = [](std::int64_t dim) { return dim != 1; };
  return wanted.size() == 1 && std::count_if(stored.begin(), stored.end(), not_one) == 1 &&
         *std::find_if(stored.begin(), stored.end(), not_one) == wanted[0];
}

std::vector<CaffeBlob> CaffeWeights::stored(const caffe::LayerParameter& layer) const {
  std::vector<CaffeBlob> blobs;
  if (model_ != nullptr && model_->blob_count(layer.name()) > 0) {
    for (std::size_t i = 0; i < model_->blob_count(layer.name()); ++i) blobs.push_back(model_->blob(layer.name(), i));
    return blobs;
  }
  for (int i = 0; i < layer.blobs_size(); ++i) {  // weights written into the prototxt
    const auto message = std::make_shared<const std::string>(layer.blobs(i).SerializeAsString());
    const auto bytes = std::as_bytes(std::span(message->data(), message->size()));
    blobs.push_back(decode_caffe_blob(bytes, message, fmt::format("blob {}", i)));
  }
  return blobs;
}

BlobPtr CaffeWeights::seeded(const BlobNeed& need, std::string_view layer, std::size_t index) {
  std::int64_t count = 1;
  for (const std::int64_t dim : need.shape) {
    if (__builtin_mul_overflow(count, dim, &count)) count = kMaxSeededWeights + 1;
    if (count > kMaxSeededWeights) break;
  }
  if (count > kMaxSeededWeights - seeded_) {
    throw Error(ErrorKind::malformed, fmt::format("the network has more than {} weights", kMaxSeededWeights));
  }
  seeded_ += count;
  std::vector<float> values(static_cast<std::size_t>(count));
  fill_seeded(values, need.spread, blob_stream(seed_, layer, index));
  return float_blob(need.shape, std::move(values));
}

std::vector<BlobPtr> CaffeWeights::blobs(const caffe::LayerParameter& layer, const std::vector<BlobNeed>& needs) {
  std::vector<BlobPtr> blobs;
  std::vector<CaffeBlob> held = stored(layer);
  if (held.empty() && !needs.empty()) {
    if (model_ != nullptr && require_) {
      throw Error(ErrorKind::malformed, "the caffemodel has no weights for this layer", {},
                  "do the prototxt and the caffemodel belong together?");
    }
    for (std::size_t i = 0; i < needs.size(); ++i) blobs.push_back(seeded(needs[i], layer.name(), i));
    return blobs;
  }
  if (held.size() != needs.size()) {
    throw Error(ErrorKind::malformed,
                fmt::format("it needs {} blobs, and the file has {} for it", needs.size(), held.size()), {},
                "do the prototxt and the caffemodel belong together?");
  }
  for (std::size_t i = 0; i < needs.size(); ++i) {
    if (!same_blob_shape(held[i].shape, needs[i].shape)) {
      throw Error(ErrorKind::malformed,
                  fmt::format("blob {} should have the shape [{}] and has [{}]", i, fmt::join(needs[i].shape, ","),
                              fmt::join(held[i].shape, ",")),
                  {}, "do the prototxt and the caffemodel belong together?");
    }
    blobs.push_back(float_blob(needs[i].shape, std::move(held[i].values)));
  }
  return blobs;
}

}  // namespace octavo::graph

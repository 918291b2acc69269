// SPDX-License-Identifier: Apache-2.0
// Layers that move numbers: shapes, orders, parts, borders; and reductions, which drop a dimension.
#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "graph/axes.h"
#include "graph/check.h"
#include "graph/import/bigdl_layers.h"

namespace octavo::graph {
namespace {

Shape with_batch(const Shape& sizes) {
  Shape dims{0};
  dims.insert(dims.end(), sizes.begin(), sizes.end());
  return dims;
}

std::int64_t row_count(const Shape& shape) { return count_between(shape, 1, static_cast<std::int64_t>(shape.size())); }

void require_sizes(const Shape& sizes) {
  if (sizes.empty()) BigdlLayer::malformed("it has no 'size'");
  for (const std::int64_t size : sizes) require(size > 0, "a size of {}", size);
}

void add_dims(BigdlLayer& layer, std::vector<std::int64_t> dims) {
  Shape same = layer.shape();
  if (dims.size() == same.size() && dims[0] == 0) same[0] = 0;
  layer.result(dims == same ? layer.x() : layer.add_reshape_dims(layer.x(), std::move(dims)));
}

/// Some numbers before and behind each dimension; negative ones crop.
void add_border(BigdlLayer& layer, std::vector<std::int64_t> begins, std::vector<std::int64_t> ends, float value) {
  layer.result(layer.add(Pad{.begins = std::move(begins), .ends = std::move(ends), .value = value}, {layer.x()}));
}

/// `length` of the numbers along an axis, from `begin`.
ValueId narrowed(BigdlLayer& layer, std::int64_t axis, std::int64_t begin, std::int64_t length) {
  const std::int64_t size = layer.shape()[static_cast<std::size_t>(axis)];
  if (begin < 0 || length < 1 || length > size - begin) {
    BigdlLayer::malformed(fmt::format("{} from {} of the {} along dimension {}", length, begin + 1, size, axis + 1));
  }
  return layer.add(StridedSlice{.axes = {axis}, .begins = {begin}, .ends = {begin + length}, .steps = {1}},
                   {layer.x()});
}

}  // namespace

/// `size` is that of one picture when as many numbers as it has are in one, or when batchMode (2) says so; else (1, or
/// as many numbers as the whole value has) of all.
void convert_bigdl_reshape(BigdlLayer& layer) {
  const Shape sizes = layer.attributes().integers("size");
  require_sizes(sizes);
  const std::int64_t wanted = element_count(sizes), mode = layer.attributes().integer("batchMode", 0);
  const bool batch = mode == 2 || (mode == 0 && wanted == row_count(layer.shape()));
  if (batch ? wanted != row_count(layer.shape()) : wanted != element_count(layer.shape())) {
    BigdlLayer::malformed(fmt::format("{} as {}", to_text(layer.shape()), to_text(sizes)));
  }
  add_dims(layer, batch ? with_batch(sizes) : sizes);
}

/// A size of -1 is inferred from all numbers; without one, the sizes are those of one picture.
void convert_bigdl_view(BigdlLayer& layer) {
  const Shape sizes = layer.attributes().integers("sizes");
  if (sizes.empty()) BigdlLayer::malformed("it has no 'sizes'");
  const bool inferred = std::ranges::find(sizes, -1) != sizes.end();
  if (!inferred) require_sizes(sizes);
  const std::int64_t wanted = inferred ? 0 : element_count(sizes);
  if (!inferred && row_count(layer.shape()) % wanted != 0 && element_count(layer.shape()) % wanted != 0) {
    BigdlLayer::malformed(fmt::format("{} as {}", to_text(layer.shape()), to_text(sizes)));
  }
  if (inferred) {
    add_dims(layer, sizes);
  } else if (wanted == row_count(layer.shape())) {
    add_dims(layer, with_batch(sizes));
  } else {
    Shape dims = with_batch(sizes);
    dims[0] = -1;
    add_dims(layer, dims);
  }
}

/// 0 copies a dimension, -1 is inferred. In batch mode the copied ones are counted from the batch on all the same.
void convert_bigdl_infer_reshape(BigdlLayer& layer) {
  Shape sizes = layer.attributes().integers("size");
  if (sizes.empty()) BigdlLayer::malformed("it has no 'size'");
  if (!layer.attributes().flag("batchMode", false)) {
    add_dims(layer, sizes);
    return;
  }
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] == 0 && i < layer.shape().size()) sizes[i] = layer.shape()[i];
  }
  add_dims(layer, with_batch(sizes));
}

/// Without dimensions all of 1 go, but the batch stays.
void convert_bigdl_squeeze(BigdlLayer& layer) {
  std::vector<std::int64_t> wanted = layer.attributes().integers("dims");
  const bool batch = layer.attributes().flag("batchMode", false);
  Shape shape = layer.shape();
  std::vector<bool> gone(shape.size(), false);
  for (std::size_t i = 1; wanted.empty() && i < shape.size(); ++i) gone[i] = shape[i] == 1;
  // One after the other, each counted in what the ones before left.
  for (const std::int64_t dimension : wanted) {
    const auto left = static_cast<std::int64_t>(std::ranges::count(gone, false));
    std::int64_t skip = BigdlLayer::axis(batch && dimension > 0 ? dimension + 1 : dimension, left);
    for (std::size_t i = 0; i < shape.size(); ++i) {
      if (gone[i] || skip-- != 0) continue;
      gone[i] = shape[i] == 1;
    }
  }
  Shape kept;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (!gone[i]) kept.push_back(shape[i]);
  }
  layer.result(layer.add_reshape(layer.x(), kept.empty() ? Shape{1} : kept));
}

void convert_bigdl_unsqueeze(BigdlLayer& layer) {
  const std::vector<std::int64_t> positions = layer.attributes().integers("pos");
  Shape shape = layer.shape();
  std::int64_t inputs = layer.attributes().integer("numInputDims", 0);
  if (inputs < 0) inputs = 0;
  for (const std::int64_t position : positions) {
    const bool batch = inputs > 0 && layer.rank() == inputs + 1;
    const auto rank = static_cast<std::int64_t>(shape.size());
    shape.insert(shape.begin() + BigdlLayer::axis(batch ? position + 1 : position, rank + 1), 1);
  }
  layer.result(layer.add_reshape(layer.x(), shape));
}

/// Pairs of dimensions that change places, one pair after the other.
void convert_bigdl_transpose(BigdlLayer& layer) {
  std::vector<std::int64_t> order(layer.shape().size());
  std::iota(order.begin(), order.end(), 0);
  const std::int64_t pairs = layer.attributes().integer("size");
  for (std::int64_t i = 0; i < pairs; ++i) {
    const std::vector<std::int64_t> pair = layer.attributes().integers(fmt::format("permutation_{}", i));
    if (pair.size() != 2) BigdlLayer::malformed(fmt::format("its permutation {} is not in the file", i));
    std::swap(order[static_cast<std::size_t>(BigdlLayer::axis(pair[0], layer.rank()))],
              order[static_cast<std::size_t>(BigdlLayer::axis(pair[1], layer.rank()))]);
  }
  layer.result(std::ranges::is_sorted(order) ? layer.x() : layer.add_main(Permute{.order = order}, {layer.x()}));
}

void convert_bigdl_narrow(BigdlLayer& layer) {
  const BigdlAttributes& attributes = layer.attributes();
  const std::int64_t axis = BigdlLayer::axis(attributes.integer("dimension"), layer.rank());
  const std::int64_t begin = attributes.integer("offset") - 1;
  std::int64_t length = attributes.integer("length", 1);
  if (length < 0) length = layer.shape()[static_cast<std::size_t>(axis)] - begin + length + 1;
  layer.result(narrowed(layer, axis, begin, length));
}

void convert_bigdl_select(BigdlLayer& layer) {
  const std::int64_t axis = BigdlLayer::axis(layer.attributes().integer("dimension"), layer.rank());
  const std::int64_t index =
      BigdlLayer::axis(layer.attributes().integer("index"), layer.shape()[static_cast<std::size_t>(axis)]);
  const ValueId one = narrowed(layer, axis, index, 1);
  Shape shape = layer.shape(one);
  shape.erase(shape.begin() + axis);
  layer.result(layer.add_reshape(one, shape.empty() ? Shape{1} : shape));
}

/// A new dimension of copies.
void convert_bigdl_replicate(BigdlLayer& layer) {
  const BigdlAttributes& attributes = layer.attributes();
  const std::int64_t batch = layer.rank() > attributes.integer("nDim", std::int64_t{1} << 31) ? 1 : 0;
  const std::int64_t axis = BigdlLayer::axis(attributes.integer("dim", 1) + batch, layer.rank() + 1);
  Shape shape = layer.shape();
  shape.insert(shape.begin() + axis, 1);
  const ValueId one = layer.add_reshape(layer.x(), shape);
  layer.result(layer.add(Tile{.axis = axis, .tiles = attributes.integer("nFeatures")}, {one}));
}

void convert_bigdl_tile(BigdlLayer& layer) {
  const std::int64_t axis = BigdlLayer::axis(layer.attributes().integer("dim", 1), layer.rank());
  layer.result(layer.add(Tile{.axis = axis, .tiles = layer.attributes().integer("copies", 2)}, {layer.x()}));
}

void convert_bigdl_reverse(BigdlLayer& layer) {
  const std::int64_t axis = BigdlLayer::axis(layer.attributes().integer("dim", 1), layer.rank());
  const std::int64_t size = layer.shape()[static_cast<std::size_t>(axis)];
  layer.result(
      layer.add(StridedSlice{.axes = {axis}, .begins = {size - 1}, .ends = {-size - 1}, .steps = {-1}}, {layer.x()}));
}

/// |pad| numbers before (pad < 0) or behind nIndex.
void convert_bigdl_padding(BigdlLayer& layer) {
  const BigdlAttributes& attributes = layer.attributes();
  const std::int64_t pad = attributes.integer("pad"), place = attributes.integer("nIndex", 1);
  const std::int64_t ranks = attributes.integer("nInputDim", layer.rank());
  const std::int64_t dimension = attributes.integer("dim");
  const std::int64_t axis = BigdlLayer::axis(layer.rank() == ranks ? dimension : dimension + 1, layer.rank());
  if (place != 1) BigdlLayer::unsupported(fmt::format("padding in the middle, at {}", place));
  std::vector<std::int64_t> begins(layer.shape().size(), 0), ends = begins;
  (pad < 0 ? begins : ends)[static_cast<std::size_t>(axis)] = std::abs(pad);
  add_border(layer, std::move(begins), std::move(ends), attributes.real("value", 0));
}

void convert_bigdl_zero_padding(BigdlLayer& layer) {
  const BigdlAttributes& attributes = layer.attributes();
  (void)layer.x_of_rank(4);
  add_border(layer, {0, 0, attributes.integer("padTop", 0), attributes.integer("padLeft", 0)},
             {0, 0, attributes.integer("padBottom", 0), attributes.integer("padRight", 0)}, 0.0F);
}

void convert_bigdl_cropping(BigdlLayer& layer) {
  const BigdlAttributes& attributes = layer.attributes();
  (void)layer.x_of_rank(4);
  const std::vector<std::int64_t> height = attributes.integers("heightCrop"), width = attributes.integers("widthCrop");
  if (height.size() != 2 || width.size() != 2) BigdlLayer::malformed("it crops other than two sides of two dimensions");
  const std::size_t first = attributes.channels_last("dataFormat") ? 1 : 2;
  std::vector<std::int64_t> begins(4, 0), ends(4, 0);
  for (const std::int64_t crop : {height[0], height[1], width[0], width[1]}) require(crop >= 0, "a crop of {}", crop);
  begins[first] = -height[0];
  ends[first] = -height[1];
  begins[first + 1] = -width[0];
  ends[first + 1] = -width[1];
  add_border(layer, std::move(begins), std::move(ends), 0.0F);
}

/// Mean, Sum, Max, Min along one dimension, which goes unless `squeeze` is false.
void convert_bigdl_reduction(BigdlLayer& layer) {
  const BigdlAttributes& attributes = layer.attributes();
  const std::string& type = layer.module().type;
  const bool extreme = type == "Max" || type == "Min";
  const std::int64_t dimension = attributes.integer(extreme ? "dim" : "dimension", 1);
  std::int64_t ranks = attributes.integer(extreme ? "numInputDims" : "nInputDims", 0);
  if (ranks < 0) ranks = 0;
  const std::int64_t axis = BigdlLayer::batched_axis(dimension, ranks, layer.rank());
  ReductionKind kind = ReductionKind::sum;
  if (type == "Mean" || attributes.flag("sizeAverage", false)) kind = ReductionKind::mean;
  if (type == "Max") kind = ReductionKind::max;
  if (type == "Min") kind = ReductionKind::min;
  std::vector<std::int64_t> order;
  for (std::int64_t i = 0; i < layer.rank(); ++i) {
    if (i != axis) order.push_back(i);
  }
  order.push_back(axis);
  Shape kept = layer.shape();
  kept[static_cast<std::size_t>(axis)] = 1;
  const ValueId last = layer.add_permute(layer.x(), order);
  const ValueId y = layer.add_main(Reduction{.kind = kind, .axis = layer.rank() - 1}, {last});
  layer.result(extreme || attributes.flag("squeeze", true) ? y : layer.add_reshape(y, kept));
}

}  // namespace octavo::graph

// SPDX-License-Identifier: Apache-2.0
// Operators of detectors: NonMaxSuppression, CombinedNonMaxSuppression, CropAndResize.
#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "graph/check.h"
#include "graph/import/node_places.h"
#include "graph/import/open_extent.h"
#include "graph/import/tensorflow_operators.h"

namespace octavo::graph {
namespace {

constexpr float kLowestScore = std::numeric_limits<float>::lowest();

ImportedValue real_scalar(float number) { return TensorflowNode::constant_value(number); }

/// Numbers [n, k] from column `at`, [n].
ImportedValue column_of(TensorflowNode& node, const ImportedValue& x, std::int64_t at) {
  return node.reshape(node.slice(x, {.axes = {1}, .begins = {at}, .ends = {at + 1}, .steps = {1}}), {x.shape.at(0)});
}

/// `size` positions along an axis, the ones behind x's being 0.
ImportedValue with_zeros(TensorflowNode& node, const ImportedValue& x, std::int64_t axis, std::int64_t size) {
  Shape rest = x.shape;
  std::int64_t& more = rest.at(static_cast<std::size_t>(axis));
  more = size - more;
  if (more <= 0) return x;
  node.budget().take(element_count(rest));
  std::vector<float> zeros(static_cast<std::size_t>(element_count(rest)));
  ImportedValue y =
      node.concat({x, TensorflowNode::constant_value(make_tensor(ElementType::float32, rest, zeros))}, axis);
  y.type = x.type;
  return y;
}

/// x where `found` holds, else 0.
ImportedValue if_found(TensorflowNode& node, const ImportedValue& found, const ImportedValue& x) {
  return node.select(found, x, real_scalar(0.0F));
}

/// A number of results that has to be known.
std::int64_t most_results(TensorflowNode& node, std::size_t input) {
  const std::int64_t most = node.integer(input, "number of results");
  if (most <= 0) TensorflowNode::unsupported("a result without numbers: no box is asked for");
  return std::min<std::int64_t>(most, std::numeric_limits<std::int32_t>::max());
}

NonMaxSuppression suppression_by(float overlap, float score) {
  NonMaxSuppression op;
  op.iou_threshold = overlap;
  op.has_score_threshold = score > -std::numeric_limits<float>::infinity();
  if (op.has_score_threshold) op.score_threshold = score;
  return op;
}

}  // namespace

/// All versions. Inputs: boxes [N, 4], scores [N], the most results, from 2 on the threshold of overlap, from 3 on that
/// of scores, in 5 how much a box weakens those that it overlaps. Outputs: the places of boxes, in 5 their scores, and
/// in 4 and 5 how many there are.
void convert_tensorflow_non_max_suppression(TensorflowNode& node) {
  const int version = node.type().back() == 'n' ? 1 : node.type().back() - '0';
  require(node.rank(0) == 2 && node.rank(1) == 1 && node.shape(0)[0] == node.shape(1)[0], "boxes {} with scores {}",
          to_text(node.shape(0)), to_text(node.shape(1)));
  const std::int64_t boxes = node.shape(1)[0], most = most_results(node, 2);
  if (boxes > kExactIntegers) TensorflowNode::unsupported("scores of more than 2^24 boxes");
  if (version == 5 && node.scalar(5, "weakening of overlapping boxes") != 0.0F) {
    TensorflowNode::unsupported("boxes that are weakened rather than suppressed (soft_nms_sigma)");
  }
  NonMaxSuppression op =
      suppression_by(version == 1 ? node.attributes().number("iou_threshold", 0.5F) : node.scalar(3, "threshold"),
                     version < 3 ? -std::numeric_limits<float>::infinity() : node.scalar(4, "threshold of scores"));
  op.max_per_class = most;
  const ImportedValue scores = node.in(1);
  const ImportedValue rows =
      node.add(op, {node.reshape(node.in(0), {1, boxes, 4}), node.reshape(scores, {1, 1, boxes})});
  ImportedValue index = column_of(node, rows, 2);
  const ImportedValue found = node.binary(BinaryKind::greater_or_equal, index, real_scalar(0.0F));
  ImportedValue count = node.reduce(ReductionKind::sum, found, {0}, false);
  count.type = ElementType::int32;
  const ImportedValue place = node.binary(BinaryKind::maximum, index, real_scalar(0.0F));
  ImportedValue best = if_found(node, found, node.gather(scores, place, 0));
  if (version >= 4 && node.attributes().flag("pad_to_max_output_size", false)) {
    index = with_zeros(node, place, 0, most);
    best = with_zeros(node, best, 0, most);
  } else {
    index = opened(std::move(index), 0, count, true);
    best = opened(std::move(best), 0, count);
  }
  index.type = ElementType::int32;
  std::vector<TensorflowValue> results{tensorflow_value(index)};
  if (version == 5) results.push_back(tensorflow_value(best));
  if (version >= 4) results.push_back(tensorflow_value(count));
  node.outputs(std::move(results));
}

/// Inputs: boxes [B, N, 1 or C, 4], scores [B, N, C], the most results a class and in all, thresholds of overlap and of
/// scores. Outputs, with room for all: boxes, scores, classes, and how many of each picture's there are.
void convert_tensorflow_combined_non_max_suppression(TensorflowNode& node) {
  const Shape scores_shape = node.rank(1) == 3 ? node.shape(1) : Shape{0, 0, 0};
  const std::int64_t pictures = scores_shape[0], boxes = scores_shape[1], classes = scores_shape[2];
  const Shape of_one{pictures, boxes, 1, 4}, of_each{pictures, boxes, classes, 4};
  require((node.shape(0) == of_one || node.shape(0) == of_each) && element_count(of_each) > 0,
          "boxes {} with scores {}", to_text(node.shape(0)), to_text(node.shape(1)));
  const std::int64_t most = most_results(node, 2), total = most_results(node, 3);
  NonMaxSuppression op = suppression_by(node.scalar(4, "threshold"), node.scalar(5, "threshold of scores"));
  op.max_per_class = most;
  // Classes of which each has boxes of its own compete as pictures do.
  const bool together = node.shape(0) == of_one;
  const std::int64_t groups = together ? pictures : checked_product(pictures, classes);
  const ImportedValue by_class = node.permute(node.in(1), {0, 2, 1});
  const ImportedValue all_boxes =
      node.reshape(together ? node.in(0) : node.permute(node.in(0), {0, 2, 1, 3}), {groups, boxes, 4});
  const ImportedValue rows =
      node.add(op, {all_boxes, together ? by_class : node.reshape(by_class, {groups, 1, boxes})});
  const std::int64_t room = rows.shape[0];
  const auto scaled_sum = [&](const ImportedValue& x, std::int64_t scale, const ImportedValue& y) {
    return node.binary(BinaryKind::add, node.affine(x, static_cast<float>(scale), 0.0F), y);
  };
  if (checked_product(groups, boxes) > kExactIntegers / std::max<std::int64_t>(together ? classes : 1, 1)) {
    TensorflowNode::unsupported("scores of more than 2^24 boxes");
  }
  const ImportedValue group = column_of(node, rows, 0), box = column_of(node, rows, 2);
  const ImportedValue list = together ? scaled_sum(group, classes, column_of(node, rows, 1)) : group;
  const ImportedValue quotient = node.add_binary(BinaryKind::divide, group, real_scalar(static_cast<float>(classes)));
  const ImportedValue picture = together ? group : node.unary({.kind = UnaryKind::floor}, quotient);
  const auto place_of = [&](const ImportedValue& of) {
    return node.binary(BinaryKind::maximum, scaled_sum(of, boxes, box), real_scalar(0.0F));
  };
  const std::int64_t lists = checked_product(pictures, classes);
  const ImportedValue score = node.gather(node.reshape(by_class, {checked_product(lists, boxes)}), place_of(list), 0);
  // The rows of one picture, the others being nothing; rows that are left over are of picture -1.
  const ImportedValue number = node.reshape(counted_places(node, pictures), {pictures, 1});
  const ImportedValue own = node.binary(BinaryKind::equal, node.reshape(picture, {1, room}), number);
  const ImportedValue ranked = node.select(own, node.reshape(score, {1, room}), real_scalar(kLowestScore));
  const std::int64_t wanted =
      node.attributes().flag("pad_per_class", false) ? std::min(total, checked_product(most, classes)) : total;
  ArgMax best{.has_axis = true, .first = true, .axis = 1, .top_k = std::min(wanted, room)};
  const ImportedValue at = node.add(best, {ranked});
  best.out_max_value = true;
  const ImportedValue values = node.add(best, {ranked});
  const ImportedValue found = node.binary(BinaryKind::greater, values, real_scalar(kLowestScore / 2));
  const ImportedValue of_class = scaled_sum(picture, -classes, list);
  const ImportedValue flat_boxes = node.reshape(all_boxes, {checked_product(groups, boxes), 4});
  ImportedValue corners = node.gather(flat_boxes, node.gather(place_of(group), at, 0), 0);
  if (node.attributes().flag("clip_boxes", true)) {
    corners = node.unary({.kind = UnaryKind::clip, .alpha = 0.0F, .beta = 1.0F}, corners);
  }
  corners = if_found(node, node.reshape(found, {pictures, best.top_k, 1}), corners);
  ImportedValue count = node.reduce(ReductionKind::sum, found, {1}, false);
  count.type = ElementType::int32;
  node.outputs({tensorflow_value(with_zeros(node, corners, 1, wanted)),
                tensorflow_value(with_zeros(node, if_found(node, found, values), 1, wanted)),
                tensorflow_value(with_zeros(node, if_found(node, found, node.gather(of_class, at, 0)), 1, wanted)),
                tensorflow_value(count)});
}

namespace {

/// Where the points lie, in cells, that a crop takes along one direction.
struct CropPoints {
  ImportedValue first, step;  ///< [n]
  ImportedValue inside;       ///< [n, size], whether they lie between the first and the last cell
};

CropPoints crop_points(TensorflowNode& node, const ImportedValue& low, const ImportedValue& high, std::int64_t cells,
                       std::int64_t size) {
  CropPoints points;
  const auto last = static_cast<float>(cells - 1);
  const ImportedValue length = node.affine(node.binary(BinaryKind::subtract, high, low), last, 0.0F);
  points.step = node.affine(length, size > 1 ? 1.0F / static_cast<float>(size - 1) : 0.0F, 0.0F);
  points.first =
      size > 1 ? node.affine(low, last, 0.0F) : node.affine(node.binary(BinaryKind::add, low, high), 0.5F * last, 0.0F);
  const std::int64_t boxes = low.shape.at(0);
  const ImportedValue numbers = node.cast(node.reshape(counted_places(node, size), {1, size}), ElementType::float32);
  const ImportedValue ways = node.binary(BinaryKind::multiply, node.reshape(points.step, {boxes, 1}), numbers);
  const ImportedValue places = node.binary(BinaryKind::add, ways, node.reshape(points.first, {boxes, 1}));
  points.inside =
      node.binary(BinaryKind::logical_and, node.binary(BinaryKind::greater_or_equal, places, real_scalar(0)),
                  node.binary(BinaryKind::less_or_equal, places, real_scalar(last)));
  return points;
}

/// A region's end as RoiAlign takes it, of which the crop's points are the middles of the parts.
ImportedValue region_end(TensorflowNode& node, const CropPoints& points, float parts) {
  const ImportedValue way = node.affine(points.step, parts - 0.5F, 0.5F);
  return node.reshape(node.binary(BinaryKind::add, points.first, way), {points.first.shape[0], 1});
}

}  // namespace

/// Inputs: pictures [B, H, W, C], boxes [n, 4] as shares of the picture, the picture of each, the size of a crop.
void convert_tensorflow_crop_and_resize(TensorflowNode& node) {
  const std::string method = node.attributes().text("method", "bilinear");
  if (method != "bilinear") TensorflowNode::unsupported(fmt::format("cropping by the method {}", method));
  const std::vector<std::int64_t> size = node.integers(3, "size of a crop");
  require(size.size() == 2 && size[0] > 0 && size[1] > 0 && size[0] <= 65536 && size[1] <= 65536, "{} sizes of a crop",
          size.size());
  const ImportedValue x = node.image();
  const std::int64_t boxes = node.rank(1) == 2 ? node.shape(1)[0] : 0;
  require(boxes > 0 && node.shape(1)[1] == 4 && node.shape(2) == Shape{boxes}, "boxes {} of pictures {}",
          to_text(node.shape(1)), to_text(node.shape(2)));
  const ImportedValue ends = node.in(1);
  const auto end = [&](std::int64_t k) { return column_of(node, ends, k); };
  const CropPoints down = crop_points(node, end(0), end(2), x.shape[2], size[0]);
  const CropPoints across = crop_points(node, end(1), end(3), x.shape[3], size[1]);
  const ImportedValue regions = node.concat(
      {region_end(node, across, 0.0F), region_end(node, down, 0.0F),
       region_end(node, across, static_cast<float>(size[1])), region_end(node, down, static_cast<float>(size[0]))},
      1);
  const RoiAlign op{.pooled_h = size[0], .pooled_w = size[1], .sampling_ratio = 1};
  const ImportedValue crops = node.add(op, {x, regions, node.in(2)});
  const ImportedValue inside = node.binary(BinaryKind::logical_and, node.reshape(down.inside, {boxes, 1, size[0], 1}),
                                           node.reshape(across.inside, {boxes, 1, 1, size[1]}));
  ImportedValue y = node.select(inside, crops, real_scalar(node.attributes().number("extrapolation_value", 0.0F)));
  y.type = ElementType::float32;
  node.result_image(std::move(y));
}

}  // namespace octavo::graph

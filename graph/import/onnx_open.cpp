// SPDX-License-Identifier: Apache-2.0
// See graph/import/onnx_open.h. An operator is converted as always, on the whole room of what it reads; this file says
// what has to be put in place of the positions that do not count, and along which axis the result is open.
#include "graph/import/onnx_open.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "graph/axes.h"
#include "graph/check.h"
#include "graph/import/onnx_fold.h"
#include "graph/import/onnx_operators.h"
#include "graph/import/open_extent.h"

namespace octavo::graph {
namespace {

constexpr float kLowest = std::numeric_limits<float>::lowest();
constexpr float kHighest = std::numeric_limits<float>::max();

bool has_bounds(const OnnxNode& node, std::size_t i) { return node.has_input(i) && node.input(i).bounds != nullptr; }
bool is_open(const OnnxNode& node, std::size_t i) { return node.has_input(i) && node.input(i).open != nullptr; }

/// Of a dimension that a file's values may lack.
std::int64_t extent(const Shape& shape, std::int64_t axis) {
  require(axis < static_cast<std::int64_t>(shape.size()), "the shape {} has no axis {}", to_text(shape), axis);
  return shape[static_cast<std::size_t>(axis)];
}

std::int64_t open_axis(const OnnxNode& node, std::size_t i) { return node.input(i).open->axis; }

/// Numbers with bounds stand for the greatest that they may be.
void set_highest(OnnxNode& node, std::size_t i) {
  if (has_bounds(node, i)) node.set_input(i, OnnxNode::constant_value(node.input(i).bounds->high));
}

/// The node as if nothing that it reads were open.
void convert_closed(OnnxNode& node) {
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    if (node.has_input(i)) node.set_input(i, closed(node.input(i)));
  }
  if (const auto folded = fold_onnx(node, node.budget())) {
    node.result(OnnxNode::constant_value(folded->at(0)));
    return;
  }
  const OnnxConverter converter = find_onnx_converter(node.type());
  if (converter == nullptr) OnnxNode::unsupported(fmt::format("octavo does not know the operator {}", node.type()));
  converter(node);
}

void open_results(OnnxNode& node, std::int64_t axis, const ImportedValue& count, bool rest_is_marked = false) {
  for (ImportedValue& result : node.made()) result = opened(std::move(result), axis, count, rest_is_marked);
}

[[noreturn]] void refuse_open(const char* what) {
  OnnxNode::unsupported(what,
                        "octavo's values have fixed shapes, with room for the most that there may be: cut the network "
                        "before this node (--outputs, LoadOptions::outputs)");
}

// ---- numbers that depend on sizes ---------------------------------------------------------------------------------

/// Position of the only number whose bounds differ; -1 when there is none.
std::int64_t open_number(const NumberBounds& bounds) {
  std::int64_t found = -1;
  for (std::int64_t i = 0; i < bounds.low->count(); ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (bounds.low->real(at) == bounds.high->real(at)) continue;
    if (found >= 0) refuse_open("sizes, several of which only a run tells");
    found = i;
  }
  return found;
}

void convert_bounded(OnnxNode& node) {
  const std::optional<NumberBounds> bounds = onnx_resulting_bounds(node);
  bool known = bounds.has_value();
  for (std::size_t i = 0; known && i < static_cast<std::size_t>(bounds->low->count()); ++i) {
    known = bounds->low->real(i) == bounds->high->real(i);
  }
  if (known) {
    node.result(OnnxNode::constant_value(bounds->low));
    return;
  }
  convert_closed(node);
  if (bounds && node.made().size() == 1) node.made()[0].bounds = std::make_shared<const NumberBounds>(*bounds);
}

ImportedValue size_vector(OnnxNode& node, const ImportedValue& x, std::size_t begin, std::size_t end) {
  const Shape part(x.shape.begin() + static_cast<std::ptrdiff_t>(begin),
                   x.shape.begin() + static_cast<std::ptrdiff_t>(end));
  const auto count = static_cast<std::int64_t>(part.size());
  Shape least = part;
  const std::int64_t at = x.open->axis - static_cast<std::int64_t>(begin);
  ImportedValue y = OnnxNode::constant_value(make_tensor(ElementType::int64, {count}, part));
  if (at < 0 || at >= count) return y;
  least[static_cast<std::size_t>(at)] = 0;
  auto bounds = std::make_shared<NumberBounds>();
  bounds->high = y.constant;
  bounds->low = make_tensor(ElementType::int64, {count}, least);
  std::vector<ImportedValue> numbers;
  for (std::int64_t i = 0; i < count; ++i) {
    const ImportedValue number = i == at ? x.open->count : known_count(part[static_cast<std::size_t>(i)]);
    numbers.push_back(node.add_reshape(closed(number), {1}));
  }
  y = count == 1 ? numbers[0] : node.add(Concat{.axis = 0}, numbers);
  y.type = ElementType::int64;
  y.bounds = std::move(bounds);
  return y;
}

void open_shape(OnnxNode& node) {
  const ImportedValue x = node.input();
  const auto position = [&](std::string_view name, std::int64_t fallback) {
    const std::int64_t at = node.attributes().integer(name, fallback);
    return static_cast<std::size_t>(std::clamp<std::int64_t>(at < 0 ? at + node.rank() : at, 0, node.rank()));
  };
  const std::size_t begin = position("start", 0), end = std::max(position("end", node.rank()), begin);
  node.result(size_vector(node, x, begin, end));
}

void open_size(OnnxNode& node) {
  const ImportedValue x = node.input();
  const std::int64_t size = x.shape[static_cast<std::size_t>(x.open->axis)], all = element_count(x.shape);
  ImportedValue y = node.add_affine(closed(x.open->count), static_cast<float>(all / size), 0.0F);
  y.type = ElementType::int64;
  auto bounds = std::make_shared<NumberBounds>();
  bounds->low = make_tensor(ElementType::int64, {}, std::vector<std::int64_t>{0});
  bounds->high = make_tensor(ElementType::int64, {}, std::vector<std::int64_t>{all});
  y.bounds = std::move(bounds);
  node.result(std::move(y));
}

/// Numbers of one kind, as many as a shape that a run tells.
void open_constant_of_shape(OnnxNode& node) {
  const ImportedValue sizes = node.input();
  const std::int64_t axis = open_number(*sizes.bounds);
  const ImportedValue count = number_at(node, sizes, axis);
  set_highest(node, 0);
  convert_closed(node);
  open_results(node, axis, count);
}

void open_range(OnnxNode& node) {
  const float first = node.scalar(0, "start"), step = node.scalar(2, "step");
  if (first != 0 || step != 1) refuse_open("a range that does not count from 0, of a size that only a run tells");
  const ImportedValue count = number_at(node, node.input(1), 0);
  set_highest(node, 1);
  convert_closed(node);
  open_results(node, 0, count);
}

void open_expand(OnnxNode& node) {
  const ImportedValue x = node.input(), sizes = node.input(1);
  const std::int64_t number = sizes.bounds ? open_number(*sizes.bounds) : -1;
  std::vector<std::int64_t> wanted = to_integers(sizes.bounds ? *sizes.bounds->high : known_numbers(sizes, "shape"));
  const std::size_t rank = std::max(wanted.size(), x.shape.size());
  std::int64_t axis = number < 0 ? -1 : number + static_cast<std::int64_t>(rank - wanted.size());
  ImportedValue count;
  if (x.open) {
    const std::int64_t own = x.open->axis + static_cast<std::int64_t>(rank - x.shape.size());
    if (axis >= 0 && axis != own) refuse_open("a value that is open along two axes");
    axis = own;
    count = x.open->count;
    const std::int64_t place = axis - static_cast<std::int64_t>(rank - wanted.size());
    if (place >= 0) wanted[static_cast<std::size_t>(place)] = x.shape[static_cast<std::size_t>(x.open->axis)];
  } else {
    count = number_at(node, sizes, number);
  }
  const auto length = static_cast<std::int64_t>(wanted.size());
  node.set_input(1, OnnxNode::constant_value(make_tensor(ElementType::int64, {length}, std::move(wanted))));
  convert_closed(node);
  open_results(node, axis, count);
}

// ---- movement -----------------------------------------------------------------------------------------------------

/// Reshape, Flatten, Squeeze, Unsqueeze.
void open_reshape(OnnxNode& node) {
  const ImportedValue x = node.input();
  if (has_bounds(node, 1)) {
    if (!x.open) refuse_open("a shape that only a run tells");
    std::vector<std::int64_t> wanted = to_integers(*node.input(1).bounds->high);
    const std::int64_t number = open_number(*node.input(1).bounds);
    const bool infers = std::find(wanted.begin(), wanted.end(), -1) != wanted.end();
    if (number >= 0 && !infers) wanted[static_cast<std::size_t>(number)] = -1;  // the room that x has
    const auto length = static_cast<std::int64_t>(wanted.size());
    node.set_input(1, OnnxNode::constant_value(make_tensor(ElementType::int64, {length}, std::move(wanted))));
  }
  convert_closed(node);
  if (x.open) node.result(reshaped_open(node, *x.open, x.shape, node.made().at(0)));
}

void open_transpose(OnnxNode& node) {
  const OpenExtent open = *node.input().open;
  const std::vector<std::int64_t> order = onnx_order(node);
  convert_closed(node);
  open_results(node, std::find(order.begin(), order.end(), open.axis) - order.begin(), open.count, open.rest_is_marked);
}

void open_pad(OnnxNode& node) {
  const OpenExtent open = *node.input().open;
  const std::int64_t axis = open.axis;
  const std::int64_t size = extent(node.shape(), axis);
  convert_closed(node);
  const ImportedValue& y = node.made().at(0);
  if (extent(y.shape, axis) != size) refuse_open("padding along the axis of which only a run tells how much counts");
  open_results(node, open.axis, open.count);
}

void open_split(OnnxNode& node) {
  const OpenExtent open = *node.input().open;
  if (OnnxNode::axis(node.attributes().integer("axis", 0), node.rank()) == open.axis) {
    refuse_open("a value split along the axis of which only a run tells how much counts");
  }
  convert_closed(node);
  open_results(node, open.axis, open.count, open.rest_is_marked);
}

void open_slice(OnnxNode& node) {
  const ImportedValue x = node.input();
  std::int64_t number = -1;
  const ImportedValue ends = node.opset() < 10 ? ImportedValue{} : node.input(2);
  if (ends.bounds) number = open_number(*ends.bounds);
  set_highest(node, 2);
  const StridedSlice slice = onnx_slice(node);
  std::int64_t axis = x.open ? x.open->axis : -1;
  if (number >= 0) {
    const std::int64_t own = slice.axes.at(static_cast<std::size_t>(number));
    if (axis >= 0 && axis != own) refuse_open("a value that is open along two axes");
    axis = own;
  }
  if (axis < 0) return convert_closed(node);
  const std::int64_t size = extent(x.shape, axis);
  ImportedValue count = x.open ? closed(x.open->count) : known_count(size);
  bool marked = x.open && x.open->rest_is_marked;
  for (std::size_t i = 0; i < slice.axes.size(); ++i) {
    if (slice.axes[i] != axis) continue;
    if (slice.steps[i] != 1 || slice.begins[i] < 0 || slice.ends[i] < 0) {
      refuse_open(
          "a slice with a step, or counted from the end, along an axis of which only a run tells how much counts");
    }
    if (static_cast<std::int64_t>(i) == number) {
      count = least_count(node, count, number_at(node, ends, number));
    } else if (slice.ends[i] < size) {
      count = least_count(node, count, known_count(slice.ends[i]));
    }
    if (slice.begins[i] > 0) {
      count = node.add_unary(UnaryKind::relu, node.add_affine(count, 1.0F, -static_cast<float>(slice.begins[i])));
    }
  }
  convert_closed(node);
  open_results(node, axis, count, marked);
}

void open_concat(OnnxNode& node) {
  std::vector<ImportedValue> parts;
  std::int64_t open = -1;
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    parts.push_back(node.input(i));
    if (!parts.back().open || element_count(parts.back().shape) == 0) continue;
    if (open >= 0 && open != parts.back().open->axis) refuse_open("a value that is open along two axes");
    open = parts.back().open->axis;
  }
  const std::int64_t axis =
      OnnxNode::axis(node.attributes().integer("axis", 1), static_cast<std::int64_t>(parts.at(0).shape.size()));
  if (axis == open) {
    node.result(joined_open(node, parts, axis));
    return;
  }
  std::int64_t room = std::numeric_limits<std::int64_t>::max();
  ImportedValue count;
  for (const ImportedValue& part : parts) {
    if (!part.open) continue;
    room = std::min(room, extent(part.shape, open));
    count = part.open->count;
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const ImportedValue part = parts[i].open ? parts[i] : opened(parts[i], open, count);
    if (extent(part.shape, open) < room) refuse_open("parts of different sizes");
    node.set_input(i, with_room(node, part, room));
  }
  convert_closed(node);
  open_results(node, open, count);
}

// ---- picking ------------------------------------------------------------------------------------------------------

/// Gather, GatherElements and GatherND. Indices that do not count are made good ones.
void open_gather(OnnxNode& node) {
  const ImportedValue x = node.input(), indices = node.input(1);
  const bool elements = node.type() == "GatherElements", many = node.type() == "GatherND";
  const std::int64_t axis =
      many ? 0 : OnnxNode::axis(node.attributes().integer("axis", 0), static_cast<std::int64_t>(x.shape.size()));
  const auto index_rank = static_cast<std::int64_t>(indices.shape.size());
  const std::int64_t depth = many ? indices.shape.back() + node.attributes().integer("batch_dims", 0) : axis + 1;
  const bool picked = x.open && x.open->axis >= axis && x.open->axis < depth;  // along the axis that is indexed
  std::int64_t result = -1;
  ImportedValue count;
  bool marked = false;
  if (indices.open) {
    if (x.open && !picked && !(elements && x.open->axis == indices.open->axis)) {
      refuse_open("a value that is open along two axes");
    }
    if (many && indices.open->axis == index_rank - 1) refuse_open("indices of which only a run tells how long each is");
    result = many || elements ? indices.open->axis : axis + indices.open->axis;
    count = indices.open->count;
    node.set_input(1, with_rest(node, indices, 0.0F));
  } else if (x.open && !picked) {
    if (elements) {
      result = x.open->axis;
    } else if (many) {
      result = x.open->axis - depth + index_rank - 1;
    } else {
      result = x.open->axis < axis ? x.open->axis : x.open->axis + index_rank - 1;
    }
    count = x.open->count;
    marked = x.open->rest_is_marked;
  }
  convert_closed(node);
  if (result >= 0) open_results(node, result, count, marked);
}

void convert_places_of_nonzero(OnnxNode& node) { node.result(coordinates_of_nonzero(node, node.input())); }

/// The best of as many as there are, or of those that count.
void open_top_k(OnnxNode& node) {
  const ImportedValue x = node.input();
  const std::int64_t axis = OnnxNode::axis(node.attributes().integer("axis", -1), node.rank());
  if (x.open && x.open->axis != axis) {
    const OpenExtent open = *x.open;
    if (has_bounds(node, 1)) refuse_open("a value that is open along two axes");
    convert_closed(node);
    return open_results(node, open.axis, open.count);
  }
  const bool largest = node.opset() < 11 || node.attributes().flag("largest", true);
  const std::int64_t size = extent(x.shape, axis);
  ImportedValue count = x.open ? closed(x.open->count) : known_count(size);
  if (node.opset() >= 10) {
    const ImportedValue k = node.input(1);
    set_highest(node, 1);
    const auto most = static_cast<std::int64_t>(node.scalar(1, "number of results"));
    if (most <= 0) OnnxNode::unsupported("a result without numbers");
    count = least_count(node, count, k.bounds ? number_at(node, k, 0) : known_count(std::min(most, size)));
    node.set_input(1, known_count(std::min(most, size)));
  }
  if (x.open) node.set_input(0, with_rest(node, x, largest ? kLowest : kHighest));
  convert_closed(node);
  open_results(node, axis, count);
}

void open_non_max_suppression(OnnxNode& node) {
  set_highest(node, 2);
  const ImportedValue scores = node.input(1);
  if (is_open(node, 0) && open_axis(node, 0) != 1) refuse_open("pictures of which only a run tells how many there are");
  std::int64_t room = scores.shape.size() == 3 ? scores.shape[2] : 0;
  if (is_open(node, 0)) room = std::min(room, extent(node.input(0).shape, 1));
  if (scores.open && scores.open->axis != 2) refuse_open("classes of which only a run tells how many there are");
  const ImportedValue counted = scores.open        ? scores
                                : is_open(node, 0) ? opened(scores, 2, node.input(0).open->count)
                                                   : scores;
  if (counted.open) {
    const float given = node.has_input(4) ? node.scalar(4, "threshold of scores") : kLowest;
    if (is_open(node, 0)) node.set_input(0, with_room(node, node.input(0), room));
    node.set_input(1, with_rest(node, with_room(node, counted, room), kLowest));
    node.set_input(4, OnnxNode::constant_value(std::max(given, kLowest)));  // what does not count stays out
  }
  convert_closed(node);
}

// ---- arithmetic ---------------------------------------------------------------------------------------------------

/// Operators of which each number of the result depends on the numbers at its own place alone.
void open_pointwise(OnnxNode& node) {
  std::size_t rank = 0;
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    if (node.has_input(i)) rank = std::max(rank, node.shape(i).size());
  }
  std::int64_t axis = -1, room = std::numeric_limits<std::int64_t>::max();
  ImportedValue count;
  bool marked = true;
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    if (!is_open(node, i)) continue;
    const std::int64_t own = open_axis(node, i) + static_cast<std::int64_t>(rank - node.shape(i).size());
    if (axis >= 0 && axis != own) refuse_open("arithmetic of values that are open along different axes");
    axis = own;
    count = node.input(i).open->count;
    marked = marked && node.input(i).open->rest_is_marked;
    room = std::min(room, node.shape(i)[static_cast<std::size_t>(open_axis(node, i))]);
  }
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    if (!node.has_input(i)) continue;
    const std::int64_t own = axis - static_cast<std::int64_t>(rank - node.shape(i).size());
    if (own < 0 || node.shape(i)[static_cast<std::size_t>(own)] == 1) continue;
    // Room for one would be taken for a number that is repeated.
    if (room == 1 || node.shape(i)[static_cast<std::size_t>(own)] < room) refuse_open("values of different sizes");
    node.set_input(i, with_room(node, opened(node.input(i), own, count), room));
  }
  const bool moves = node.type() == "Cast" || node.type() == "Identity" || node.type() == "Dropout";
  convert_closed(node);
  open_results(node, axis, count, moves && marked);
}

/// Operators that compute each picture, or row, from itself alone.
void open_rows(OnnxNode& node) {
  const OpenExtent open = *node.input().open;
  if (open.axis != 0 || node.rank() < 2)
    refuse_open("it works along the axis of which only a run tells how much counts");
  if (node.type() == "Gemm" && node.attributes().flag("transA", false)) refuse_open("a product along an open axis");
  convert_closed(node);
  open_results(node, 0, open.count);
}

void open_matmul(OnnxNode& node) {
  const OpenExtent open = *node.input().open;
  const std::int64_t rank = node.rank(), more = std::max<std::int64_t>(node.rank(1) - rank, 0);
  if (rank < 2 || open.axis == rank - 1)
    refuse_open("a product along an axis of which only a run tells how much counts");
  convert_closed(node);
  open_results(node, open.axis + more, open.count);
}

void open_softmax(OnnxNode& node) {
  const ImportedValue x = node.input();
  const std::int64_t axis = OnnxNode::axis(node.attributes().integer("axis", node.opset() < 13 ? 1 : -1), node.rank());
  const bool along = node.opset() < 13 ? x.open->axis >= axis : x.open->axis == axis;
  if (along) node.set_input(0, with_rest(node, x, kLowest));
  convert_closed(node);
  open_results(node, x.open->axis, x.open->count);
}

void open_reduce(OnnxNode& node) {
  const ImportedValue x = node.input();
  const ReducedAxes over = onnx_reduction(node);
  const std::string& type = node.type();
  if (!std::binary_search(over.axes.begin(), over.axes.end(), x.open->axis)) {
    std::int64_t axis = x.open->axis;
    if (!node.attributes().flag("keepdims", true)) {
      axis -= std::lower_bound(over.axes.begin(), over.axes.end(), axis) - over.axes.begin();
    }
    convert_closed(node);
    return open_results(node, axis, x.open->count);
  }
  if (type == "ReduceMean") refuse_open("a mean over an axis of which only a run tells how much counts");
  const float neutral = type == "ReduceMax" || type == "ReduceLogSumExp" ? kLowest
                        : type == "ReduceMin"                            ? kHighest
                        : type == "ReduceProd"                           ? 1.0F
                                                                         : 0.0F;
  node.set_input(0, with_rest(node, x, neutral));
  convert_closed(node);
}

void open_arg(OnnxNode& node) {
  const ImportedValue x = node.input();
  const std::int64_t axis = OnnxNode::axis(node.attributes().integer("axis", 0), node.rank());
  if (x.open->axis == axis) {
    node.set_input(0, with_rest(node, x, node.type() == "ArgMin" ? kHighest : kLowest));
    return convert_closed(node);
  }
  const bool keeps = node.attributes().flag("keepdims", true);
  convert_closed(node);
  open_results(node, x.open->axis - (!keeps && axis < x.open->axis ? 1 : 0), x.open->count);
}

/// Regions that do not count are of no picture.
void open_roi_align(OnnxNode& node) {
  if (!is_open(node, 1) || open_axis(node, 1) != 0) refuse_open("regions of which only a run tells the form");
  const std::int64_t room = std::min(extent(node.shape(1), 0), extent(node.shape(2), 0));
  const ImportedValue regions = with_room(node, node.input(1), room);
  node.set_input(1, regions);
  node.set_input(2, with_rest(node, with_room(node, opened(node.input(2), 0, regions.open->count), room), -1.0F));
  convert_closed(node);
  open_results(node, 0, regions.open->count);
}

/// Rows that count, put into as many as there are.
void open_scatter_elements(OnnxNode& node) {
  const ImportedValue x = node.input(), indices = node.input(1), updates = node.input(2);
  const auto axis = static_cast<std::size_t>(OnnxNode::axis(node.attributes().integer("axis", 0), node.rank()));
  if ((x.open && x.open->axis != 0) || (indices.open && indices.open->axis != 0)) {
    refuse_open("places along another axis than the first");
  }
  ImportedValue places = onnx_row_places(node, indices, axis), rows = updates;
  if (!places.open && updates.open) places = opened(places, 0, updates.open->count);
  if (places.open) {
    const std::int64_t room = std::min(extent(places.shape, 0), extent(rows.shape, 0));
    rows = with_room(node, opened(rows, 0, places.open->count), room);
    places = with_room(node, places, room);
  }
  ImportedValue y = onnx_rows_put(node, x, places, rows);
  node.result(x.open ? opened(std::move(y), 0, x.open->count) : y);
}

// ---- which is which -----------------------------------------------------------------------------------------------

struct OpenEntry {
  std::string_view type;
  void (*convert)(OnnxNode& node);
  unsigned open_inputs, bounded_inputs;  ///< a bit for each input that may be so
};

constexpr OpenEntry kOpenOperators[] = {
    {"Arg", open_arg, 1, 0},
    {"AveragePool", open_rows, 1, 0},
    {"BatchNormalization", open_rows, 1, 0},
    {"Concat", open_concat, ~0U, 0},
    {"ConstantOfShape", open_constant_of_shape, 0, 1},
    {"Conv", open_rows, 1, 0},
    {"ConvTranspose", open_rows, 1, 0},
    {"Expand", open_expand, 1, 2},
    {"Flatten", open_reshape, 1, 0},
    {"Gather", open_gather, 3, 0},
    {"Gemm", open_rows, 1, 0},
    {"GlobalAveragePool", open_rows, 1, 0},
    {"MatMul", open_matmul, 1, 0},
    {"MaxPool", open_rows, 1, 0},
    {"NonMaxSuppression", open_non_max_suppression, 3, 4},
    {"NonZero", convert_places_of_nonzero, 1, 0},
    {"Pad", open_pad, 1, 0},
    {"Range", open_range, 0, 2},
    {"Reduce", open_reduce, 1, 0},
    {"Reshape", open_reshape, 1, 2},
    {"RoiAlign", open_roi_align, 6, 0},
    {"ScatterElements", open_scatter_elements, 7, 0},
    {"Shape", open_shape, 1, 0},
    {"Size", open_size, 1, 0},
    {"Slice", open_slice, 1, 4},
    {"Softmax", open_softmax, 1, 0},
    {"Split", open_split, 1, 0},
    {"Squeeze", open_reshape, 1, 0},
    {"TopK", open_top_k, 1, 2},
    {"Transpose", open_transpose, 1, 0},
    {"Unsqueeze", open_reshape, 1, 0},
};

/// ArgMax and ArgMin, all Reduces and all Gathers are alike.
std::string_view open_family(std::string_view type) {
  for (const std::string_view family : {"Arg", "Gather", "Reduce"}) {
    if (type.starts_with(family)) return family;
  }
  return type;
}

bool is_pointwise(const OnnxNode& node) {
  static constexpr std::string_view kTypes[] = {"Cast", "Clip", "Dropout", "Identity", "Where"};
  return std::find(std::begin(kTypes), std::end(kTypes), node.type()) != std::end(kTypes) ||
         onnx_function(node).has_value() || onnx_binary_kind(node).has_value();
}

}  // namespace

bool reads_open_values(const OnnxNode& node) {
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    if (is_open(node, i) || has_bounds(node, i)) return true;
  }
  return false;
}

void convert_onnx_non_zero(OnnxNode& node) { convert_places_of_nonzero(node); }

void convert_onnx_open(OnnxNode& node) {
  const std::string_view type = open_family(node.type());
  const auto* const entry = std::find_if(std::begin(kOpenOperators), std::end(kOpenOperators),
                                         [&](const OpenEntry& each) { return each.type == type; });
  const bool listed = entry != std::end(kOpenOperators);
  const bool pointwise = !listed && is_pointwise(node);
  bool open = false, bounded = false;
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    const unsigned bit = i < 32 ? 1U << i : 0U;
    open = open || is_open(node, i);
    bounded = bounded || (has_bounds(node, i) && listed && (entry->bounded_inputs & bit) != 0);
    if (is_open(node, i) && !pointwise && !(listed && (entry->open_inputs & bit) != 0)) {
      refuse_open("only a run tells how much of what it reads counts");
    }
  }
  if (listed && (open || bounded)) {
    entry->convert(node);
  } else if (open) {
    open_pointwise(node);
  } else {
    convert_bounded(node);
  }
}

}  // namespace octavo::graph

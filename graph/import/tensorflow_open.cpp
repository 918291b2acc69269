// SPDX-License-Identifier: Apache-2.0
// See graph/import/tensorflow_open.h.
#include "graph/import/tensorflow_open.h"

#include <algorithm>
#include <array>
#include <utility>

#include "graph/import/open_extent.h"

namespace octavo::graph {
namespace {

bool is_open_input(const TensorflowNode& node, std::size_t i) {
  return node.value(i).plain && node.value(i).plain->open != nullptr;
}

[[noreturn]] void refuse_open_value(const char* what) {
  TensorflowNode::unsupported(what,
                              "octavo's values have fixed shapes, with room for the most that there may be: end the "
                              "network before this node (--tf-outputs, TensorflowOptions::outputs)");
}

constexpr std::array kPicks{"Gather", "GatherV2", "GatherNd"};
constexpr std::array kReshapes{"ExpandDims", "Reshape", "Squeeze"};

template <class Names>
bool is_one_of(const Names& names, const TensorflowNode& node) {
  return std::find(names.begin(), names.end(), node.type()) != names.end();
}

/// Parts of a value at places of which only a run tells how many there are.
void pick_open(TensorflowNode& node, TensorflowConverter converter) {
  if (is_open_input(node, 0) || !is_open_input(node, 1))
    refuse_open_value("parts of a value of which only a run tells how large it is");
  const OpenExtent open = *node.value(1).plain->open;
  if (open.axis + 1 == node.rank(1) && node.type() == "GatherNd") {
    refuse_open_value("indices of which only a run tells how long each is");
  }
  const std::int64_t before =
      node.type() == "GatherV2" ? TensorflowNode::axis(node.integer(2, "axis"), node.rank()) : 0;
  node.set_in(1, with_rest(node, *node.value(1).plain, 0.0F));
  converter(node);
  node.open_result(before + open.axis, open.count);
}

void reshape_open(TensorflowNode& node, TensorflowConverter converter) {
  const OpenExtent open = *node.value(0).plain->open;
  const Shape before = node.shape(0);
  node.set_in(0, closed(*node.value(0).plain));
  converter(node);
  const ImportedValue after = node.only_result();
  node.result(reshaped_open(node, open, before, after));
}

/// Each number of the result depends on the numbers at its own place alone.
void pointwise_open(TensorflowNode& node, TensorflowConverter converter) {
  std::int64_t rank = 0, axis = -1, room = 0;
  ImportedValue count;
  for (std::size_t i = 0; i < node.input_count(); ++i) rank = std::max(rank, node.rank(i));
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    if (!is_open_input(node, i)) continue;
    const OpenExtent& open = *node.value(i).plain->open;
    const std::int64_t own = open.axis + rank - node.rank(i),
                       size = node.shape(i).at(static_cast<std::size_t>(open.axis));
    if (axis >= 0 && (own != axis || size != room)) refuse_open_value("values of different sizes");
    axis = own;
    room = size;
    count = open.count;
    node.set_in(i, closed(*node.value(i).plain));
  }
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    // Room for one would be taken for a number that is repeated.
    const std::int64_t own = axis - (rank - node.rank(i));
    if (room == 1 && own >= 0 && node.shape(i).at(static_cast<std::size_t>(own)) != 1) {
      refuse_open_value("values of different sizes");
    }
  }
  converter(node);
  node.open_result(axis, count);
}

/// Operators of one function of each number; those of two, or of more.
bool is_pointwise_operator(TensorflowConverter converter) {
  static constexpr std::array kConverters{
      convert_tensorflow_unary,  convert_tensorflow_composed, convert_tensorflow_clip,      convert_tensorflow_cast,
      convert_tensorflow_binary, convert_tensorflow_select,   convert_tensorflow_div_no_nan};
  return std::find(kConverters.begin(), kConverters.end(), converter) != kConverters.end();
}

}  // namespace

bool reads_open_values(const TensorflowNode& node) {
  for (std::size_t i = 0; i < node.input_count(); ++i) {
    if (is_open_input(node, i)) return true;
  }
  return false;
}

void convert_tensorflow_open(TensorflowNode& node, TensorflowConverter converter) {
  if (converter == convert_tensorflow_identity) return converter(node);  // open as before
  if (is_one_of(kPicks, node)) return pick_open(node, converter);
  if (is_one_of(kReshapes, node) && is_open_input(node, 0)) return reshape_open(node, converter);
  if (is_pointwise_operator(converter) && node.type() != "Select") return pointwise_open(node, converter);
  refuse_open_value("only a run tells how much of what it reads counts");
}

}  // namespace octavo::graph

// SPDX-License-Identifier: Apache-2.0
// From a step (see torch_steps.h) to modules of nn: one function an op, in torch_layers.cpp (layers with weights,
// pools, normalization), torch_functions.cpp (arithmetic) and torch_movement.cpp (what moves numbers).
#pragma once

#include <cstdint>
#include <deque>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/export/torch_document.h"
#include "graph/export/torch_steps.h"
#include "graph/graph.h"

namespace octavo::graph {

/// The file that is written: its objects, and numbers that are made for it.
class TorchModules {
 public:
  using Ref = TorchDocument::Ref;
  using Value = TorchDocument::Value;
  using Fields = std::initializer_list<std::pair<std::string_view, Value>>;

  [[nodiscard]] TorchDocument& document() { return document_; }
  /// A module of nn, or of another package when the type says so ("cudnn.X").
  [[nodiscard]] Ref module(std::string_view type, Fields fields = {});
  [[nodiscard]] Ref container(std::string_view type, const std::vector<Ref>& modules, Fields fields = {});
  /// One module for several in a row: a Sequential, unless it is one already.
  [[nodiscard]] Ref in_a_row(const std::vector<Ref>& modules);
  /// `values` have to live until the file is written.
  [[nodiscard]] Ref tensor(const Shape& shape, std::span<const float> values) {
    return document_.tensor(shape, values);
  }
  [[nodiscard]] Ref tensor(const Shape& shape, std::vector<float> values);
  /// A blob's numbers in this shape; 8-bit ones as what they stand for.
  [[nodiscard]] Ref tensor(const Shape& shape, const Blob& blob);

 private:
  TorchDocument document_;
  std::deque<std::vector<float>> numbers_;
};

class TorchStepExporter {
 public:
  using Ref = TorchDocument::Ref;

  TorchStepExporter(const Graph& graph, const TorchStep& step, TorchModules& modules)
      : graph_(graph), step_(step), node_(*step.node), uses_(graph), out_(modules) {}

  /// The modules, in order: the first takes the step's input, or a table of them; the last gives its output and has the
  /// node's name. Throws Error(unsupported) for what Torch7 cannot say.
  [[nodiscard]] std::vector<Ref> run();

 private:
  using Fields = TorchModules::Fields;

  [[nodiscard]] const Shape& in_shape(std::size_t i = 0) const { return graph_.values[step_.inputs[i]].shape; }
  [[nodiscard]] const Shape& out_shape() const { return graph_.values[step_.output].shape; }
  [[nodiscard]] std::int64_t rank() const { return static_cast<std::int64_t>(in_shape().size()); }
  [[noreturn]] static void cannot(const std::string& what);

  void add(Ref module) { row_.push_back(module); }
  void add(std::string_view type, Fields fields = {}) { add(out_.module(type, fields)); }
  void add_multiply(double factor);
  void add_shift(double shift);
  /// What sees the numbers in another shape; a first dimension that stays is left to the input.
  void add_reshape(const Shape& from, const Shape& to);
  void add_permute(const std::vector<std::int64_t>& order);
  void add_narrow(std::int64_t axis, std::int64_t begin, std::int64_t count);
  void add_activation(const Activation& activation, std::size_t rank);
  void add_prelu(const Blob& slopes, std::size_t rank);
  /// Factors or offsets along the axes from `axis` on, of a value of `rank`.
  void add_scale(std::string_view type, const Blob& blob, std::int64_t axis, std::size_t rank);
  /// Around height and width; negative: cut off.
  void add_image_padding(std::string_view type, const Pair& begin, const Pair& end);
  void add_padding(std::int64_t axis, std::int64_t count, bool behind, double value);
  /// What runs on each of the table that comes in.
  void add_parallel(const std::vector<std::vector<Ref>>& rows);
  /// What is added to `row_` while `act` runs, by itself.
  template <class Act>
  [[nodiscard]] std::vector<Ref> apart(Act act) {
    std::vector<Ref> outer;
    outer.swap(row_);
    act();
    outer.swap(row_);
    return outer;
  }
  /// x as a value of this shape, whose dimensions x's follow from some on (ones repeat).
  void add_expansion(const Shape& from, const Shape& to);
  /// A reduction of the last dimension, which goes.
  void add_reduction(std::string_view type, std::int64_t axis);

  void write(const Convolution& op);
  void write(const Deconvolution& op);
  void write(const Linear& op);
  void write(const Unary& op);
  void write(const PRelu& op);
  void write(const BatchNorm& op);
  void write(const Scale& op);
  void write(const Lrn& op);
  void write(const Pool& op);
  void write(const Softmax& op);
  void write(const Concat& op);
  void write(const Slice& op);
  void write(const Eltwise& op);
  void write(const Flatten& op);
  void write(const Reshape& op);
  void write(const Permute& op);
  void write(const Crop& op);
  void write(const Tile& op);
  void write(const Reduction& op);
  void write(const Embed& op);
  void write(const Identity& op);
  void write(const Binary& op);
  void write(const MatMul& op);
  void write(const StridedSlice& op);
  void write(const Pad& op);
  void write(const LayerNorm& op);
  void write(const Resize& op);
  void write(const Normalize& op);
  template <class T>
  void write(const T& op) {
    cannot("a " + std::string(op_name(op)));
  }

  void write_form();
  void write_batch_norm(const BatchNorm& op, const Scale* scale);
  void write_with_constant(BinaryKind kind, const Blob& constant, bool constant_first);
  void write_power(const Unary& op);
  void write_product_with(const std::vector<Ref>& row);
  void write_rows(std::int64_t columns, bool centered, double epsilon);

  const Graph& graph_;
  const TorchStep& step_;
  const Node& node_;
  TorchUses uses_;
  TorchModules& out_;
  std::vector<Ref> row_;
};

}  // namespace octavo::graph

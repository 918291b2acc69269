// SPDX-License-Identifier: Apache-2.0
// Arithmetic as BigDL modules.
#include <fmt/core.h>

#include <algorithm>
#include <string_view>

#include "graph/axes.h"
#include "graph/check.h"
#include "graph/enum_names.h"
#include "graph/export/bigdl_exporter.h"

namespace octavo::graph {
namespace {

/// The class for values of one shape; empty where BigDL has none.
std::string_view table_class(BinaryKind kind) {
  switch (kind) {
    case BinaryKind::add:
      return "CAddTable";
    case BinaryKind::subtract:
      return "CSubTable";
    case BinaryKind::multiply:
      return "CMulTable";
    case BinaryKind::divide:
      return "CDivTable";
    case BinaryKind::minimum:
      return "CMinTable";
    case BinaryKind::maximum:
      return "CMaxTable";
    default:
      return {};
  }
}

}  // namespace

void BigdlNodeExporter::write(const Unary& op) {
  const auto real = [](float value) { return static_cast<double>(value); };
  const auto plain = [&](std::string_view type) { layer(type, {in()}); };
  switch (op.kind) {
    case UnaryKind::relu:
      if (op.alpha == 0.0F) {
        layer("ReLU", {in()}).flag("ip", false);
      } else {
        layer("LeakyReLU", {in()}).set("negval", real(op.alpha)).flag("inplace", false);
      }
      break;
    case UnaryKind::relu6:
      layer("ReLU6", {in()}).flag("inplace", false);
      break;
    case UnaryKind::elu:
      layer("ELU", {in()}).set("alpha", real(op.alpha)).flag("inplace", false);
      break;
    case UnaryKind::sigmoid:
      plain("Sigmoid");
      break;
    case UnaryKind::tanh:
      plain("Tanh");
      break;
    case UnaryKind::abs:
      plain("Abs");
      break;
    case UnaryKind::softsign:
      plain("SoftSign");
      break;
    case UnaryKind::softplus:
      layer("SoftPlus", {in()}).set("beta", 1.0);
      break;
    case UnaryKind::power:
      layer("Power", {in()}).set("power", real(op.gamma)).set("scale", real(op.beta)).set("shift", real(op.alpha));
      break;
    case UnaryKind::exp:
      if (op.alpha != -1.0F) cannot(fmt::format("powers of {}", op.alpha));
      layer("Exp", {op.beta == 0.0F && op.gamma == 1.0F ? in() : affine(in(), op.gamma, op.beta)});
      break;
    case UnaryKind::log:
      if (op.alpha != -1.0F) cannot(fmt::format("logarithms to the base {}", op.alpha));
      layer("Log", {op.beta == 0.0F && op.gamma == 1.0F ? in() : affine(in(), op.gamma, op.beta)});
      break;
    case UnaryKind::threshold:
      layer("BinaryThreshold", {in()}).set("th", real(op.alpha)).flag("ip", false);
      break;
    case UnaryKind::thresholded_relu:
      layer("Threshold", {in()}).set("th", real(op.alpha)).set("v", 0.0).flag("ip", false);
      break;
    case UnaryKind::clip:
      if (!(op.alpha < op.beta)) cannot(fmt::format("a clip to {} and {}", op.alpha, op.beta));
      layer("HardTanh", {in()}).set("minValue", real(op.alpha)).set("maxValue", real(op.beta)).flag("inplace", false);
      break;
    case UnaryKind::hard_sigmoid:
      if (op.alpha == 0.2F && op.beta == 0.5F) {
        plain("HardSigmoid");
      } else {
        layer("HardTanh", {affine(in(), op.alpha, op.beta)})
            .set("minValue", 0.0)
            .set("maxValue", 1.0)
            .flag("inplace", false);
      }
      break;
    case UnaryKind::swish:
      layer("CMulTable", {in(), step("Sigmoid", op.alpha == 1.0F ? in() : multiplied(in(), op.alpha))});
      break;
    case UnaryKind::hard_swish: {
      std::string gate;
      step("HardTanh", {affine(in(), 1.0F / 6.0F, 0.5F)}, gate)
          .set("minValue", 0.0)
          .set("maxValue", 1.0)
          .flag("inplace", false);
      layer("CMulTable", {in(), gate});
      break;
    }
    case UnaryKind::shrink:
      if (op.beta != 0.0F && op.beta != op.alpha) cannot("a shrinkage by another number than its threshold");
      layer(op.beta == 0.0F ? "HardShrink" : "SoftShrink", {in()}).set("lambda", real(op.alpha));
      break;
    default:
      cannot(fmt::format("the function {}", enum_name(op.kind)));
  }
  made();
}

/// A factor or an offset that repeats along the dimensions where its shape has 1. `of`: which input has the numbers
/// that it applies to.
void BigdlNodeExporter::write_numbers(bool offset, const BlobPtr& numbers, const Shape& shape, std::size_t of) {
  layer(offset ? "CAdd" : "CMul", {in(of)})
      .integers("size", shape)
      .no_regularizers({offset ? "bRegularizer" : "wRegularizer"})
      .parameter(shape, to_float(*numbers));
  made();
}

void BigdlNodeExporter::write(const Scale& op) {
  if (node_.inputs.size() == 2) {
    if (in_shape(0) != in_shape(1)) cannot("a second input that repeats along the first");
    layer(op.second_is_offset ? "CAddTable" : "CMulTable", {in(0), in(1)});
    made();
    return;
  }
  const BlobPtr& first = op.factor ? op.factor : op.offset;
  if (!first) {
    layer("Identity", {in()});
    made();
    return;
  }
  Shape shape(in_shape().size(), 1);
  const std::int64_t axis = canonical_axis(op.axis, rank());
  std::ranges::copy(first->shape, shape.begin() + axis);
  if (axis == 0) cannot("numbers of their own for each picture of a batch");
  if (!op.factor || !op.offset) {
    write_numbers(!op.factor, first, shape, 0);
    return;
  }
  BigdlModuleWriter module = layer("Scale", {in()});
  module.integers("size", shape);
  const std::vector<float> factor = to_float(*op.factor), offset = to_float(*op.offset);
  module.module("cmul", "CMul").integers("size", shape).no_regularizers({"wRegularizer"}).parameter(shape, factor);
  module.module("cadd", "CAdd").integers("size", shape).no_regularizers({"bRegularizer"}).parameter(shape, offset);
  module.parameter(shape, factor).parameter(shape, offset);
  made();
}

void BigdlNodeExporter::write(const Eltwise& op) {
  std::vector<std::string> sources;
  for (std::size_t i = 0; i < node_.inputs.size(); ++i) sources.push_back(in(i));
  const auto& weights = op.coefficients;
  const auto all = [&](float value) { return std::ranges::all_of(weights, [&](float w) { return w == value; }); };
  std::string_view type = "CAddTable";
  if (op.kind == EltwiseKind::product) type = "CMulTable";
  if (op.kind == EltwiseKind::max) type = "CMaxTable";
  if (op.kind == EltwiseKind::sum && !all(1.0F)) {
    if (weights == std::vector<float>{1.0F, -1.0F}) {
      type = "CSubTable";
    } else if (all(1.0F / static_cast<float>(weights.size()))) {
      type = "CAveTable";
    } else {
      for (std::size_t i = 0; i < sources.size(); ++i) sources[i] = multiplied(sources[i], weights[i]);
    }
  }
  BigdlModuleWriter module = layer(type, sources);
  if (type == "CAddTable" || type == "CAveTable") module.flag("inplace", false);
  finish_layer(node_.name, false, op.activation);
}

/// Of a value and constants: CMul or CAdd. Of two values: they have to be of one shape.
void BigdlNodeExporter::write(const Binary& op) {
  if (const auto rows = patterns_.log_softmax.find(&node_); rows != patterns_.log_softmax.end()) {
    layer("LogSoftMax", {sources_.at(rows->second)});
    made();
    return;
  }
  const std::string_view type = table_class(op.kind);
  if (type.empty()) cannot(fmt::format("the function {}", enum_name(op.kind)));
  for (std::size_t which = 0; which < 2; ++which) {
    const auto constant = patterns_.constants.find(node_.inputs[which]);
    if (constant == patterns_.constants.end()) continue;
    const bool offset = op.kind == BinaryKind::add;
    if (!offset && op.kind != BinaryKind::multiply) cannot("arithmetic with constants but sums and products");
    Shape shape = constant->second->shape;
    const std::size_t of = 1 - which;
    if (shape.size() > in_shape(of).size() || out_shape() != in_shape(of)) cannot("a value that repeats");
    shape.insert(shape.begin(), in_shape(of).size() - shape.size(), 1);
    write_numbers(offset, constant->second, shape, of);
    return;
  }
  if (in_shape(0) != in_shape(1)) cannot("arithmetic of values of different shapes");
  BigdlModuleWriter module = layer(type, {in(0), in(1)});
  if (op.kind == BinaryKind::add) module.flag("inplace", false);
  made();
}

void BigdlNodeExporter::write(const MatMul&) {
  if (rank(0) != rank(1) || rank() > 3 || (rank() == 3 && in_shape(0)[0] != in_shape(1)[0])) {
    cannot("a product of these many-dimensional values");
  }
  layer("MM", {in(0), in(1)}).flag("transA", false).flag("transB", false);
  made();
}

/// Along one dimension: all from the axis on are made one first.
void BigdlNodeExporter::write(const Reduction& op) {
  const std::int64_t axis = canonical_axis(op.axis, rank());
  if (axis == 0) cannot("a reduction of the whole batch");
  Shape rows(in_shape().begin(), in_shape().begin() + axis);
  rows.push_back(count_between(in_shape(), axis, rank()));
  std::string source = reshaped(in(), in_shape(), rows);
  if (op.kind == ReductionKind::abs_sum) source = step("Abs", source);
  if (op.kind == ReductionKind::square_sum) source = step("Square", source);
  switch (op.kind) {
    case ReductionKind::sum:
    case ReductionKind::abs_sum:
    case ReductionKind::square_sum:
      layer("Sum", {source})
          .set("dimension", axis + 1)
          .set("nInputDims", std::int64_t{-1})
          .flag("sizeAverage", false)
          .flag("squeeze", true);
      break;
    case ReductionKind::mean:
      layer("Mean", {source}).set("dimension", axis + 1).set("nInputDims", std::int64_t{-1}).flag("squeeze", true);
      break;
    case ReductionKind::max:
    case ReductionKind::min:
      layer(op.kind == ReductionKind::max ? "Max" : "Min", {source})
          .set("dim", axis + 1)
          .set("numInputDims", std::int64_t{-1});
      break;
    default:
      cannot(fmt::format("the reduction {}", enum_name(op.kind)));
  }
  made(op.coefficient == 1.0F ? node_.name : multiplied(node_.name, op.coefficient));
}

}  // namespace octavo::graph

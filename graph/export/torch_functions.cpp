// SPDX-License-Identifier: Apache-2.0
// Arithmetic as modules of nn.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "graph/axes.h"
#include "graph/export/torch_exporter.h"

namespace octavo::graph {
namespace {

constexpr double kEndless = std::numeric_limits<double>::infinity();

/// Functions without parameters.
const std::map<UnaryKind, std::string_view>& plain_modules() {
  static const std::map<UnaryKind, std::string_view> names{
      {UnaryKind::relu6, "ReLU6"}, {UnaryKind::sigmoid, "Sigmoid"},   {UnaryKind::tanh, "Tanh"},
      {UnaryKind::abs, "Abs"},     {UnaryKind::softplus, "SoftPlus"}, {UnaryKind::softsign, "SoftSign"},
  };
  return names;
}

}  // namespace

/// (alpha + beta * x) ^ gamma
void TorchStepExporter::write_power(const Unary& op) {
  add_multiply(op.beta);
  add_shift(op.alpha);
  if (op.gamma == 2.0F) {
    add("Square");
  } else if (op.gamma == 0.5F) {
    add("Sqrt");
  } else if (op.gamma != 1.0F) {
    add("Power", {{"pow", static_cast<double>(op.gamma)}});
  }
}

/// x times what `row` makes of x.
void TorchStepExporter::write_product_with(const std::vector<Ref>& row) {
  add(out_.container("ConcatTable", {out_.module("Identity"), out_.in_a_row(row)}));
  add("CMulTable");
}

void TorchStepExporter::write(const Unary& op) {
  if (const auto plain = plain_modules().find(op.kind); plain != plain_modules().end()) {
    add(plain->second);
    return;
  }
  const double alpha = op.alpha, beta = op.beta, gamma = op.gamma;
  const double log_base = op.alpha == -1.0F ? 1.0 : std::log(alpha);  // -1 stands for e
  switch (op.kind) {
    case UnaryKind::relu:
      add_activation(
          {.kind = alpha == 0 ? jit::ActivationKind::relu : jit::ActivationKind::leaky_relu, .slope = op.alpha},
          in_shape().size());
      break;
    case UnaryKind::elu:
      add("ELU", {{"alpha", alpha}, {"inplace", false}});
      break;
    case UnaryKind::power:
      write_power(op);
      break;
    case UnaryKind::exp:
      add_multiply(log_base * gamma);
      add_shift(log_base * beta);
      add("Exp");
      break;
    case UnaryKind::log:
      add_multiply(gamma);
      add_shift(beta);
      add("Log");
      add_multiply(1.0 / log_base);
      break;
    case UnaryKind::clip:
      add("HardTanh", {{"min_val", alpha}, {"max_val", beta}, {"inplace", false}});
      break;
    case UnaryKind::shrink:
      if (beta == 0) {
        add("HardShrink", {{"lambda", alpha}});
      } else if (beta == alpha) {
        add("SoftShrink", {{"lambda", alpha}});
      } else {
        cannot("a shrinkage by another number than its limit");
      }
      break;
    case UnaryKind::thresholded_relu:
      add("Threshold", {{"threshold", alpha}, {"val", 0.0}, {"inplace", false}});
      break;
    case UnaryKind::hard_sigmoid:
      add_multiply(alpha);
      add_shift(beta);
      add("HardTanh", {{"min_val", 0.0}, {"max_val", 1.0}, {"inplace", false}});
      break;
    case UnaryKind::hard_swish:
      write_product_with(apart([&] {
        add_multiply(1.0F / 6.0F);
        add_shift(0.5);
        add("HardTanh", {{"min_val", 0.0}, {"max_val", 1.0}, {"inplace", false}});
      }));
      break;
    case UnaryKind::swish:
      write_product_with(apart([&] {
        add_multiply(alpha);
        add("Sigmoid");
      }));
      break;
    case UnaryKind::mish:
      write_product_with(apart([&] {
        add("SoftPlus", {{"beta", 1.0}});
        add("Tanh");
      }));
      break;
    case UnaryKind::selu:
      add("ELU", {{"alpha", alpha}, {"inplace", false}});
      add_multiply(gamma);
      break;
    case UnaryKind::celu:
      add_multiply(1.0 / alpha);
      add("ELU", {{"alpha", 1.0}, {"inplace", false}});
      add_multiply(alpha);
      break;
    default:
      cannot("this function");
  }
}

void TorchStepExporter::add_scale(std::string_view type, const Blob& blob, std::int64_t axis, std::size_t rank) {
  const std::int64_t count = element_count(blob.shape);
  Shape shape(rank, 1);
  if (count == 1) {
    shape = {1};
  } else {
    std::copy(blob.shape.begin(), blob.shape.end(), shape.begin() + axis);
  }
  add(type, {{type == "CMul" ? "weight" : "bias", out_.tensor(shape, blob)}, {"size", out_.document().longs(shape)}});
}

void TorchStepExporter::write(const Scale& op) {
  const std::int64_t axis = canonical_axis(op.axis, rank());
  if (step_.inputs.size() > 1) {
    Shape aligned(in_shape(0).size(), 1);
    const Shape& part = in_shape(1);
    if (element_count(part) != 1) std::copy(part.begin(), part.end(), aligned.begin() + axis);
    add_parallel({{}, apart([&] {
                    const Shape seen = element_count(part) == 1 ? Shape{1} : aligned;
                    add_reshape(part, seen);
                    add_expansion(seen, in_shape(0));
                  })});
    add(op.second_is_offset ? "CAddTable" : "CMulTable");
  }
  if (op.factor) add_scale("CMul", *op.factor, axis, in_shape().size());
  if (op.offset) add_scale("CAdd", *op.offset, axis, in_shape().size());
}

void TorchStepExporter::write(const Eltwise& op) {
  const std::vector<float>& coefficients = op.coefficients;
  const bool plain = std::all_of(coefficients.begin(), coefficients.end(), [](float c) { return c == 1.0F; });
  const std::size_t count = node_.inputs.size();
  if (step_.inputs.size() != count) cannot("a sum or product with constants in it");
  if (op.kind == EltwiseKind::product) {
    add("CMulTable");
  } else if (op.kind == EltwiseKind::max) {
    add("CMaxTable");
  } else if (plain || count == 1) {
    if (count > 1) add("CAddTable");
    if (count == 1 && !plain) add_multiply(coefficients[0]);
  } else if (count == 2 && coefficients[0] == 1.0F && coefficients[1] == -1.0F) {
    add("CSubTable");
  } else {
    std::vector<std::vector<Ref>> rows;
    for (const float coefficient : coefficients) rows.push_back(apart([&] { add_multiply(coefficient); }));
    add_parallel(rows);
    add("CAddTable");
  }
  add_activation(op.activation, in_shape().size());
}

/// With numbers of the network itself.
void TorchStepExporter::write_with_constant(BinaryKind kind, const Blob& constant, bool constant_first) {
  const std::vector<float> values = to_float(constant);
  const bool single = values.size() == 1;
  const double value = values.empty() ? 0.0 : static_cast<double>(values[0]);
  Shape aligned(in_shape().size(), 1);
  if (constant.shape.size() > aligned.size() || broadcast(in_shape(), constant.shape) != in_shape()) {
    cannot("arithmetic with constants that repeats the other operand");
  }
  std::copy(constant.shape.begin(), constant.shape.end(),
            aligned.end() - static_cast<std::ptrdiff_t>(constant.shape.size()));
  const auto scale = [&](std::string_view type, std::vector<float> numbers) {
    add(type, {{type == "CMul" ? "weight" : "bias", out_.tensor(single ? Shape{1} : aligned, std::move(numbers))},
               {"size", out_.document().longs(single ? Shape{1} : aligned)}});
  };
  const auto each = [&](auto function) {
    std::vector<float> numbers = values;
    for (float& number : numbers) number = function(number);
    return numbers;
  };
  switch (kind) {
    case BinaryKind::add:
      scale("CAdd", values);
      return;
    case BinaryKind::subtract:
      if (constant_first) add_multiply(-1.0);
      scale("CAdd", constant_first ? values : each([](float x) { return -x; }));
      return;
    case BinaryKind::multiply:
      scale("CMul", values);
      return;
    case BinaryKind::divide:
      if (constant_first) add("Power", {{"pow", -1.0}});
      scale("CMul", constant_first ? values : each([](float x) { return 1.0F / x; }));
      return;
    case BinaryKind::minimum:
    case BinaryKind::maximum: {
      const bool least = kind == BinaryKind::maximum;
      if (!single) cannot("a minimum or maximum of several constants");
      add("HardTanh",
          {{"min_val", least ? value : -kEndless}, {"max_val", least ? kEndless : value}, {"inplace", false}});
      return;
    }
    case BinaryKind::power:
      if (!single || constant_first) cannot("a power of several constants");
      add("Power", {{"pow", value}});
      return;
    default:
      cannot("comparisons and logic");
  }
}

void TorchStepExporter::write(const Binary& op) {
  static const std::map<BinaryKind, std::string_view> tables{
      {BinaryKind::add, "CAddTable"},    {BinaryKind::subtract, "CSubTable"}, {BinaryKind::multiply, "CMulTable"},
      {BinaryKind::divide, "CDivTable"}, {BinaryKind::minimum, "CMinTable"},  {BinaryKind::maximum, "CMaxTable"}};
  if (step_.inputs.size() == 1) {
    const BlobPtr first = uses_.constant(node_.inputs[0]), second = uses_.constant(node_.inputs[1]);
    if (first || second) {
      write_with_constant(op.kind, first ? *first : *second, static_cast<bool>(first));
      return;
    }
  }
  const auto table = tables.find(op.kind);
  if (table == tables.end()) cannot("comparisons, logic, remainders and powers of two values");
  if (in_shape(0) != in_shape(1)) {
    std::vector<std::vector<Ref>> rows;
    for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
      rows.push_back(apart([&] { add_expansion(in_shape(i), out_shape()); }));
    }
    add_parallel(rows);
  }
  add(table->second);
}

void TorchStepExporter::add_reduction(std::string_view type, std::int64_t axis) {
  add(type, {{"dimension", static_cast<double>(axis + 1)}, {"squeeze", true}, {"sizeAverage", type == "Mean"}});
}

/// The dimensions from the axis on as one, which goes.
void TorchStepExporter::write(const Reduction& op) {
  const std::int64_t axis = canonical_axis(op.axis, rank());
  Shape seen(in_shape().begin(), in_shape().begin() + axis);
  seen.push_back(element_count(in_shape()) / element_count(seen));
  add_reshape(in_shape(), seen);
  switch (op.kind) {
    case ReductionKind::abs_sum:
      add("Abs");
      break;
    case ReductionKind::square_sum:
      add("Square");
      break;
    case ReductionKind::product:
    case ReductionKind::log_sum_exp:
      cannot("this reduction");
    default:
      break;
  }
  const std::map<ReductionKind, std::string_view> names{
      {ReductionKind::mean, "Mean"}, {ReductionKind::max, "Max"}, {ReductionKind::min, "Min"}};
  const auto name = names.find(op.kind);
  add_reduction(name == names.end() ? "Sum" : name->second, axis);
  add_multiply(op.coefficient);
}

void TorchStepExporter::write(const MatMul&) {
  const Shape &a = in_shape(0), &b = in_shape(1);
  if (step_.inputs.size() != 2) cannot("a product with a constant matrix that is no layer");
  const std::size_t rank = a.size();
  if (rank != b.size() || rank < 2 || !std::equal(a.begin(), a.end() - 2, b.begin())) {
    cannot("a product of matrices that repeats one of them");
  }
  const bool more = rank > 3;
  if (more) {
    std::vector<std::vector<Ref>> rows;
    for (const Shape& x : {a, b}) {
      const Shape seen{element_count(x) / (x[rank - 2] * x[rank - 1]), x[rank - 2], x[rank - 1]};
      rows.push_back(apart([&] { add_reshape(x, seen); }));
    }
    add_parallel(rows);
  }
  add("MM", {{"transA", false}, {"transB", false}});
  if (more) {
    const Shape& y = out_shape();
    add_reshape({element_count(y) / (y[rank - 2] * y[rank - 1]), y[rank - 2], y[rank - 1]}, y);
  }
}

}  // namespace octavo::graph

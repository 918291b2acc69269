// SPDX-License-Identifier: Apache-2.0
// Arithmetic as TensorFlow nodes: functions of each number, and of two values.
#include <cmath>
#include <map>
#include <string_view>

#include "graph/axes.h"
#include "graph/enum_names.h"
#include "graph/export/tensorflow_exporter.h"

namespace octavo::graph {
namespace {

/// Functions that TensorFlow has as one operator without attributes.
std::string_view single_operator(UnaryKind kind) {
  static const std::map<UnaryKind, std::string_view> table{
      {UnaryKind::relu6, "Relu6"},       {UnaryKind::sigmoid, "Sigmoid"}, {UnaryKind::tanh, "Tanh"},
      {UnaryKind::abs, "Abs"},           {UnaryKind::erf, "Erf"},         {UnaryKind::softplus, "Softplus"},
      {UnaryKind::softsign, "Softsign"}, {UnaryKind::floor, "Floor"},     {UnaryKind::ceil, "Ceil"},
      {UnaryKind::round, "Round"},       {UnaryKind::sign, "Sign"},       {UnaryKind::sin, "Sin"},
      {UnaryKind::cos, "Cos"},           {UnaryKind::tan, "Tan"},         {UnaryKind::asin, "Asin"},
      {UnaryKind::acos, "Acos"},         {UnaryKind::atan, "Atan"},       {UnaryKind::sinh, "Sinh"},
      {UnaryKind::cosh, "Cosh"},         {UnaryKind::asinh, "Asinh"},     {UnaryKind::acosh, "Acosh"},
      {UnaryKind::atanh, "Atanh"},
  };
  const auto found = table.find(kind);
  return found == table.end() ? std::string_view() : found->second;
}

std::string_view binary_operator(BinaryKind kind) {
  switch (kind) {
    case BinaryKind::add:
      return "AddV2";
    case BinaryKind::subtract:
      return "Sub";
    case BinaryKind::multiply:
      return "Mul";
    case BinaryKind::divide:
      return "RealDiv";
    case BinaryKind::power:
      return "Pow";
    case BinaryKind::minimum:
      return "Minimum";
    case BinaryKind::maximum:
      return "Maximum";
    case BinaryKind::modulo:
      return "FloorMod";
    case BinaryKind::remainder:
      return "TruncateMod";
    case BinaryKind::equal:
      return "Equal";
    case BinaryKind::less:
      return "Less";
    case BinaryKind::less_or_equal:
      return "LessEqual";
    case BinaryKind::greater:
      return "Greater";
    case BinaryKind::greater_or_equal:
      return "GreaterEqual";
    case BinaryKind::logical_and:
      return "LogicalAnd";
    case BinaryKind::logical_or:
      return "LogicalOr";
    case BinaryKind::logical_xor:
      break;
  }
  return "NotEqual";
}

}  // namespace

/// (alpha + beta * x) ^ gamma
std::string TensorflowNodeExporter::power_of(const std::string& x, const Unary& op) {
  std::string base = scaled(x, op.beta, op.alpha);
  if (op.gamma == 1.0F) return base;
  if (op.gamma == 0.5F) return step("Sqrt", {base});
  if (op.gamma == -0.5F) return step("Rsqrt", {base});
  if (op.gamma == 2.0F) return step("Square", {base});
  if (op.gamma == -1.0F) return step("Reciprocal", {base});
  return step("Pow", {base, constant("power", op.gamma)});
}

std::string TensorflowNodeExporter::function_of(const std::string& x, const Unary& op) {
  const std::string_view single = single_operator(op.kind);
  if (!single.empty()) return step(single, {x});
  std::string result;
  switch (op.kind) {
    case UnaryKind::relu:
      if (op.alpha == 0.0F) return step("Relu", {x});
      step("LeakyRelu", {x}, result).set("alpha", op.alpha);
      return result;
    case UnaryKind::elu:
      if (op.alpha != 1.0F) cannot("an ELU of another slope than 1");
      return step("Elu", {x});
    case UnaryKind::selu:
      return step("Selu", {x});
    case UnaryKind::power:
      return power_of(x, op);
    case UnaryKind::exp: {
      const float logarithm = op.alpha == -1.0F ? 1.0F : std::log(op.alpha);
      return step("Exp", {scaled(x, op.gamma * logarithm, op.beta * logarithm)});
    }
    case UnaryKind::log: {
      const std::string natural =
          op.beta == 1.0F && op.gamma == 1.0F ? step("Log1p", {x}) : step("Log", {scaled(x, op.gamma, op.beta)});
      return scaled(natural, op.alpha == -1.0F ? 1.0F : 1.0F / std::log(op.alpha), 0.0F);
    }
    case UnaryKind::threshold:
      return as_number(step("Greater", {x, constant("threshold", op.alpha)}));
    case UnaryKind::clip:
      return step("ClipByValue", {x, constant("low", op.alpha), constant("high", op.beta)});
    case UnaryKind::nonzero:
      return as_number(step("NotEqual", {x, constant("zero", 0.0F)}));
    case UnaryKind::is_nan:
      return as_number(step("IsNan", {x}));
    case UnaryKind::is_infinite:
      if (op.alpha == 0.0F || op.beta == 0.0F) cannot("a test for one infinity");
      return as_number(step("IsInf", {x}));
    case UnaryKind::truncate:
      return whole_number(as_integer(x));
    case UnaryKind::gelu:
      return step("Mul", {scaled(x, 0.5F, 0.0F), scaled(step("Erf", {scaled(x, 0.70710678F, 0.0F)}), 1.0F, 1.0F)});
    case UnaryKind::swish:
      return step("Mul", {x, step("Sigmoid", {scaled(x, op.alpha, 0.0F)})});
    case UnaryKind::mish:
      return step("Mul", {x, step("Tanh", {step("Softplus", {x})})});
    case UnaryKind::hard_sigmoid:
    case UnaryKind::hard_swish: {
      const bool swish = op.kind == UnaryKind::hard_swish;
      const std::string line = scaled(x, swish ? 1.0F / 6.0F : op.alpha, swish ? 0.5F : op.beta);
      const std::string gate = step("ClipByValue", {line, constant("low", 0.0F), constant("high", 1.0F)});
      return swish ? step("Mul", {x, gate}) : gate;
    }
    default:
      cannot("the function " + std::string(enum_name(op.kind)));
  }
}

void TensorflowNodeExporter::write(const Unary& op) {
  pixels_ = in_pixels();
  const std::string_view single = single_operator(op.kind);
  if (!single.empty()) {
    last(single, {operand()});
  } else if (op.kind == UnaryKind::relu && op.alpha == 0.0F) {
    last("Relu", {operand()});
  } else {
    done(function_of(operand(), op));
  }
}

std::string TensorflowNodeExporter::activated(const std::string& x, const Activation& activation) {
  switch (activation.kind) {
    case jit::ActivationKind::relu:
      return step("Relu", {x});
    case jit::ActivationKind::relu6:
      return step("Relu6", {x});
    case jit::ActivationKind::leaky_relu:
      return function_of(x, {.kind = UnaryKind::relu, .alpha = activation.slope});
    case jit::ActivationKind::sigmoid:
      return step("Sigmoid", {x});
    case jit::ActivationKind::tanh:
      return step("Tanh", {x});
    case jit::ActivationKind::prelu:
      return prelu_of(x, activation.slopes);
    case jit::ActivationKind::none:
      break;
  }
  return x;
}

/// max(x, 0) + slope * min(x, 0)
std::string TensorflowNodeExporter::prelu_of(const std::string& x, const BlobPtr& slopes) {
  Shape shape{element_count(slopes->shape)};
  if (!pixels_ && shape[0] != 1) {
    const auto behind = static_cast<std::size_t>(static_cast<std::int64_t>(out_shape().size()) - 2);
    shape.insert(shape.end(), behind, 1);
  }
  const std::string below = step("Minimum", {x, constant("zero", 0.0F)});
  return step("AddV2", {step("Relu", {x}), step("Mul", {below, constant("slopes", *slopes, shape)})});
}

void TensorflowNodeExporter::write(const PRelu& op) {
  pixels_ = in_pixels();
  done(prelu_of(operand(), op.slopes));
}

void TensorflowNodeExporter::write(const Scale& op) {
  if (node_.inputs.size() > 1) {
    if (rank(0) != rank(1)) cannot("a scale by a value of fewer dimensions");
    pixels_ = in_pixels();
    last(op.second_is_offset ? "AddV2" : "Mul", {operand(0), operand(1)});
    return;
  }
  pixels_ = in_pixels();
  // The blob's shape with ones around it, for each dimension of x, in the order of this node.
  const auto spread = [&](const Blob& blob) {
    if (blob.shape.empty()) return Shape{};
    Shape shape(in_shape().size(), 1);
    const std::int64_t axis = canonical_axis(op.axis, rank());
    std::copy(blob.shape.begin(), blob.shape.end(), shape.begin() + axis);
    return shape;
  };
  const auto numbers = [&](std::string_view name, const Blob& blob) {
    const Shape shape = spread(blob);
    if (!pixels_ || shape.empty()) return constant(name, blob, shape);
    if (element_count(shape) == shape[1]) return constant(name, blob, {shape[1]});
    // [1 or N, C, H, W] -> [.., H, W, C]
    const std::vector<float> values = to_float(blob);
    const std::int64_t pixels_count = shape[2] * shape[3];
    std::vector<float> turned(values.size());
    std::size_t at = 0;
    for (std::int64_t n = 0; n < shape[0]; ++n) {
      for (std::int64_t c = 0; c < shape[1]; ++c) {
        for (std::int64_t p = 0; p < pixels_count; ++p, ++at) {
          turned[static_cast<std::size_t>((n * pixels_count + p) * shape[1] + c)] = values[at];
        }
      }
    }
    return constant(name, own_order(shape), turned);
  };
  std::string result = operand();
  if (op.factor) layer("Mul", {result, numbers("factor", *op.factor)}, !op.offset, result);
  if (op.offset) last("AddV2", {result, numbers("offset", *op.offset)});
}

void TensorflowNodeExporter::write(const Eltwise& op) {
  pixels_ = in_pixels();
  const bool activates = op.activation.kind != jit::ActivationKind::none;
  std::vector<std::string> inputs;
  for (std::size_t i = 0; i < node_.inputs.size(); ++i) {
    inputs.push_back(op.coefficients.empty() ? operand(i) : scaled(operand(i), op.coefficients[i], 0.0F));
  }
  std::string result = inputs[0];
  if (op.kind == EltwiseKind::sum && inputs.size() > 2) {
    layer("AddN", inputs, !activates, result).set("N", static_cast<std::int64_t>(inputs.size()));
  } else {
    const std::string_view type = op.kind == EltwiseKind::sum   ? "AddV2"
                                  : op.kind == EltwiseKind::max ? "Maximum"
                                                                : "Mul";
    for (std::size_t i = 1; i < inputs.size(); ++i) {
      layer(type, {result, inputs[i]}, !activates && i + 1 == inputs.size(), result);
    }
    if (inputs.size() == 1 && !activates) done(result);
  }
  if (activates) done(activated(result, op.activation));
}

void TensorflowNodeExporter::write(const Binary& op) {
  pixels_ = in_pixels();
  const std::string_view type = binary_operator(op.kind);
  if (!(op.kind >= BinaryKind::equal)) {
    last(type, {operand(0), operand(1)});
    return;
  }
  const bool logical = op.kind >= BinaryKind::logical_and;
  std::vector<std::string> inputs{operand(0), operand(1)};
  if (logical) inputs = {as_truth(inputs[0]), as_truth(inputs[1])};
  if (!logical) {
    done(as_number(step(type, inputs)));
    return;
  }
  const std::string name = writer_.unique(part(type));
  TensorflowNodeWriter writer = writer_.node(type, name, inputs);
  if (op.kind == BinaryKind::logical_xor) writer.set("T", tensorflow::DT_BOOL);
  done(as_number(name));
}

void TensorflowNodeExporter::write(const Select&) {
  pixels_ = in_pixels();
  last("SelectV2", {as_truth(operand(0)), operand(1), operand(2)});
}

void TensorflowNodeExporter::write(const Reduction& op) {
  const std::int64_t axis = canonical_axis(op.axis, rank());
  std::vector<std::int64_t> axes;
  for (std::int64_t d = axis; d < rank(); ++d) axes.push_back(d);
  const auto over = [&](std::string_view type, const std::string& x, bool keep) {
    std::string result;
    step(type, {x, integers("axes", axes)}, result).set("Tidx", tensorflow::DT_INT32).set("keep_dims", keep);
    return result;
  };
  std::string y;
  switch (op.kind) {
    case ReductionKind::sum:
      y = over("Sum", in(), false);
      break;
    case ReductionKind::abs_sum:
      y = over("Sum", step("Abs", {in()}), false);
      break;
    case ReductionKind::square_sum:
      y = over("Sum", step("Square", {in()}), false);
      break;
    case ReductionKind::mean:
      y = over("Mean", in(), false);
      break;
    case ReductionKind::max:
      y = over("Max", in(), false);
      break;
    case ReductionKind::min:
      y = over("Min", in(), false);
      break;
    case ReductionKind::product:
      y = over("Prod", in(), false);
      break;
    case ReductionKind::log_sum_exp: {  // greatest + log(sum(exp(x - greatest)))
      const std::string greatest = over("Max", in(), true);
      const std::string sum = over("Sum", step("Exp", {step("Sub", {in(), greatest})}), false);
      y = step("AddV2", {over("Max", in(), false), step("Log", {sum})});
      break;
    }
  }
  done(scaled(y, op.coefficient, 0.0F));
}

}  // namespace octavo::graph

// SPDX-License-Identifier: Apache-2.0
// Arithmetic as ONNX nodes. Truth values are fp32 numbers in the graph, booleans in ONNX: they are cast.
#include <cmath>
#include <map>
#include <numeric>
#include <string_view>

#include "graph/axes.h"
#include "graph/export/onnx_exporter.h"

namespace octavo::graph {
namespace {

// ONNX's numbers of element types.
constexpr std::int64_t kFloat = 1, kInt64 = 7, kBool = 9;

/// Functions that ONNX has by name, without attributes.
const std::map<UnaryKind, std::string_view>& plain_names() {
  static const std::map<UnaryKind, std::string_view> table{
      {UnaryKind::sigmoid, "Sigmoid"},   {UnaryKind::tanh, "Tanh"},   {UnaryKind::abs, "Abs"},
      {UnaryKind::erf, "Erf"},           {UnaryKind::mish, "Mish"},   {UnaryKind::softplus, "Softplus"},
      {UnaryKind::softsign, "Softsign"}, {UnaryKind::floor, "Floor"}, {UnaryKind::ceil, "Ceil"},
      {UnaryKind::round, "Round"},       {UnaryKind::sign, "Sign"},   {UnaryKind::sin, "Sin"},
      {UnaryKind::cos, "Cos"},           {UnaryKind::tan, "Tan"},     {UnaryKind::asin, "Asin"},
      {UnaryKind::acos, "Acos"},         {UnaryKind::atan, "Atan"},   {UnaryKind::sinh, "Sinh"},
      {UnaryKind::cosh, "Cosh"},         {UnaryKind::asinh, "Asinh"}, {UnaryKind::acosh, "Acosh"},
      {UnaryKind::atanh, "Atanh"},       {UnaryKind::gelu, "Gelu"},   {UnaryKind::hard_swish, "HardSwish"},
  };
  return table;
}

struct BinaryName {
  std::string_view type;
  bool of_truth = false, gives_truth = false;
};

BinaryName name_of(BinaryKind kind) {
  switch (kind) {
    case BinaryKind::add:
      return {"Add"};
    case BinaryKind::subtract:
      return {"Sub"};
    case BinaryKind::multiply:
      return {"Mul"};
    case BinaryKind::divide:
      return {"Div"};
    case BinaryKind::power:
      return {"Pow"};
    case BinaryKind::minimum:
      return {"Min"};
    case BinaryKind::maximum:
      return {"Max"};
    case BinaryKind::modulo:
    case BinaryKind::remainder:
      return {"Mod"};
    case BinaryKind::equal:
      return {"Equal", false, true};
    case BinaryKind::less:
      return {"Less", false, true};
    case BinaryKind::less_or_equal:
      return {"LessOrEqual", false, true};
    case BinaryKind::greater:
      return {"Greater", false, true};
    case BinaryKind::greater_or_equal:
      return {"GreaterOrEqual", false, true};
    case BinaryKind::logical_and:
      return {"And", true, true};
    case BinaryKind::logical_or:
      return {"Or", true, true};
    case BinaryKind::logical_xor:
      return {"Xor", true, true};
  }
  return {"Add"};
}

}  // namespace

void OnnxNodeExporter::write_activation(const std::string& x, const Activation& activation) {
  using jit::ActivationKind;
  switch (activation.kind) {
    case ActivationKind::none:
      last("Identity", {x});
      break;
    case ActivationKind::relu:
      last("Relu", {x});
      break;
    case ActivationKind::relu6:
      last("Clip", {x, constant("low", 0.0F), constant("high", 6.0F)});
      break;
    case ActivationKind::leaky_relu:
      last("LeakyRelu", {x}).set("alpha", activation.slope);
      break;
    case ActivationKind::prelu: {
      Shape shape(std::max<std::size_t>(out_shape().size(), 2) - 1, 1);
      shape[0] = element_count(activation.slopes->shape);
      last("PRelu", {x, constant("slopes", *activation.slopes, shape)});
      break;
    }
    case ActivationKind::sigmoid:
      last("Sigmoid", {x});
      break;
    case ActivationKind::tanh:
      last("Tanh", {x});
      break;
  }
}

/// (alpha + beta * x) ^ gamma
void OnnxNodeExporter::write_power(const Unary& op) {
  const bool bare = op.alpha == 0.0F && op.beta == 1.0F;
  if (bare && op.gamma == 0.5F) {
    last("Sqrt", {in()});
  } else if (bare && op.gamma == -1.0F) {
    last("Reciprocal", {in()});
  } else if (bare && op.gamma != 1.0F) {
    last("Pow", {in(), constant("exponent", op.gamma)});
  } else if (op.gamma == 1.0F && op.alpha == 0.0F && op.beta == -1.0F) {
    last("Neg", {in()});
  } else if (op.gamma == 1.0F && op.beta == -1.0F) {
    last("Sub", {constant("shift", op.alpha), in()});
  } else {
    std::string x = step("Mul", {in(), constant("scale", op.beta)});
    if (op.gamma == 1.0F) {
      last("Add", {x, constant("shift", op.alpha)});
    } else {
      x = step("Add", {x, constant("shift", op.alpha)});
      last("Pow", {x, constant("exponent", op.gamma)});
    }
  }
}

void OnnxNodeExporter::write(const Unary& op) {
  if (const auto plain = plain_names().find(op.kind); plain != plain_names().end()) {
    last(plain->second, {in()});
    return;
  }
  // Base -1 stands for e.
  const float log_base = op.alpha == -1.0F ? 1.0F : std::log(op.alpha);
  switch (op.kind) {
    case UnaryKind::relu:
      if (op.alpha == 0.0F) {
        last("Relu", {in()});
      } else {
        last("LeakyRelu", {in()}).set("alpha", op.alpha);
      }
      break;
    case UnaryKind::relu6:
      last("Clip", {in(), constant("low", 0.0F), constant("high", 6.0F)});
      break;
    case UnaryKind::clip:
      last("Clip", {in(), constant("low", op.alpha), constant("high", op.beta)});
      break;
    case UnaryKind::elu:
      last("Elu", {in()}).set("alpha", op.alpha);
      break;
    case UnaryKind::power:
      write_power(op);
      break;
    case UnaryKind::exp:
      if (log_base == 1.0F && op.beta == 0.0F && op.gamma == 1.0F) {
        last("Exp", {in()});
      } else {
        const std::string scaled = step("Mul", {in(), constant("scale", log_base * op.gamma)});
        last("Exp", {step("Add", {scaled, constant("shift", log_base * op.beta)})});
      }
      break;
    case UnaryKind::log:
      if (log_base == 1.0F && op.beta == 0.0F && op.gamma == 1.0F) {
        last("Log", {in()});
      } else {
        const std::string scaled = step("Mul", {in(), constant("scale", op.gamma)});
        const std::string shifted = step("Add", {scaled, constant("shift", op.beta)});
        last("Mul", {step("Log", {shifted}), constant("inverse", 1.0F / log_base)});
      }
      break;
    case UnaryKind::threshold:
      last("Cast", {step("Greater", {in(), constant("limit", op.alpha)})}).set("to", kFloat);
      break;
    case UnaryKind::gelu_tanh:
      last("Gelu", {in()}).set("approximate", "tanh");
      break;
    case UnaryKind::hard_sigmoid:
      last("HardSigmoid", {in()}).set("alpha", op.alpha).set("beta", op.beta);
      break;
    case UnaryKind::swish: {
      const std::string x = op.alpha == 1.0F ? in() : step("Mul", {in(), constant("alpha", op.alpha)});
      last("Mul", {in(), step("Sigmoid", {x})});
      break;
    }
    case UnaryKind::selu:
      last("Selu", {in()}).set("alpha", op.alpha).set("gamma", op.gamma);
      break;
    case UnaryKind::celu:
      last("Celu", {in()}).set("alpha", op.alpha);
      break;
    case UnaryKind::shrink:
      last("Shrink", {in()}).set("lambd", op.alpha).set("bias", op.beta);
      break;
    case UnaryKind::thresholded_relu:
      last("ThresholdedRelu", {in()}).set("alpha", op.alpha);
      break;
    case UnaryKind::truncate:
      last("Cast", {cast(in(), kInt64)}).set("to", kFloat);
      break;
    case UnaryKind::nonzero:
      last("Cast", {cast(in(), kBool)}).set("to", kFloat);
      break;
    case UnaryKind::is_nan:
      last("Cast", {step("IsNaN", {in()})}).set("to", kFloat);
      break;
    case UnaryKind::is_infinite: {
      std::string found;
      step("IsInf", {in()}, found)
          .set("detect_negative", std::int64_t{op.alpha != 0.0F ? 1 : 0})
          .set("detect_positive", std::int64_t{op.beta != 0.0F ? 1 : 0});
      last("Cast", {found}).set("to", kFloat);
      break;
    }
    default:
      cannot("this function");
  }
}

void OnnxNodeExporter::write(const PRelu& op) {
  Shape shape(static_cast<std::size_t>(std::max<std::int64_t>(rank(), 2)) - 1, 1);
  shape[0] = element_count(op.slopes->shape);
  last("PRelu", {in(), constant("slopes", *op.slopes, shape)});
}

/// Parameters that follow x's dims from the axis on get ones for the dims behind them.
void OnnxNodeExporter::write(const Scale& op) {
  const std::int64_t axis = canonical_axis(op.axis, rank());
  const auto aligned = [&](const Shape& part) {
    Shape shape = part;
    if (!shape.empty()) shape.resize(static_cast<std::size_t>(rank() - axis), 1);
    return shape;
  };
  std::string factor = op.factor ? constant("factor", *op.factor, aligned(op.factor->shape)) : "";
  std::string offset = op.offset ? constant("offset", *op.offset, aligned(op.offset->shape)) : "";
  if (node_.inputs.size() > 1) {
    const Shape shape = aligned(in_shape(1));
    (op.second_is_offset ? offset : factor) =
        shape == in_shape(1) ? in(1) : step("Reshape", {in(1), integers("shape", shape)});
  }
  if (factor.empty() || offset.empty()) {
    last(factor.empty() ? "Add" : "Mul", {in(), factor.empty() ? offset : factor});
  } else {
    last("Add", {step("Mul", {in(), factor}), offset});
  }
}

void OnnxNodeExporter::write(const Eltwise& op) {
  std::vector<std::string> inputs;
  for (std::size_t i = 0; i < node_.inputs.size(); ++i) {
    const float coefficient = op.coefficients.empty() ? 1.0F : op.coefficients[i];
    inputs.push_back(coefficient == 1.0F ? in(i) : step("Mul", {in(i), constant("coefficient", coefficient)}));
  }
  const bool alone = plain(false, op.activation);
  std::string result;
  if (op.kind == EltwiseKind::product) {
    std::string product = inputs[0];
    for (std::size_t i = 1; i + 1 < inputs.size(); ++i) product = step("Mul", {product, inputs[i]});
    const std::vector<std::string> factors{product, inputs.back()};
    alone ? last("Mul", factors) : step("Mul", factors, result);
  } else {
    const std::string_view type = op.kind == EltwiseKind::max ? "Max" : inputs.size() == 2 ? "Add" : "Sum";
    alone ? last(type, inputs) : step(type, inputs, result);
  }
  finish_layer(result, false, op.activation);
}

void OnnxNodeExporter::write(const Reduction& op) {
  static const std::map<ReductionKind, std::string_view> names{
      {ReductionKind::sum, "ReduceSum"},
      {ReductionKind::abs_sum, "ReduceL1"},
      {ReductionKind::square_sum, "ReduceSumSquare"},
      {ReductionKind::mean, "ReduceMean"},
      {ReductionKind::max, "ReduceMax"},
      {ReductionKind::min, "ReduceMin"},
      {ReductionKind::product, "ReduceProd"},
      {ReductionKind::log_sum_exp, "ReduceLogSumExp"},
  };
  const std::int64_t axis = canonical_axis(op.axis, rank());
  std::vector<std::int64_t> axes(static_cast<std::size_t>(rank() - axis));
  std::iota(axes.begin(), axes.end(), axis);
  const std::string listed = integers("axes", axes);
  if (axis == 0) {  // the graph's scalar is [1]
    std::string whole;
    step(names.at(op.kind), {in(), listed}, whole).set("keepdims", std::int64_t{0});
    if (op.coefficient != 1.0F) whole = step("Mul", {whole, constant("coefficient", op.coefficient)});
    last("Reshape", {whole, integers("shape", {1})});
  } else if (op.coefficient == 1.0F) {
    last(names.at(op.kind), {in(), listed}).set("keepdims", std::int64_t{0});
  } else {
    std::string reduced;
    step(names.at(op.kind), {in(), listed}, reduced).set("keepdims", std::int64_t{0});
    last("Mul", {reduced, constant("coefficient", op.coefficient)});
  }
}

void OnnxNodeExporter::write(const ArgMax& op) {
  if (!op.has_axis || (op.top_k != 1 && !op.first)) {
    cannot("the places of several maxima as octavo (and Caffe) orders them");
  }
  if (op.top_k != 1) {
    const std::string values = part("values"), places = part("places");
    OnnxNodeWriter node = writer_.node("TopK", part("TopK"), {in(), integers("k", {op.top_k})}, {values, places});
    node.set("axis", op.axis);
    if (op.out_max_value) {
      last("Identity", {values});
    } else {
      last("Cast", {places}).set("to", kFloat);
    }
    return;
  }
  if (op.out_max_value) {
    last("ReduceMax", {in(), integers("axes", {canonical_axis(op.axis, rank())})});
    return;
  }
  std::string place;
  step("ArgMax", {in()}, place).set("axis", op.axis).set("select_last_index", std::int64_t{op.first ? 0 : 1});
  last("Cast", {place}).set("to", kFloat);
}

void OnnxNodeExporter::write(const Binary& op) {
  const BinaryName name = name_of(op.kind);
  std::string a = in(0), b = in(1);
  if (name.of_truth) {
    a = cast(a, kBool);
    b = cast(b, kBool);
  }
  if (op.kind == BinaryKind::modulo) {  // ONNX's Mod of fp32 numbers has the dividend's sign: x - floor(x / y) * y
    const std::string whole = step("Floor", {step("Div", {a, b})});
    last("Sub", {a, step("Mul", {whole, b})});
  } else if (op.kind == BinaryKind::remainder) {
    last("Mod", {a, b}).set("fmod", std::int64_t{1});
  } else if (name.gives_truth) {
    last("Cast", {step(name.type, {a, b})}).set("to", kFloat);
  } else {
    last(name.type, {a, b});
  }
}

void OnnxNodeExporter::write(const Select&) { last("Where", {cast(in(0), kBool), in(1), in(2)}); }

}  // namespace octavo::graph

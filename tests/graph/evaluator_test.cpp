// SPDX-License-Identifier: Apache-2.0
// The test-local evaluator, and that it can tell graphs apart.
#include "tests/graph/evaluator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <stdexcept>

#include "graph/axes.h"
#include "tests/graph/net.h"

namespace octavo::graph::test {
namespace {

double activated(const Activation& activation, double x, std::int64_t channel) {
  switch (activation.kind) {
    case jit::ActivationKind::none:
      return x;
    case jit::ActivationKind::relu:
      return std::max(x, 0.0);
    case jit::ActivationKind::relu6:
      return std::min(std::max(x, 0.0), 6.0);
    case jit::ActivationKind::leaky_relu:
      return x > 0 ? x : x * static_cast<double>(activation.slope);
    case jit::ActivationKind::prelu:
      return x > 0 ? x : x * static_cast<double>(activation.slopes->f32.values[static_cast<std::size_t>(channel)]);
    case jit::ActivationKind::sigmoid:
      return 1 / (1 + std::exp(-x));
    case jit::ActivationKind::tanh:
      return std::tanh(x);
  }
  throw std::runtime_error("activation");
}

double value(const BlobPtr& blob, std::int64_t index, double absent) {
  return blob ? static_cast<double>(blob->f32.values[static_cast<std::size_t>(index)]) : absent;
}

struct Evaluator {
  const std::vector<const Numbers*>& in;
  Shape out_shape;

  [[nodiscard]] Numbers zeros() const {
    return {out_shape, std::vector<double>(static_cast<std::size_t>(element_count(out_shape)), 0.0)};
  }
  /// The index on axis 1 of element i.
  [[nodiscard]] std::int64_t channel_of(std::size_t i) const {
    if (out_shape.size() < 2) return 0;
    const auto inner = count_between(out_shape, 2, static_cast<std::int64_t>(out_shape.size()));
    return static_cast<std::int64_t>(i) / inner % out_shape[1];
  }
  /// bias, residual, activation.
  template <class T>
  void finish(const T& op, Numbers& y, const Numbers* residual) const {
    for (std::size_t i = 0; i < y.values.size(); ++i) {
      const std::int64_t c = channel_of(i);
      y.values[i] += value(op.bias, c, 0.0);
      if (residual != nullptr) y.values[i] += residual->values[i];
      y.values[i] = activated(op.activation, y.values[i], c);
    }
  }
  template <class F>
  Numbers each(F f) const {
    Numbers y = zeros();
    for (std::size_t i = 0; i < y.values.size(); ++i) y.values[i] = f(in[0]->values[i], i);
    return y;
  }

  Numbers operator()(const Convolution& op) const {
    const std::vector<float> weights = to_float(*op.weights);
    const Shape& x = in[0]->shape;
    const std::int64_t ins = x[1] / op.groups;
    const std::int64_t outs = op.out_channels / op.groups;
    Numbers y = zeros();
    std::size_t at = 0;
    for (std::int64_t n = 0; n < x[0]; ++n)
      for (std::int64_t o = 0; o < op.out_channels; ++o)
        for (std::int64_t oh = 0; oh < out_shape[2]; ++oh)
          for (std::int64_t ow = 0; ow < out_shape[3]; ++ow, ++at)
            for (std::int64_t c = 0; c < ins; ++c)
              for (std::int64_t kh = 0; kh < op.kernel[0]; ++kh)
                for (std::int64_t kw = 0; kw < op.kernel[1]; ++kw) {
                  const std::int64_t h = oh * op.stride[0] - op.pad_begin[0] + kh * op.dilation[0];
                  const std::int64_t w = ow * op.stride[1] - op.pad_begin[1] + kw * op.dilation[1];
                  if (h < 0 || h >= x[2] || w < 0 || w >= x[3]) continue;
                  const std::int64_t from = ((n * x[1] + o / outs * ins + c) * x[2] + h) * x[3] + w;
                  const std::int64_t weight = ((o * ins + c) * op.kernel[0] + kh) * op.kernel[1] + kw;
                  y.values[at] += in[0]->values[static_cast<std::size_t>(from)] *
                                  static_cast<double>(weights[static_cast<std::size_t>(weight)]);
                }
    finish(op, y, op.add_residual ? in[1] : nullptr);
    return y;
  }
  Numbers operator()(const Deconvolution& op) const {
    const std::vector<float> weights = to_float(*op.weights);
    const Shape& x = in[0]->shape;
    const std::int64_t ins = x[1] / op.groups;
    const std::int64_t outs = op.out_channels / op.groups;
    Numbers y = zeros();
    std::size_t from = 0;
    for (std::int64_t n = 0; n < x[0]; ++n)
      for (std::int64_t c = 0; c < x[1]; ++c)
        for (std::int64_t h = 0; h < x[2]; ++h)
          for (std::int64_t w = 0; w < x[3]; ++w, ++from)
            for (std::int64_t o = 0; o < outs; ++o)
              for (std::int64_t kh = 0; kh < op.kernel[0]; ++kh)
                for (std::int64_t kw = 0; kw < op.kernel[1]; ++kw) {
                  const std::int64_t oh = h * op.stride[0] - op.pad_begin[0] + kh * op.dilation[0];
                  const std::int64_t ow = w * op.stride[1] - op.pad_begin[1] + kw * op.dilation[1];
                  if (oh < 0 || oh >= out_shape[2] || ow < 0 || ow >= out_shape[3]) continue;
                  const std::int64_t channel = c / ins * outs + o;
                  const std::int64_t to = ((n * out_shape[1] + channel) * out_shape[2] + oh) * out_shape[3] + ow;
                  const std::int64_t weight = ((c * outs + o) * op.kernel[0] + kh) * op.kernel[1] + kw;
                  y.values[static_cast<std::size_t>(to)] +=
                      in[0]->values[from] * static_cast<double>(weights[static_cast<std::size_t>(weight)]);
                }
    finish(op, y, nullptr);
    return y;
  }
  Numbers operator()(const Linear& op) const {
    const std::vector<float> weights = to_float(*op.weights);
    const auto features = static_cast<std::size_t>(op.weights->shape[1]);
    const auto outs = static_cast<std::size_t>(op.out_features);
    Numbers y = zeros();
    for (std::size_t i = 0; i < y.values.size(); ++i)
      for (std::size_t k = 0; k < features; ++k)
        y.values[i] += in[0]->values[i / outs * features + k] * static_cast<double>(weights[i % outs * features + k]);
    if (out_shape.size() != 2) throw std::runtime_error("a Linear of axis 1");
    finish(op, y, op.add_residual ? in[1] : nullptr);
    return y;
  }
  Numbers operator()(const Unary& op) const {
    const auto alpha = static_cast<double>(op.alpha);
    switch (op.kind) {
      case UnaryKind::relu:
        return each([&](double x, std::size_t) { return x > 0 ? x : alpha * x; });
      case UnaryKind::relu6:
        return each([](double x, std::size_t) { return std::min(std::max(x, 0.0), 6.0); });
      case UnaryKind::sigmoid:
        return each([](double x, std::size_t) { return 1 / (1 + std::exp(-x)); });
      case UnaryKind::tanh:
        return each([](double x, std::size_t) { return std::tanh(x); });
      case UnaryKind::abs:
        return each([](double x, std::size_t) { return std::abs(x); });
      case UnaryKind::power:
        return each([&](double x, std::size_t) {
          return std::pow(alpha + static_cast<double>(op.beta) * x, static_cast<double>(op.gamma));
        });
      default:
        throw std::runtime_error("unary");
    }
  }
  Numbers operator()(const PRelu& op) const {
    const bool shared = element_count(op.slopes->shape) == 1;
    return each(
        [&](double x, std::size_t i) { return x > 0 ? x : x * value(op.slopes, shared ? 0 : channel_of(i), 0.0); });
  }
  Numbers operator()(const BatchNorm& op) const {
    return each([&](double x, std::size_t i) {
      const std::int64_t c = channel_of(i);
      return (x - value(op.mean, c, 0)) / std::sqrt(value(op.variance, c, 0) + static_cast<double>(op.epsilon));
    });
  }
  Numbers operator()(const Scale& op) const {
    // Parameters cover the dims from the axis on; what lies behind them is repeated, what lies before too.
    const auto rank = static_cast<std::int64_t>(out_shape.size());
    const std::int64_t axis = canonical_axis(op.axis, rank);
    const auto index = [&](const Shape& part, std::size_t i) {
      if (part.empty()) return std::int64_t{0};
      const std::int64_t inner = count_between(out_shape, axis + static_cast<std::int64_t>(part.size()), rank);
      return static_cast<std::int64_t>(i) / inner % element_count(part);
    };
    return each([&](double x, std::size_t i) {
      double factor = op.factor ? value(op.factor, index(op.factor->shape, i), 1) : 1.0;
      double offset = op.offset ? value(op.offset, index(op.offset->shape, i), 0) : 0.0;
      if (in.size() > 1) {
        (op.second_is_offset ? offset : factor) = in[1]->values[static_cast<std::size_t>(index(in[1]->shape, i))];
      }
      return x * factor + offset;
    });
  }
  Numbers operator()(const Eltwise& op) const {
    Numbers y = zeros();
    for (std::size_t i = 0; i < y.values.size(); ++i) {
      double result = op.kind == EltwiseKind::sum ? 0.0 : op.kind == EltwiseKind::product ? 1.0 : in[0]->values[i];
      for (std::size_t k = 0; k < in.size(); ++k) {
        const double x = in[k]->values[i];
        if (op.kind == EltwiseKind::sum)
          result += x * (op.coefficients.empty() ? 1.0 : static_cast<double>(op.coefficients[k]));
        if (op.kind == EltwiseKind::product) result *= x;
        if (op.kind == EltwiseKind::max) result = std::max(result, x);
      }
      y.values[i] = activated(op.activation, result, channel_of(i));
    }
    return y;
  }
  Numbers operator()(const Identity&) const { return *in[0]; }
  template <class T>
  Numbers operator()(const T&) const {
    throw std::runtime_error("the evaluator does not know " + std::string(T::kName));
  }
};

}  // namespace

std::map<std::string, Numbers> evaluate(Graph graph, const std::map<std::string, Numbers>& inputs) {
  infer_shapes(graph);
  std::vector<Numbers> values(graph.values.size());
  for (const Node& node : graph.nodes) {
    std::vector<const Numbers*> in;
    for (const ValueId id : node.inputs) in.push_back(&values[id]);
    const bool is_input = std::holds_alternative<Input>(node.op);
    const Numbers result =
        is_input ? inputs.at(node.name) : std::visit(Evaluator{in, graph.values[node.outputs[0]].shape}, node.op);
    for (const ValueId id : node.outputs) values[id] = result;
  }
  std::map<std::string, Numbers> outputs;
  for (const ValueId id : graph.outputs) outputs[graph.values[id].name] = values[id];
  return outputs;
}

std::map<std::string, Numbers> random_inputs(const Graph& graph, std::uint32_t seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<double> number(-1.0, 1.0);
  std::map<std::string, Numbers> inputs;
  for (const Node* node : graph.inputs()) {
    const Shape& shape = std::get<Input>(node->op).shape;
    Numbers numbers{shape, std::vector<double>(static_cast<std::size_t>(element_count(shape)))};
    for (double& x : numbers.values) x = number(generator);
    inputs[node->name] = std::move(numbers);
  }
  return inputs;
}

double largest_difference(const std::map<std::string, Numbers>& a, const std::map<std::string, Numbers>& b) {
  constexpr double kDifferent = std::numeric_limits<double>::infinity();
  if (a.size() != b.size()) return kDifferent;
  double largest = 0.0;
  for (const auto& [name, left] : a) {
    const auto found = b.find(name);
    if (found == b.end() || found->second.shape != left.shape) return kDifferent;
    double magnitude = 1e-30;
    double difference = 0.0;
    for (std::size_t i = 0; i < left.values.size(); ++i) {
      magnitude = std::max(magnitude, std::abs(left.values[i]));
      difference = std::max(difference, std::abs(left.values[i] - found->second.values[i]));
    }
    largest = std::max(largest, difference / magnitude);
  }
  return largest;
}

TEST(Evaluator, ConvolvesAndDeconvolvesByHand) {
  Net net;
  const ValueId x = net.input("data", {1, 1, 2, 2});
  Convolution conv;
  conv.out_channels = 1;
  conv.kernel = {2, 2};
  conv.pad_end = {1, 1};
  conv.weights = make_blob({1, 1, 2, 2}, {1, 10, 100, 1000});
  conv.bias = make_blob({1}, {0.5F});
  Deconvolution deconv;
  deconv.out_channels = 1;
  deconv.kernel = {2, 2};
  deconv.weights = make_blob({1, 1, 2, 2}, {1, 10, 100, 1000});
  const ValueId y = net.add("conv", conv, {x});
  const ValueId z = net.add("deconv", deconv, {x});
  const auto results = evaluate(net.done({y, z}), {{"data", {{1, 1, 2, 2}, {1, 2, 3, 4}}}});
  EXPECT_EQ(results.at("conv").values, (std::vector<double>{4321.5, 402.5, 43.5, 4.5}));
  EXPECT_EQ(results.at("deconv").values, (std::vector<double>{1, 12, 20, 103, 1234, 2040, 300, 3400, 4000}));
}

TEST(Evaluator, TellsGraphsApart) {
  Net first;
  Net second;
  first.add("y", relu(), {first.input("data", {1, 8})});
  second.add("y", relu(0.1F), {second.input("data", {1, 8})});
  const auto inputs = random_inputs(first.done({1}), 3);
  EXPECT_EQ(largest_difference(evaluate(first.done({1}), inputs), evaluate(first.done({1}), inputs)), 0.0);
  EXPECT_GT(largest_difference(evaluate(first.done({1}), inputs), evaluate(second.done({1}), inputs)), 0.01);
}

}  // namespace octavo::graph::test

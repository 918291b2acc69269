// SPDX-License-Identifier: Apache-2.0
// Folding of functions of each number: the same functions that the runtime has, in double.
#include <algorithm>
#include <cmath>

#include "graph/import/fold.h"

namespace octavo::graph {
namespace {

double softplus(double x) { return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x))); }
double logistic(double x) { return 1 / (1 + std::exp(-x)); }
double limited(double x, double low, double high) { return x < low ? low : x > high ? high : x; }
double signum(double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }
double truth(bool holds) { return holds ? 1 : 0; }
/// Base -1 stands for e.
double log_of_base(float base) { return base == -1.0F ? 1 : std::log(static_cast<double>(base)); }

double shrunk(double x, double limit, double shift) {
  if (x < -limit) return x + shift;
  if (x > limit) return x - shift;
  return std::isnan(x) ? x : 0;
}

double raised(double base, double exponent) {
  if (exponent == 1) return base;
  if (exponent == 0.5) return std::sqrt(base);
  return std::pow(base, exponent);
}

}  // namespace

double value_of(const Unary& op, double x) {
  const auto alpha = static_cast<double>(op.alpha), beta = static_cast<double>(op.beta);
  const auto gamma = static_cast<double>(op.gamma);
  switch (op.kind) {
    case UnaryKind::relu:
      return x < 0 ? (alpha == 0 ? 0 : alpha * x) : x;
    case UnaryKind::relu6:
      return limited(x, 0, 6);
    case UnaryKind::sigmoid:
      return logistic(x);
    case UnaryKind::tanh:
      return std::tanh(x);
    case UnaryKind::elu:
      return x < 0 ? alpha * std::expm1(x) : x;
    case UnaryKind::abs:
      return std::fabs(x);
    case UnaryKind::power:
      return raised(alpha + beta * x, gamma);
    case UnaryKind::exp:
      return std::exp(log_of_base(op.alpha) * (beta + gamma * x));
    case UnaryKind::log:
      return std::log(beta + gamma * x) / log_of_base(op.alpha);
    case UnaryKind::threshold:
      return truth(x > alpha);
    case UnaryKind::clip:
      return limited(x, alpha, beta);
    case UnaryKind::gelu:
      return x / 2 * (1 + std::erf(x * std::sqrt(0.5)));
    case UnaryKind::gelu_tanh:
      return x / 2 * (1 + std::tanh(std::sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
    case UnaryKind::erf:
      return std::erf(x);
    case UnaryKind::hard_sigmoid:
      return limited(alpha * x + beta, 0, 1);
    case UnaryKind::hard_swish:
      return x * limited(x / 6 + 0.5, 0, 1);
    case UnaryKind::swish:
      return x * logistic(alpha * x);
    case UnaryKind::mish:
      return x * std::tanh(softplus(x));
    case UnaryKind::softplus:
      return softplus(x);
    case UnaryKind::softsign:
      return x / (1 + std::fabs(x));
    case UnaryKind::selu:
      return gamma * (x > 0 ? x : alpha * std::expm1(x));
    case UnaryKind::celu:
      return x > 0 ? x : alpha * std::expm1(x / alpha);
    case UnaryKind::shrink:
      return shrunk(x, alpha, beta);
    case UnaryKind::thresholded_relu:
      return x > alpha ? x : 0;
    case UnaryKind::floor:
      return std::floor(x);
    case UnaryKind::ceil:
      return std::ceil(x);
    case UnaryKind::round:
      return std::nearbyint(x);
    case UnaryKind::truncate:
      return std::trunc(x);
    case UnaryKind::sign:
      return signum(x);
    case UnaryKind::nonzero:
      return truth(x != 0);
    case UnaryKind::is_nan:
      return truth(std::isnan(x));
    case UnaryKind::is_infinite:
      return truth(std::isinf(x) && ((x < 0 && alpha != 0) || (x > 0 && beta != 0)));
    case UnaryKind::sin:
      return std::sin(x);
    case UnaryKind::cos:
      return std::cos(x);
    case UnaryKind::tan:
      return std::tan(x);
    case UnaryKind::asin:
      return std::asin(x);
    case UnaryKind::acos:
      return std::acos(x);
    case UnaryKind::atan:
      return std::atan(x);
    case UnaryKind::sinh:
      return std::sinh(x);
    case UnaryKind::cosh:
      return std::cosh(x);
    case UnaryKind::asinh:
      return std::asinh(x);
    case UnaryKind::acosh:
      return std::acosh(x);
    case UnaryKind::atanh:
      return std::atanh(x);
  }
  return x;
}

ConstantPtr mapped(const Unary& op, const ConstantTensor& x, ImportBudget& budget) {
  budget.take(x.count());
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(x.count()));
  for (std::size_t i = 0; i < static_cast<std::size_t>(x.count()); ++i) values.push_back(value_of(op, x.real(i)));
  return tensor_of(x.type, x.shape, values);
}

}  // namespace octavo::graph

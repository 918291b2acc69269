// SPDX-License-Identifier: Apache-2.0
// Unary: the functions beyond Caffe's. Those that transformers and mobile networks spend time in are vectorized; the
// others are the C library's, number by number.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "runtime/steps/pointwise.h"
#include "runtime/vector_math.h"
#include "runtime/vectorize.h"

namespace octavo::runtime {
namespace {

using graph::Unary;
using graph::UnaryKind;

OCTAVO_VECTORIZED void run_clip(const Unary& op, const float* x, float* y, std::int64_t count) {
  const float low = op.alpha, high = op.beta;
  for (std::int64_t i = 0; i < count; ++i) {
    const float raised = x[i] < low ? low : x[i];
    y[i] = raised > high ? high : raised;
  }
}

OCTAVO_VECTORIZED void run_gelu(const Unary&, const float* x, float* y, std::int64_t count) {
  constexpr float kRootHalf = 0.70710678F;
  for (std::int64_t i = 0; i < count; ++i) y[i] = 0.5F * x[i] * (1.0F + vector_erf(x[i] * kRootHalf));
}

/// Near 0 by its series, whose error is small beside x, too.
OCTAVO_VECTORIZED void run_erf(const Unary&, const float* x, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float square = x[i] * x[i];
    float p = 1.0F / 9360.0F;
    p = p * square - 1.0F / 1320.0F;
    p = p * square + 1.0F / 216.0F;
    p = p * square - 1.0F / 42.0F;
    p = p * square + 0.1F;
    p = p * square - 1.0F / 3.0F;
    const float near_zero = 1.12837917F * (x[i] + x[i] * square * p);
    y[i] = square < 0.25F ? near_zero : vector_erf(x[i]);
  }
}

/// tanh(z) = 1 - 2 / (1 + exp(2 z)), so that 1 + tanh(z) = 2 - 2 / (1 + exp(2 z)).
OCTAVO_VECTORIZED void run_gelu_tanh(const Unary&, const float* x, float* y, std::int64_t count) {
  constexpr float kTwoRoot = 1.59576912F;  // 2 * sqrt(2 / pi)
  for (std::int64_t i = 0; i < count; ++i) {
    const float z = kTwoRoot * (x[i] + 0.044715F * x[i] * x[i] * x[i]);
    y[i] = x[i] / (1.0F + vector_exp(-z));
  }
}

OCTAVO_VECTORIZED void run_swish(const Unary& op, const float* x, float* y, std::int64_t count) {
  const float alpha = op.alpha;
  for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] / (1.0F + vector_exp(-alpha * x[i]));
}

OCTAVO_VECTORIZED void run_hard_sigmoid(const Unary& op, const float* x, float* y, std::int64_t count) {
  const float alpha = op.alpha, beta = op.beta;
  for (std::int64_t i = 0; i < count; ++i) {
    const float value = alpha * x[i] + beta;
    const float raised = value < 0.0F ? 0.0F : value;
    y[i] = raised > 1.0F ? 1.0F : raised;
  }
}

OCTAVO_VECTORIZED void run_hard_swish(const Unary&, const float* x, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float value = x[i] * (1.0F / 6.0F) + 0.5F;
    const float raised = value < 0.0F ? 0.0F : value;
    y[i] = x[i] * (raised > 1.0F ? 1.0F : raised);
  }
}

/// log(1 + exp(x)) without overflow.
float softplus(float x) { return std::fmax(x, 0.0F) + std::log1p(std::exp(-std::fabs(x))); }

float selu(const Unary& op, float x) { return op.gamma * (x > 0.0F ? x : op.alpha * std::expm1(x)); }

float shrink(const Unary& op, float x) {
  if (x < -op.alpha) return x + op.beta;
  if (x > op.alpha) return x - op.beta;
  return std::isnan(x) ? x : 0.0F;
}

float sign(float x) { return x > 0.0F ? 1.0F : x < 0.0F ? -1.0F : x; }

bool counts_as_infinite(const Unary& op, float x) {
  return std::isinf(x) && ((x < 0.0F && op.alpha != 0.0F) || (x > 0.0F && op.beta != 0.0F));
}

float one_or_zero(bool holds) { return holds ? 1.0F : 0.0F; }

template <float (*kFunction)(float)>
void each(const Unary&, const float* x, float* y, std::int64_t count) {
  std::transform(x, x + count, y, kFunction);
}

template <float (*kFunction)(const Unary&, float)>
void each_with(const Unary& op, const float* x, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = kFunction(op, x[i]);
}

// The C library's functions are overloaded: these name the fp32 ones.
float softsign(float x) { return x / (1.0F + std::fabs(x)); }
float mish(float x) { return x * std::tanh(softplus(x)); }
float floor_of(float x) { return std::floor(x); }
float ceil_of(float x) { return std::ceil(x); }
float round_of(float x) { return std::nearbyint(x); }
float truncate_of(float x) { return std::trunc(x); }
float nonzero(float x) { return one_or_zero(x != 0.0F); }
float is_nan(float x) { return one_or_zero(std::isnan(x)); }
float is_infinite(const Unary& op, float x) { return one_or_zero(counts_as_infinite(op, x)); }
float celu(const Unary& op, float x) { return x > 0.0F ? x : op.alpha * std::expm1(x / op.alpha); }
float thresholded_relu(const Unary& op, float x) { return x > op.alpha || std::isnan(x) ? x : 0.0F; }
float sin_of(float x) { return std::sin(x); }
float cos_of(float x) { return std::cos(x); }
float tan_of(float x) { return std::tan(x); }
float asin_of(float x) { return std::asin(x); }
float acos_of(float x) { return std::acos(x); }
float atan_of(float x) { return std::atan(x); }
float sinh_of(float x) { return std::sinh(x); }
float cosh_of(float x) { return std::cosh(x); }
float asinh_of(float x) { return std::asinh(x); }
float acosh_of(float x) { return std::acosh(x); }
float atanh_of(float x) { return std::atanh(x); }

}  // namespace

PointwiseKernel math_kernel(UnaryKind kind) {
  switch (kind) {
    case UnaryKind::clip:
      return run_clip;
    case UnaryKind::gelu:
      return run_gelu;
    case UnaryKind::gelu_tanh:
      return run_gelu_tanh;
    case UnaryKind::erf:
      return run_erf;
    case UnaryKind::hard_sigmoid:
      return run_hard_sigmoid;
    case UnaryKind::hard_swish:
      return run_hard_swish;
    case UnaryKind::swish:
      return run_swish;
    case UnaryKind::mish:
      return each<mish>;
    case UnaryKind::softplus:
      return each<softplus>;
    case UnaryKind::softsign:
      return each<softsign>;
    case UnaryKind::selu:
      return each_with<selu>;
    case UnaryKind::celu:
      return each_with<celu>;
    case UnaryKind::shrink:
      return each_with<shrink>;
    case UnaryKind::thresholded_relu:
      return each_with<thresholded_relu>;
    case UnaryKind::floor:
      return each<floor_of>;
    case UnaryKind::ceil:
      return each<ceil_of>;
    case UnaryKind::round:
      return each<round_of>;
    case UnaryKind::truncate:
      return each<truncate_of>;
    case UnaryKind::sign:
      return each<sign>;
    case UnaryKind::nonzero:
      return each<nonzero>;
    case UnaryKind::is_nan:
      return each<is_nan>;
    case UnaryKind::is_infinite:
      return each_with<is_infinite>;
    case UnaryKind::sin:
      return each<sin_of>;
    case UnaryKind::cos:
      return each<cos_of>;
    case UnaryKind::tan:
      return each<tan_of>;
    case UnaryKind::asin:
      return each<asin_of>;
    case UnaryKind::acos:
      return each<acos_of>;
    case UnaryKind::atan:
      return each<atan_of>;
    case UnaryKind::sinh:
      return each<sinh_of>;
    case UnaryKind::cosh:
      return each<cosh_of>;
    case UnaryKind::asinh:
      return each<asinh_of>;
    case UnaryKind::acosh:
      return each<acosh_of>;
    case UnaryKind::atanh:
      return each<atanh_of>;
    default:
      return nullptr;
  }
}

}  // namespace octavo::runtime

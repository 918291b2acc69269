// SPDX-License-Identifier: Apache-2.0
// The epilogue's arithmetic. max and min return their last operand for NaN, so the value comes last wherever a constant
// bounds it.
#include "jit/epilogue_emitter.h"

namespace octavo::jit {

namespace {
constexpr std::uint32_t sign_bit = 0x80000000U;
constexpr std::uint32_t all_but_sign = 0x7FFFFFFFU;

// exp(r) for |r| <= ln(2)/2: 1 + r + r^2 * polynomial(r), relative error below 2^-24 (coefficients: Cephes expf).
constexpr float log2_e = 1.44269504F;
constexpr float ln2_high = 0.693359375F, ln2_low = -2.12194440e-4F;
constexpr std::array<float, 6> exp_coefficients = {1.9875691500e-4F, 1.3981999507e-3F, 8.3334519073e-3F,
                                                   4.1665795894e-2F, 1.6666665459e-1F, 5.0000001201e-1F};
constexpr float exp_argument_min = -104.0F;  // below: exp is 0 in fp32

// tanh(x) for |x| < 0.625: x + x^3 * polynomial(x^2) (coefficients: Cephes tanhf).
constexpr float tanh_polynomial_end = 0.625F;
constexpr std::array<float, 5> tanh_coefficients = {-5.70498872745e-3F, 2.06390887954e-2F, -5.37397155531e-2F,
                                                    1.33314422036e-1F, -3.33332819422e-1F};
constexpr float tanh_saturates = 10.0F;  // above: tanh is 1 in fp32
}  // namespace

void EpilogueEmitter::apply(Vec y, const EpilogueOperands& operands) {
  if (epilogue_.bias) unit_.add(y, y, operands.bias);
  if (epilogue_.residual) {
    if (operands.lanes.slot == 0) {
      unit_.add(y, y, operands.residual);
    } else {
      unit_.load(t_[0], operands.residual, operands.lanes);
      unit_.add(y, y, t_[0]);
    }
  }
  activate(y, operands);
}

void EpilogueEmitter::activate(Vec y, const EpilogueOperands& operands) {
  switch (epilogue_.activation) {
    case ActivationKind::none:
      break;
    case ActivationKind::relu:
      unit_.zero(t_[0]);
      unit_.max(y, t_[0], y);
      break;
    case ActivationKind::relu6:
      unit_.zero(t_[0]);
      unit_.max(y, t_[0], y);
      unit_.set(t_[0], 6.0F);
      unit_.min(y, t_[0], y);
      break;
    case ActivationKind::leaky_relu:
      unit_.zero(t_[0]);
      unit_.less(mask_, y, t_[0]);
      unit_.set(t_[1], epilogue_.slope);
      unit_.mul(y, y, t_[1], mask_);
      break;
    case ActivationKind::prelu:
      unit_.zero(t_[0]);
      unit_.less(mask_, y, t_[0]);
      unit_.mul(y, y, operands.slopes, mask_);
      break;
    case ActivationKind::sigmoid:
      sigmoid(y);
      break;
    case ActivationKind::tanh:
      tanh(y);
      break;
  }
}

// x = exp(x) for x <= 88, finite or NaN: 2^n * exp(r), n = round(x / ln 2), r = x - n * ln 2.
void EpilogueEmitter::exponential(Vec x, Vec t0, Vec t1) {
  Assembler& a = unit_.assembler();
  const Vec n = t0, p = t1, r = x;
  unit_.mul(n, x, a.constant(log2_e));
  unit_.round(n, n);
  unit_.negated_fma(r, n, a.constant(ln2_high));
  unit_.negated_fma(r, n, a.constant(ln2_low));
  unit_.set(p, exp_coefficients[0]);
  for (std::size_t i = 1; i < exp_coefficients.size(); ++i)
    unit_.fma_into_factor(p, r, a.constant(exp_coefficients[i]));
  unit_.mul(p, p, r);
  unit_.fma_into_factor(p, r, r);
  unit_.add(p, p, a.constant(1.0F));
  unit_.scale_by_power(x, p, n);
}

// e = exp(-|y|) never overflows; 1 / (1 + e) for y >= 0, e / (1 + e) for y < 0.
void EpilogueEmitter::sigmoid(Vec y) {
  Assembler& a = unit_.assembler();
  const Vec e = t_[0], numerator = t_[1], denominator = t_[2];
  unit_.or_bits(e, y, a.constant(sign_bit));
  unit_.set(t_[1], exp_argument_min);
  unit_.max(e, t_[1], e);
  exponential(e, t_[1], t_[2]);
  unit_.zero(t_[3]);
  unit_.less(mask_, y, t_[3]);
  unit_.set(denominator, 1.0F);
  unit_.blend(numerator, denominator, e, mask_);
  unit_.add(denominator, denominator, e);
  unit_.div(y, numerator, denominator);
}

// sign(y) * (1 - 2 / (exp(2|y|) + 1)); near 0, where that cancels, an odd polynomial.
void EpilogueEmitter::tanh(Vec y) {
  Assembler& a = unit_.assembler();
  const Vec magnitude = t_[0], near_zero = t_[2];
  unit_.mul(t_[1], y, y);
  unit_.set(near_zero, tanh_coefficients[0]);
  for (std::size_t i = 1; i < tanh_coefficients.size(); ++i)
    unit_.fma_into_factor(near_zero, t_[1], a.constant(tanh_coefficients[i]));
  unit_.mul(near_zero, near_zero, t_[1]);
  unit_.fma_into_factor(near_zero, y, y);

  unit_.and_bits(magnitude, y, a.constant(all_but_sign));
  unit_.less(mask_, magnitude, a.constant(tanh_polynomial_end));
  unit_.set(t_[1], tanh_saturates);
  unit_.min(magnitude, t_[1], magnitude);
  unit_.add(magnitude, magnitude, magnitude);
  exponential(magnitude, t_[1], t_[3]);
  unit_.add(magnitude, magnitude, a.constant(1.0F));
  unit_.set(t_[1], 2.0F);
  unit_.div(t_[1], t_[1], magnitude);
  unit_.set(magnitude, 1.0F);
  unit_.sub(magnitude, magnitude, t_[1]);
  unit_.and_bits(t_[1], y, a.constant(sign_bit));
  unit_.or_bits(magnitude, magnitude, t_[1]);
  unit_.blend(y, magnitude, near_zero, mask_);
}

}  // namespace octavo::jit

// SPDX-License-Identifier: Apache-2.0
// What layers compute, in the plainest loops over NCHW numbers and double sums: the measure of every step.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "tests/runtime/small_network.h"

namespace octavo::test {

/// Index of [n][c][h][w] in a 4-D shape.
inline std::size_t at(const Shape& shape, std::int64_t n, std::int64_t c, std::int64_t h, std::int64_t w) {
  return static_cast<std::size_t>(((n * shape[1] + c) * shape[2] + h) * shape[3] + w);
}

inline float reference_activation(const graph::Activation& activation, std::int64_t channel, double x) {
  using jit::ActivationKind;
  switch (activation.kind) {
    case ActivationKind::none:
      break;
    case ActivationKind::relu:
      return static_cast<float>(x < 0 ? 0 : x);
    case ActivationKind::relu6:
      return static_cast<float>(x < 0 ? 0 : x > 6 ? 6 : x);
    case ActivationKind::leaky_relu:
      return static_cast<float>(x < 0 ? x * activation.slope : x);
    case ActivationKind::prelu:
      return static_cast<float>(x < 0 ? x * activation.slopes->f32.values[static_cast<std::size_t>(channel)] : x);
    case ActivationKind::sigmoid:
      return static_cast<float>(1 / (1 + std::exp(-x)));
    case ActivationKind::tanh:
      return static_cast<float>(std::tanh(x));
  }
  return static_cast<float>(x);
}

inline std::vector<float> reference(const graph::Convolution& op, const std::vector<Values>& inputs, const Shape& out) {
  const Values& x = inputs[0];
  const std::vector<float> weights = graph::to_float(*op.weights);
  const std::int64_t ins = op.weights->shape[1], outs = op.out_channels / op.groups;
  std::vector<float> y(static_cast<std::size_t>(graph::element_count(out)));
  for (std::int64_t n = 0; n < out[0]; ++n)
    for (std::int64_t o = 0; o < out[1]; ++o)
      for (std::int64_t h = 0; h < out[2]; ++h)
        for (std::int64_t w = 0; w < out[3]; ++w) {
          double sum = op.bias ? op.bias->f32.values[static_cast<std::size_t>(o)] : 0.0;
          for (std::int64_t i = 0; i < ins; ++i)
            for (std::int64_t kh = 0; kh < op.kernel[0]; ++kh)
              for (std::int64_t kw = 0; kw < op.kernel[1]; ++kw) {
                const std::int64_t row = h * op.stride[0] - op.pad_begin[0] + kh * op.dilation[0];
                const std::int64_t column = w * op.stride[1] - op.pad_begin[1] + kw * op.dilation[1];
                if (row < 0 || row >= x.shape[2] || column < 0 || column >= x.shape[3]) continue;
                sum += static_cast<double>(weights[at(op.weights->shape, o, i, kh, kw)]) *
                       x.numbers[at(x.shape, n, o / outs * ins + i, row, column)];
              }
          if (op.add_residual) sum += inputs[1].numbers[at(out, n, o, h, w)];
          y[at(out, n, o, h, w)] = reference_activation(op.activation, o, sum);
        }
  return y;
}

inline std::vector<float> reference(const graph::Deconvolution& op, const std::vector<Values>& inputs,
                                    const Shape& out) {
  const Values& x = inputs[0];
  const std::int64_t ins = x.shape[1] / op.groups, outs = op.out_channels / op.groups;
  std::vector<double> sums(static_cast<std::size_t>(graph::element_count(out)));
  for (std::int64_t n = 0; n < x.shape[0]; ++n)
    for (std::int64_t i = 0; i < x.shape[1]; ++i)
      for (std::int64_t o = 0; o < outs; ++o)
        for (std::int64_t h = 0; h < x.shape[2]; ++h)
          for (std::int64_t w = 0; w < x.shape[3]; ++w)
            for (std::int64_t kh = 0; kh < op.kernel[0]; ++kh)
              for (std::int64_t kw = 0; kw < op.kernel[1]; ++kw) {
                const std::int64_t row = h * op.stride[0] - op.pad_begin[0] + kh * op.dilation[0];
                const std::int64_t column = w * op.stride[1] - op.pad_begin[1] + kw * op.dilation[1];
                if (row < 0 || row >= out[2] || column < 0 || column >= out[3]) continue;
                sums[at(out, n, i / ins * outs + o, row, column)] +=
                    static_cast<double>(op.weights->f32.values[at(op.weights->shape, i, o, kh, kw)]) *
                    x.numbers[at(x.shape, n, i, h, w)];
              }
  std::vector<float> y(sums.size());
  const std::int64_t pixels = out[2] * out[3];
  for (std::size_t j = 0; j < sums.size(); ++j) {
    const std::int64_t channel = static_cast<std::int64_t>(j) / pixels % out[1];
    if (op.bias) sums[j] += op.bias->f32.values[static_cast<std::size_t>(channel)];
    y[j] = reference_activation(op.activation, channel, sums[j]);
  }
  return y;
}

inline std::vector<float> reference(const graph::Linear& op, const std::vector<Values>& inputs, const Shape& out) {
  const Values& x = inputs[0];
  const std::vector<float> weights = graph::to_float(*op.weights);
  const auto outs = static_cast<std::size_t>(op.out_features), ins = weights.size() / outs;
  std::vector<float> y(static_cast<std::size_t>(graph::element_count(out)));
  for (std::size_t row = 0; row < y.size() / outs; ++row)
    for (std::size_t o = 0; o < outs; ++o) {
      double sum = op.bias ? op.bias->f32.values[o] : 0.0;
      for (std::size_t i = 0; i < ins; ++i) sum += static_cast<double>(weights[o * ins + i]) * x.numbers[row * ins + i];
      if (op.add_residual) sum += inputs[1].numbers[row * outs + o];
      y[row * outs + o] = reference_activation(op.activation, static_cast<std::int64_t>(o), sum);
    }
  return y;
}

/// As the frameworks say it: the window is laid on the padded image, an average divides by the part of it on that.
inline std::vector<float> reference(const graph::Pool& op, const std::vector<Values>& inputs, const Shape& out) {
  const Values& x = inputs[0];
  std::vector<float> y;
  for (std::int64_t n = 0; n < out[0]; ++n)
    for (std::int64_t c = 0; c < out[1]; ++c)
      for (std::int64_t h = 0; h < out[2]; ++h)
        for (std::int64_t w = 0; w < out[3]; ++w) {
          double greatest = -std::numeric_limits<double>::infinity(), sum = 0.0;
          int padded = 0, inside = 0;
          const std::int64_t rows = op.global ? x.shape[2] : op.kernel[0];
          const std::int64_t columns = op.global ? x.shape[3] : op.kernel[1];
          for (std::int64_t kh = 0; kh < rows; ++kh)
            for (std::int64_t kw = 0; kw < columns; ++kw) {
              const std::int64_t row = h * op.stride[0] - op.pad_begin[0] + kh;
              const std::int64_t column = w * op.stride[1] - op.pad_begin[1] + kw;
              if (row >= x.shape[2] + op.pad_end[0] || column >= x.shape[3] + op.pad_end[1]) continue;
              ++padded;
              if (row < 0 || row >= x.shape[2] || column < 0 || column >= x.shape[3]) continue;
              ++inside;
              const double value = x.numbers[at(x.shape, n, c, row, column)];
              sum += value;
              if (std::isnan(value) || std::isnan(greatest)) {
                greatest = std::numeric_limits<double>::quiet_NaN();
              } else {
                greatest = std::max(greatest, value);
              }
            }
          const int divisor = op.include_padding ? padded : inside;
          y.push_back(static_cast<float>(op.kind == graph::PoolKind::max ? greatest : sum / divisor));
        }
  return y;
}

inline std::vector<float> reference(const graph::Lrn& op, const std::vector<Values>& inputs, const Shape& out) {
  const Values& x = inputs[0];
  const std::int64_t reach = op.size / 2;
  std::vector<float> y;
  for (std::int64_t n = 0; n < out[0]; ++n)
    for (std::int64_t c = 0; c < out[1]; ++c)
      for (std::int64_t h = 0; h < out[2]; ++h)
        for (std::int64_t w = 0; w < out[3]; ++w) {
          double sum = 0.0;
          const auto add = [&](std::int64_t channel, std::int64_t row, std::int64_t column) {
            if (channel < 0 || channel >= out[1] || row < 0 || row >= out[2] || column < 0 || column >= out[3]) return;
            sum += std::pow(static_cast<double>(x.numbers[at(out, n, channel, row, column)]), 2);
          };
          for (std::int64_t i = -reach; i <= reach; ++i) {
            if (op.across_channels) add(c + i, h, w);
            if (!op.across_channels)
              for (std::int64_t j = -reach; j <= reach; ++j) add(c, h + i, w + j);
          }
          const auto count = static_cast<double>(op.across_channels ? op.size : op.size * op.size);
          y.push_back(static_cast<float>(x.numbers[at(out, n, c, h, w)] /
                                         std::pow(op.k + op.alpha / count * sum, static_cast<double>(op.beta))));
        }
  return y;
}

}  // namespace octavo::test

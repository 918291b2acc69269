// SPDX-License-Identifier: Apache-2.0
// Activations in registers against double precision, over the whole range of floats.
#include "jit/epilogue_emitter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "jit/kernel_cache.h"
#include "tests/jit/each_isa.h"

namespace octavo::jit {
namespace {

constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float largest = std::numeric_limits<float>::max();
constexpr float denormal = std::numeric_limits<float>::denorm_min();

struct EpilogueArgs {
  float* values;
  const float *bias, *slopes, *residual;
};

class EpilogueTest : public testing::EachIsa {
 protected:
  /// The epilogue over vectors of 16 values, each with bias, slopes and residual of their own.
  std::vector<float> run(const Epilogue& epilogue, std::vector<float> values, float bias = 0, float slope = 0,
                         float residual = 0) {
    values.resize((values.size() + 15) / 16 * 16, 0.0F);
    const KernelRequest request{"epilogue" + epilogue.name(), [&] { return emit(epilogue); }};
    const auto kernel = cache_.get({&request, 1}).front();
    const std::vector<float> biases(16, bias), slopes(16, slope), residuals(16, residual);
    for (std::size_t i = 0; i < values.size(); i += static_cast<std::size_t>(vector_facts(GetParam()).lanes))
      (*kernel)(EpilogueArgs{&values[i], biases.data(), slopes.data(), residuals.data()});
    return values;
  }
  std::vector<float> run(ActivationKind kind, const std::vector<float>& values, float slope = 0) {
    Epilogue epilogue{.activation = kind};
    if (kind == ActivationKind::leaky_relu) epilogue.slope = slope;
    return run(epilogue, values, 0, slope);
  }

  static KernelImage emit(const Epilogue& epilogue) {
    Assembler a;
    const auto unit = make_vector_unit(GetParam(), a);
    EpilogueEmitter emitter(*unit, epilogue, {Vec{13}, Vec{12}, Vec{11}, Vec{10}}, Mask{1});
    a.prologue();
    a.mov(a.rax, a.ptr[a.rdi + offsetof(EpilogueArgs, values)]);
    a.mov(a.rcx, a.ptr[a.rdi + offsetof(EpilogueArgs, bias)]);
    a.mov(a.rdx, a.ptr[a.rdi + offsetof(EpilogueArgs, slopes)]);
    a.mov(a.rsi, a.ptr[a.rdi + offsetof(EpilogueArgs, residual)]);
    unit->load({0}, a.ptr[a.rax]);
    emitter.apply({0}, {.bias = a.ptr[a.rcx], .slopes = a.ptr[a.rdx], .residual = a.ptr[a.rsi], .lanes = {}});
    unit->store(a.ptr[a.rax], {0});
    a.epilogue();
    return a.finish("epilogue" + epilogue.name());
  }

  /// Every 2^12th float, of both signs, denormals and all, and no infinities or NaN.
  static std::vector<float> all_floats() {
    std::vector<float> values;
    for (std::uint32_t bits = 0; bits < 0x7F800000U; bits += 4096) {
      values.push_back(std::bit_cast<float>(bits));
      values.push_back(-values.back());
    }
    return values;
  }
  /// Ulps of the exact value, a denormal's where it is smaller than those.
  static double ulps(float actual, double exact) {
    int exponent = 0;
    std::frexp(exact, &exponent);
    return std::abs(static_cast<double>(actual) - exact) / std::ldexp(1.0, std::max(exponent - 24, -149));
  }
  static double worst_ulps(const std::vector<float>& values, const std::vector<float>& results,
                           const std::function<double(double)>& exact) {
    double worst = 0;
    for (std::size_t i = 0; i < values.size(); ++i) worst = std::max(worst, ulps(results[i], exact(values[i])));
    return worst;
  }

  KernelCache cache_;
};

TEST_P(EpilogueTest, SigmoidIsWithinThreeUlps) {
  const std::vector<float> values = all_floats();
  EXPECT_LE(worst_ulps(values, run(ActivationKind::sigmoid, values),
                       [](double x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }),
            3.0);
}

TEST_P(EpilogueTest, TanhIsWithinThreeUlps) {
  const std::vector<float> values = all_floats();
  EXPECT_LE(worst_ulps(values, run(ActivationKind::tanh, values), [](double x) { return std::tanh(x); }), 3.0);
}

TEST_P(EpilogueTest, ReluFamilyIsExact) {
  const std::vector<float> values = all_floats();
  const auto equals = [&](ActivationKind kind, const std::function<float(float)>& exact) {
    const std::vector<float> results = run(kind, values, 0.1F);
    for (std::size_t i = 0; i < values.size(); ++i) ASSERT_EQ(results[i], exact(values[i])) << values[i];
  };
  equals(ActivationKind::none, [](float x) { return x; });
  equals(ActivationKind::relu, [](float x) { return std::max(x, 0.0F); });
  equals(ActivationKind::relu6, [](float x) { return std::clamp(x, 0.0F, 6.0F); });
  equals(ActivationKind::leaky_relu, [](float x) { return x < 0 ? 0.1F * x : x; });
  equals(ActivationKind::prelu, [](float x) { return x < 0 ? 0.1F * x : x; });
}

TEST_P(EpilogueTest, NaNStaysNaN) {
  for (const ActivationKind kind :
       {ActivationKind::none, ActivationKind::relu, ActivationKind::relu6, ActivationKind::leaky_relu,
        ActivationKind::prelu, ActivationKind::sigmoid, ActivationKind::tanh})
    EXPECT_TRUE(std::isnan(run(kind, {nan}, 0.1F)[0])) << static_cast<int>(kind);
}

TEST_P(EpilogueTest, InfinitiesAndExtremesGoWhereTheFunctionGoes) {
  const std::vector<float> ends{infinity, -infinity, largest, -largest, denormal, -denormal, 0.0F, -0.0F};
  EXPECT_EQ(run(ActivationKind::relu, ends),
            (std::vector<float>{infinity, 0, largest, 0, denormal, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}));
  const std::vector<float> sigmoid = run(ActivationKind::sigmoid, ends), tanh = run(ActivationKind::tanh, ends);
  const std::vector<float> sigmoid_ends{1, 0, 1, 0, 0.5F, 0.5F, 0.5F, 0.5F};
  const std::vector<float> tanh_ends{1, -1, 1, -1, denormal, -denormal, 0, 0};
  for (std::size_t i = 0; i < ends.size(); ++i) {
    EXPECT_EQ(sigmoid[i], sigmoid_ends[i]) << ends[i];
    EXPECT_EQ(tanh[i], tanh_ends[i]) << ends[i];
  }
}

TEST_P(EpilogueTest, BiasThenResidualThenActivation) {
  const Epilogue epilogue{.bias = true, .residual = true, .activation = ActivationKind::prelu};
  EXPECT_EQ(run(epilogue, {1.0F}, -4.0F, 0.5F, 1.0F)[0], -1.0F);
  EXPECT_EQ(run(epilogue, {1.0F}, 2.0F, 0.5F, 1.0F)[0], 4.0F);
  // Rounding shows the order: (1 + 2^-24) + 2^-24 is 1, 1 + (2^-24 + 2^-24) would not be.
  EXPECT_EQ(run(epilogue, {1.0F}, 0x1p-24F, 0.5F, 0x1p-24F)[0], 1.0F);
}

INSTANTIATE_TEST_SUITE_P(, EpilogueTest, testing::isas_with_code(), testing::isa_of_test);

}  // namespace
}  // namespace octavo::jit

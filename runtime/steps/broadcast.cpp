// SPDX-License-Identifier: Apache-2.0
// Binary and Select: values that are broadcast to each other. Neighbouring dimensions that all operands walk alike are
// merged, so that the inner loop is as long as can be; in it an operand mostly walks along or stands still.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "graph/blob.h"
#include "runtime/parallel.h"
#include "runtime/steps/builders.h"
#include "runtime/steps/pointwise.h"
#include "runtime/steps/strided_copy.h"
#include "runtime/vectorize.h"

namespace octavo::runtime {
namespace {

using graph::BinaryKind;

/// An operand of a row; `step` is 0 where it stands still.
struct Operand {
  const float* data;
  std::int64_t step;
};

template <class F>
[[gnu::always_inline]] inline void combine(Operand a, Operand b, float* y, std::int64_t count, F f) {
  if (a.step == 1 && b.step == 1) {
    for (std::int64_t i = 0; i < count; ++i) y[i] = f(a.data[i], b.data[i]);
  } else if (a.step == 1 && b.step == 0) {
    const float second = *b.data;
    for (std::int64_t i = 0; i < count; ++i) y[i] = f(a.data[i], second);
  } else if (a.step == 0 && b.step == 1) {
    const float first = *a.data;
    for (std::int64_t i = 0; i < count; ++i) y[i] = f(first, b.data[i]);
  } else {
    for (std::int64_t i = 0; i < count; ++i) y[i] = f(a.data[i * a.step], b.data[i * b.step]);
  }
}

using BinaryRow = void (*)(Operand a, Operand b, float* y, std::int64_t count);

OCTAVO_VECTORIZED void add(Operand a, Operand b, float* y, std::int64_t count) {
  combine(a, b, y, count, [](float p, float q) { return p + q; });
}
OCTAVO_VECTORIZED void subtract(Operand a, Operand b, float* y, std::int64_t count) {
  combine(a, b, y, count, [](float p, float q) { return p - q; });
}
OCTAVO_VECTORIZED void multiply(Operand a, Operand b, float* y, std::int64_t count) {
  combine(a, b, y, count, [](float p, float q) { return p * q; });
}
OCTAVO_VECTORIZED void divide(Operand a, Operand b, float* y, std::int64_t count) {
  combine(a, b, y, count, [](float p, float q) { return p / q; });
}
OCTAVO_VECTORIZED void minimum(Operand a, Operand b, float* y, std::int64_t count) {
  combine(a, b, y, count, [](float p, float q) { return ((p < q) | (p != p)) ? p : q; });
}
OCTAVO_VECTORIZED void maximum(Operand a, Operand b, float* y, std::int64_t count) {
  combine(a, b, y, count, [](float p, float q) { return ((p > q) | (p != p)) ? p : q; });
}

void power(Operand a, Operand b, float* y, std::int64_t count) {
  combine(a, b, y, count, [](float p, float q) { return std::pow(p, q); });
}
void remainder(Operand a, Operand b, float* y, std::int64_t count) {
  combine(a, b, y, count, [](float p, float q) { return std::fmod(p, q); });
}
void modulo(Operand a, Operand b, float* y, std::int64_t count) {
  combine(a, b, y, count, [](float p, float q) {
    const float rest = std::fmod(p, q);
    return rest != 0.0F && (rest < 0.0F) != (q < 0.0F) ? rest + q : rest;
  });
}

template <bool (*kTest)(float, float)>
void test(Operand a, Operand b, float* y, std::int64_t count) {
  combine(a, b, y, count, [](float p, float q) { return kTest(p, q) ? 1.0F : 0.0F; });
}
bool equal(float p, float q) { return p == q; }
bool less(float p, float q) { return p < q; }
bool less_or_equal(float p, float q) { return p <= q; }
bool is_greater(float p, float q) { return p > q; }
bool greater_or_equal(float p, float q) { return p >= q; }
bool logical_and(float p, float q) { return p != 0.0F && q != 0.0F; }
bool logical_or(float p, float q) { return p != 0.0F || q != 0.0F; }
bool logical_xor(float p, float q) { return (p != 0.0F) != (q != 0.0F); }

BinaryRow row_of(BinaryKind kind) {
  switch (kind) {
    case BinaryKind::add:
      return add;
    case BinaryKind::subtract:
      return subtract;
    case BinaryKind::multiply:
      return multiply;
    case BinaryKind::divide:
      return divide;
    case BinaryKind::power:
      return power;
    case BinaryKind::minimum:
      return minimum;
    case BinaryKind::maximum:
      return maximum;
    case BinaryKind::modulo:
      return modulo;
    case BinaryKind::remainder:
      return remainder;
    case BinaryKind::equal:
      return test<equal>;
    case BinaryKind::less:
      return test<less>;
    case BinaryKind::less_or_equal:
      return test<less_or_equal>;
    case BinaryKind::greater:
      return test<is_greater>;
    case BinaryKind::greater_or_equal:
      return test<greater_or_equal>;
    case BinaryKind::logical_and:
      return test<logical_and>;
    case BinaryKind::logical_or:
      return test<logical_or>;
    case BinaryKind::logical_xor:
      return test<logical_xor>;
  }
  return nullptr;
}

void select(Operand condition, Operand a, Operand b, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    y[i] = condition.data[i * condition.step] != 0.0F ? a.data[i * a.step] : b.data[i * b.step];
  }
}

/// The walk of N operands along a common output, in the order of the output's memory.
template <std::size_t N>
class Walk {
 public:
  explicit Walk(const StepRequest& request) {
    const Shape& out = request.output_shape();
    layout_ = Layout::plain;
    for (std::size_t i = 0; i < N; ++i) {
      if (out.size() == 4 && request.input_layouts[i] == Layout::nhwc) layout_ = Layout::nhwc;
    }
    const Shape dims = memory_dims(out, layout_);
    std::array<Shape, N> strides;
    for (std::size_t i = 0; i < N; ++i) {
      // One stride for each dimension of the output, 0 where the operand repeats; then in the output's memory order.
      strides[i] = memory_dims(logical_strides(request.input_shape(i), request.input_layouts[i], out), layout_);
    }
    for (std::size_t d = 0; d < dims.size(); ++d) append(dims[d], strides, d);
    if (dims_.empty()) {
      dims_ = {1};
      strides_.fill({0});
    }
    for (std::size_t d = 0; d + 1 < dims_.size(); ++d) rows_ *= dims_[d];
  }

  [[nodiscard]] Layout layout() const { return layout_; }

  /// visit(operands, first output, count) for every row, shared among the threads.
  template <class Visit>
  void run(const std::array<const float*, N>& inputs, float* output, int threads, const Visit& visit) const {
    const std::int64_t row = dims_.back();
    parallel_for(threads, rows_, std::max<std::int64_t>(kPointwiseGrain / row, 1),
                 [&](int, std::int64_t begin, std::int64_t end) {
                   for (std::int64_t index = begin; index < end; ++index) {
                     std::array<Operand, N> operands;
                     for (std::size_t i = 0; i < N; ++i) operands[i] = {inputs[i], strides_[i].back()};
                     std::int64_t rest = index;
                     for (std::size_t d = dims_.size() - 1; d-- > 0;) {
                       const std::int64_t at = rest % dims_[d];
                       rest /= dims_[d];
                       for (std::size_t i = 0; i < N; ++i) operands[i].data += at * strides_[i][d];
                     }
                     visit(operands, output + index * row, row);
                   }
                 });
  }

 private:
  static Shape logical_strides(const Shape& shape, Layout layout, const Shape& out) {
    const Shape memory = dense_strides(memory_dims(shape, layout));
    Shape strides(out.size(), 0);
    const std::size_t shift = out.size() - shape.size();
    for (std::size_t d = 0; d < shape.size(); ++d) {
      if (shape[d] == 1) continue;
      strides[shift + d] = memory[static_cast<std::size_t>(memory_axis(shape, static_cast<std::int64_t>(d), layout))];
    }
    return strides;
  }

  void append(std::int64_t dim, const std::array<Shape, N>& strides, std::size_t d) {
    if (dim == 1) return;
    const bool merges = !dims_.empty() && [&] {
      for (std::size_t i = 0; i < N; ++i) {
        if (strides_[i].back() != strides[i][d] * dim) return false;
      }
      return true;
    }();
    if (merges) {
      dims_.back() *= dim;
      for (std::size_t i = 0; i < N; ++i) strides_[i].back() = strides[i][d];
      return;
    }
    dims_.push_back(dim);
    for (std::size_t i = 0; i < N; ++i) strides_[i].push_back(strides[i][d]);
  }

  Layout layout_ = Layout::plain;
  Shape dims_;
  std::array<Shape, N> strides_;
  std::int64_t rows_ = 1;
};

template <std::size_t N>
std::array<const float*, N> operands_of(const RunContext& context, const std::vector<Slot>& slots) {
  std::array<const float*, N> inputs{};
  for (std::size_t i = 0; i < N; ++i) inputs[i] = context.values[slots[i]];
  return inputs;
}

class BinaryStep final : public Step {
 public:
  BinaryStep(BinaryKind kind, Walk<2> walk, std::vector<Slot> inputs, Slot output)
      : row_(row_of(kind)), walk_(std::move(walk)), inputs_(std::move(inputs)), output_(output) {
    info.algorithm = "broadcast loop";
  }
  void run(RunContext& context) const override {
    walk_.run(operands_of<2>(context, inputs_), context.values[output_], context.threads,
              [&](const std::array<Operand, 2>& x, float* y, std::int64_t count) { row_(x[0], x[1], y, count); });
  }

 private:
  BinaryRow row_;
  Walk<2> walk_;
  std::vector<Slot> inputs_;
  Slot output_;
};

class SelectStep final : public Step {
 public:
  SelectStep(Walk<3> walk, std::vector<Slot> inputs, Slot output)
      : walk_(std::move(walk)), inputs_(std::move(inputs)), output_(output) {
    info.algorithm = "broadcast loop";
  }
  void run(RunContext& context) const override {
    walk_.run(
        operands_of<3>(context, inputs_), context.values[output_], context.threads,
        [](const std::array<Operand, 3>& x, float* y, std::int64_t count) { select(x[0], x[1], x[2], y, count); });
  }

 private:
  Walk<3> walk_;
  std::vector<Slot> inputs_;
  Slot output_;
};

}  // namespace

BuiltStep build_binary(const StepRequest& request) {
  Walk<2> walk(request);
  BuiltStep built;
  built.outputs = {walk.layout()};
  built.step = std::make_unique<BinaryStep>(std::get<graph::Binary>(request.node.op).kind, std::move(walk),
                                            request.inputs, request.outputs[0]);
  if (request.input_shape(0) == request.output_shape() && request.input_layouts[0] == built.outputs[0]) {
    built.in_place = 0;
  }
  return built;
}

BuiltStep build_select(const StepRequest& request) {
  Walk<3> walk(request);
  BuiltStep built;
  built.outputs = {walk.layout()};
  built.step = std::make_unique<SelectStep>(std::move(walk), request.inputs, request.outputs[0]);
  return built;
}

}  // namespace octavo::runtime

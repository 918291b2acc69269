// SPDX-License-Identifier: Apache-2.0
// MatMul of two values, on oneDNN. The dimensions before the matrices are merged where both sides walk them alike.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "graph/axes.h"
#include "octavo/error.h"
#include "runtime/onednn.h"
#include "runtime/steps/builders.h"

namespace octavo::runtime {
namespace {

/// The same product with fewer dimensions.
struct Product {
  Shape a, b, out;
};

/// One matrix on the right serves all on the left: they are one tall matrix.
Product one_matrix(const Shape& a, const Shape& b, const Shape& out) {
  const auto rank = static_cast<std::int64_t>(a.size());
  const std::int64_t rows = graph::count_between(a, 0, rank - 1);
  return {{rows, a.back()}, {b[b.size() - 2], b.back()}, {rows, out.back()}};
}

Product merged(const Shape& a, const Shape& b, const Shape& out) {
  const std::size_t batch = out.size() - 2;
  const auto dim_of = [batch](const Shape& shape, std::size_t d) {
    const std::size_t missing = batch + 2 - shape.size();
    return d < missing ? std::int64_t{1} : shape[d - missing];
  };
  Product product;
  for (std::size_t d = 0; d < batch; ++d) {
    const std::int64_t of_a = dim_of(a, d), of_b = dim_of(b, d);
    if (out[d] == 1) continue;
    const bool merges = !product.out.empty() && [&] {
      const std::size_t last = product.out.size() - 1;
      return (product.a[last] == product.out[last]) == (of_a == out[d]) &&
             (product.b[last] == product.out[last]) == (of_b == out[d]);
    }();
    if (merges) {
      product.a.back() *= of_a;
      product.b.back() *= of_b;
      product.out.back() *= out[d];
    } else {
      product.a.push_back(of_a);
      product.b.push_back(of_b);
      product.out.push_back(out[d]);
    }
  }
  product.a.insert(product.a.end(), a.end() - 2, a.end());
  product.b.insert(product.b.end(), b.end() - 2, b.end());
  product.out.insert(product.out.end(), out.end() - 2, out.end());
  return product;
}

Product simplified(const Shape& a, const Shape& b, const Shape& out) {
  const bool single = std::all_of(b.begin(), b.end() - 2, [](std::int64_t dim) { return dim == 1; });
  return single ? one_matrix(a, b, out) : merged(a, b, out);
}

class MatMulStep final : public Step {
 public:
  MatMulStep(OnednnCall call, const std::string& implementation) : call_(std::move(call)) {
    info.algorithm = "oneDNN " + implementation;
    info.reason = "both factors are made at run time: fp32";
  }
  void run(RunContext& context) const override { call_.run(context); }
  [[nodiscard]] std::size_t scratch_bytes() const override { return call_.scratch_bytes(); }
  [[nodiscard]] std::unique_ptr<StepState> make_state() const override { return call_.make_state(); }

 private:
  OnednnCall call_;
};

}  // namespace

BuiltStep build_matmul(const StepRequest& request) {
  constexpr std::size_t kMostDimensions = 6;  // that onednn_desc() names
  const Product product = simplified(request.input_shape(0), request.input_shape(1), request.output_shape());
  if (product.out.size() > kMostDimensions) {
    throw Error(ErrorKind::unsupported, "more than four dimensions that are broadcast before the matrices");
  }
  const dnnl::engine& engine = request.context.engine;
  const dnnl::matmul::desc desc(onednn_desc(product.a, Layout::plain), onednn_desc(product.b, Layout::plain),
                                onednn_desc(product.out, Layout::plain));
  const dnnl::matmul::primitive_desc chosen(desc, onednn_attributes({}, false), engine);
  OnednnCall call(dnnl::matmul(chosen), engine);
  call.bind_slot(DNNL_ARG_SRC, chosen.src_desc(), request.inputs[0]);
  call.bind_slot(DNNL_ARG_WEIGHTS, chosen.weights_desc(), request.inputs[1]);
  call.bind_slot(DNNL_ARG_DST, chosen.dst_desc(), request.outputs[0]);
  call.bind_scratch(chosen.scratchpad_desc());
  BuiltStep built;
  built.step = std::make_unique<MatMulStep>(std::move(call), chosen.impl_info_str());
  built.outputs = {Layout::plain};
  return built;
}

}  // namespace octavo::runtime

// SPDX-License-Identifier: Apache-2.0
// InnerProduct and Embed.
#include "graph/axes.h"
#include "graph/import/caffe_layers.h"
#include "graph/transposed.h"

namespace octavo::graph {
void convert_inner_product(CaffeLayerContext& layer) {
  const auto& param = layer.param().inner_product_param();
  const Shape& x = layer.shape();
  Linear op;
  op.out_features = param.num_output();
  op.axis = static_cast<std::int64_t>(layer.axis(param.axis()));
  if (op.out_features < 1) CaffeLayerContext::malformed("num_output is missing or 0");
  const std::int64_t inputs = count_between(x, op.axis, static_cast<std::int64_t>(x.size()));
  Shape weights{op.out_features, inputs};
  if (param.transpose()) std::swap(weights[0], weights[1]);
  std::vector<BlobNeed> needs{{std::move(weights), he_spread(inputs)}};
  if (param.bias_term()) needs.push_back({{op.out_features}, spreads::bias});
  const auto blobs = layer.blobs(needs);
  op.weights = blobs[0];
  if (param.transpose()) {
    op.weights = make_blob({op.out_features, inputs}, transposed(blobs[0]->f32.values, inputs, op.out_features));
  }
  if (param.bias_term()) op.bias = blobs[1];
  layer.add(std::move(op));
}

void convert_embed(CaffeLayerContext& layer) {
  const auto& param = layer.param().embed_param();
  if (param.num_output() < 1 || param.input_dim() < 1) {
    CaffeLayerContext::malformed("num_output or input_dim is missing or 0");
  }
  std::vector<BlobNeed> needs{{{param.input_dim(), param.num_output()}, spreads::embedding}};
  if (param.bias_term()) needs.push_back({{param.num_output()}, spreads::bias});
  const auto blobs = layer.blobs(needs);
  Embed op;
  op.weights = blobs[0];
  if (param.bias_term()) op.bias = blobs[1];
  layer.add(std::move(op));
}

}  // namespace octavo::graph

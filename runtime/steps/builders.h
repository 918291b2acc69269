// SPDX-License-Identifier: Apache-2.0
// The functions that turn a node into a step, one for each op; registry.cpp says which op goes where.
#pragma once

#include "runtime/step.h"

namespace octavo::runtime {

[[nodiscard]] BuiltStep build_convolution(const StepRequest& request);
[[nodiscard]] BuiltStep build_deconvolution(const StepRequest& request);
/// Whether a deconvolution is small, and each of its outputs depends on one input pixel; its step then.
[[nodiscard]] bool makes_blocks(const graph::Deconvolution& op);
[[nodiscard]] BuiltStep build_block_deconvolution(const StepRequest& request);
[[nodiscard]] BuiltStep build_linear(const StepRequest& request);
[[nodiscard]] BuiltStep build_fused_convolution(const StepRequest& request);
[[nodiscard]] BuiltStep build_fused_linear(const StepRequest& request);
[[nodiscard]] BuiltStep build_arg_max(const StepRequest& request);
[[nodiscard]] BuiltStep build_crop(const StepRequest& request);
[[nodiscard]] BuiltStep build_embed(const StepRequest& request);
[[nodiscard]] BuiltStep build_identity(const StepRequest& request);
[[nodiscard]] BuiltStep build_permute(const StepRequest& request);
[[nodiscard]] BuiltStep build_reduction(const StepRequest& request);
[[nodiscard]] BuiltStep build_reshape(const StepRequest& request);
[[nodiscard]] BuiltStep build_slice(const StepRequest& request);
[[nodiscard]] BuiltStep build_tile(const StepRequest& request);
[[nodiscard]] BuiltStep build_unary(const StepRequest& request);
[[nodiscard]] BuiltStep build_prelu(const StepRequest& request);
[[nodiscard]] BuiltStep build_batch_norm(const StepRequest& request);
[[nodiscard]] BuiltStep build_scale(const StepRequest& request);
[[nodiscard]] BuiltStep build_lrn(const StepRequest& request);
[[nodiscard]] BuiltStep build_pool(const StepRequest& request);
[[nodiscard]] BuiltStep build_softmax(const StepRequest& request);
[[nodiscard]] BuiltStep build_concat(const StepRequest& request);
[[nodiscard]] BuiltStep build_eltwise(const StepRequest& request);
[[nodiscard]] BuiltStep build_constant(const StepRequest& request);
[[nodiscard]] BuiltStep build_binary(const StepRequest& request);
[[nodiscard]] BuiltStep build_select(const StepRequest& request);
[[nodiscard]] BuiltStep build_matmul(const StepRequest& request);
[[nodiscard]] BuiltStep build_gather(const StepRequest& request);
[[nodiscard]] BuiltStep build_strided_slice(const StepRequest& request);
[[nodiscard]] BuiltStep build_pad(const StepRequest& request);
[[nodiscard]] BuiltStep build_layer_norm(const StepRequest& request);
[[nodiscard]] BuiltStep build_resize(const StepRequest& request);
[[nodiscard]] BuiltStep build_normalize(const StepRequest& request);
[[nodiscard]] BuiltStep build_prior_box(const StepRequest& request);
[[nodiscard]] BuiltStep build_detection_output(const StepRequest& request);
[[nodiscard]] BuiltStep build_proposal(const StepRequest& request);
[[nodiscard]] BuiltStep build_roi_pooling(const StepRequest& request);
[[nodiscard]] BuiltStep build_non_max_suppression(const StepRequest& request);
[[nodiscard]] BuiltStep build_roi_align(const StepRequest& request);

}  // namespace octavo::runtime

// SPDX-License-Identifier: Apache-2.0
// Which op is built by which function, and in which layout it wants its inputs.
#include <variant>

#include "octavo/error.h"
#include "runtime/steps/builders.h"

namespace octavo::runtime {
namespace {

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

/// Channel-wise ops run in either layout; the rest of what Scale can say follows the logical order.
Demand demand_of(const graph::Scale& op) {
  const bool of_channels = op.axis == 1 && (op.factor || op.offset) && (!op.factor || op.factor->shape.size() <= 1) &&
                           (!op.offset || op.offset->shape.size() <= 1);
  return of_channels ? Demand::any : Demand::plain;
}

}  // namespace

OpBuilder builder_of(const graph::Op& op) {
  using namespace graph;
  return std::visit(Overloaded{
                        [](const Convolution&) {
                          return OpBuilder{Demand::nhwc, build_convolution};
                        },
                        [](const Deconvolution&) {
                          return OpBuilder{Demand::nhwc, build_deconvolution};
                        },
                        [](const Linear& linear) {
                          return OpBuilder{linear.axis == 1 ? Demand::any : Demand::plain, build_linear};
                        },
                        [](const FusedConvolution&) {
                          return OpBuilder{Demand::nhwc, build_fused_convolution};
                        },
                        [](const FusedLinear&) {
                          return OpBuilder{Demand::plain, build_fused_linear};
                        },
                        [](const Identity&) {
                          return OpBuilder{Demand::any, build_identity};
                        },
                        [](const Unary&) {
                          return OpBuilder{Demand::any, build_unary};
                        },
                        [](const PRelu&) {
                          return OpBuilder{Demand::any, build_prelu};
                        },
                        [](const BatchNorm&) {
                          return OpBuilder{Demand::any, build_batch_norm};
                        },
                        [](const Scale& scale) {
                          return OpBuilder{demand_of(scale), build_scale};
                        },
                        [](const Lrn&) {
                          return OpBuilder{Demand::nhwc, build_lrn};
                        },
                        [](const Pool&) {
                          return OpBuilder{Demand::nhwc, build_pool};
                        },
                        [](const Softmax&) {
                          return OpBuilder{Demand::any, build_softmax};
                        },
                        [](const Concat&) {
                          return OpBuilder{Demand::any, build_concat};
                        },
                        [](const Eltwise&) {
                          return OpBuilder{Demand::any, build_eltwise};
                        },
                        [](const Slice&) {
                          return OpBuilder{Demand::any, build_slice};
                        },
                        [](const Flatten&) {
                          return OpBuilder{Demand::plain, build_reshape};
                        },
                        [](const Reshape&) {
                          return OpBuilder{Demand::plain, build_reshape};
                        },
                        [](const Permute&) {
                          return OpBuilder{Demand::any, build_permute};
                        },
                        [](const Crop&) {
                          return OpBuilder{Demand::any, build_crop};
                        },
                        [](const Tile&) {
                          return OpBuilder{Demand::any, build_tile};
                        },
                        [](const Reduction&) {
                          return OpBuilder{Demand::plain, build_reduction};
                        },
                        [](const ArgMax&) {
                          return OpBuilder{Demand::plain, build_arg_max};
                        },
                        [](const Embed&) {
                          return OpBuilder{Demand::plain, build_embed};
                        },
                        [](const Constant&) {
                          return OpBuilder{Demand::any, build_constant};
                        },
                        [](const Binary&) {
                          return OpBuilder{Demand::any, build_binary};
                        },
                        [](const Select&) {
                          return OpBuilder{Demand::any, build_select};
                        },
                        [](const MatMul&) {
                          return OpBuilder{Demand::plain, build_matmul};
                        },
                        [](const Gather&) {
                          return OpBuilder{Demand::plain, build_gather};
                        },
                        [](const StridedSlice&) {
                          return OpBuilder{Demand::any, build_strided_slice};
                        },
                        [](const Pad&) {
                          return OpBuilder{Demand::any, build_pad};
                        },
                        [](const LayerNorm&) {
                          return OpBuilder{Demand::plain, build_layer_norm};
                        },
                        [](const Resize&) {
                          return OpBuilder{Demand::any, build_resize};
                        },
                        [](const Normalize&) {
                          return OpBuilder{Demand::nhwc, build_normalize};
                        },
                        [](const PriorBox&) {
                          return OpBuilder{Demand::sizes, build_prior_box};
                        },
                        [](const DetectionOutput&) {
                          return OpBuilder{Demand::plain, build_detection_output};
                        },
                        [](const Proposal&) {
                          return OpBuilder{Demand::plain, build_proposal};
                        },
                        [](const RoiPooling&) {
                          return OpBuilder{Demand::nhwc, build_roi_pooling};
                        },
                        [](const NonMaxSuppression&) {
                          return OpBuilder{Demand::plain, build_non_max_suppression};
                        },
                        [](const RoiAlign&) {
                          return OpBuilder{Demand::nhwc, build_roi_align};
                        },
                        [&](const auto&) -> OpBuilder {
                          throw Error(ErrorKind::unsupported,
                                      "the runtime has no step for the op " + std::string(op_name(op)), {},
                                      "compile the graph to the stage 'fused' or 'canonical' first");
                        },
                    },
                    op);
}

}  // namespace octavo::runtime

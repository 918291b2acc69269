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

}  // namespace

OpBuilder builder_of(const graph::Op& op) {
  return std::visit(Overloaded{
                        [](const graph::Identity&) {
                          return OpBuilder{Demand::any, build_identity};
                        },
                        [](const graph::Unary&) {
                          return OpBuilder{Demand::any, build_unary};
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

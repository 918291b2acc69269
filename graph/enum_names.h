// SPDX-License-Identifier: Apache-2.0
// The enumerations of the ops in words, as the printer writes them.
#pragma once

#include <string_view>

#include "graph/ops.h"

namespace octavo::graph {

[[nodiscard]] std::string_view enum_name(UnaryKind kind);
[[nodiscard]] std::string_view enum_name(PoolKind kind);
[[nodiscard]] std::string_view enum_name(EltwiseKind kind);
[[nodiscard]] std::string_view enum_name(ReductionKind kind);
[[nodiscard]] std::string_view enum_name(BinaryKind kind);
[[nodiscard]] std::string_view enum_name(PadKind kind);
[[nodiscard]] std::string_view enum_name(ResizeKind kind);
[[nodiscard]] std::string_view enum_name(ResizeCoordinates kind);
[[nodiscard]] std::string_view enum_name(ResizeRounding kind);
[[nodiscard]] std::string_view enum_name(BoxCode code);
[[nodiscard]] std::string_view enum_name(jit::ActivationKind kind);

}  // namespace octavo::graph

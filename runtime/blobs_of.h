// SPDX-License-Identifier: Apache-2.0
// The blobs of an op, whatever the op.
#pragma once

#include <string_view>
#include <type_traits>
#include <variant>

#include "graph/ops.h"

namespace octavo::runtime {

/// Calls `visit(name, blob)` for every blob that the op has, an activation's slopes included; a blob of a non-const op
/// may be replaced.
template <class AnyOp, class Visit>
void for_each_blob(AnyOp& op, Visit&& visit) {
  const auto field = [&](std::string_view name, auto& value) {
    using Field = std::remove_cvref_t<decltype(value)>;
    if constexpr (std::is_same_v<Field, graph::BlobPtr>) {
      if (value) visit(name, value);
    } else if constexpr (std::is_same_v<Field, graph::Activation>) {
      if (value.slopes) visit("slopes", value.slopes);
    }
  };
  std::visit([&](auto& typed) { std::remove_cvref_t<decltype(typed)>::fields(typed, field); }, op);
}

}  // namespace octavo::runtime

// SPDX-License-Identifier: Apache-2.0
// An error with a place, for a layer that knows more than the one that threw.
#pragma once

#include <string>

#include "octavo/error.h"

namespace octavo::graph {

/// The same error at `place`. One that has a place of its own keeps it, and its hint, in its text.
[[nodiscard]] Error placed(const Error& error, ErrorKind kind, const std::string& place);
[[nodiscard]] inline Error placed(const Error& error, const std::string& place) {
  return placed(error, error.kind(), place);
}

}  // namespace octavo::graph

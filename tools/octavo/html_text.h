// SPDX-License-Identifier: Apache-2.0
// Text as HTML and SVG want it.
#pragma once

#include <string>
#include <string_view>

namespace octavo::tool {

[[nodiscard]] std::string escaped(std::string_view text);

}  // namespace octavo::tool

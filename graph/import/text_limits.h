// SPDX-License-Identifier: Apache-2.0
// Bounds what the parser of protocol buffers' text format can be made to build.
#pragma once

#include <cstddef>
#include <string_view>

namespace octavo::graph {

/// Counts messages and their nesting outside of strings and comments. Throws Error(malformed), with the line, for more
/// than are allowed and for a zero byte.
void check_text_limits(std::string_view text, int max_depth, std::size_t max_messages);

}  // namespace octavo::graph

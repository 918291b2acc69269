// SPDX-License-Identifier: Apache-2.0
// See graph/import/text_limits.h.
#include "graph/import/text_limits.h"

#include <fmt/core.h>

#include <algorithm>

#include "octavo/error.h"

namespace octavo::graph {

void check_text_limits(std::string_view text, int max_depth, std::size_t max_messages) {
  int depth = 0, line = 1;
  std::size_t messages = 0;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') {
      ++line;
      quote = 0;
    } else if (quote != 0) {
      if (c == '\\') ++i;
      if (c == quote) quote = 0;
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '#') {
      i = std::min(text.find('\n', i), text.size()) - 1;
    } else if (c == '{' || c == '<') {
      ++messages;
      if (++depth > max_depth) {
        throw Error(ErrorKind::malformed, fmt::format("messages nested too deeply, at line {}", line));
      }
      if (messages > max_messages) {
        throw Error(ErrorKind::malformed, fmt::format("too many messages, at line {}", line));
      }
    } else if (c == '}' || c == '>') {
      --depth;
    } else if (c == 0) {
      throw Error(ErrorKind::malformed, fmt::format("not a text file: a zero byte at line {}", line));
    }
  }
}

}  // namespace octavo::graph

// SPDX-License-Identifier: Apache-2.0
// Characters that mean something to a browser.
#include "tools/octavo/html_text.h"

namespace octavo::tool {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

}  // namespace octavo::tool

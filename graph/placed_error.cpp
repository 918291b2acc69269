// SPDX-License-Identifier: Apache-2.0
#include "graph/placed_error.h"

#include <string_view>

namespace octavo::graph {

Error placed(const Error& error, ErrorKind kind, const std::string& place) {
  if (!error.where().empty()) return {kind, error.what(), place};
  std::string what = error.what();  // "what (hint)"
  if (!error.hint().empty()) what.resize(what.size() - error.hint().size() - std::string_view(" ()").size());
  return {kind, what, place, error.hint()};
}

}  // namespace octavo::graph

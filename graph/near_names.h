// SPDX-License-Identifier: Apache-2.0
// What a misspelt name may have meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace octavo::graph {

/// "did you mean 'conv1', 'conv2'?": the (at most three) names that fewest edits turn `wrong` into, best first, in the
/// order of `names` where equal. Empty without names.
[[nodiscard]] std::string near_names_hint(std::string_view wrong, const std::vector<std::string>& names);

}  // namespace octavo::graph

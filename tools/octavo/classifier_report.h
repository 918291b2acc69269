// SPDX-License-Identifier: Apache-2.0
// What an evaluation of classifiers says: as a table, as JSON, as a page. `value`: the name of what was measured.
#pragma once

#include <string>
#include <vector>

#include "tools/octavo/evaluation.h"
#include "tools/octavo/json_output.h"

namespace octavo::tool {

[[nodiscard]] std::string classifier_text(const Evaluation& result, const std::string& name, const std::string& value);
[[nodiscard]] Json classifier_json(const Evaluation& result, const std::string& name, const std::string& value);
/// With the pictures whose answers differ; `classes`: names by class, as far as they are known.
[[nodiscard]] std::string classifier_html(const Evaluation& result, const Dataset& data, const std::string& name,
                                          const std::string& value, const std::vector<std::string>& classes);

}  // namespace octavo::tool

// SPDX-License-Identifier: Apache-2.0
// What an evaluation of detectors says: as a table, as JSON, as a page.
#pragma once

#include <string>

#include "tools/octavo/detector_evaluation.h"
#include "tools/octavo/json_output.h"

namespace octavo::tool {

[[nodiscard]] std::string detector_text(const DetectorEvaluation& result, const DetectionData& data,
                                        const std::string& name);
[[nodiscard]] Json detector_json(const DetectorEvaluation& result, const DetectionData& data, const std::string& name);
/// With the pictures on which the two sides differ, boxes drawn: fp32 left, int8 right.
[[nodiscard]] std::string detector_html(const DetectorEvaluation& result, const DetectionData& data,
                                        const std::string& name);

}  // namespace octavo::tool

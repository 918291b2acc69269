// SPDX-License-Identifier: Apache-2.0
// What a detector finds, for people: names of classes, labelled pictures.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "octavo/detection.h"
#include "octavo/image.h"
#include "tools/octavo/drawing.h"
#include "tools/octavo/json_output.h"

namespace octavo::tool {

/// "dog", or "class 12" where there is no name.
[[nodiscard]] std::string label_name(const std::vector<std::string>& labels, std::int64_t label);

/// A line an object: score, class, left, top, right, bottom.
[[nodiscard]] std::string objects_text(std::span<const DetectedObject> objects, const std::vector<std::string>& labels);
[[nodiscard]] Json objects_json(std::span<const DetectedObject> objects, const std::vector<std::string>& labels);

/// The picture with a frame and a label "dog 93%" for each object, the best on top.
[[nodiscard]] Picture drawn(const Picture& picture, std::span<const DetectedObject> objects,
                            const std::vector<std::string>& labels);

}  // namespace octavo::tool

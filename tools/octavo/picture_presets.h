// SPDX-License-Identifier: Apache-2.0
// How the published weights of well-known networks want their pictures: presets by name of the network.
#pragma once

#include <string>
#include <string_view>

#include "octavo/image.h"

namespace octavo::tool {

/// Names as in `octavo zoo`. Throws Error(invalid_argument) that lists them.
[[nodiscard]] ImageInput picture_preset(std::string_view name);
/// "alexnet, densenet161, ..."
[[nodiscard]] std::string picture_preset_names();

}  // namespace octavo::tool

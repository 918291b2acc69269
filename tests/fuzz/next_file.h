// SPDX-License-Identifier: Apache-2.0
// What separates the files of a SavedModel in one input of a fuzzer.
#pragma once

#include <string_view>

namespace octavo::fuzz {

inline constexpr std::string_view kNextFile = "<next file>";

}  // namespace octavo::fuzz

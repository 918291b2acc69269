// SPDX-License-Identifier: Apache-2.0
// What a value on the command line has to be, where CLI11's own checks let too much through.
#pragma once

#include <CLI/CLI.hpp>

namespace octavo::tool {

/// A number within the two, which NaN is not.
[[nodiscard]] CLI::Validator number_between(double least, double most);
/// A whole number from 0 to 2^64 - 1, in digits alone: no sign that would wrap around, no larger one that would be cut.
[[nodiscard]] CLI::Validator unsigned_number();
/// Throws Error(invalid_argument) that names the option when a value of one is empty: no file, layer or number is
/// meant by that.
void refuse_empty_values(const CLI::App& command);

}  // namespace octavo::tool

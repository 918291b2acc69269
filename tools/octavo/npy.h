// SPDX-License-Identifier: Apache-2.0
// Numbers for other programs: NumPy's .npy format, version 1.0.
#pragma once

#include <filesystem>

#include "octavo/tensor.h"

namespace octavo::tool {

/// Little-endian fp32 in row-major order; the file appears whole or not at all. Throws Error(io).
void write_npy(const std::filesystem::path& file, const Tensor& tensor);

}  // namespace octavo::tool

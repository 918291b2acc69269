// SPDX-License-Identifier: Apache-2.0
// octavo: 8-bit inference by code written for each layer. Includes the whole C++ API.
#pragma once

#include "octavo/detection.h"  // IWYU pragma: export
#include "octavo/error.h"      // IWYU pragma: export
#include "octavo/image.h"      // IWYU pragma: export
#include "octavo/isa.h"        // IWYU pragma: export
#include "octavo/model.h"      // IWYU pragma: export
#include "octavo/options.h"    // IWYU pragma: export
#include "octavo/program.h"    // IWYU pragma: export
#include "octavo/tensor.h"     // IWYU pragma: export
#include "octavo/tune.h"       // IWYU pragma: export

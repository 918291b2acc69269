// SPDX-License-Identifier: Apache-2.0
// Layers in the shape syntax of oneDNN's benchdnn, so that shapes can be pasted: mb1_ic64ih56oc64oh56kh3ph1n"conv2".
#pragma once

#include <string>
#include <string_view>

#include "jit/conv_spec.h"

namespace octavo::tools {

struct Problem {
  std::string name;  ///< what n"..." says, or the text itself
  jit::ConvSpec spec;
};

/// Keys: mb g ic oc ih iw oh ow kh kw sh sw dh dw ph pw (dilation counts from 0, as there), underscores anywhere,
/// n"name" last. A width left out is the height; sizes left out are 1, output sizes follow from the rest. mb > 1 is
/// allowed for Linear and 1x1 layers, whose rows of the batch follow each other. Throws Error(invalid_argument).
[[nodiscard]] Problem parse_problem(std::string_view text);

}  // namespace octavo::tools

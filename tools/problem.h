// SPDX-License-Identifier: Apache-2.0
// Layers in the shape syntax of oneDNN's benchdnn, so that shapes can be pasted: mb1_ic64ih56oc64oh56kh3ph1n"conv2".
#pragma once

#include <string>
#include <string_view>
#include <vector>

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

/// The problems of a benchdnn batch file's text: separated by blanks or line ends; `#` begins a comment. Options
/// (`--dt=u8`,
/// `--reset`) say how benchdnn computes, not which layer, and are passed over; those that would change the layers or
/// name other files (`--mb`, `--batch`) are refused, and so is a file without a problem. `where` names the file in
/// errors, which say the line. Throws Error(invalid_argument).
[[nodiscard]] std::vector<Problem> parse_problems(std::string_view text, const std::string& where);

}  // namespace octavo::tools

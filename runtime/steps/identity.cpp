// SPDX-License-Identifier: Apache-2.0
// Identity: its outputs are its input, in the same memory.
#include "runtime/steps/builders.h"

namespace octavo::runtime {

BuiltStep build_identity(const StepRequest& request) {
  BuiltStep built;
  built.alias = true;
  built.outputs.assign(request.outputs.size(), request.input_layouts[0]);
  return built;
}

}  // namespace octavo::runtime

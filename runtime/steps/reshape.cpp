// SPDX-License-Identifier: Apache-2.0
// Flatten and Reshape: in plain order the same bytes have another shape.
#include "runtime/steps/builders.h"

namespace octavo::runtime {

BuiltStep build_reshape(const StepRequest& request) {
  BuiltStep built;
  built.alias = true;
  built.outputs.assign(request.outputs.size(), Layout::plain);
  return built;
}

}  // namespace octavo::runtime

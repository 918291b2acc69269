/* SPDX-License-Identifier: Apache-2.0
 * Compiled as C. */
#include "tests/runtime/c_api_in_c.h"

octavo_status predict_in_c(const char* file, const float* input, float* output) {
  octavo_compile_options options = {sizeof(octavo_compile_options), 1, 0, NULL, NULL, 0};
  octavo_model* model = NULL;
  octavo_program* program = NULL;
  octavo_status status = octavo_model_load(file, &model);
  if (status == OCTAVO_OK) status = octavo_model_compile(model, &options, &program);
  if (status == OCTAVO_OK) status = octavo_program_predict(program, &input, 1, &output, 1);
  octavo_program_free(program);
  octavo_model_free(model);
  return status;
}

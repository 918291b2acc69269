/* SPDX-License-Identifier: Apache-2.0
 * A C program that uses an installed octavo: prototxt, folder for its file. */
#include <math.h>
#include <octavo/c.h>
#include <stdio.h>
#include <string.h>

static int failed(octavo_status status) {
  if (status != OCTAVO_OK) printf("status %d: %s\n", (int)status, octavo_last_error());
  return status != OCTAVO_OK;
}

int main(int argc, char** argv) {
  octavo_model *untrained = NULL, *quantized = NULL, *model = NULL;
  octavo_program* program = NULL;
  static float input[3 * 16 * 16], output[10];
  const float* inputs[1] = {input};
  float* outputs[1] = {output};
  float sum = 0.0F;
  char file[4096];
  int i, wrong;
  if (argc != 3) return 2;
  if (octavo_model_load("/no/such/file", &model) != OCTAVO_IO || strlen(octavo_last_error()) == 0) return 1;
  snprintf(file, sizeof(file), "%s/sample_c.octavo", argv[2]);
  wrong = failed(octavo_model_load_caffe_untrained(argv[1], 1, &untrained)) ||
          failed(octavo_model_quantize(untrained, NULL, &quantized)) || failed(octavo_model_save(quantized, file)) ||
          failed(octavo_model_load(file, &model)) || failed(octavo_model_compile(model, NULL, &program)) ||
          failed(octavo_program_predict(program, inputs, 1, outputs, 1));
  for (i = 0; i < 10; ++i) sum += output[i];
  if (!wrong) printf("%s: sum %.4f\n", octavo_model_name(model), (double)sum);
  wrong = wrong || !octavo_model_is_quantized(model) || fabs((double)sum - 1.0) > 1e-4;
  octavo_program_free(program);
  octavo_model_free(model);
  octavo_model_free(quantized);
  octavo_model_free(untrained);
  return wrong;
}

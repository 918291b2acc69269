/* SPDX-License-Identifier: Apache-2.0
 * A use of the C interface that is compiled as C, for c_api_test.cpp. */
#ifndef TESTS_RUNTIME_C_API_IN_C_H
#define TESTS_RUNTIME_C_API_IN_C_H

#include "octavo/c.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Loads `file`, compiles it for the file's shape with one thread, predicts `input` into `output`; frees everything. */
octavo_status predict_in_c(const char* file, const float* input, float* output);

#ifdef __cplusplus
}
#endif

#endif

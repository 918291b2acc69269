// SPDX-License-Identifier: Apache-2.0
// For plain loops that the compiler should vectorize as wide as the processor allows.
//
// OCTAVO_VECTORIZED before a (non-template, non-inline) function compiles it once for each vector width; the loader
// picks one. Not under sanitizers, whose run-time is not up yet when the loader picks.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define OCTAVO_VECTORIZED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define OCTAVO_VECTORIZED
#endif

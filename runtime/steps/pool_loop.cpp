// SPDX-License-Identifier: Apache-2.0
// Memory-bound: each output pixel's channels are runs of consecutive numbers in the window's pixels.
#include "runtime/steps/pool_loop.h"

#include <algorithm>
#include <limits>

#include "runtime/parallel.h"
#include "runtime/steps/pointwise.h"
#include "runtime/vectorize.h"

namespace octavo::runtime {
namespace {

/// The maximum_or_nan one, or NaN when either is NaN: a maximum, a comparison and a selection, where asking each number
/// by itself whether it is one would double the work of a loop that is not bound by memory in small maps.
inline float maximum_or_nan(float a, float b) {
  const float of_numbers = a > b ? a : b;
  return __builtin_isunordered(a, b) != 0 ? std::numeric_limits<float>::quiet_NaN() : of_numbers;
}

inline float greatest(float a, float b, float c, float d) {
  const float first = a > b ? a : b, second = c > d ? c : d;
  const bool is_nan = (__builtin_isunordered(a, b) != 0) | (__builtin_isunordered(c, d) != 0);
  return is_nan ? std::numeric_limits<float>::quiet_NaN() : (first > second ? first : second);
}

/// Four of a window's pixels at a time: the running maximum is loaded and stored once for four.
OCTAVO_VECTORIZED void max_of_four(const float* a, const float* b, const float* c, const float* d, float* __restrict y,
                                   std::int64_t channels) {
  for (std::int64_t i = 0; i < channels; ++i) y[i] = greatest(a[i], b[i], c[i], d[i]);
}

OCTAVO_VECTORIZED void max_with_four(const float* a, const float* b, const float* c, const float* d,
                                     float* __restrict y, std::int64_t channels) {
  for (std::int64_t i = 0; i < channels; ++i) y[i] = maximum_or_nan(y[i], greatest(a[i], b[i], c[i], d[i]));
}

OCTAVO_VECTORIZED void add_row(const float* x, float* __restrict y, std::int64_t channels) {
  for (std::int64_t i = 0; i < channels; ++i) y[i] += x[i];
}

OCTAVO_VECTORIZED void divide(float divisor, float* y, std::int64_t channels) {
  for (std::int64_t i = 0; i < channels; ++i) y[i] /= divisor;
}

/// The part of a window that lies inside the image, for one output pixel; never empty.
struct Patch {
  const float* first;  ///< its upper left pixel
  std::int64_t rows, columns;
  std::int64_t row_stride;  ///< floats from a row of the image to the next
  std::int64_t channels;

  /// visit(pixel) for each of its pixels, row by row.
  template <class Visit>
  void for_each_pixel(const Visit& visit) const {
    for (std::int64_t row = 0; row < rows; ++row) {
      const float* pixel = first + row * row_stride;
      for (std::int64_t column = 0; column < columns; ++column, pixel += channels) visit(pixel);
    }
  }
};

void max_pixel(const Patch& patch, float* y) {
  const float* x[4];
  int held = 0;
  bool started = false;
  const auto flush = [&] {
    (started ? max_with_four : max_of_four)(x[0], x[1], x[2], x[3], y, patch.channels);
    started = true;
    held = 0;
  };
  patch.for_each_pixel([&](const float* pixel) {
    x[held++] = pixel;
    if (held == 4) flush();
  });
  if (held == 0) return;
  std::fill(x + held, x + 4, x[0]);
  flush();
}

void average_pixel(const Patch& patch, float divisor, float* y) {
  std::fill(y, y + patch.channels, 0.0F);
  patch.for_each_pixel([&](const float* pixel) { add_row(pixel, y, patch.channels); });
  divide(divisor, y, patch.channels);
}

/// A window along one axis.
struct TapSpan {
  std::int64_t begin, end;  ///< inside the image
  std::int64_t counted;     ///< what an average counts: with the padding that the window covers, or without
};

TapSpan span_of(const PoolAxis& axis, std::int64_t index) {
  const std::int64_t start = index * axis.stride - axis.pad_begin;
  const std::int64_t padded_end = std::min(start + axis.kernel, axis.in + axis.pad_end);
  const std::int64_t begin = std::max<std::int64_t>(start, 0), end = std::min(padded_end, axis.in);
  return {begin, end, axis.include_padding ? padded_end - start : end - begin};
}

}  // namespace

void PoolLoop::run(const float* x, float* y, int threads) const {
  const std::int64_t row_items = columns_.out * channels_ * rows_.kernel * columns_.kernel;
  const std::int64_t grain = std::max<std::int64_t>(kPointwiseGrain / std::max<std::int64_t>(row_items, 1), 1);
  parallel_for(threads, images_ * rows_.out, grain, [&](int, std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) pool_row(x, row, y);
  });
}

/// One row of outputs; `row` counts through all images.
void PoolLoop::pool_row(const float* x, std::int64_t row, float* y) const {
  const std::int64_t row_stride = columns_.in * channels_;
  const TapSpan down = span_of(rows_, row % rows_.out);
  const float* const image = x + row / rows_.out * rows_.in * row_stride;
  float* target = y + row * columns_.out * channels_;
  for (std::int64_t column = 0; column < columns_.out; ++column, target += channels_) {
    const TapSpan across = span_of(columns_, column);
    const Patch patch{image + down.begin * row_stride + across.begin * channels_, down.end - down.begin,
                      across.end - across.begin, row_stride, channels_};
    if (kind_ == graph::PoolKind::max) {
      max_pixel(patch, target);
    } else {
      average_pixel(patch, static_cast<float>(down.counted * across.counted), target);
    }
  }
}

}  // namespace octavo::runtime

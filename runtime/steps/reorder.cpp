// SPDX-License-Identifier: Apache-2.0
// A copy of a value in the other layout: a matrix transposition for each image.
#include "runtime/steps/reorder.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "runtime/parallel.h"
#include "runtime/steps/pointwise.h"
#include "runtime/vectorize.h"

namespace octavo::runtime {
namespace {

/// Three planes become one of triples: a colour picture's way into channels-last.
OCTAVO_VECTORIZED void interleave3(const float* x, std::int64_t columns, std::int64_t begin, std::int64_t end,
                                   float* y) {
  const float* const a = x;
  const float* const b = x + columns;
  const float* const c = x + 2 * columns;
  for (std::int64_t i = begin; i < end; ++i) {
    y[3 * i] = a[i];
    y[3 * i + 1] = b[i];
    y[3 * i + 2] = c[i];
  }
}

/// y[column][row] = x[row][column] for the columns [begin, end), in square blocks that fit the first-level cache.
OCTAVO_VECTORIZED void transpose(const float* x, std::int64_t rows, std::int64_t columns, std::int64_t begin,
                                 std::int64_t end, float* y) {
  constexpr std::int64_t kBlock = 16;
  for (std::int64_t column0 = begin; column0 < end; column0 += kBlock) {
    const std::int64_t column1 = std::min(column0 + kBlock, end);
    for (std::int64_t row0 = 0; row0 < rows; row0 += kBlock) {
      const std::int64_t row1 = std::min(row0 + kBlock, rows);
      for (std::int64_t column = column0; column < column1; ++column)
        for (std::int64_t row = row0; row < row1; ++row) y[column * rows + row] = x[row * columns + column];
    }
  }
}

class CopyStep final : public Step {
 public:
  CopyStep(std::int64_t count, Slot input, Slot output) : count_(count), input_(input), output_(output) {
    info.algorithm = "copy";
  }
  void run(RunContext& context) const override {
    const float* const x = context.values[input_];
    float* const y = context.values[output_];
    parallel_for(context.threads, count_, kPointwiseGrain, [&](int, std::int64_t begin, std::int64_t end) {
      std::memcpy(y + begin, x + begin, static_cast<std::size_t>(end - begin) * sizeof(float));
    });
  }

 private:
  std::int64_t count_;
  Slot input_, output_;
};

class TransposeStep final : public Step {
 public:
  TransposeStep(std::int64_t images, std::int64_t rows, std::int64_t columns, Slot input, Slot output)
      : images_(images), rows_(rows), columns_(columns), input_(input), output_(output) {
    info.algorithm = "transposition";
  }
  void run(RunContext& context) const override {
    const float* const x = context.values[input_];
    float* const y = context.values[output_];
    const std::int64_t grain = std::max<std::int64_t>(kPointwiseGrain / 2 / rows_, 1);
    // Columns of all images in one row, so that a single large image and many small ones are divided alike.
    parallel_for(context.threads, images_ * columns_, grain, [&](int, std::int64_t begin, std::int64_t end) {
      for (std::int64_t image = begin / columns_; image * columns_ < end; ++image) {
        const std::int64_t first = std::max(begin - image * columns_, std::int64_t{0});
        const std::int64_t last = std::min(end - image * columns_, columns_);
        const float* const source = x + image * rows_ * columns_;
        float* const target = y + image * rows_ * columns_;
        if (rows_ == 3) {
          interleave3(source, columns_, first, last, target);
        } else {
          transpose(source, rows_, columns_, first, last, target);
        }
      }
    });
  }

 private:
  std::int64_t images_, rows_, columns_;
  Slot input_, output_;
};

}  // namespace

std::unique_ptr<Step> make_reorder(const Shape& shape, Layout from, Layout to, Slot input, Slot output) {
  if (from == to || layouts_coincide(shape))
    return std::make_unique<CopyStep>(graph::element_count(shape), input, output);
  const std::int64_t channels = shape[1], pixels = shape[2] * shape[3];
  const bool to_nhwc = to == Layout::nhwc;
  return std::make_unique<TransposeStep>(shape[0], to_nhwc ? channels : pixels, to_nhwc ? pixels : channels, input,
                                         output);
}

}  // namespace octavo::runtime

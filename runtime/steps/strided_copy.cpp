// SPDX-License-Identifier: Apache-2.0
// Strided copy: merge what is contiguous, then walk the rows with an odometer.
#include "runtime/steps/strided_copy.h"

#include <algorithm>
#include <array>

#include "octavo/error.h"
#include "runtime/parallel.h"

namespace octavo::runtime {
namespace {

/// Floats below which a second thread costs more than it brings.
constexpr std::int64_t kCopyGrain = 16 * 1024;

void copy_row(const float* source, std::int64_t stride, float* destination, std::int64_t count) {
  if (stride == 1) {
    std::copy_n(source, count, destination);
  } else {
    for (std::int64_t i = 0; i < count; ++i) destination[i] = source[i * stride];
  }
}

}  // namespace

Shape dense_strides(const Shape& dims) {
  Shape strides(dims.size(), 1);
  for (std::size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
  return strides;
}

StridedCopy::StridedCopy(const Shape& dims, const Shape& strides, std::int64_t offset) : offset_(offset) {
  for (std::size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 1) continue;
    if (!dims_.empty() && strides_.back() == strides[i] * dims[i]) {  // one step outside = a whole run inside
      dims_.back() *= dims[i];
      strides_.back() = strides[i];
    } else {
      dims_.push_back(dims[i]);
      strides_.push_back(strides[i]);
    }
  }
  if (dims_.empty()) {
    dims_ = {1};
    strides_ = {1};
  }
  if (dims_.size() > kMaxRank) throw Error(ErrorKind::unsupported, "a value of more than 32 dimensions");
  for (std::size_t i = 0; i + 1 < dims_.size(); ++i) rows_ *= dims_[i];
}

void StridedCopy::run(const float* source, float* destination, int threads) const {
  const std::int64_t row = std::max<std::int64_t>(dims_.back(), 1);
  parallel_for(threads, rows_, std::max<std::int64_t>(kCopyGrain / row, 1),
               [&](int, std::int64_t begin, std::int64_t end) { copy_rows(source, destination, begin, end); });
}

void StridedCopy::copy_rows(const float* source, float* destination, std::int64_t begin, std::int64_t end) const {
  const std::size_t outer = dims_.size() - 1;
  const std::int64_t count = dims_.back(), stride = strides_.back();

  std::array<std::int64_t, kMaxRank> index{};  // of row `begin`
  const float* at = source + offset_;
  for (std::size_t i = outer, rest = static_cast<std::size_t>(begin); i-- > 0;) {
    index[i] = static_cast<std::int64_t>(rest) % dims_[i];
    rest /= static_cast<std::size_t>(dims_[i]);
    at += index[i] * strides_[i];
  }

  float* to = destination + begin * count;
  for (std::int64_t row = begin; row < end; ++row, to += count) {
    copy_row(at, stride, to, count);
    for (std::size_t i = outer; i-- > 0;) {
      at += strides_[i];
      if (++index[i] < dims_[i]) break;
      at -= strides_[i] * dims_[i];
      index[i] = 0;
    }
  }
}

}  // namespace octavo::runtime

// SPDX-License-Identifier: Apache-2.0
// See runtime/steps/boxes.h.
#include "runtime/steps/boxes.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/vectorize.h"

namespace octavo::runtime {
namespace {

float area_of(const Box& box, float border) {
  if (box.xmax < box.xmin || box.ymax < box.ymin) return 0.0F;
  return (box.xmax - box.xmin + border) * (box.ymax - box.ymin + border);
}

/// The intersection's part of the union. Of two boxes without area 0 / 0, which is above no threshold.
inline float share_of(const Box& box, float area, float border, float xmin, float ymin, float xmax, float ymax,
                      float other_area) {
  const float left = xmin > box.xmin ? xmin : box.xmin;
  const float top = ymin > box.ymin ? ymin : box.ymin;
  const float right = xmax < box.xmax ? xmax : box.xmax;
  const float bottom = ymax < box.ymax ? ymax : box.ymax;
  const float width = right - left + border;
  const float height = bottom - top + border;
  const float shared = width > 0.0F && height > 0.0F ? width * height : 0.0F;
  return shared / (area + other_area - shared);
}

/// How many of the boxes overlap the one by more than the threshold.
OCTAVO_VECTORIZED std::int32_t count_overlaps(const Box& box, float area, float border, float threshold,
                                              const float* xmin, const float* ymin, const float* xmax,
                                              const float* ymax, const float* areas, std::int64_t count) {
  std::int32_t found = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    found += share_of(box, area, border, xmin[i], ymin[i], xmax[i], ymax[i], areas[i]) > threshold ? 1 : 0;
  }
  return found;
}

}  // namespace

float score_key(float score) { return std::isnan(score) ? std::numeric_limits<float>::infinity() : score; }

Box decode_box(graph::BoxCode code, const float* location, const float* prior, const float* variance) {
  const float width = prior[2] - prior[0], height = prior[3] - prior[1];
  switch (code) {
    case graph::BoxCode::corner:
      return {prior[0] + variance[0] * location[0], prior[1] + variance[1] * location[1],
              prior[2] + variance[2] * location[2], prior[3] + variance[3] * location[3]};
    case graph::BoxCode::corner_size:
      return {prior[0] + variance[0] * location[0] * width, prior[1] + variance[1] * location[1] * height,
              prior[2] + variance[2] * location[2] * width, prior[3] + variance[3] * location[3] * height};
    case graph::BoxCode::center_size:
      break;
  }
  const float center_x = variance[0] * location[0] * width + (prior[0] + prior[2]) / 2;
  const float center_y = variance[1] * location[1] * height + (prior[1] + prior[3]) / 2;
  const float half_width = std::exp(variance[2] * location[2]) * width / 2;
  const float half_height = std::exp(variance[3] * location[3]) * height / 2;
  return {center_x - half_width, center_y - half_height, center_x + half_width, center_y + half_height};
}

KeptBoxes::KeptBoxes(float* memory, std::int64_t capacity, float border)
    : xmin_(memory),
      ymin_(memory + capacity),
      xmax_(memory + 2 * capacity),
      ymax_(memory + 3 * capacity),
      area_(memory + 4 * capacity),
      border_(border) {}

bool KeptBoxes::overlaps(const Box& box, float threshold) const {
  constexpr std::int64_t kBlock = 64;  // the best boxes overlap most: look no further when one does
  const float area = area_of(box, border_);
  // One object's boxes are near the best of them: where a class has found one object, no loop is needed.
  if (count_ > 0 && share_of(box, area, border_, *xmin_, *ymin_, *xmax_, *ymax_, *area_) > threshold) return true;
  for (std::int64_t i = 1; i < count_; i += kBlock) {
    if (count_overlaps(box, area, border_, threshold, xmin_ + i, ymin_ + i, xmax_ + i, ymax_ + i, area_ + i,
                       std::min(kBlock, count_ - i)) > 0) {
      return true;
    }
  }
  return false;
}

void KeptBoxes::keep(const Box& box) {
  xmin_[count_] = box.xmin;
  ymin_[count_] = box.ymin;
  xmax_[count_] = box.xmax;
  ymax_[count_] = box.ymax;
  area_[count_] = area_of(box, border_);
  ++count_;
}

}  // namespace octavo::runtime

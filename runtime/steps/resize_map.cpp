// SPDX-License-Identifier: Apache-2.0
// Resize: a feature map of another size, nearest or bilinear. Channels-last.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "runtime/parallel.h"
#include "runtime/steps/builders.h"
#include "runtime/vectorize.h"

namespace octavo::runtime {
namespace {

using graph::ResizeGrid;
using graph::ResizeKind;

/// What one output row or column shows: two of the input's, and the share of the second.
struct Source {
  std::int64_t first, second;
  float share;
};

double place_of(ResizeGrid grid, std::int64_t i, std::int64_t in, std::int64_t out) {
  const auto index = static_cast<double>(i);
  const double ratio = static_cast<double>(in) / static_cast<double>(out);
  switch (grid) {
    case ResizeGrid::corners:
      return index * ratio;
    case ResizeGrid::centers:
      return (index + 0.5) * ratio - 0.5;
    case ResizeGrid::both_ends:
      break;
  }
  return out == 1 ? 0.0 : index * static_cast<double>(in - 1) / static_cast<double>(out - 1);
}

std::vector<Source> sources_of(const graph::Resize& op, std::int64_t in, std::int64_t out) {
  std::vector<Source> sources(static_cast<std::size_t>(out));
  for (std::int64_t i = 0; i < out; ++i) {
    const double place = std::clamp(place_of(op.grid, i, in, out), 0.0, static_cast<double>(in - 1));
    Source& source = sources[static_cast<std::size_t>(i)];
    if (op.kind == ResizeKind::nearest) {
      source.first = static_cast<std::int64_t>(op.grid == ResizeGrid::centers ? std::ceil(place - 0.5) : place);
      source.first = std::max<std::int64_t>(source.first, 0);
      source.second = source.first;
      source.share = 0;
    } else {
      source.first = static_cast<std::int64_t>(place);
      source.second = std::min(source.first + 1, in - 1);
      source.share = static_cast<float>(place - static_cast<double>(source.first));
    }
  }
  return sources;
}

OCTAVO_VECTORIZED void mix(const float* a, const float* b, float share, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] = a[i] + (b[i] - a[i]) * share;
}

OCTAVO_VECTORIZED void mix_four(const float* top, const float* top_next, const float* bottom, const float* bottom_next,
                                float across, float down, float* y, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float above = top[i] + (top_next[i] - top[i]) * across;
    const float below = bottom[i] + (bottom_next[i] - bottom[i]) * across;
    y[i] = above + (below - above) * down;
  }
}

class ResizeStep final : public Step {
 public:
  ResizeStep(const graph::Resize& op, const Shape& from, const Shape& to, Slot input, Slot output)
      : kind_(op.kind),
        from_(from),
        rows_(sources_of(op, from[2], to[2])),
        columns_(sources_of(op, from[3], to[3])),
        input_(input),
        output_(output) {
    info.algorithm = "loop";
  }

  void run(RunContext& context) const override {
    const float* const x = context.values[input_];
    float* const y = context.values[output_];
    const auto rows = static_cast<std::int64_t>(rows_.size());
    const std::int64_t channels = from_[1], line = from_[3] * channels;
    const std::int64_t made = static_cast<std::int64_t>(columns_.size()) * channels;
    parallel_for(context.threads, from_[0] * rows, 1, [&](int, std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const Source& row = rows_[static_cast<std::size_t>(i % rows)];
        const float* const picture = x + i / rows * from_[2] * line;
        write_row(picture + row.first * line, picture + row.second * line, row.share, y + i * made, channels);
      }
    });
  }

 private:
  void write_row(const float* top, const float* bottom, float down, float* y, std::int64_t channels) const {
    for (const Source& column : columns_) {
      const float* const a = top + column.first * channels;
      if (kind_ == ResizeKind::nearest) {
        std::copy_n(a, channels, y);
      } else if (down == 0.0F) {
        mix(a, top + column.second * channels, column.share, y, channels);
      } else {
        mix_four(a, top + column.second * channels, bottom + column.first * channels, bottom + column.second * channels,
                 column.share, down, y, channels);
      }
      y += channels;
    }
  }

  ResizeKind kind_;
  Shape from_;
  std::vector<Source> rows_, columns_;
  Slot input_, output_;
};

}  // namespace

BuiltStep build_resize(const StepRequest& request) {
  BuiltStep built;
  built.step = std::make_unique<ResizeStep>(std::get<graph::Resize>(request.node.op), request.input_shape(),
                                            request.output_shape(), request.inputs[0], request.outputs[0]);
  built.outputs = {Layout::nhwc};
  return built;
}

}  // namespace octavo::runtime

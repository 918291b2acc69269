// SPDX-License-Identifier: Apache-2.0
// Operators on values of any rank: broadcast arithmetic, products of matrices, selection, padding, resizing,
// normalization. Part of the list in graph/ops.h.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "graph/blob.h"

namespace octavo::graph {

/// Numbers of the network itself, as a value.
struct Constant {
  static constexpr std::string_view kName = "Constant";
  BlobPtr value{};  ///< fp32; its shape is the value's
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("value", s.value);
  }
};

/// Comparisons and logic give 1 or 0; every number but 0 is true.
enum class BinaryKind {
  add,
  subtract,
  multiply,
  divide,
  power,
  minimum,    ///< NaN when either is
  maximum,    ///< likewise
  modulo,     ///< has the divisor's sign
  remainder,  ///< has the dividend's sign (C's fmod)
  equal,
  less,
  less_or_equal,
  greater,
  greater_or_equal,
  logical_and,
  logical_or,
  logical_xor,
};

/// Of two values, broadcast to each other: shapes are aligned at their ends, a dimension of 1 (or a missing one)
/// repeats.
struct Binary {
  static constexpr std::string_view kName = "Binary";
  BinaryKind kind = BinaryKind::add;
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("kind", s.kind);
  }
};

/// Inputs: condition, a, b, broadcast to each other. out = condition != 0 ? a : b.
struct Select {
  static constexpr std::string_view kName = "Select";
  template <class S, class V>
  static void fields(S&, V&&) {}
};

/// The product of the matrices that the last two dimensions of both inputs are, [..., M, K] x [..., K, N]; the
/// dimensions before them are broadcast.
struct MatMul {
  static constexpr std::string_view kName = "MatMul";
  template <class S, class V>
  static void fields(S&, V&&) {}
};

/// Inputs: x, indices (whole numbers; a negative one counts from the end). The axis of x is replaced by the dims of the
/// indices.
struct Gather {
  static constexpr std::string_view kName = "Gather";
  std::int64_t axis = 0;
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("axis", s.axis);
  }
};

/// Every step-th of the numbers from begin (inclusive) to end (exclusive) of some axes. Negative positions count from
/// the end; positions beyond an end are moved to it. A negative step walks backwards.
struct StridedSlice {
  static constexpr std::string_view kName = "StridedSlice";
  std::vector<std::int64_t> axes{}, begins{}, ends{}, steps{};  ///< of equal length
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("axes", s.axes);
    v("begins", s.begins);
    v("ends", s.ends);
    v("steps", s.steps);
  }
};

enum class PadKind {
  constant,
  edge,     ///< the outermost number is repeated
  reflect,  ///< mirrored, the outermost number once
  wrap,     ///< from the other side
};

/// One entry of begins and ends for each dimension of x; negative ones crop.
struct Pad {
  static constexpr std::string_view kName = "Pad";
  PadKind kind = PadKind::constant;
  std::vector<std::int64_t> begins{}, ends{};
  float value = 0.0F;
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("kind", s.kind);
    v("begins", s.begins);
    v("ends", s.ends);
    v("value", s.value);
  }
};

/// (x - mean) / sqrt(variance + epsilon) * factor + offset, where mean and variance are those of all dims from axis on.
/// Without `centered`: x / sqrt(mean of squares + epsilon) * factor + offset.
struct LayerNorm {
  static constexpr std::string_view kName = "LayerNorm";
  std::int64_t axis = -1;
  bool centered = true;
  float epsilon = 1e-5F;
  BlobPtr factor{}, offset{};  ///< as many numbers as one row has, or null (1 and 0)
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("axis", s.axis);
    v("centered", s.centered);
    v("epsilon", s.epsilon);
    v("factor", s.factor);
    v("offset", s.offset);
  }
};

enum class ResizeKind { nearest, linear, cubic };

/// Where output position o lies in the input, in the input's pixels; s = out / in (or the scale given).
enum class ResizeCoordinates {
  half_pixel,            ///< (o + 0.5) / s - 0.5
  pytorch_half_pixel,    ///< the same; 0 where the output has one pixel
  half_pixel_symmetric,  ///< the same, with the input's centre kept where out is not in * s
  asymmetric,            ///< o / s
  align_corners,         ///< o * (in - 1) / (out - 1)
};

enum class ResizeRounding { prefer_floor, prefer_ceil, floor, ceil };

/// Interpolates along some axes, one after the other.
struct Resize {
  static constexpr std::string_view kName = "Resize";
  ResizeKind kind = ResizeKind::nearest;
  ResizeCoordinates coordinates = ResizeCoordinates::half_pixel;
  ResizeRounding rounding = ResizeRounding::prefer_floor;  ///< nearest only
  float cubic = -0.75F;                                    ///< cubic only: the coefficient a
  bool exclude_outside = false;                            ///< pixels outside weigh nothing, instead of the edge's copy
  bool antialias = false;                                  ///< linear, cubic: shrinking widens the filter
  std::vector<std::int64_t> axes{};                        ///< not negative
  std::vector<std::int64_t> sizes{};                       ///< one for each axis; empty: by scales
  std::vector<float> scales{};                             ///< one for each axis; empty: by sizes. out = floor(in * s)
  template <class S, class V>
  static void fields(S& s, V&& v) {
    v("kind", s.kind);
    v("coordinates", s.coordinates);
    v("rounding", s.rounding);
    v("cubic", s.cubic);
    v("exclude_outside", s.exclude_outside);
    v("antialias", s.antialias);
    v("axes", s.axes);
    v("sizes", s.sizes);
    v("scales", s.scales);
  }
};

}  // namespace octavo::graph

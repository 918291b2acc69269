// SPDX-License-Identifier: Apache-2.0
// What a Caffe file may ask for. The largest published networks stay a factor of 20 or more below each limit.
#pragma once

#include <cstddef>
#include <cstdint>

namespace octavo::graph {

inline constexpr std::size_t kMaxCaffeLayers = 16384;
inline constexpr std::size_t kMaxCaffeTops = 32768;      ///< of all layers together
inline constexpr std::size_t kMaxCaffeBottoms = 131072;  ///< likewise
inline constexpr std::size_t kMaxCaffeBlobsPerLayer = 16;
inline constexpr std::size_t kMaxCaffeTopologyBytes = std::size_t{16} << 20;  ///< of a prototxt, or of a caffemodel
inline constexpr std::size_t kMaxCaffeMessages = std::size_t{1} << 18;        ///< in a prototxt
inline constexpr int kMaxCaffeTextDepth = 32;                                 ///< messages within messages
/// Numbers in all weights together when there is no caffemodel to hold them (2 GiB of fp32).
inline constexpr std::int64_t kMaxSeededWeights = std::int64_t{1} << 29;

}  // namespace octavo::graph

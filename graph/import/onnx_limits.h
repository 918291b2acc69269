// SPDX-License-Identifier: Apache-2.0
// What an ONNX file may ask for. The largest published networks stay a factor of 10 or more below each limit.
#pragma once

#include <cstddef>
#include <cstdint>

namespace octavo::graph {

inline constexpr std::size_t kMaxOnnxNodes = 65536;
inline constexpr std::size_t kMaxOnnxInitializers = 65536;
inline constexpr std::size_t kMaxOnnxNames = std::size_t{1} << 19;  ///< inputs and outputs of all nodes together
inline constexpr std::size_t kMaxOnnxNameBytes = 4096;              ///< of one name
inline constexpr std::size_t kMaxOnnxAttributes = 64;               ///< of a node
inline constexpr std::size_t kMaxOnnxList = std::size_t{1} << 20;   ///< numbers in an attribute
inline constexpr std::size_t kMaxOnnxRank = 8;
inline constexpr std::int64_t kMinOnnxOpset = 7, kMaxOnnxOpset = 28;

}  // namespace octavo::graph

// SPDX-License-Identifier: Apache-2.0
// What a TensorFlow file may ask for. The largest published networks stay a factor of 10 or more below each limit.
#pragma once

#include <cstddef>
#include <cstdint>

namespace octavo::graph {

inline constexpr std::size_t kMaxTensorflowNodes = std::size_t{1} << 18;   ///< with those of called functions
inline constexpr std::size_t kMaxTensorflowInputs = std::size_t{1} << 20;  ///< of all nodes together
inline constexpr std::size_t kMaxTensorflowNameBytes = 4096;
inline constexpr std::size_t kMaxTensorflowAttributes = 64;              ///< of a node
inline constexpr std::size_t kMaxTensorflowList = std::size_t{1} << 20;  ///< numbers in an attribute
inline constexpr std::size_t kMaxTensorflowRank = 8;
inline constexpr std::size_t kMaxTensorflowOutputs = 65536;  ///< of a node that splits
inline constexpr int kMaxTensorflowCallDepth = 32;           ///< functions within functions
inline constexpr std::size_t kMaxTensorflowTextBytes = std::size_t{256} << 20;
inline constexpr std::size_t kMaxTensorflowTextMessages = std::size_t{1} << 21;
inline constexpr int kMaxTensorflowTextDepth = 32;

}  // namespace octavo::graph

// SPDX-License-Identifier: Apache-2.0
// What a BigDL file may ask for. The largest published networks stay a factor of 10 or more below each limit.
#pragma once

#include <cstddef>

namespace octavo::graph {

inline constexpr std::size_t kMaxBigdlModules = 65536;       ///< of the whole file, containers included
inline constexpr std::size_t kMaxBigdlDepth = 64;            ///< modules within modules, attributes within attributes
inline constexpr std::size_t kMaxBigdlAttributes = 1 << 20;  ///< of all modules together
inline constexpr std::size_t kMaxBigdlTensors = 1 << 20;     ///< likewise
inline constexpr std::size_t kMaxBigdlNames = 1 << 20;       ///< connections of all modules together
inline constexpr std::size_t kMaxBigdlNameBytes = 4096;      ///< of one name
inline constexpr std::size_t kMaxBigdlList = 65536;          ///< numbers in an attribute, values in a table
inline constexpr std::size_t kMaxBigdlInputs = 1024;         ///< of a graph, and outputs
inline constexpr std::size_t kMaxBigdlRank = 8;
inline constexpr std::size_t kMaxBigdlNodes = 1 << 18;  ///< of the graph: a module may be applied to many values

}  // namespace octavo::graph

// SPDX-License-Identifier: Apache-2.0
// What a Torch7 file may ask for. The largest published networks stay a factor of 10 or more below each limit.
#pragma once

#include <cstddef>
#include <cstdint>

namespace octavo::graph {

inline constexpr std::size_t kMaxTorchObjects = std::size_t{1} << 20;  ///< tables, tensors, storages, functions
inline constexpr std::size_t kMaxTorchEntries = std::size_t{1} << 22;  ///< of all tables together
inline constexpr std::size_t kMaxTorchNesting = std::size_t{1} << 18;  ///< objects within objects
inline constexpr std::int64_t kMaxTorchName = 256;                     ///< bytes of a class's or module's name
inline constexpr std::int64_t kMaxTorchRank = 8;                       ///< of tensors that a network uses
inline constexpr std::int64_t kMaxTorchStoredRank = 1024;              ///< of any other
inline constexpr int kMaxTorchModuleDepth = 128;                       ///< modules within modules
inline constexpr std::size_t kMaxTorchModules = 65536;                 ///< that are gone through, shared ones each time
inline constexpr std::size_t kMaxTorchNodes = 65536;                   ///< of the graph
inline constexpr std::size_t kMaxTorchCarried = std::size_t{1} << 22;  ///< values that modules hand on, in all

}  // namespace octavo::graph

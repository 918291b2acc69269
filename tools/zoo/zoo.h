// SPDX-License-Identifier: Apache-2.0
// Well-known networks as Caffe files with seeded weights: the shapes that measurements need, offline. The networks are
// untrained; their answers mean nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace octavo::zoo {

struct ZooNetwork {
  std::string_view name, description;
};

/// All of them, in the order in which they were published.
[[nodiscard]] std::span<const ZooNetwork> zoo_networks();

/// A network's deploy prototxt, and how many numbers its blobs hold. Throws Error(invalid_argument) as below.
[[nodiscard]] std::string zoo_topology(std::string_view name);
[[nodiscard]] std::int64_t zoo_parameters(std::string_view name);

struct ZooFiles {
  std::filesystem::path prototxt, caffemodel;
  std::int64_t parameters = 0;  ///< numbers in all blobs
  std::int64_t bytes = 0;       ///< of the caffemodel
};

/// Writes DIRECTORY/NAME.prototxt and DIRECTORY/NAME.caffemodel, each whole or not at all; makes the directory. The
/// same seed gives the same files on every machine. `progress` (may be empty) hears the fraction done, from 0 to 1.
/// Throws Error: invalid_argument (no such network; the hint lists them), io.
ZooFiles write_zoo(std::string_view name, const std::filesystem::path& directory, std::uint64_t seed = 0,
                   const std::function<void(double)>& progress = {});

}  // namespace octavo::zoo

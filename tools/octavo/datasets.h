// SPDX-License-Identifier: Apache-2.0
// Pictures with classes: folders and lists of files, CIFAR-10's binary files, MNIST's idx files.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "tools/octavo/pictures.h"

namespace octavo::tool {

struct Dataset {
  PictureSource pictures;
  std::vector<std::size_t> classes;      ///< of each picture
  std::vector<std::string> class_names;  ///< empty where the files do not say
};

/// A folder a class, classes numbered in the sorted order of the folders.
[[nodiscard]] Dataset read_class_folders(const std::filesystem::path& folder);
/// Lines `name index`: a picture below `folder` and its class.
[[nodiscard]] Dataset read_class_list(const std::filesystem::path& folder, const std::filesystem::path& list);
/// A binary file of CIFAR-10, or a folder with its test_batch.bin. Throws Error(io, malformed).
[[nodiscard]] Dataset read_cifar10(const std::filesystem::path& file_or_folder);
/// A folder with t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, each as it is or with .gz. Throws Error(io,
/// malformed).
[[nodiscard]] Dataset read_mnist(const std::filesystem::path& folder);

/// `count` pictures, evenly spread (classes often come one after the other); all when there are no more.
[[nodiscard]] Dataset spread(Dataset dataset, std::size_t count);

}  // namespace octavo::tool

// SPDX-License-Identifier: Apache-2.0
// A caffemodel: which layer holds which blobs, and the topology without them. The file is mapped, not read; blobs stay
// where they are until a layer asks for them. No limit of 2 GB applies.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/import/caffe_blob.h"

namespace octavo::graph {

class CaffeModelFile {
 public:
  /// Throws Error: io; malformed (with the byte); unsupported when it is another kind of file (HDF5, a Git LFS
  /// pointer).
  explicit CaffeModelFile(const std::filesystem::path& file);

  [[nodiscard]] bool has_layer(std::string_view layer) const { return layers_.find(layer) != layers_.end(); }
  /// Number of blobs of a layer, 0 when the file has none.
  [[nodiscard]] std::size_t blob_count(std::string_view layer) const;
  /// Throws Error(malformed) that names the file, the layer and the blob.
  [[nodiscard]] CaffeBlob blob(std::string_view layer, std::size_t index) const;

  /// The file without blobs: a serialized NetParameter. Throws Error(malformed) above 16 MiB.
  [[nodiscard]] std::string topology() const;

 private:
  using Bytes = std::span<const std::byte>;
  void scan();
  void add_layer(Bytes message, bool v1);

  std::filesystem::path file_;
  std::shared_ptr<const void> owner_;
  Bytes bytes_;
  std::map<std::string, std::vector<Bytes>, std::less<>> layers_;
};

}  // namespace octavo::graph

// SPDX-License-Identifier: Apache-2.0
// A block of bytes for an arena: aligned, on huge pages where it is large and the system grants them.
#pragma once

#include <cstddef>
#include <memory>

namespace octavo::runtime {

class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  /// Zeroed. Throws Error(resource) when there is no memory.
  explicit AlignedBuffer(std::size_t bytes);

  [[nodiscard]] std::byte* data() const noexcept { return bytes_.get(); }

 private:
  struct Free {
    std::size_t alignment;
    void operator()(std::byte* bytes) const noexcept;
  };
  std::unique_ptr<std::byte, Free> bytes_;
};

}  // namespace octavo::runtime

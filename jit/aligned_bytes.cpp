// SPDX-License-Identifier: Apache-2.0
#include "jit/aligned_bytes.h"

#include <sys/mman.h>

#include <cstring>
#include <new>

namespace octavo::jit {

namespace {
constexpr std::size_t huge_page = std::size_t{2} << 20;

std::size_t alignment_of(std::size_t size) { return size >= huge_page ? huge_page : cache_line; }
}  // namespace

AlignedBytes::AlignedBytes(std::size_t size)
    : size_(size),
      bytes_(static_cast<std::byte*>(::operator new (size, std::align_val_t{alignment_of(size)})),
             {alignment_of(size)}) {
  // Only a wish: a system without huge pages refuses, and all is as it was. The rest that does not fill a huge page
  // stays on small ones, so no memory is lost.
  if (size >= huge_page) madvise(bytes_.get(), size / huge_page * huge_page, MADV_HUGEPAGE);
  std::memset(bytes_.get(), 0, size);
}

void AlignedBytes::Free::operator()(std::byte* bytes) const noexcept {
  ::operator delete (bytes, std::align_val_t{alignment});
}

}  // namespace octavo::jit

// SPDX-License-Identifier: Apache-2.0
// A block of bytes for an arena.
#include "runtime/aligned_buffer.h"

#include <sys/mman.h>

#include <cstring>
#include <new>
#include <string>

#include "octavo/error.h"
#include "runtime/memory_plan.h"

namespace octavo::runtime {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

}  // namespace

void AlignedBuffer::Free::operator()(std::byte* bytes) const noexcept {
  ::operator delete (bytes, std::align_val_t{alignment});
}

AlignedBuffer::AlignedBuffer(std::size_t bytes) {
  if (bytes == 0) return;
  const std::size_t alignment = bytes >= kHugePage ? kHugePage : kArenaAlignment;
  auto* const memory = static_cast<std::byte*>(::operator new (bytes, std::align_val_t{alignment}, std::nothrow));
  if (memory == nullptr)
    throw Error(ErrorKind::resource, "no memory for " + std::to_string(bytes) + " bytes of activations");
  bytes_ = std::unique_ptr<std::byte, Free>(memory, Free{alignment});
  // Only advice: without it the memory is as good, and somewhat slower to walk.
  if (bytes >= kHugePage) (void)::madvise(memory, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);
  std::memset(memory, 0, bytes);
}

}  // namespace octavo::runtime

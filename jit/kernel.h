// SPDX-License-Identifier: Apache-2.0
// One piece of emitted machine code: its name, where it lies, and what its parts do.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace octavo::jit {

class CodeArena;

/// A phase of a kernel: from this offset on, the code does `text` ("tap (0,1)", "dequantize", "epilogue").
struct Annotation {
  std::size_t offset = 0;
  std::string text;
};

/// Code as an emitter leaves it: position-independent bytes that no processor has run yet.
struct KernelImage {
  std::string name;  ///< spec and plan in words; the identity in cache, listing and profilers
  std::vector<std::uint8_t> code;
  std::vector<Annotation> annotations;
  std::size_t constants_bytes = 0;  ///< the last bytes of `code`: dwords that the instructions read

  [[nodiscard]] std::span<const std::uint8_t> instructions() const noexcept {
    return std::span(code).first(code.size() - constants_bytes);
  }
};

/// Code in executable memory. Immutable; safe to call from any number of threads.
class Kernel {
 public:
  Kernel(KernelImage image, std::shared_ptr<const CodeArena> arena, const std::uint8_t* entry)
      : image_(std::move(image)), arena_(std::move(arena)), entry_(entry) {}

  [[nodiscard]] const std::string& name() const noexcept { return image_.name; }
  [[nodiscard]] const KernelImage& image() const noexcept { return image_; }
  [[nodiscard]] std::span<const std::uint8_t> code() const noexcept { return image_.code; }
  [[nodiscard]] std::span<const Annotation> annotations() const noexcept { return image_.annotations; }
  [[nodiscard]] const std::uint8_t* address() const noexcept { return entry_; }
  /// Every kernel takes one pointer to its argument struct.
  template <class Args>
  void operator()(const Args& args) const noexcept {
    // Clang has no function of constant bytes.
    reinterpret_cast<void (*)(const Args*)>(const_cast<std::uint8_t*>(entry_))(&args);
  }

 private:
  KernelImage image_;
  std::shared_ptr<const CodeArena> arena_;
  const std::uint8_t* entry_;
};

}  // namespace octavo::jit

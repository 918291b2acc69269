// SPDX-License-Identifier: Apache-2.0
// Blobs to bytes and back.
#include "runtime/octavo_file_blobs.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "octavo/error.h"
#include "runtime/crc32c.h"
#include "runtime/octavo_file_layout.h"

namespace octavo::runtime {
namespace {

using graph::Blob;
using graph::BlobPtr;
using nlohmann::json;

template <class T>
std::span<const std::byte> bytes_of(const graph::Data<T>& data) {
  return std::as_bytes(data.values);
}

bool equal(std::span<const std::byte> a, std::span<const std::byte> b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

bool equal(const Blob& a, const Blob& b) {
  return a.shape == b.shape && a.window == b.window && equal(bytes_of(a.f32), bytes_of(b.f32)) &&
         equal(bytes_of(a.q), bytes_of(b.q)) && equal(bytes_of(a.scales), bytes_of(b.scales));
}

/// The upper halves of the scales when their lower halves are zero, else nothing.
std::unique_ptr<std::vector<std::uint16_t>> as_bfloat16(std::span<const float> scales) {
  auto narrow = std::make_unique<std::vector<std::uint16_t>>();
  narrow->reserve(scales.size());
  for (const float scale : scales) {
    const auto bits = std::bit_cast<std::uint32_t>(scale);
    if ((bits & 0xffffU) != 0) return nullptr;
    narrow->push_back(static_cast<std::uint16_t>(bits >> 16U));
  }
  return narrow;
}

/// Walks the sections in the order of the table and checks that they follow each other.
class SectionReader {
 public:
  explicit SectionReader(std::span<const std::byte> region) : region_(region) {}

  std::span<const std::byte> take(const JsonView& entry, std::uint64_t bytes) {
    if (std::cmp_not_equal(entry.at("offset").integer(), offset_)) {
      entry.fail("the blob does not lie behind the one before it");
    }
    if (std::cmp_not_equal(entry.at("bytes").integer(), bytes)) entry.fail("the blob's size does not fit its shape");
    if (bytes > region_.size() - offset_) entry.fail("the blob reaches beyond the end of the file");
    const std::uint64_t end = std::min<std::uint64_t>(align_blob(offset_ + bytes), region_.size());
    const auto numbers = region_.subspan(offset_, bytes), gap = region_.subspan(offset_ + bytes, end - offset_ - bytes);
    if (std::cmp_not_equal(entry.at("crc32c").integer(), crc32c(numbers))) {
      entry.fail("the blob's checksum is wrong: the file is damaged");
    }
    if (std::any_of(gap.begin(), gap.end(), [](std::byte b) { return b != std::byte{0}; })) {
      entry.fail("the gap behind the blob is not empty");
    }
    offset_ = end;
    return numbers;
  }
  [[nodiscard]] bool at_end() const { return offset_ == region_.size(); }

 private:
  std::span<const std::byte> region_;
  std::uint64_t offset_ = 0;
};

template <class T>
std::span<const T> as_numbers(std::span<const std::byte> bytes) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): aligned to 64 bytes, of a size checked before
  return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
}

std::uint64_t checked_bytes(const JsonView& entry, std::int64_t count, std::uint64_t size) {
  if (std::cmp_greater(count, std::uint64_t{INT64_MAX} / size)) entry.fail("the blob's shape is out of range");
  return static_cast<std::uint64_t>(count) * size;
}

graph::Data<float> read_scales(const JsonView& entry, std::int64_t count, SectionReader& sections,
                               const std::shared_ptr<const void>& owner) {
  entry.expect_only({"type", "offset", "bytes", "crc32c"});
  const std::string& type = entry.at("type").text();
  graph::Data<float> scales;
  if (type == "bf16") {
    std::vector<float> wide;
    const auto narrow = as_numbers<std::uint16_t>(sections.take(entry, checked_bytes(entry, count, 2)));
    wide.reserve(narrow.size());
    for (const std::uint16_t bits : narrow) wide.push_back(std::bit_cast<float>(std::uint32_t{bits} << 16U));
    scales = std::move(wide);
  } else if (type == "f32") {
    scales = {as_numbers<float>(sections.take(entry, checked_bytes(entry, count, 4))), owner};
  } else {
    entry.fail("scales of unknown type '" + type + "'");
  }
  if (!std::all_of(scales.values.begin(), scales.values.end(), [](float s) { return s >= 0 && std::isfinite(s); })) {
    entry.fail("a scale that is negative or not finite");
  }
  return scales;
}

BlobPtr read_blob(const JsonView& entry, SectionReader& sections, const std::shared_ptr<const void>& owner) {
  auto blob = std::make_shared<Blob>();
  for (const auto& dim : entry.at("shape").items()) blob->shape.push_back(dim.integer(0));
  std::int64_t count = 0;
  try {
    count = graph::element_count(blob->shape);
  } catch (const Error& error) {
    entry.fail(error.what());
  }
  const std::string& type = entry.at("type").text();
  if (type == "f32") {
    entry.expect_only({"type", "shape", "offset", "bytes", "crc32c"});
    blob->f32 = {as_numbers<float>(sections.take(entry, checked_bytes(entry, count, 4))), owner};
    return blob;
  }
  if (type != "s8") entry.fail("a blob of unknown type '" + type + "'");
  entry.expect_only({"type", "shape", "window", "offset", "bytes", "crc32c", "scales"});
  if (blob->shape.size() < 2 || count == 0) entry.fail("an 8-bit blob needs two dimensions and numbers");
  blob->window = entry.at("window").integer(1, blob->shape[1]);
  const auto numbers = sections.take(entry, checked_bytes(entry, count, 1));
  if (std::memchr(numbers.data(), 0x80, numbers.size()) != nullptr) entry.fail("an 8-bit number of -128");
  blob->q = {as_numbers<std::int8_t>(numbers), owner};
  const std::int64_t windows = 1 + (blob->shape[1] - 1) / blob->window;
  blob->scales = read_scales(entry.at("scales"), blob->shape[0] * windows, sections, owner);
  return blob;
}

}  // namespace

json BlobWriter::add_section(std::span<const std::byte> numbers) {
  json entry = {{"offset", bytes_}, {"bytes", numbers.size()}, {"crc32c", crc32c(numbers)}};
  sections_.push_back(numbers);
  bytes_ = align_blob(bytes_ + numbers.size());
  return entry;
}

std::int64_t BlobWriter::add(const BlobPtr& blob) {
  if (const auto known = known_.find(blob); known != known_.end()) return known->second;
  const std::uint64_t content = crc32c(bytes_of(blob->q), crc32c(bytes_of(blob->f32))) | blob->shape.size() << 32U;
  const auto [first, last] = by_content_.equal_range(content);
  for (auto like = first; like != last; ++like) {
    if (equal(*blobs_[static_cast<std::size_t>(like->second)], *blob)) return known_[blob] = like->second;
  }
  const auto index = static_cast<std::int64_t>(blobs_.size());
  blobs_.push_back(blob);
  by_content_.emplace(content, index);
  json entry = add_section(blob->quantized() ? bytes_of(blob->q) : bytes_of(blob->f32));
  entry["shape"] = blob->shape;
  entry["type"] = blob->quantized() ? "s8" : "f32";
  if (blob->quantized()) {
    entry["window"] = blob->window;
    auto narrow = as_bfloat16(blob->scales.values);
    entry["scales"] = add_section(narrow ? std::as_bytes(std::span(*narrow)) : bytes_of(blob->scales));
    entry["scales"]["type"] = narrow ? "bf16" : "f32";
    if (narrow) narrow_scales_.push_back(std::move(narrow));
  }
  entries_.push_back(std::move(entry));
  return known_[blob] = index;
}

json BlobWriter::table() const { return entries_; }

std::vector<BlobPtr> read_blobs(const JsonView& table, std::span<const std::byte> region,
                                const std::shared_ptr<const void>& owner) {
  SectionReader sections(region);
  std::vector<BlobPtr> blobs;
  for (const auto& entry : table.items()) blobs.push_back(read_blob(entry, sections, owner));
  if (!sections.at_end()) table.fail("numbers that belong to no blob");
  return blobs;
}

}  // namespace octavo::runtime

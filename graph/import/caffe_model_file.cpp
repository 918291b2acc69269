// SPDX-License-Identifier: Apache-2.0
// See graph/import/caffe_model_file.h.
#include "graph/import/caffe_model_file.h"

#include <fmt/core.h>

#include <utility>

#include "graph/import/caffe_limits.h"
#include "graph/import/wire_reader.h"
#include "graph/mapped_file.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

using Bytes = std::span<const std::byte>;

// Field numbers of Caffe's messages (see octavo_caffe.proto).
constexpr std::uint32_t kNetLayersV1 = 2, kNetLayer = 100;
constexpr std::uint32_t kLayerName = 1, kLayerBlobs = 7;
constexpr std::uint32_t kV1Layer = 1, kV1Name = 4, kV1Blobs = 6;
constexpr std::uint32_t kV0Name = 1, kV0Blobs = 50;

std::string_view text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

bool is_layer(const WireField& field) {
  return field.is_bytes() && (field.number == kNetLayer || field.number == kNetLayersV1);
}

void refuse_other_formats(Bytes bytes) {
  const std::string_view text = text_of(bytes.first(std::min<std::size_t>(bytes.size(), 64)));
  if (text.empty()) throw Error(ErrorKind::malformed, "the file is empty");
  if (text.starts_with("\x89HDF")) {
    throw Error(ErrorKind::unsupported, "an HDF5 file", {}, "save the network as a binary caffemodel");
  }
  if (text.starts_with("version https://git-lfs")) {
    throw Error(ErrorKind::unsupported, "a Git LFS pointer, not the file itself", {}, "run `git lfs pull`");
  }
}

void append_varint(std::string& text, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) text.push_back(static_cast<char>(value | 0x80));
  text.push_back(static_cast<char>(value));
}

void append_message(std::string& text, std::uint32_t number, const std::string& message) {
  append_varint(text, std::uint64_t{number} << 3 | 2);
  append_varint(text, message.size());
  text += message;
}

/// The layer message without its blobs.
std::string without_blobs(Bytes message, bool v1) {
  std::string kept;
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number == (v1 ? kV1Blobs : kLayerBlobs)) continue;
    if (v1 && field->number == kV1Layer && field->is_bytes()) {
      std::string v0;
      WireReader inner(field->bytes);
      while (const auto part = inner.next()) {
        if (part->number != kV0Blobs) v0 += text_of(part->whole);
      }
      append_message(kept, kV1Layer, v0);
      continue;
    }
    kept += text_of(field->whole);
    if (kept.size() > kMaxCaffeTopologyBytes) break;  // refused by the caller
  }
  return kept;
}

}  // namespace

CaffeModelFile::CaffeModelFile(const std::filesystem::path& file) : file_(file) {
  auto mapped = MappedFile::open(file);
  bytes_ = mapped->bytes();
  owner_ = std::move(mapped);
  try {
    refuse_other_formats(bytes_);
    scan();
  } catch (const Error& error) {
    const std::string hint = error.hint().empty() ? "is it a complete caffemodel?" : "";
    throw Error(error.kind(), error.what(), file.string(), hint);
  }
}

void CaffeModelFile::scan() {
  std::size_t layers = 0;
  WireReader reader(bytes_);
  while (const auto field = reader.next()) {
    if (!is_layer(*field)) continue;
    if (++layers > kMaxCaffeLayers) throw Error(ErrorKind::malformed, "too many layers");
    add_layer(field->bytes, field->number == kNetLayersV1);
  }
}

void CaffeModelFile::add_layer(Bytes message, bool v1) {
  std::string name;
  std::vector<Bytes> blobs;
  const auto add_blob = [&](const WireField& field) {
    if (!field.is_bytes()) return;
    if (blobs.size() == kMaxCaffeBlobsPerLayer) throw Error(ErrorKind::malformed, "too many blobs in a layer");
    blobs.push_back(field.bytes);
  };
  WireReader reader(message, static_cast<std::size_t>(message.data() - bytes_.data()));
  while (const auto field = reader.next()) {
    if (field->number == (v1 ? kV1Name : kLayerName) && field->is_bytes() && !(v1 && field->number == kV1Layer)) {
      name = text_of(field->bytes);
    } else if (field->number == (v1 ? kV1Blobs : kLayerBlobs)) {
      add_blob(*field);
    } else if (v1 && field->number == kV1Layer && field->is_bytes()) {
      WireReader inner(field->bytes, static_cast<std::size_t>(field->bytes.data() - bytes_.data()));
      while (const auto part = inner.next()) {
        if (part->number == kV0Name && part->is_bytes()) name = text_of(part->bytes);
        if (part->number == kV0Blobs) add_blob(*part);
      }
    }
  }
  // A name may occur once a phase; only one of the layers then has blobs.
  auto& held = layers_[name];
  if (!blobs.empty()) held = std::move(blobs);
}

std::size_t CaffeModelFile::blob_count(std::string_view layer) const {
  const auto found = layers_.find(layer);
  return found == layers_.end() ? 0 : found->second.size();
}

CaffeBlob CaffeModelFile::blob(std::string_view layer, std::size_t index) const {
  const std::string where = fmt::format("{}, layer '{}', blob {}", file_.string(), layer, index);
  const auto found = layers_.find(layer);
  if (found == layers_.end() || index >= found->second.size()) throw Error(ErrorKind::malformed, "is missing", where);
  return decode_caffe_blob(found->second[index], owner_, where);
}

std::string CaffeModelFile::topology() const {
  std::string net;
  WireReader reader(bytes_);
  while (const auto field = reader.next()) {
    if (is_layer(*field)) {
      append_message(net, field->number, without_blobs(field->bytes, field->number == kNetLayersV1));
    } else if (field->bytes.size() <= kMaxCaffeTopologyBytes) {
      net += text_of(field->whole);
    }
    if (net.size() > kMaxCaffeTopologyBytes) {
      throw Error(ErrorKind::malformed, "more than 16 MiB of layer descriptions", file_.string());
    }
  }
  return net;
}

}  // namespace octavo::graph

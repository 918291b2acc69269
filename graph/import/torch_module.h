// SPDX-License-Identifier: Apache-2.0
// A module of a Torch7 file: an object of a class of nn, cudnn, ..., and its fields.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/import/torch_file.h"
#include "graph/ops.h"

namespace octavo::graph {

class TorchModule {
 public:
  /// Throws Error(malformed) when the value is no object.
  TorchModule(const TorchFile& file, const TorchValue& value);

  [[nodiscard]] const TorchFile& file() const { return *file_; }
  /// "nn.SpatialConvolution", and the same without what stands before the dot.
  [[nodiscard]] std::string_view class_name() const { return object_->class_name; }
  [[nodiscard]] std::string_view type() const;
  [[nodiscard]] std::string_view package() const;
  [[nodiscard]] int version() const { return object_->version; }
  [[nodiscard]] std::size_t position() const { return object_->position; }

  /// nil when the module has no such field.
  [[nodiscard]] TorchValue field(std::string_view name) const { return file_->table(value_).find(name); }
  [[nodiscard]] bool has(std::string_view name) const { return !field(name).is(TorchKind::nil); }

  // Each throws Error(malformed) when the field is of another kind, or is missing and has no fallback.
  [[nodiscard]] double number(std::string_view name) const;
  [[nodiscard]] double number(std::string_view name, double fallback) const;
  [[nodiscard]] std::int64_t integer(std::string_view name) const;  ///< within 31 bits
  [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t fallback) const;
  [[nodiscard]] std::optional<std::int64_t> optional_integer(std::string_view name) const;
  [[nodiscard]] bool flag(std::string_view name, bool fallback) const;  ///< as Lua sees it: all but false and nil
  [[nodiscard]] std::string_view text(std::string_view name, std::string_view fallback) const;
  [[nodiscard]] std::vector<std::int64_t> integers(std::string_view name) const;
  /// Height and width from fields that end so: pair("k") reads kH and kW.
  [[nodiscard]] Pair pair(const std::string& prefix) const;
  [[nodiscard]] Pair pair(const std::string& prefix, std::int64_t fallback) const;
  /// The modules within.
  [[nodiscard]] std::vector<TorchValue> modules() const;

 private:
  const TorchFile* file_;
  TorchValue value_;
  const TorchObject* object_;
};

}  // namespace octavo::graph

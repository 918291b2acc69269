// SPDX-License-Identifier: Apache-2.0
// A BigDL model that grows module by module.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "graph/blob.h"
#include "octavo_bigdl.pb.h"

namespace octavo::graph {

class BigdlWriter;

/// A module under construction: attributes are the arguments of its class's constructor, all of which BigDL wants to
/// find, and are chained.
class BigdlModuleWriter {
 public:
  BigdlModuleWriter(bigdl::Module& module, BigdlWriter& writer) : module_(module), writer_(writer) {}

  BigdlModuleWriter& set(std::string_view name, std::int64_t value);
  BigdlModuleWriter& set(std::string_view name, double value);
  BigdlModuleWriter& set(std::string_view name, float value);  ///< a Float of BigDL, where it has one
  BigdlModuleWriter& flag(std::string_view name, bool value);
  BigdlModuleWriter& integers(std::string_view name, const std::vector<std::int64_t>& values);
  BigdlModuleWriter& numbers(std::string_view name, const std::vector<float>& values);
  BigdlModuleWriter& channels_first(std::string_view name) { return layout(name, false); }
  BigdlModuleWriter& layout(std::string_view name, bool channels_last);
  /// null, of a tensor or of a regularizer.
  BigdlModuleWriter& no_tensors(std::initializer_list<std::string_view> names);
  BigdlModuleWriter& no_regularizers(std::initializer_list<std::string_view> names);
  BigdlModuleWriter& tensor(std::string_view name, const Shape& shape, std::span<const float> values);
  /// One tensor of 8-bit rows for each group, as quantized layers keep them.
  BigdlModuleWriter& quantized(std::string_view name, const Blob& weights, std::int64_t groups);
  BigdlModuleWriter& parameter(const Shape& shape, std::span<const float> values);
  /// A bias that is no parameter: quantized layers have it so.
  BigdlModuleWriter& bias(std::span<const float> values);
  /// A module that is an attribute.
  BigdlModuleWriter module(std::string_view name, std::string_view type);
  BigdlModuleWriter& takes(const Shape& shape);

 private:
  bigdl::Value& value(std::string_view name);
  bigdl::Tensor quantized_rows(const Blob& weights, std::int64_t group, std::int64_t groups);

  bigdl::Module& module_;
  BigdlWriter& writer_;
};

class BigdlWriter {
 public:
  /// `reserved`: names that modules will have; unique() keeps clear of them.
  explicit BigdlWriter(const std::vector<std::string>& reserved) : names_(reserved.begin(), reserved.end()) {}

  [[nodiscard]] std::string unique(const std::string& name);
  /// A module of nn, or of nn.quantized ("quantized.Linear"), that takes what the named ones make.
  BigdlModuleWriter module(std::string_view type, const std::string& name, const std::vector<std::string>& sources);
  void input(const std::string& name) { inputs_.push_back(name); }
  void output(const std::string& name) { outputs_.push_back(name); }

  /// A dense tensor; its numbers are kept once, for the whole model.
  bigdl::Tensor dense(const Shape& shape, std::span<const float> values);
  /// Gives ids to tensor and storage, keeps them, and returns what refers to them.
  bigdl::Tensor keep(bigdl::Tensor tensor);
  void begin(bigdl::Module& module, std::string_view type);

  /// Throws Error(unsupported) beyond 2 GB.
  [[nodiscard]] std::string finish(const std::string& graph_name);

 private:
  bigdl::Module root_;
  bigdl::NamedList storages_;
  std::unordered_set<std::string> names_;
  std::vector<std::string> inputs_, outputs_;
  std::int32_t last_id_ = 0;
};

}  // namespace octavo::graph

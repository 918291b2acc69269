// SPDX-License-Identifier: Apache-2.0
// Torch7 files for tests: modules with their fields, written as Torch does.
#pragma once

#include <deque>
#include <filesystem>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "graph/export/torch_document.h"
#include "graph/import/torch.h"
#include "tests/graph/caffe_files.h"
#include "tests/graph/net.h"

namespace octavo::graph {

/// A network in the making. Tensors are filled with seeded numbers.
class TorchModel {
 public:
  using Ref = TorchDocument::Ref;
  using Value = TorchDocument::Value;
  using Fields = std::initializer_list<std::pair<std::string, Value>>;

  TorchDocument& document() { return document_; }
  Ref tensor(const Shape& shape, float low = -1.0F, float high = 1.0F) {
    return tensor(shape, test::random_blob(shape, ++seed_, low, high));
  }
  Ref tensor(const Shape& shape, const std::vector<float>& values) { return tensor(shape, make_blob(shape, values)); }
  Ref longs(std::vector<std::int64_t> values) { return document_.longs(std::move(values)); }
  /// "SpatialConvolution" of nn, or "cudnn.SpatialConvolution".
  Ref module(const std::string& type, Fields fields = {}) {
    const Ref ref = document_.object(type.find('.') == std::string::npos ? "nn." + type : type);
    for (const auto& [name, value] : fields) document_.set(ref, name, value);
    return ref;
  }
  Ref container(const std::string& type, const std::vector<Ref>& modules, Fields fields = {}) {
    const Ref ref = module(type, fields), list = document_.table();
    for (const Ref inner : modules) document_.append(list, inner);
    document_.set(ref, "modules", list);
    return ref;
  }
  Ref table(const std::vector<Value>& values) {
    const Ref ref = document_.table();
    for (const Value& value : values) document_.append(ref, value);
    return ref;
  }
  Ref convolution(std::int64_t in, std::int64_t out, std::int64_t kernel) {
    return module("SpatialConvolution", {{"nInputPlane", static_cast<double>(in)},
                                         {"nOutputPlane", static_cast<double>(out)},
                                         {"kW", static_cast<double>(kernel)},
                                         {"kH", static_cast<double>(kernel)},
                                         {"weight", tensor({out, in, kernel, kernel})},
                                         {"bias", tensor({out})}});
  }
  Ref linear(std::int64_t in, std::int64_t out) {
    return module("Linear", {{"weight", tensor({out, in})}, {"bias", tensor({out})}});
  }
  [[nodiscard]] std::string bytes(Ref root) const { return document_.write(root); }

 private:
  Ref tensor(const Shape& shape, BlobPtr blob) {
    blobs_.push_back(std::move(blob));
    return document_.tensor(shape, blobs_.back()->f32.values);
  }

  TorchDocument document_;
  std::deque<BlobPtr> blobs_;
  std::uint32_t seed_ = 0;
};

/// A folder for files that goes away with the test.
class TorchFiles : public CaffeFiles {
 public:
  Graph import(const std::string& bytes, const std::map<std::string, Shape>& shapes = {}) const {
    return import_torch(write("net.t7", bytes), {.input_shapes = shapes});
  }
  Graph import(const TorchModel& model, TorchModel::Ref root, const Shape& input = {}) const {
    return import(model.bytes(root),
                  input.empty() ? std::map<std::string, Shape>{} : std::map<std::string, Shape>{{"input", input}});
  }
};

}  // namespace octavo::graph

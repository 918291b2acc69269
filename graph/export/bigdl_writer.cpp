// SPDX-License-Identifier: Apache-2.0
// See graph/export/bigdl_writer.h.
#include "graph/export/bigdl_writer.h"

#include <fmt/core.h>

#include <cmath>
#include <limits>

#include "octavo/error.h"

namespace octavo::graph {
namespace {

constexpr std::string_view kVersion = "0.8.0";  // the release whose classes and attributes these are
constexpr std::size_t kMaxBigdlBytes = (std::size_t{2} << 30) - (std::size_t{16} << 20);
/// What follows the parameters of a quantized tensor: whose weights they are.
constexpr std::int32_t kConvolutionRows = 1, kLinearRows = 3;

bigdl::Value& add_entry(google::protobuf::RepeatedPtrField<bigdl::Entry>& entries, std::string_view name) {
  bigdl::Entry& entry = *entries.Add();
  entry.set_key(std::string(name));
  return *entry.mutable_value();
}

bigdl::Array& array_of(bigdl::Value& value, bigdl::DataType type, std::size_t size) {
  value.set_type(bigdl::ARRAY);
  bigdl::Array& array = *value.mutable_array();
  array.set_size(static_cast<std::int32_t>(size));
  array.set_type(type);
  return array;
}

void set_texts(bigdl::Value& value, const std::vector<std::string>& texts) {
  bigdl::Array& array = array_of(value, bigdl::STRING, texts.size());
  for (const std::string& text : texts) array.add_text(text);
}

void set_sizes(bigdl::Tensor& tensor, const Shape& shape) {
  std::int64_t count = 1;
  std::vector<std::int64_t> strides(shape.size(), 1);
  for (std::size_t d = shape.size(); d-- > 0;) {
    strides[d] = count;
    count *= shape[d];
  }
  if (count > std::numeric_limits<std::int32_t>::max()) {
    throw Error(ErrorKind::unsupported, fmt::format("BigDL cannot say a tensor of {} numbers", count));
  }
  for (std::size_t d = 0; d < shape.size(); ++d) {
    tensor.add_size(static_cast<std::int32_t>(shape[d]));
    tensor.add_stride(static_cast<std::int32_t>(strides[d]));
  }
  tensor.set_type(bigdl::FLOAT);
  tensor.set_dimensions(static_cast<std::int32_t>(shape.size()));
  tensor.set_count(static_cast<std::int32_t>(count));
}

/// The range whose 127th part is the scale, as far as there is one.
float range_of(float scale) {
  const float range = scale * 127.0F;
  for (const float near : {range, std::nextafterf(range, 0.0F), std::nextafterf(range, INFINITY)}) {
    if (near / 127.0F == scale) return near;
  }
  return range;
}

}  // namespace

bigdl::Value& BigdlModuleWriter::value(std::string_view name) { return add_entry(*module_.mutable_attribute(), name); }

BigdlModuleWriter& BigdlModuleWriter::set(std::string_view name, std::int64_t number) {
  if (number < std::numeric_limits<std::int32_t>::min() || number > std::numeric_limits<std::int32_t>::max()) {
    throw Error(ErrorKind::unsupported, fmt::format("BigDL cannot say {} {}", name, number));
  }
  value(name).set_integer(static_cast<std::int32_t>(number));
  return *this;
}

BigdlModuleWriter& BigdlModuleWriter::set(std::string_view name, double number) {
  bigdl::Value& to = value(name);
  to.set_type(bigdl::DOUBLE);
  to.set_real(number);
  return *this;
}

BigdlModuleWriter& BigdlModuleWriter::set(std::string_view name, float number) {
  bigdl::Value& to = value(name);
  to.set_type(bigdl::FLOAT);
  to.set_single(number);
  return *this;
}

BigdlModuleWriter& BigdlModuleWriter::flag(std::string_view name, bool truth) {
  bigdl::Value& to = value(name);
  to.set_type(bigdl::BOOL);
  to.set_truth(truth);
  return *this;
}

BigdlModuleWriter& BigdlModuleWriter::integers(std::string_view name, const std::vector<std::int64_t>& values) {
  bigdl::Array& array = array_of(value(name), bigdl::INT32, values.size());
  for (const std::int64_t number : values) array.add_integer(static_cast<std::int32_t>(number));
  return *this;
}

BigdlModuleWriter& BigdlModuleWriter::numbers(std::string_view name, const std::vector<float>& values) {
  bigdl::Array& array = array_of(value(name), bigdl::FLOAT, values.size());
  for (const float number : values) array.add_single(number);
  return *this;
}

BigdlModuleWriter& BigdlModuleWriter::layout(std::string_view name, bool channels_last) {
  bigdl::Value& to = value(name);
  to.set_type(bigdl::LAYOUT);
  to.set_layout(channels_last ? bigdl::NHWC : bigdl::NCHW);
  return *this;
}

BigdlModuleWriter& BigdlModuleWriter::no_tensors(std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) value(name).set_type(bigdl::TENSOR);
  return *this;
}

BigdlModuleWriter& BigdlModuleWriter::no_regularizers(std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) value(name).set_type(bigdl::REGULARIZER);
  return *this;
}

BigdlModuleWriter& BigdlModuleWriter::tensor(std::string_view name, const Shape& shape, std::span<const float> values) {
  bigdl::Value& to = value(name);
  to.set_type(bigdl::TENSOR);
  *to.mutable_tensor() = writer_.dense(shape, values);
  return *this;
}

/// Releases up to 0.5 read weight and bias, later ones the list.
BigdlModuleWriter& BigdlModuleWriter::parameter(const Shape& shape, std::span<const float> values) {
  const bigdl::Tensor tensor = writer_.dense(shape, values);
  if (module_.parameter_size() == 0) *module_.mutable_weight() = tensor;
  if (module_.parameter_size() == 1) *module_.mutable_bias() = tensor;
  module_.set_has_parameters(true);
  *module_.add_parameter() = tensor;
  return *this;
}

BigdlModuleWriter& BigdlModuleWriter::bias(std::span<const float> values) {
  *module_.mutable_bias() = writer_.dense({static_cast<std::int64_t>(values.size())}, values);
  return *this;
}

BigdlModuleWriter BigdlModuleWriter::module(std::string_view name, std::string_view type) {
  bigdl::Value& to = value(name);
  to.set_type(bigdl::MODULE);
  writer_.begin(*to.mutable_module(), type);
  return {*to.mutable_module(), writer_};
}

BigdlModuleWriter& BigdlModuleWriter::takes(const Shape& shape) {
  bigdl::Shape& to = *module_.mutable_input_shape();
  to.set_size(static_cast<std::int32_t>(shape.size()));
  for (const std::int64_t size : shape) to.add_value(static_cast<std::int32_t>(size));
  return *this;
}

/// The storage holds the rows' bytes; their greatest and least numbers and their sums, one list behind the other; how
/// many numbers describe the layer, these numbers, and what they describe.
bigdl::Tensor BigdlModuleWriter::quantized_rows(const Blob& weights, std::int64_t group, std::int64_t groups) {
  Shape shape = weights.shape;
  shape[0] /= groups;
  bigdl::Tensor tensor;
  set_sizes(tensor, shape);
  tensor.set_kind(bigdl::QUANTIZED);
  bigdl::Storage& storage = *tensor.mutable_storage();
  storage.set_type(bigdl::FLOAT);
  const auto rows = static_cast<std::size_t>(shape[0]);
  const std::size_t columns = weights.q.values.size() / static_cast<std::size_t>(weights.shape[0]);
  const std::size_t first = static_cast<std::size_t>(group) * rows;
  storage.add_bytes(weights.q.values.data() + first * columns, rows * columns);
  std::vector<float> sums;
  for (std::size_t row = first; row < first + rows; ++row) {
    storage.add_singles(range_of(weights.scales.values[row]));
    std::int64_t sum = 0;
    for (const std::int8_t q : weights.q.values.subspan(row * columns, columns)) sum += q;
    sums.push_back(static_cast<float>(sum) * weights.scales.values[row]);
  }
  for (std::size_t row = first; row < first + rows; ++row) storage.add_singles(-range_of(weights.scales.values[row]));
  for (const float sum : sums) storage.add_singles(sum);
  const bool linear = shape.size() == 2;
  storage.add_integers(linear ? 2 : 5);
  for (const std::int64_t size : shape) storage.add_integers(static_cast<std::int32_t>(size));
  if (!linear) storage.add_integers(bigdl::NCHW);
  storage.add_integers(linear ? kLinearRows : kConvolutionRows);
  return writer_.keep(std::move(tensor));
}

BigdlModuleWriter& BigdlModuleWriter::quantized(std::string_view name, const Blob& weights, std::int64_t groups) {
  bigdl::Value& to = value(name);
  if (weights.shape.size() == 2) {
    to.set_type(bigdl::TENSOR);
    *to.mutable_tensor() = quantized_rows(weights, 0, 1);
    return *this;
  }
  bigdl::Array& array = array_of(to, bigdl::TENSOR, static_cast<std::size_t>(groups));
  for (std::int64_t group = 0; group < groups; ++group) *array.add_tensor() = quantized_rows(weights, group, groups);
  return *this;
}

std::string BigdlWriter::unique(const std::string& name) {
  std::string result = name;
  for (int suffix = 1; !names_.insert(result).second; ++suffix) result = fmt::format("{}_{}", name, suffix);
  return result;
}

void BigdlWriter::begin(bigdl::Module& module, std::string_view type) {
  module.set_type(fmt::format("com.intel.analytics.bigdl.nn.{}", type));
  module.set_version(std::string(kVersion));
  module.set_id(++last_id_);
  for (const std::string_view name : {"module_numerics", "module_tags"}) {
    set_texts(add_entry(*module.mutable_attribute(), name), {"Float"});
  }
}

BigdlModuleWriter BigdlWriter::module(std::string_view type, const std::string& name,
                                      const std::vector<std::string>& sources) {
  bigdl::Module& module = *root_.add_part();
  begin(module, type);
  module.set_name(name);
  // Which of a source's values a module takes stands with the graph: -1 is the whole.
  bigdl::Value& edges = add_entry(*root_.mutable_attribute(), name + "_edges");
  edges.set_type(bigdl::NAMED_LIST);
  edges.mutable_list()->set_name(name);
  for (const std::string& source : sources) {
    module.add_source(source);
    module.add_next(source);  // BigDL writes the same names here
    add_entry(*edges.mutable_list()->mutable_attribute(), source).set_integer(-1);
  }
  return {module, *this};
}

bigdl::Tensor BigdlWriter::keep(bigdl::Tensor tensor) {
  tensor.set_id(++last_id_);
  tensor.mutable_storage()->set_id(++last_id_);
  bigdl::Tensor reference = tensor;
  reference.mutable_storage()->Clear();
  reference.mutable_storage()->set_type(tensor.storage().type());
  reference.mutable_storage()->set_id(tensor.storage().id());
  *add_entry(*storages_.mutable_attribute(), std::to_string(tensor.id())).mutable_tensor() = std::move(tensor);
  return reference;
}

bigdl::Tensor BigdlWriter::dense(const Shape& shape, std::span<const float> values) {
  bigdl::Tensor tensor;
  set_sizes(tensor, shape);
  tensor.set_offset(1);
  tensor.mutable_storage()->set_type(bigdl::FLOAT);
  tensor.mutable_storage()->mutable_singles()->Add(values.begin(), values.end());
  return keep(std::move(tensor));
}

std::string BigdlWriter::finish(const std::string& graph_name) {
  begin(root_, "StaticGraph");
  root_.set_name(graph_name);
  set_texts(add_entry(*root_.mutable_attribute(), "inputNames"), inputs_);
  set_texts(add_entry(*root_.mutable_attribute(), "outputNames"), outputs_);
  storages_.set_name("global_storage");
  *add_entry(*root_.mutable_attribute(), "global_storage").mutable_list() = std::move(storages_);
  if (root_.ByteSizeLong() > kMaxBigdlBytes) {
    throw Error(ErrorKind::unsupported, "the network has more than the 2 GB that a BigDL file can hold", graph_name,
                "quantize it first, or keep it as .octavo");
  }
  return root_.SerializeAsString();
}

}  // namespace octavo::graph

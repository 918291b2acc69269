// SPDX-License-Identifier: Apache-2.0
// See graph/import/bigdl_tensor.h.
#include "graph/import/bigdl_tensor.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "graph/check.h"
#include "graph/import/bigdl_attributes.h"
#include "graph/import/bigdl_fields.h"
#include "graph/import/bigdl_limits.h"
#include "graph/import/wire_reader.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

namespace tensor_field = bigdl_field::tensor;
namespace storage_field = bigdl_field::storage;

[[noreturn]] void bad_tensor(const std::string& what) { throw Error(ErrorKind::malformed, what); }

/// TensorStorage with numbers, rather than a reference by id.
bool holds_numbers(BigdlBytes storage) {
  WireReader reader(storage);
  while (const auto field = reader.next()) {
    if (field->number >= storage_field::single && field->number <= storage_field::bytes) return true;
  }
  return false;
}

std::int64_t storage_id(BigdlBytes storage) {
  std::int64_t id = 0;
  WireReader reader(storage);
  while (const auto field = reader.next()) {
    if (field->number == storage_field::id) id = static_cast<std::int64_t>(field->value);
  }
  return id;
}

template <class T>
void append_fixed(BigdlBytes bytes, std::vector<float>& numbers) {
  if (bytes.size() % sizeof(T) != 0) bad_tensor("a storage that ends within a number");
  const std::size_t count = bytes.size() / sizeof(T), first = numbers.size();
  numbers.resize(first + count);
  for (std::size_t i = 0; i < count; ++i) {
    T value{};
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    numbers[first + i] = static_cast<float>(value);
  }
}

/// The bytes of the only field with numbers, if that is one packed field of floats.
std::optional<BigdlBytes> only_packed_floats(BigdlBytes storage) {
  std::optional<BigdlBytes> only;
  WireReader reader(storage);
  while (const auto field = reader.next()) {
    if (field->number < storage_field::single || field->number > storage_field::bytes) continue;
    const bool floats = field->number == storage_field::single && field->is_bytes();
    if (only || !floats || field->bytes.size() % sizeof(float) != 0) return std::nullopt;
    only = field->bytes;
  }
  return only;
}

}  // namespace

struct BigdlTensors::View {
  Shape sizes;
  std::vector<std::int64_t> strides;
  std::int64_t offset = 0;  ///< counted from 1
  bool quantized = false;
  BigdlBytes storage;
};

void BigdlTensors::collect(const BigdlModule& module) {
  if (module.weight) collect_tensor(*module.weight);
  if (module.bias) collect_tensor(*module.bias);
  for (const BigdlBytes parameter : module.parameters) collect_tensor(parameter);
  for (const auto& [name, value] : module.attributes) collect_value(value, 0);
  for (const BigdlModule& part : module.parts) collect(part);
}

void BigdlTensors::collect_tensor(BigdlBytes tensor) {
  if (++collected_ > kMaxBigdlTensors) bad_tensor(fmt::format("more than {} tensors", kMaxBigdlTensors));
  std::optional<BigdlBytes> storage;
  std::int64_t id = 0;
  WireReader reader(tensor);
  while (const auto field = reader.next()) {
    if (field->number == tensor_field::storage && field->is_bytes()) storage = field->bytes;
    if (field->number == tensor_field::id) id = static_cast<std::int64_t>(field->value);
  }
  if (!storage) return;
  tensors_.emplace(id, tensor);
  if (holds_numbers(*storage)) storages_.emplace(storage_id(*storage), *storage);
}

void BigdlTensors::collect_list(BigdlBytes list, std::size_t depth) {
  WireReader reader(list);
  while (const auto entry = reader.next()) {
    if (entry->number != bigdl_field::list::attribute || !entry->is_bytes()) continue;
    WireReader parts(entry->bytes);
    while (const auto part = parts.next()) {
      if (part->number == bigdl_field::entry::value && part->is_bytes()) {
        collect_value(part->bytes, depth);
      }
    }
  }
}

void BigdlTensors::collect_value(BigdlBytes value, std::size_t depth) {
  if (depth > kMaxBigdlDepth) bad_tensor(fmt::format("attributes nested more than {} deep", kMaxBigdlDepth));
  WireReader reader(value);
  while (const auto field = reader.next()) {
    if (!field->is_bytes()) continue;
    if (field->number == bigdl_field::value::tensor) collect_tensor(field->bytes);
    if (field->number == bigdl_field::value::list) collect_list(field->bytes, depth + 1);
    if (field->number == bigdl_field::value::module) collect(read_bigdl_module(field->bytes));
    if (field->number != bigdl_field::value::array) continue;
    WireReader array(field->bytes);
    while (const auto item = array.next()) {
      if (!item->is_bytes()) continue;
      if (item->number == bigdl_field::array::tensor) collect_tensor(item->bytes);
      if (item->number == bigdl_field::array::module) collect(read_bigdl_module(item->bytes));
    }
  }
}

bool BigdlTensors::quantized(BigdlBytes tensor) {
  bool found = false;
  WireReader reader(tensor);
  while (const auto field = reader.next()) {
    if (field->number == tensor_field::kind && field->type == WireField::Type::varint) found = field->value == 1;
  }
  return found;
}

BigdlTensors::View BigdlTensors::read_view(BigdlBytes tensor) const {
  View view;
  std::optional<BigdlBytes> storage;
  std::int64_t id = 0, dimensions = -1;
  WireReader reader(tensor);
  while (const auto field = reader.next()) {
    if (field->number == tensor_field::storage && field->is_bytes()) storage = field->bytes;
    if (field->type != WireField::Type::varint) continue;
    if (field->number == tensor_field::id) id = static_cast<std::int64_t>(field->value);
    if (field->number == tensor_field::offset) view.offset = static_cast<std::int64_t>(field->value);
    if (field->number == tensor_field::dimensions) dimensions = static_cast<std::int64_t>(field->value);
    if (field->number == tensor_field::kind) view.quantized = field->value == 1;
  }
  if (!storage) {  // an early release: the same tensor, of which only the first mention is whole
    const auto known = tensors_.find(id);
    if (known == tensors_.end() || known->second.data() == tensor.data()) bad_tensor("a tensor without a storage");
    return read_view(known->second);
  }
  view.sizes = read_bigdl_integers(tensor, tensor_field::size);
  view.strides = read_bigdl_integers(tensor, tensor_field::stride);
  view.storage = *storage;
  if (view.sizes.size() > kMaxBigdlRank) bad_tensor(fmt::format("a tensor of {} dimensions", view.sizes.size()));
  if (view.strides.size() != view.sizes.size() && !view.quantized) {
    bad_tensor(fmt::format("a tensor of {} sizes and {} strides", view.sizes.size(), view.strides.size()));
  }
  if (dimensions > 0 && static_cast<std::size_t>(dimensions) != view.sizes.size()) {
    bad_tensor(fmt::format("a tensor of {} dimensions with {} sizes", dimensions, view.sizes.size()));
  }
  return view;
}

Data<float> BigdlTensors::decode(BigdlBytes storage) {
  if (const auto bytes = only_packed_floats(storage)) {
    if (reinterpret_cast<std::uintptr_t>(bytes->data()) % alignof(float) == 0) {
      const auto* const first = reinterpret_cast<const float*>(bytes->data());
      return {std::span<const float>(first, bytes->size() / sizeof(float)), owner_};
    }
  }
  std::vector<float> numbers;
  WireReader reader(storage);
  while (const auto field = reader.next()) {
    if (field->number == storage_field::single) append_fixed<float>(field->bytes, numbers);
    if (field->number == storage_field::real) append_fixed<double>(field->bytes, numbers);
    if (field->number != storage_field::integer && field->number != storage_field::long_integer) continue;
    for_each_varint(*field, [&](std::uint64_t number) {
      numbers.push_back(static_cast<float>(static_cast<std::int64_t>(number)));
    });
  }
  return numbers;
}

Data<float> BigdlTensors::storage(const View& view) {
  const std::int64_t id = storage_id(view.storage);
  if (const auto known = decoded_.find(id); known != decoded_.end()) return known->second;
  if (const auto found = storages_.find(id); found != storages_.end()) return decoded_[id] = decode(found->second);
  throw Error(ErrorKind::malformed, fmt::format("a tensor's numbers (storage {}) are nowhere in the file", id), {},
              "a model that was saved without its numbers needs the file that has them: --weights, or the argument of "
              "load_bigdl()");
}

BlobPtr BigdlTensors::blob(BigdlBytes tensor) {
  const View view = read_view(tensor);
  if (view.quantized) bad_tensor("a tensor of 8-bit numbers where real ones are needed");
  for (const std::int64_t size : view.sizes) require(size > 0, "a tensor of size {}", size);
  Blob blob;
  blob.shape = view.sizes;
  const std::int64_t count = element_count(blob.shape);
  const Data<float> stored = storage(view);
  std::int64_t last = view.offset - 1;
  bool in_order = view.offset > 0;
  std::int64_t expected = 1;
  for (std::size_t i = view.sizes.size(); i-- > 0;) {
    require(view.strides[i] >= 0, "a tensor of stride {}", view.strides[i]);
    last = checked_sum(last, checked_product(view.sizes[i] - 1, view.strides[i]));
    in_order = in_order && (view.sizes[i] == 1 || view.strides[i] == expected);
    expected = checked_product(expected, view.sizes[i]);
  }
  if (view.offset < 1 || last >= static_cast<std::int64_t>(stored.values.size())) {
    bad_tensor(
        fmt::format("a tensor {} reaches past its storage of {} numbers", to_text(view.sizes), stored.values.size()));
  }
  const auto begin = static_cast<std::size_t>(view.offset - 1);
  if (in_order) {
    blob.f32 = {stored.values.subspan(begin, static_cast<std::size_t>(count)), stored.owner};
    return std::make_shared<const Blob>(std::move(blob));
  }
  budget_.take(count);
  std::vector<float> numbers;
  numbers.reserve(static_cast<std::size_t>(count));
  std::vector<std::int64_t> at(view.sizes.size(), 0);
  for (std::int64_t n = 0; n < count; ++n) {
    std::size_t from = begin;
    for (std::size_t d = 0; d < at.size(); ++d) from += static_cast<std::size_t>(at[d] * view.strides[d]);
    numbers.push_back(stored.values[from]);
    for (std::size_t d = at.size(); d-- > 0 && ++at[d] == view.sizes[d];) at[d] = 0;
  }
  blob.f32 = std::move(numbers);
  return std::make_shared<const Blob>(std::move(blob));
}

/// The rows' greatest and least numbers, and their sums, stand behind each other in float_data. A row's scale is
/// max(|greatest|, |least|) / 127, whatever float it was divided by when it was rounded.
BigdlQuantized BigdlTensors::rows(BigdlBytes tensor) {
  const View view = read_view(tensor);
  if (!view.quantized) bad_tensor("a tensor of real numbers where 8-bit ones are needed");
  BigdlBytes message = view.storage;
  if (!holds_numbers(message)) {
    const auto found = storages_.find(storage_id(message));
    if (found == storages_.end()) bad_tensor("8-bit weights without a storage");
    message = found->second;
  }
  BigdlBytes bytes;
  std::size_t parts = 0;
  WireReader reader(message);
  while (const auto field = reader.next()) {
    if (field->number != storage_field::bytes || !field->is_bytes()) continue;
    bytes = field->bytes;
    ++parts;
  }
  if (parts != 1) bad_tensor(fmt::format("8-bit weights in {} parts", parts));
  for (const std::int64_t size : view.sizes) require(size > 0, "a tensor of size {}", size);
  BigdlQuantized result;
  result.rows = view.sizes.size() > 1 ? view.sizes[0] : 1;
  const std::int64_t count = element_count(view.sizes);
  result.columns = count / result.rows;
  if (count != static_cast<std::int64_t>(bytes.size())) {
    bad_tensor(fmt::format("{} 8-bit numbers for weights {}", bytes.size(), to_text(view.sizes)));
  }
  result.q = {std::span<const std::int8_t>(reinterpret_cast<const std::int8_t*>(bytes.data()), bytes.size()), owner_};
  if (std::ranges::find(result.q.values, std::int8_t{-128}) != result.q.values.end()) {
    bad_tensor("8-bit weights of -128, which no quantization makes");
  }
  const auto rows = static_cast<std::size_t>(result.rows);
  std::vector<float> values;
  WireReader floats(message);
  while (const auto field = floats.next()) {
    if (field->number == storage_field::single) append_fixed<float>(field->bytes, values);
  }
  if (values.size() < 2 * rows) bad_tensor(fmt::format("{} ranges for {} rows of 8-bit weights", values.size(), rows));
  for (std::size_t row = 0; row < rows; ++row) {
    const float range = std::max(std::fabs(values[row]), std::fabs(values[rows + row]));
    if (!(range < 1e30F)) bad_tensor("8-bit weights of an infinite range");
    result.scales.push_back(range / 127.0F);
  }
  return result;
}

}  // namespace octavo::graph

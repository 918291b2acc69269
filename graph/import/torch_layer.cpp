// SPDX-License-Identifier: Apache-2.0
// See graph/import/torch_layer.h.
#include "graph/import/torch_layer.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <utility>

#include "graph/check.h"
#include "graph/import/torch_layers.h"
#include "graph/import/torch_limits.h"
#include "graph/import/torch_tensor.h"
#include "octavo/error.h"

namespace octavo::graph {

namespace {

/// The name itself the first time, then with a number: names that are equal are not tried one after the other.
std::string torch_numbered(std::string_view name, std::map<std::string, int, std::less<>>& count) {
  const auto [entry, first] = count.emplace(name, 0);
  return first ? std::string(name) : fmt::format("{}_{}", name, ++entry->second);
}

}  // namespace

BlobPtr TorchNetwork::blob(const TorchValue& tensor) {
  BlobPtr& kept = blobs_[tensor.at];
  if (!kept) kept = torch_blob(file_, file_.tensor(tensor), budget_);
  return kept;
}

std::string TorchNetwork::label_of(const TorchModule& module) {
  const TorchValue name = module.field("name");
  if (name.is(TorchKind::string)) {
    const std::string_view text = file_.text(name);
    if (!text.empty() && static_cast<std::int64_t>(text.size()) <= kMaxTorchName) return torch_numbered(text, count_);
  }
  const std::string type(module.type());
  return fmt::format("{}_{}", type, ++count_[type]);
}

std::string TorchNetwork::place_of(const TorchModule& module) const {
  return fmt::format("{}, module {} ({}, byte {})", file_.path().string(), fmt::join(path_, "."), module.class_name(),
                     module.position());
}

TorchActivity TorchNetwork::apply(const TorchValue& value, const TorchActivity& input, const std::string& place) {
  const TorchModule module(file_, value);
  path_.push_back(place);
  TorchActivity result;
  try {
    if (path_.size() > static_cast<std::size_t>(kMaxTorchModuleDepth)) {
      TorchLayer::malformed(fmt::format("modules nested more than {} deep", kMaxTorchModuleDepth));
    }
    if (++applied_ > kMaxTorchModules) TorchLayer::malformed(fmt::format("more than {} modules", kMaxTorchModules));
    for (const std::string_view method : {"updateOutput", "forward"}) {
      if (module.field(method).is(TorchKind::function)) {
        TorchLayer::unsupported(fmt::format("its {} is a Lua function of the file", method));
      }
    }
    const TorchConverter converter = find_torch_converter(module);
    if (converter == nullptr) {
      TorchLayer::unsupported(fmt::format("octavo does not know the class {}", module.class_name()));
    }
    TorchLayer layer(*this, module, input, label_of(module));
    result = converter(layer);
    carried_ += result.size();
    if (carried_ > kMaxTorchCarried) TorchLayer::malformed("its tables grow too large");
    layer.name_result(result);
  } catch (const Error& error) {
    if (!error.where().empty()) throw;
    const ErrorKind kind = error.kind() == ErrorKind::invalid_argument ? ErrorKind::malformed : error.kind();
    throw Error(kind, error.what(), place_of(module));
  }
  path_.pop_back();
  return result;
}

std::size_t TorchActivity::size() const {
  std::size_t count = 1;
  for (const TorchActivity& part : table) count += part.size();
  return count;
}

void TorchLayer::malformed(std::string what, std::string hint) {
  throw Error(ErrorKind::malformed, std::move(what), {}, std::move(hint));
}

void TorchLayer::unsupported(std::string what, std::string hint) {
  throw Error(ErrorKind::unsupported, std::move(what), {}, std::move(hint));
}

ValueId TorchLayer::tensor_of(const TorchActivity& activity) {
  if (activity.is_table())
    malformed(fmt::format("a table of {} comes in where a tensor is expected", activity.table.size()));
  return *activity.tensor;
}

const std::vector<TorchActivity>& TorchLayer::table() const {
  if (!input_.is_table()) malformed("a tensor comes in where a table is expected");
  return input_.table;
}

std::vector<ValueId> TorchLayer::tensors() const {
  std::vector<ValueId> values;
  for (const TorchActivity& part : table()) values.push_back(tensor_of(part));
  if (values.empty()) malformed("an empty table comes in");
  return values;
}

std::int64_t TorchLayer::axis(std::int64_t dimension, ValueId value, std::optional<std::int64_t> dims) const {
  const std::int64_t count = rank(value);
  std::int64_t found = dimension - 1;
  if (dimension < 0) {
    found = count + dimension;
  } else if (dims && count == *dims + 1) {
    found = dimension;
  }
  if (dimension == 0 || found < 0 || found >= count) {
    malformed(fmt::format("dimension {} of a value of shape {}", dimension, to_text(shape(value))));
  }
  return found;
}

std::vector<ValueId> TorchLayer::add_many(Op op, const std::vector<ValueId>& inputs, std::size_t outputs) {
  if (network_.writer().graph().nodes.size() >= kMaxTorchNodes) {
    malformed(fmt::format("it takes more than {} nodes", kMaxTorchNodes));
  }
  const std::string name = torch_numbered(fmt::format("{}/{}", label_, op_name(op)), parts_);
  std::vector<ValueId> values = network_.writer().add(name, std::move(op), inputs, outputs);
  for (const ValueId value : values) made_[value] = network_.writer().graph().nodes.size() - 1;
  return values;
}

ValueId TorchLayer::add(Op op, const std::vector<ValueId>& inputs) { return add_many(std::move(op), inputs, 1)[0]; }

ValueId TorchLayer::add_unary(UnaryKind kind, ValueId x, float alpha, float beta, float gamma) {
  return add(Unary{.kind = kind, .alpha = alpha, .beta = beta, .gamma = gamma}, {x});
}

ValueId TorchLayer::add_affine(ValueId x, float scale, float shift) {
  return add_unary(UnaryKind::power, x, shift, scale, 1.0F);
}

ValueId TorchLayer::add_binary(BinaryKind kind, ValueId a, ValueId b) { return add(Binary{.kind = kind}, {a, b}); }

ValueId TorchLayer::add_constant(BlobPtr value) { return add(Constant{.value = std::move(value)}, {}); }

ValueId TorchLayer::add_constant(float value) { return add_constant(make_blob({1}, {value})); }

ValueId TorchLayer::add_reshape(ValueId x, const Shape& wanted) {
  const Shape before = shape(x);
  if (before == wanted) return x;
  std::vector<std::int64_t> dims = wanted;
  if (dims.size() > 1 && !before.empty() && dims[0] == before[0]) {
    dims[0] = 0;
    if (dims.size() == 2) dims[1] = -1;
  }
  return add(Reshape{.dims = std::move(dims)}, {x});
}

ValueId TorchLayer::add_permute(ValueId x, const std::vector<std::int64_t>& order) {
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (order[i] != static_cast<std::int64_t>(i)) return add(Permute{.order = order}, {x});
  }
  return x;
}

ValueId TorchLayer::add_squeezed_reduction(ReductionKind kind, ValueId x, std::int64_t axis) {
  std::vector<std::int64_t> order;
  for (std::int64_t d = 0; d < rank(x); ++d) {
    if (d != axis) order.push_back(d);
  }
  order.push_back(axis);
  return add(Reduction{.kind = kind, .axis = rank(x) - 1}, {add_permute(x, order)});
}

ValueId TorchLayer::add_reduction(ReductionKind kind, ValueId x, std::int64_t axis) {
  Shape kept = shape(x);
  kept[static_cast<std::size_t>(axis)] = 1;
  return add_reshape(add_squeezed_reduction(kind, x, axis), kept);
}

ValueId TorchLayer::add_narrow(ValueId x, std::int64_t axis, std::int64_t begin, std::int64_t count) {
  const std::int64_t size = shape(x)[static_cast<std::size_t>(axis)];
  require(begin >= 0 && count > 0 && begin <= size - count, "{} positions from {} on of a dimension of {}", count,
          begin + 1, size);
  if (begin == 0 && count == size) return x;
  return add(StridedSlice{.axes = {axis}, .begins = {begin}, .ends = {begin + count}, .steps = {1}}, {x});
}

ValueId TorchLayer::add_select(ValueId x, std::int64_t axis, std::int64_t at) {
  const ValueId part = add_narrow(x, axis, at, 1);
  Shape rest = shape(part);
  rest.erase(rest.begin() + axis);
  return add_reshape(part, rest.empty() ? Shape{1} : rest);
}

ValueId TorchLayer::add_concat(const std::vector<ValueId>& parts, std::int64_t axis) {
  if (parts.empty()) malformed("nothing to join");
  return parts.size() == 1 ? parts[0] : add(Concat{.axis = axis}, parts);
}

ValueId TorchLayer::with_batch(ValueId x, std::int64_t wanted, const std::function<ValueId(ValueId)>& layer) {
  Shape whole = shape(x);
  if (rank(x) == wanted) return layer(x);
  if (rank(x) + 1 != wanted) {
    malformed(
        fmt::format("its input {} has not {} dimensions (or {}, without a batch)", to_text(whole), wanted, wanted - 1));
  }
  whole.insert(whole.begin(), 1);
  const ValueId y = layer(add_reshape(x, whole));
  Shape rest = shape(y);
  rest.erase(rest.begin());
  return add_reshape(y, rest);
}

std::vector<TorchValue> TorchLayer::list(const TorchValue& table) const {
  std::vector<TorchValue> values = module_.file().table(table).list();
  budget().take(static_cast<std::int64_t>(values.size()));
  return values;
}

std::vector<TorchValue> TorchLayer::modules() const {
  std::vector<TorchValue> values = module_.modules();
  budget().take(static_cast<std::int64_t>(values.size()));
  return values;
}

std::vector<std::int64_t> TorchLayer::integers(std::string_view field) const {
  std::vector<std::int64_t> values = module_.integers(field);
  budget().take(static_cast<std::int64_t>(values.size()));
  return values;
}

BlobPtr TorchLayer::blob(std::string_view field) const {
  const TorchValue value = module_.field(field);
  if (value.is(TorchKind::nil)) return nullptr;
  if (!value.is(TorchKind::tensor)) {
    malformed(fmt::format("its field '{}' is {} instead of a tensor", field, torch_kind_name(value.kind)));
  }
  BlobPtr found = network_.blob(value);
  return found->f32.values.empty() ? nullptr : found;
}

BlobPtr TorchLayer::blob(std::string_view field, const Shape& wanted) const {
  BlobPtr found = blob(field);
  if (!found) malformed(fmt::format("it has no numbers in '{}'", field));
  if (found->shape == wanted) return found;
  if (element_count(found->shape) != element_count(wanted)) {
    malformed(fmt::format("its '{}' is {} instead of {}", field, to_text(found->shape), to_text(wanted)));
  }
  return std::make_shared<const Blob>(Blob{wanted, found->f32, {}, {}, 0});
}

TorchActivity TorchLayer::apply(const TorchValue& module, const TorchActivity& input, std::size_t place) const {
  return network_.apply(module, input, std::to_string(place));
}

void TorchLayer::name_result(const TorchActivity& result) {
  if (result.is_table()) {
    for (const TorchActivity& part : result.table) name_result(part);
    return;
  }
  const auto made = made_.find(*result.tensor);
  if (made == made_.end()) return;  // by a module within, or before
  const std::string name = named_ == 0 ? label_ : fmt::format("{}_{}", label_, named_);
  network_.writer().rename_value(made->first, name);
  network_.writer().rename_node(made->second, name);
  made_.erase(made);
  ++named_;
}

}  // namespace octavo::graph

// SPDX-License-Identifier: Apache-2.0
// See graph/import/torch_tensor.h.
#include "graph/import/torch_tensor.h"

#include <fmt/core.h>

#include <cmath>
#include <limits>
#include <utility>

#include "graph/check.h"
#include "graph/import/torch_limits.h"
#include "graph/shape_rules.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

constexpr std::int64_t kMaxTorchIntegers = 65536;

[[noreturn]] void bad_torch_tensor(const std::string& what) { throw Error(ErrorKind::malformed, what); }

/// The dimensions, checked; the last number that the tensor reaches has to lie in the storage.
Shape checked_sizes(const TorchTensor& tensor, std::int64_t stored) {
  if (static_cast<std::int64_t>(tensor.sizes.size()) > kMaxTorchRank) {
    bad_torch_tensor(fmt::format("a tensor of {} dimensions", tensor.sizes.size()));
  }
  std::int64_t last = tensor.offset;
  for (std::size_t d = 0; d < tensor.sizes.size(); ++d) {
    const std::int64_t size = tensor.sizes[d], stride = tensor.strides[d];
    if (size < 0 || stride < 0) bad_torch_tensor(fmt::format("a tensor of size {} and stride {}", size, stride));
    if (size > 0) last = checked_sum(last, checked_product(size - 1, stride));
  }
  const std::int64_t count = tensor.sizes.empty() ? 0 : element_count(tensor.sizes);
  if (count > kMaxElements) bad_torch_tensor(fmt::format("a tensor of {} numbers", count));
  if (tensor.offset < 0 || (count > 0 && last >= stored)) {
    bad_torch_tensor(fmt::format("a tensor that reaches number {} of a storage of {}", last, stored));
  }
  return tensor.sizes;
}

bool is_dense(const TorchTensor& tensor) {
  std::int64_t expected = 1;
  for (std::size_t d = tensor.sizes.size(); d-- > 0;) {
    if (tensor.sizes[d] != 1 && tensor.strides[d] != expected) return false;
    expected *= tensor.sizes[d];
  }
  return true;
}

/// Calls act(place in the storage) for each number, in the order of the dimensions.
template <class Act>
void for_each_number(const TorchTensor& tensor, std::int64_t count, Act act) {
  std::vector<std::int64_t> at(tensor.sizes.size(), 0);
  std::int64_t place = tensor.offset;
  for (std::int64_t i = 0; i < count; ++i) {
    act(place);
    for (std::size_t d = at.size(); d-- > 0;) {
      place += tensor.strides[d];
      if (++at[d] < tensor.sizes[d]) break;
      place -= tensor.strides[d] * tensor.sizes[d];
      at[d] = 0;
    }
  }
}

std::int64_t as_integer(double number) {
  constexpr double kExact = 9007199254740992.0;  // 2^53
  if (!(std::fabs(number) <= kExact) || number != std::floor(number)) {
    bad_torch_tensor(fmt::format("{} where a whole number is expected", number));
  }
  return static_cast<std::int64_t>(number);
}

}  // namespace

BlobPtr torch_blob(const TorchFile& file, const TorchTensor& tensor, ImportBudget& budget) {
  static const TorchNumbers none;
  const TorchNumbers& stored = tensor.storage.is(TorchKind::storage) ? file.storage(tensor.storage) : none;
  Blob blob;
  blob.shape = checked_sizes(tensor, stored.count);
  const std::int64_t count = blob.shape.empty() ? 0 : element_count(blob.shape);
  if (stored.type == TorchNumber::float32 && stored.spelled.empty() && count > 0 && is_dense(tensor)) {
    const auto bytes = stored.bytes.subspan(static_cast<std::size_t>(tensor.offset) * sizeof(float),
                                            static_cast<std::size_t>(count) * sizeof(float));
    if (reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(float) == 0) {  // NOLINT: its low bits
      const auto* numbers = reinterpret_cast<const float*>(bytes.data());        // NOLINT: fp32 is what lies there
      blob.f32 = {std::span<const float>(numbers, static_cast<std::size_t>(count)), file.owner()};
      return std::make_shared<const Blob>(std::move(blob));
    }
  }
  budget.take(count);
  std::vector<float> numbers;
  numbers.reserve(static_cast<std::size_t>(count));
  for_each_number(tensor, count,
                  [&](std::int64_t place) { numbers.push_back(static_cast<float>(stored.real(place))); });
  blob.f32 = std::move(numbers);
  return std::make_shared<const Blob>(std::move(blob));
}

std::vector<std::int64_t> torch_integers(const TorchFile& file, const TorchValue& value) {
  std::vector<std::int64_t> integers;
  const auto limit = [](std::int64_t count) {
    if (count > kMaxTorchIntegers) bad_torch_tensor(fmt::format("a list of {} numbers", count));
  };
  if (value.is(TorchKind::table)) {
    for (const TorchValue& entry : file.table(value).list()) {
      if (!entry.is(TorchKind::number))
        bad_torch_tensor(fmt::format("{} in a list of numbers", torch_kind_name(entry.kind)));
      limit(static_cast<std::int64_t>(integers.size()) + 1);
      integers.push_back(as_integer(entry.number));
    }
  } else if (value.is(TorchKind::storage)) {
    const TorchNumbers& stored = file.storage(value);
    limit(stored.count);
    for (std::int64_t i = 0; i < stored.count; ++i) integers.push_back(as_integer(stored.real(i)));
  } else if (value.is(TorchKind::tensor)) {
    const TorchTensor& tensor = file.tensor(value);
    const bool empty = !tensor.storage.is(TorchKind::storage);
    const Shape shape = checked_sizes(tensor, empty ? 0 : file.storage(tensor.storage).count);
    const std::int64_t count = shape.empty() ? 0 : element_count(shape);
    limit(count);
    for_each_number(tensor, count, [&](std::int64_t place) {
      integers.push_back(as_integer(file.storage(tensor.storage).real(place)));
    });
  } else {
    bad_torch_tensor(fmt::format("{} where a list of numbers is expected", torch_kind_name(value.kind)));
  }
  return integers;
}

}  // namespace octavo::graph

// SPDX-License-Identifier: Apache-2.0
// Modules that see the same numbers in another shape. Torch tells a batch from a single sample by the number of
// dimensions, and the modules differ in how.
#include <fmt/core.h>

#include <algorithm>

#include "graph/check.h"
#include "graph/import/torch_layers.h"
#include "graph/import/torch_limits.h"

namespace octavo::graph {
namespace {

Shape torch_sizes(const TorchLayer& layer) {
  Shape sizes = layer.integers("size");
  if (sizes.empty() || static_cast<std::int64_t>(sizes.size()) > kMaxTorchRank) {
    TorchLayer::malformed(fmt::format("a size of {} dimensions", sizes.size()));
  }
  for (const std::int64_t size : sizes) {
    if (size == 0 || size < -1) TorchLayer::malformed(fmt::format("a dimension of {}", size));
  }
  if (std::count(sizes.begin(), sizes.end(), -1) > 1) TorchLayer::malformed("several dimensions to be found");
  return sizes;
}

/// The size with its -1 found, so that all numbers have a place.
Shape torch_completed(Shape sizes, std::int64_t count) {
  std::int64_t known = 1;
  std::int64_t* open = nullptr;
  for (std::int64_t& size : sizes) {
    if (size == -1) {
      open = &size;
    } else {
      known = checked_product(known, size);
    }
  }
  if (open != nullptr) {
    require(count % known == 0, "{} numbers are not a multiple of {}", count, known);
    *open = count / known;
  } else {
    require(count == known, "{} numbers cannot become {}", count, to_text(sizes));
  }
  return sizes;
}

Shape torch_behind(std::int64_t first, const Shape& rest) {
  Shape shape{first};
  shape.insert(shape.end(), rest.begin(), rest.end());
  return shape;
}

}  // namespace

/// The sizes are one sample's; with an input of more numbers, or of more dimensions than it was told, the rest is the
/// batch. A batch of one keeps its dimension here, as any other does in Torch.
TorchActivity convert_torch_view(TorchLayer& layer) {
  const ValueId x = layer.tensor();
  const Shape sizes = torch_sizes(layer), shape = layer.shape(x);
  const auto dims = layer.module().optional_integer("numInputDims");
  const std::int64_t count = element_count(shape), rank = layer.rank(x);
  const bool open = std::find(sizes.begin(), sizes.end(), -1) != sizes.end();
  if (dims && rank > *dims) {
    require(*dims > 0, "numInputDims is {}", *dims);
    std::int64_t batch = 1;
    for (std::int64_t d = 0; d < rank - *dims; ++d) batch *= shape[static_cast<std::size_t>(d)];
    std::int64_t sample = count / batch;
    if (!open) {  // a sample may itself be several
      const std::int64_t wanted = element_count(sizes);
      require(sample % wanted == 0, "{} numbers cannot become {}", sample, to_text(sizes));
      batch = count / wanted;
      sample = wanted;
    }
    return layer.add_reshape(x, torch_behind(batch, torch_completed(sizes, sample)));
  }
  if (open) return layer.add_reshape(x, torch_completed(sizes, count));
  const std::int64_t wanted = element_count(sizes);
  require(count % wanted == 0, "{} numbers cannot become {}", count, to_text(sizes));
  const bool batched = count != wanted || (rank > 1 && shape[0] == 1 && !dims);
  return layer.add_reshape(x, batched ? torch_behind(count / wanted, sizes) : sizes);
}

TorchActivity convert_torch_reshape(TorchLayer& layer) {
  const ValueId x = layer.tensor();
  const Shape sizes = torch_sizes(layer), shape = layer.shape(x);
  const std::int64_t count = element_count(shape);
  const bool open = std::find(sizes.begin(), sizes.end(), -1) != sizes.end();
  const bool told = layer.module().has("batchMode");
  const bool single =
      told ? !layer.module().flag("batchMode", false) : !open && count == element_count(sizes) && shape[0] != 1;
  if (single) return layer.add_reshape(x, torch_completed(sizes, count));
  return layer.add_reshape(x, torch_behind(shape[0], torch_completed(sizes, count / shape[0])));
}

/// Without a dimension named: all of 1, but not the first, which is the batch.
TorchActivity convert_torch_squeeze(TorchLayer& layer) {
  const ValueId x = layer.tensor();
  Shape shape = layer.shape(x);
  if (layer.module().has("dim")) {
    const std::int64_t axis =
        layer.axis(layer.module().integer("dim"), x, layer.module().optional_integer("numInputDims"));
    if (shape[static_cast<std::size_t>(axis)] == 1 && shape.size() > 1) shape.erase(shape.begin() + axis);
  } else {
    shape.erase(std::remove(shape.begin() + 1, shape.end(), 1), shape.end());
  }
  return layer.add_reshape(x, shape);
}

TorchActivity convert_torch_unsqueeze(TorchLayer& layer) {
  const ValueId x = layer.tensor();
  Shape shape = layer.shape(x);
  const auto dims = layer.module().optional_integer("numInputDims");
  std::int64_t at = layer.module().integer("pos") - 1;
  if (dims && layer.rank(x) == *dims + 1) ++at;
  if (at < 0 || at > layer.rank(x)) TorchLayer::malformed(fmt::format("a new dimension {}", at + 1));
  shape.insert(shape.begin() + at, 1);
  return layer.add_reshape(x, shape);
}

TorchActivity convert_torch_collapse(TorchLayer& layer) {
  const ValueId x = layer.tensor();
  const Shape shape = layer.shape(x);
  const std::int64_t count = element_count(shape);
  const bool batched = layer.rank(x) > layer.module().integer("nInputDim");
  return layer.add_reshape(x, batched ? Shape{shape[0], count / shape[0]} : Shape{count});
}

/// Pairs of dimensions that change places, one after the other.
TorchActivity convert_torch_transpose(TorchLayer& layer) {
  const ValueId x = layer.tensor();
  const TorchValue list = layer.module().field("permutations");
  if (!list.is(TorchKind::table)) TorchLayer::malformed("it has no table 'permutations'");
  const std::int64_t rank = layer.rank(x);
  const auto dims = layer.module().optional_integer("numInputDims");
  const std::int64_t offset = dims ? rank - *dims : 0;
  std::vector<std::int64_t> order;
  for (std::int64_t d = 0; d < rank; ++d) order.push_back(d);
  for (const TorchValue& pair : layer.list(list)) {
    const std::vector<TorchValue> two = layer.list(pair);
    if (two.size() != 2 || !two[0].is(TorchKind::number) || !two[1].is(TorchKind::number)) {
      TorchLayer::malformed("its permutations are not pairs of numbers");
    }
    const auto place = [&](const TorchValue& value) {
      const double at = value.number - 1 + static_cast<double>(offset);
      if (!(at >= 0 && at < static_cast<double>(rank)))
        TorchLayer::malformed(fmt::format("dimension {}", value.number));
      return static_cast<std::size_t>(at);
    };
    std::swap(order[place(two[0])], order[place(two[1])]);
  }
  return layer.add_permute(x, order);
}

/// [C * r * r][H][W] as [C][r * H][r * W].
TorchActivity convert_torch_pixel_shuffle(TorchLayer& layer) {
  const std::int64_t r = layer.module().integer("upscaleFactor");
  require(r > 0 && r < 65536, "a factor of {}", r);
  return layer.with_batch(layer.tensor(), 4, [&](ValueId x) {
    const Shape shape = layer.shape(x);
    require(shape[1] % (r * r) == 0, "{} channels for a factor of {}", shape[1], r);
    const std::int64_t channels = shape[1] / (r * r);
    const ValueId parts = layer.add_reshape(x, {shape[0], channels, r, r, shape[2], shape[3]});
    const ValueId mixed = layer.add_permute(parts, {0, 1, 4, 2, 5, 3});
    return layer.add_reshape(mixed, {shape[0], channels, checked_product(shape[2], r), checked_product(shape[3], r)});
  });
}

}  // namespace octavo::graph

// SPDX-License-Identifier: Apache-2.0
// Weights of a convolution or Linear as blobs: fp32, or the 8-bit numbers of the file where octavo's kernels take them
// as they are.
#include <algorithm>
#include <array>

#include "graph/check.h"
#include "graph/import/node_layers.h"

namespace octavo::graph {
namespace {

/// Products u8 x s8 whose sum 32 bits are sure to hold.
constexpr std::int64_t kMaxProducts = (std::int64_t{1} << 31) / (255 * 127) - 1;
/// Windows of octavo's kernels.
constexpr std::array<std::int64_t, 5> kWindows{16, 32, 64, 128, 256};

/// One scale an output channel and window of input channels, [out][windows]; empty when the file's are laid otherwise.
std::vector<float> window_scales(const QuantizedConstant& stored, const Shape& shape, std::int64_t window) {
  const std::int64_t outs = shape[0], ins = shape[1];
  const std::int64_t windows = (ins - 1) / window + 1;
  std::int64_t taps = 1;
  for (std::size_t d = 2; d < shape.size(); ++d) taps *= shape[d];
  std::vector<float> scales;
  if (stored.block == 0) {
    const bool single = stored.scales.size() == 1;
    if (!single && (stored.axis != 0 || static_cast<std::int64_t>(stored.scales.size()) != outs)) return {};
    for (std::int64_t o = 0; o < outs; ++o) scales.push_back(stored.scales[single ? 0 : static_cast<std::size_t>(o)]);
    return scales;
  }
  if (stored.axis != 1 || static_cast<std::int64_t>(stored.scales.size()) != outs * windows * taps) return {};
  for (std::int64_t i = 0; i < outs * windows; ++i) {
    const auto first = stored.scales.begin() + i * taps;
    if (std::any_of(first, first + taps, [&](float scale) { return scale != *first; })) return {};
    scales.push_back(*first);
  }
  return scales;
}

}  // namespace

BlobPtr layer_weights(const ConstantTensor& weights, bool keep_bits, QuantizationWindow& window) {
  BlobPtr real = to_blob(weights);
  if (!keep_bits || !weights.quantized || weights.shape.size() < 2) return real;
  const QuantizedConstant& stored = *weights.quantized;
  const std::int64_t ins = weights.shape[1];
  std::int64_t taps = 1;
  for (std::size_t d = 2; d < weights.shape.size(); ++d) taps *= weights.shape[d];
  const std::int64_t block = stored.block == 0 ? ins : std::min(stored.block, ins);
  const bool known = stored.block == 0 || std::find(kWindows.begin(), kWindows.end(), stored.block) != kWindows.end();
  if (!known || block < 1 || taps < 1 || block > kMaxProducts / taps) return real;
  const auto& q = stored.q.values;
  if (std::any_of(q.begin(), q.end(), [](std::int8_t value) { return value == -128; })) return real;
  std::vector<float> scales = window_scales(stored, weights.shape, block);
  const bool sound =
      std::all_of(scales.begin(), scales.end(), [](float scale) { return scale >= 0.0F && scale < 1e30F; });
  if (scales.empty() || !sound) return real;
  Blob blob;
  blob.shape = weights.shape;
  blob.q = stored.q;
  blob.scales = std::move(scales);
  blob.window = block;
  window = {.channels = stored.block == 0 ? 0 : stored.block};
  return std::make_shared<const Blob>(std::move(blob));
}

}  // namespace octavo::graph

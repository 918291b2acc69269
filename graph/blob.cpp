// SPDX-License-Identifier: Apache-2.0
// Constant numbers: see graph/blob.h.
#include "graph/blob.h"

#include <algorithm>

#include "graph/axes.h"
#include "graph/check.h"

namespace octavo::graph {

std::string to_text(const Shape& shape) {
  std::string text = "[";
  for (const std::int64_t dim : shape) {
    if (text.size() > 1) text += ',';
    text += std::to_string(dim);
  }
  return text + ']';
}

std::int64_t element_count(const Shape& shape) {
  // Importers count within their loops: no text is made of a shape that has nothing wrong.
  const auto refuse = [&](const char* what) { fail("shape {} has {}", to_text(shape), what); };
  // Signs and zeros first: a zero dimension makes the rest harmless, a negative one is an error wherever it stands.
  if (std::any_of(shape.begin(), shape.end(), [](std::int64_t dim) { return dim < 0; })) refuse("a negative dimension");
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return 0;
  std::int64_t count = 1;
  for (const std::int64_t dim : shape) {
    if (__builtin_mul_overflow(count, dim, &count)) refuse("too many elements");
  }
  return count;
}

BlobPtr make_blob(Shape shape, std::vector<float> values) {
  const std::int64_t count = element_count(shape);
  require(count == static_cast<std::int64_t>(values.size()), "shape {} needs {} values, not {}", to_text(shape), count,
          values.size());
  auto blob = std::make_shared<Blob>();
  blob->shape = std::move(shape);
  blob->f32 = Data<float>(std::move(values));
  return blob;
}

std::vector<float> to_float(const Blob& blob) {
  if (!blob.quantized()) return {blob.f32.values.begin(), blob.f32.values.end()};
  const auto outs = static_cast<std::size_t>(blob.shape.at(0));
  const auto ins = static_cast<std::size_t>(blob.shape.at(1));
  const auto taps =
      static_cast<std::size_t>(count_between(blob.shape, 2, static_cast<std::int64_t>(blob.shape.size())));
  const auto window = static_cast<std::size_t>(blob.window);
  const std::size_t windows = (ins + window - 1) / window;
  std::vector<float> real(blob.q.values.size());
  for (std::size_t out = 0; out < outs; ++out) {
    for (std::size_t in = 0; in < ins; ++in) {
      const float scale = blob.scales.values[out * windows + in / window];
      const std::size_t first = (out * ins + in) * taps;
      for (std::size_t i = first; i < first + taps; ++i) real[i] = static_cast<float>(blob.q.values[i]) * scale;
    }
  }
  return real;
}

}  // namespace octavo::graph

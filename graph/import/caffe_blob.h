// SPDX-License-Identifier: Apache-2.0
// Caffe's BlobProto: a shape and its numbers, in any of the ways in which Caffe has written them.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "graph/blob.h"

namespace octavo::graph {

struct CaffeBlob {
  Shape shape;  ///< of an old file: always four dimensions, with ones in front
  Data<float> values;
};

/// Decodes a BlobProto message: float or double (rounded to float), packed or not. fp32 numbers that lie aligned in
/// `message` are used where they are, kept alive by `owner`; others are copied once. Throws Error(malformed) with
/// `where`: broken message, negative dimension, or a number of values that is not the product of the dimensions.
[[nodiscard]] CaffeBlob decode_caffe_blob(std::span<const std::byte> message, const std::shared_ptr<const void>& owner,
                                          const std::string& where);

}  // namespace octavo::graph

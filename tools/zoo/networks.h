// SPDX-License-Identifier: Apache-2.0
// The topologies of the zoo, as published: one function a family. Layer names are those of the published prototxts.
#pragma once

#include "tools/zoo/caffe_sketch.h"

namespace octavo::zoo {

[[nodiscard]] CaffeSketch lenet();
[[nodiscard]] CaffeSketch alexnet();
/// `depth`: 16 or 19.
[[nodiscard]] CaffeSketch vgg(int depth);
[[nodiscard]] CaffeSketch googlenet();
[[nodiscard]] CaffeSketch resnet50();
[[nodiscard]] CaffeSketch squeezenet_1_0();
[[nodiscard]] CaffeSketch squeezenet_1_1();
[[nodiscard]] CaffeSketch mobilenet_v1();

}  // namespace octavo::zoo

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
/// `depth`: 50, 101 or 152.
[[nodiscard]] CaffeSketch resnet(int depth);
[[nodiscard]] CaffeSketch squeezenet_1_0();
[[nodiscard]] CaffeSketch squeezenet_1_1();
[[nodiscard]] CaffeSketch mobilenet_v1();
[[nodiscard]] CaffeSketch mobilenet_v2();
[[nodiscard]] CaffeSketch inception_v3();
[[nodiscard]] CaffeSketch densenet161();
/// `size`: 300 or 512; `classes`: 21 (Pascal VOC) or 81 (COCO), the background included.
[[nodiscard]] CaffeSketch ssd_vgg16(int size, std::uint32_t classes);
[[nodiscard]] CaffeSketch ssd300_mobilenet_v1();

}  // namespace octavo::zoo

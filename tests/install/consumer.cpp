// SPDX-License-Identifier: Apache-2.0
// A C++ program that uses an installed octavo: prototxt, folder for its file.
#include <octavo/octavo.h>

#include <cmath>
#include <cstdio>
#include <numeric>
#include <string>

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  try {
    (void)octavo::Model::load(argv[1]);
    std::puts("a prototxt alone was loaded");
    return 1;
  } catch (const octavo::Error& error) {  // across the library's border
    if (error.kind() != octavo::ErrorKind::invalid_argument) return 1;
  }
  const std::string file = std::string(argv[2]) + "/sample.octavo";
  octavo::Model::load_caffe_untrained(argv[1], 1).quantize().with_labels({"zero", "one"}).save(file);
  const auto model = octavo::Model::load(file);
  const octavo::Tensor answer = model.predict(octavo::Tensor(model.input_shapes().at(0)));
  const float sum = std::accumulate(answer.values().begin(), answer.values().end(), 0.0F);
  std::printf("%s: %d probabilities, sum %.4f\n", model.name().c_str(), static_cast<int>(answer.size()), sum);
  return model.quantized() && answer.size() == 10 && std::abs(sum - 1.0F) < 1e-4F ? 0 : 1;
}

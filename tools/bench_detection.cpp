// SPDX-License-Identifier: Apache-2.0
// Times the last layer of a detector, decoding and non-maximum suppression, on made-up scores: a few dozen objects that
// many priors see, and among the rest a share of priors whose scores are just above the threshold (docs/evaluation.md).
// The last rows are the other extreme: all boxes are the same, so that all candidates are looked at and nearly none
// kept. Times are the thread's own: other work on its core counts only for what it takes out of the caches.
//
//   bench_detection [PRIORS CLASSES [SHARE]]    share of (prior, class) pairs above the threshold beside the objects
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "octavo/octavo.h"

namespace {

using octavo::Tensor;

constexpr int rounds = 200, objects = 24;
constexpr float threshold = 0.01F;

std::string network(std::int64_t priors, std::int64_t classes) {
  return fmt::format(R"(name: "detection"
input: "location" input_shape {{ dim: 1 dim: {} }}
input: "confidence" input_shape {{ dim: 1 dim: {} }}
input: "priors" input_shape {{ dim: 1 dim: 2 dim: {} }}
layer {{ name: "out" type: "DetectionOutput" bottom: "location" bottom: "confidence" bottom: "priors" top: "out"
  detection_output_param {{ num_classes: {} share_location: true background_label_id: 0 code_type: CENTER_SIZE
    nms_param {{ nms_threshold: 0.45 top_k: 400 }} keep_top_k: 200 confidence_threshold: {} }} }}
)",
                     priors * 4, priors * classes, priors * 4, classes, threshold);
}

/// Priors of a square grid; location, confidence and priors as a detector gives them.
std::vector<Tensor> made_up(std::int64_t priors, std::int64_t classes, double share, bool alike) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(0.0F, 1.0F);
  std::normal_distribution<float> normal(0.0F, 0.3F);
  std::vector<float> location(static_cast<std::size_t>(priors * 4)), boxes(static_cast<std::size_t>(priors * 8)),
      scores(static_cast<std::size_t>(priors * classes));
  const auto side = static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(priors) / 4.0)));
  for (float& value : location) value = alike ? 0.0F : normal(random);
  for (std::int64_t i = 0; i < priors; ++i) {
    const std::int64_t place = alike ? 0 : i;
    const float x = (static_cast<float>(place / 4 % side) + 0.5F) / static_cast<float>(side);
    const float y = (static_cast<float>(place / 4 / side) + 0.5F) / static_cast<float>(side);
    const float half = 0.03F * static_cast<float>(1 + place % 4);
    const float corners[4] = {x - half, y - half, x + half, y + half}, variances[4] = {0.1F, 0.1F, 0.2F, 0.2F};
    for (std::size_t k = 0; k < 4; ++k) {
      boxes[static_cast<std::size_t>(i) * 4 + k] = corners[k];
      boxes[static_cast<std::size_t>(priors + i) * 4 + k] = variances[k];
    }
    float* row = &scores[static_cast<std::size_t>(i * classes)];
    for (std::int64_t c = 1; c < classes; ++c)
      row[c] = uniform(random) < static_cast<float>(share) ? threshold * (1.0F + 4.0F * uniform(random))
                                                           : threshold * 0.9F * uniform(random);
    row[0] = 0.9F;
  }
  for (int object = 0; object < objects; ++object) {
    const auto at = static_cast<std::int64_t>(uniform(random) * static_cast<float>(priors - 1));
    const std::int64_t label = 1 + object % (classes - 1);
    for (std::int64_t i = std::max<std::int64_t>(0, at - 30); i < std::min(priors, at + 30); ++i)
      scores[static_cast<std::size_t>(i * classes + label)] = 0.1F + 0.9F * uniform(random);
  }
  std::vector<Tensor> inputs;
  inputs.emplace_back(octavo::Shape{1, priors * 4}, std::move(location));
  inputs.emplace_back(octavo::Shape{1, priors * classes}, std::move(scores));
  inputs.emplace_back(octavo::Shape{1, 2, priors * 4}, std::move(boxes));
  return inputs;
}

double thread_milliseconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) * 1e-6;
}

void measure(const std::filesystem::path& file, std::int64_t priors, std::int64_t classes, double share,
             bool alike = false) {
  std::ofstream(file) << network(priors, classes);
  octavo::CompileOptions options;
  options.threads = 1;
  const octavo::Program program = octavo::Model::load_caffe_untrained(file).compile(options);
  const std::vector<Tensor> inputs = made_up(priors, classes, share, alike);
  std::int64_t found = program.predict(inputs)[0].size() / 7;
  std::vector<double> times;
  for (int i = 0; i < rounds; ++i) {
    const double start = thread_milliseconds();
    found = program.predict(inputs)[0].size() / 7;
    times.push_back(thread_milliseconds() - start);
  }
  std::sort(times.begin(), times.end());
  fmt::print("{:>6} priors {:>3} classes, {:4.1f}% above the threshold{}: {:6.3f} ms ({:.3f} to {:.3f}), {} rows\n",
             priors, classes, 100.0 * share, alike ? ", boxes alike" : "", times[times.size() / 2],
             times[times.size() / 10], times[times.size() * 9 / 10], found);
}

}  // namespace

int main(int argc, char** argv) {
  const long long priors = argc >= 3 ? std::atoll(argv[1]) : 0, classes = argc >= 3 ? std::atoll(argv[2]) : 0;
  const double share = argc > 3 ? std::atof(argv[3]) : 0.01;
  const bool asked = argc == 3 || argc == 4;
  if ((argc != 1 && !asked) || (asked && (priors < 64 || priors > 1000000 || classes < 2 || classes > 10000))) {
    fmt::print(stderr, "usage: bench_detection [PRIORS CLASSES [SHARE]]: 64 to 1000000 priors, 2 to 10000 classes\n");
    return 2;
  }
  const std::filesystem::path file =
      std::filesystem::temp_directory_path() / fmt::format("octavo_bench_detection_{}.prototxt", ::getpid());
  try {
    if (asked) {
      measure(file, priors, classes, share);
    } else {
      for (const double above : {0.0, 0.01, 0.05, 1.0})
        for (const auto& [rows, labels] : {std::pair{8732, 21}, {8732, 81}, {24564, 21}, {24564, 81}})
          measure(file, rows, labels, above);
      for (const auto& [rows, labels] : {std::pair{8732, 81}, {24564, 81}}) measure(file, rows, labels, 1.0, true);
    }
  } catch (const octavo::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    std::filesystem::remove(file);
    return 1;
  }
  std::filesystem::remove(file);
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
// Made-up pictures with objects, crowds, difficult ones, and detections near them: the same numbers on every machine.
#pragma once

#include <cstdint>
#include <vector>

#include "tools/metrics/detections.h"

namespace octavo::metrics::test {

/// Whole numbers from a seed.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed * 2654435761U + 1) {}
  std::int64_t below(std::int64_t end) {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::int64_t>((state_ >> 33U) % static_cast<std::uint64_t>(end));
  }

 private:
  std::uint64_t state_;
};

struct Scenes {
  TruthSet truth;
  std::vector<Detection> detections;
};

inline Scenes make_scenes(std::uint64_t seed, std::size_t images, std::size_t categories) {
  Dice dice(seed);
  Scenes scenes;
  for (std::size_t i = 0; i < images; ++i) {
    scenes.truth.images.push_back({"picture" + std::to_string(i), static_cast<std::int64_t>(10 + 3 * i), 640, 480});
  }
  for (std::size_t c = 0; c < categories; ++c) {
    scenes.truth.categories.push_back({"category" + std::to_string(c), static_cast<std::int64_t>(c + 1)});
  }
  const auto found = [&](std::size_t image, std::size_t category, const Box& near) {
    const auto shift = [&] { return static_cast<double>(dice.below(9) - 4) / 16; };
    const Box box{near.x + shift() * near.width, near.y + shift() * near.height, near.width * (1 + shift()),
                  near.height * (1 + shift())};
    scenes.detections.push_back({image, category, static_cast<double>(dice.below(50)) / 64, box});  // many are equal
  };
  for (std::size_t image = 0; image < images; ++image) {
    for (std::int64_t objects = dice.below(9); objects > 0; --objects) {
      const auto category = static_cast<std::size_t>(dice.below(static_cast<std::int64_t>(categories)));
      const std::int64_t size = dice.below(3) == 0 ? 30 : dice.below(2) == 0 ? 90 : 300;
      const Box box{static_cast<double>(dice.below(300)), static_cast<double>(dice.below(200)),
                    static_cast<double>(4 + dice.below(size)), static_cast<double>(4 + dice.below(size))};
      const bool crowd = dice.below(8) == 0, difficult = dice.below(5) == 0;
      scenes.truth.truths.push_back({image, category, box, box.width * box.height * 0.75, crowd, difficult});
      for (std::int64_t guesses = dice.below(4); guesses > 0; --guesses) found(image, category, box);
    }
    for (std::int64_t wrong = dice.below(5); wrong > 0; --wrong) {
      found(image, static_cast<std::size_t>(dice.below(static_cast<std::int64_t>(categories))), {100, 100, 50, 80});
    }
  }
  return scenes;
}

}  // namespace octavo::metrics::test

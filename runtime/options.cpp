// SPDX-License-Identifier: Apache-2.0
// What a budget's text means.
#include "octavo/options.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "octavo/error.h"

namespace octavo {

AccuracyBudget AccuracyBudget::parse(std::string_view text) {
  constexpr double any_noise = -std::numeric_limits<double>::infinity();
  if (text == "auto") return {};
  if (text == "direct") return {any_noise, Tile::direct};
  if (text == "2x2") return {any_noise, Tile::tiles2x2};
  if (text == "2x4") return {any_noise, Tile::tiles2x4};
  if (text == "4x4") return {any_noise, Tile::tiles4x4};
  AccuracyBudget budget;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), budget.signal_to_noise_db);
  if (problem == std::errc{} && end == text.data() + text.size() && std::isfinite(budget.signal_to_noise_db))
    return budget;
  throw Error(ErrorKind::invalid_argument, "'" + std::string(text) + "' is no accuracy budget", {},
              "auto, direct, 2x2, 2x4, 4x4, or a number of dB");
}

}  // namespace octavo

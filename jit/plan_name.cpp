// SPDX-License-Identifier: Apache-2.0
// What a plan says, as a name and back.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "jit/plan.h"

namespace octavo::jit {
namespace {

/// The number at the front of `text`, which it leaves out; nothing for none, or for more than a plan can mean.
std::optional<std::int64_t> take_number(std::string_view& text) {
  constexpr std::int64_t most = std::int64_t{1} << 32;
  std::int64_t value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc{} || value < 0 || value > most) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

bool take_word(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

/// "tile14x7": two numbers behind a word.
bool take_pair(std::string_view& text, std::string_view word, std::int64_t& first, std::int64_t& second) {
  if (!take_word(text, word)) return false;
  const auto a = take_number(text);
  if (!a || !take_word(text, "x")) return false;
  const auto b = take_number(text);
  if (!b) return false;
  first = *a;
  second = *b;
  return true;
}

}  // namespace

std::string Plan::name() const {
  const std::string depthwise = group_step == 0 ? "" : fmt::format("_step{}", group_step);
  const std::string transform = winograd() ? fmt::format("winograd{}x{}_", winograd_h, winograd_w) : "";
  const std::string words = word_depth == 0                  ? ""
                            : word_depth == depth_of_weights ? "_words"
                                                             : fmt::format("_words{}", word_depth);
  return fmt::format("{}tile{}x{}{}{}_block{}x{}{}{}_{}", transform, tile_h, tile_w, scale_per_pixel ? "_perpixel" : "",
                     gathered ? "_gathered" : "", rows, column_vectors, depthwise, words,
                     order == WorkOrder::tile_outer ? "tileouter" : "channelouter");
}

PixelBlock Plan::pixel_block() const {
  if (tile_w >= rows) return {1, rows};
  return {std::min(tile_h, rows / tile_w), tile_w};
}

std::optional<Plan> Plan::parse(std::string_view name) {
  Plan plan;
  std::string_view rest = name;
  if (take_pair(rest, "winograd", plan.winograd_h, plan.winograd_w) && !take_word(rest, "_")) return std::nullopt;
  if (!take_pair(rest, "tile", plan.tile_h, plan.tile_w)) return std::nullopt;
  plan.scale_per_pixel = take_word(rest, "_perpixel");
  plan.gathered = take_word(rest, "_gathered");
  if (!take_pair(rest, "_block", plan.rows, plan.column_vectors)) return std::nullopt;
  if (take_word(rest, "_step")) plan.group_step = take_number(rest).value_or(0);
  if (take_word(rest, "_words")) plan.word_depth = take_number(rest).value_or(depth_of_weights);
  plan.order = rest == "_channelouter" ? WorkOrder::channel_outer : WorkOrder::tile_outer;
  if (plan.name() != name) return std::nullopt;
  return plan;
}

bool Plan::same_blocking(const Plan& other) const {
  return tile_h == other.tile_h && tile_w == other.tile_w && scale_per_pixel == other.scale_per_pixel &&
         gathered == other.gathered && rows == other.rows && column_vectors == other.column_vectors &&
         order == other.order && group_step == other.group_step && word_depth == other.word_depth &&
         winograd_h == other.winograd_h && winograd_w == other.winograd_w;
}

}  // namespace octavo::jit

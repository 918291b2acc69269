// SPDX-License-Identifier: Apache-2.0
// See option_checks.h.
#include "tools/octavo/option_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

#include "octavo/error.h"

namespace octavo::tool {
namespace {

template <class Number>
bool read_whole(std::string_view text, Number& number) {
  const char* const end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, number);
  return problem == std::errc{} && stop == end;
}

}  // namespace

CLI::Validator number_between(double least, double most) {
  const auto check = [least, most](const std::string& text) {
    double number = 0;
    const bool within = read_whole(text, number) && number >= least && number <= most;
    return within ? std::string() : fmt::format("Value {} not in range {} to {}", text, least, most);
  };
  return CLI::Validator(check, fmt::format("FLOAT in [{} - {}]", least, most));
}

CLI::Validator unsigned_number() {
  const auto check = [](const std::string& text) {
    std::uint64_t number = 0;
    return read_whole(text, number) ? std::string() : fmt::format("Value {} not in range 0 to {}", text, UINT64_MAX);
  };
  return CLI::Validator(check, "");
}

void refuse_empty_values(const CLI::App& command) {
  for (const CLI::Option* option : command.get_options()) {
    const auto& values = option->results();
    if (std::find(values.begin(), values.end(), "") == values.end()) continue;
    throw Error(ErrorKind::invalid_argument, "an empty value", option->get_name(), "give one, or leave it out");
  }
}

}  // namespace octavo::tool

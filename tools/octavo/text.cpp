// SPDX-License-Identifier: Apache-2.0
// Options and text files: see text.h.
#include "tools/octavo/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <fstream>
#include <span>
#include <system_error>

#include "octavo/error.h"
#include "runtime/atomic_file.h"

namespace octavo::tool {
namespace {

namespace fs = std::filesystem;

/// All of `text` as a number, or false.
template <class Number>
bool parse_whole(std::string_view text, Number& number) {
  const char* end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, number);
  return problem == std::errc{} && stop == end;
}

/// "n01440764 " as ImageNet's label files begin their lines.
bool has_synset_id(const std::string& line) {
  return line.size() > 10 && line[0] == 'n' && line[9] == ' ' &&
         std::all_of(line.begin() + 1, line.begin() + 9, [](unsigned char c) { return std::isdigit(c) != 0; });
}

}  // namespace

std::vector<float> parse_numbers(std::string_view text, std::string_view option) {
  std::vector<float> numbers;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    float number = 0;
    if (!parse_whole(text.substr(begin, comma - begin), number) || !std::isfinite(number)) {
      throw Error(ErrorKind::invalid_argument, fmt::format("\"{}\" is not a list of numbers", text),
                  std::string(option), "for example 104,117,123");
    }
    numbers.push_back(number);
    begin = comma + 1;
  }
  return numbers;
}

std::pair<std::int64_t, std::int64_t> parse_size(std::string_view text, std::string_view option) {
  constexpr std::int64_t largest = 16384;
  const std::size_t cross = text.find('x');
  std::int64_t height = 0;
  std::int64_t width = 0;
  const bool good = parse_whole(text.substr(0, cross), height) &&
                    parse_whole(cross == std::string_view::npos ? text : text.substr(cross + 1), width);
  if (!good || height < 1 || width < 1 || height > largest || width > largest) {
    throw Error(ErrorKind::invalid_argument, fmt::format("\"{}\" is not a size", text), std::string(option),
                "a number of pixels, or HEIGHTxWIDTH");
  }
  return {height, width};
}

std::vector<std::string> read_lines(const fs::path& file) {
  errno = 0;
  std::ifstream in(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    lines.push_back(std::move(line));
  }
  if (!in.eof()) {
    const std::string why = errno != 0 ? ": " + std::generic_category().message(errno) : std::string();
    throw Error(ErrorKind::io, "cannot read" + why, file.string());
  }
  return lines;
}

std::vector<std::string> read_labels(const fs::path& file) {
  std::vector<std::string> labels = read_lines(file);
  while (!labels.empty() && labels.back().empty()) labels.pop_back();
  if (labels.empty())
    throw Error(ErrorKind::malformed, "no labels in the file", file.string(), "one class name a line");
  if (std::all_of(labels.begin(), labels.end(), has_synset_id)) {
    for (std::string& label : labels) label.erase(0, 10);
  }
  return labels;
}

void write_file(const fs::path& file, std::string_view content) {
  runtime::AtomicFile out(file);
  out.write(std::as_bytes(std::span(content)));
  out.commit();
}

}  // namespace octavo::tool

// SPDX-License-Identifier: Apache-2.0
// The shape syntax's parser.
#include "tools/problem.h"

#include <charconv>
#include <map>
#include <optional>

#include "octavo/error.h"

namespace octavo::tools {

namespace {

[[noreturn]] void reject(std::string_view text, const std::string& what) {
  throw Error(ErrorKind::invalid_argument, what, std::string(text), "an example: ic64ih56oc64oh56kh3ph1n\"conv2\"");
}

using Sizes = std::map<std::string, std::int64_t, std::less<>>;

Sizes read_sizes(std::string_view text, std::string& name) {
  Sizes sizes;
  std::size_t at = 0;
  while (at < text.size()) {
    if (text[at] == '_') {
      ++at;
      continue;
    }
    if (text.substr(at, 2) == "n\"") {
      const std::size_t end = text.find('"', at + 2);
      if (end == std::string_view::npos) reject(text, "the name has no closing quote");
      name = text.substr(at + 2, end - at - 2);
      at = end + 1;
      continue;
    }
    std::size_t digits = at;
    while (digits < text.size() && text[digits] >= 'a' && text[digits] <= 'z') ++digits;
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data() + digits, text.data() + text.size(), value);
    if (digits == at || error != std::errc{})
      reject(text, "expected a key and a number at position " + std::to_string(at));
    sizes[std::string(text.substr(at, digits - at))] = value;
    at = static_cast<std::size_t>(end - text.data());
  }
  return sizes;
}

}  // namespace

Problem parse_problem(std::string_view text) {
  Problem problem;
  problem.name = text;
  Sizes sizes = read_sizes(text, problem.name);
  const auto take = [&](const char* key) -> std::optional<std::int64_t> {
    const auto found = sizes.find(key);
    if (found == sizes.end()) return std::nullopt;
    const std::int64_t value = found->second;
    sizes.erase(found);
    return value;
  };
  const auto take_pair = [&](const char* h, const char* w, std::int64_t otherwise, std::int64_t& height,
                             std::int64_t& width) {
    const auto first = take(h), second = take(w);
    height = first.value_or(second.value_or(otherwise));
    width = second.value_or(height);
  };
  jit::ConvSpec& spec = problem.spec;
  const std::int64_t batch = take("mb").value_or(1);
  spec.groups = take("g").value_or(1);
  spec.in_channels = take("ic").value_or(1);
  spec.out_channels = take("oc").value_or(1);
  take_pair("ih", "iw", 1, spec.in_h, spec.in_w);
  take_pair("kh", "kw", 1, spec.kernel_h, spec.kernel_w);
  take_pair("sh", "sw", 1, spec.stride_h, spec.stride_w);
  take_pair("dh", "dw", 0, spec.dilation_h, spec.dilation_w);
  take_pair("ph", "pw", 0, spec.pad_top, spec.pad_left);
  ++spec.dilation_h;
  ++spec.dilation_w;
  const auto out = [](std::int64_t in, std::int64_t pad, std::int64_t kernel, std::int64_t dilation,
                      std::int64_t stride) {
    return stride < 1 ? 0 : (in + 2 * pad - (kernel - 1) * dilation - 1) / stride + 1;
  };
  const auto oh = take("oh"), ow = take("ow");
  spec.out_h = oh.value_or(out(spec.in_h, spec.pad_top, spec.kernel_h, spec.dilation_h, spec.stride_h));
  spec.out_w = ow.value_or(oh && spec.in_h == spec.in_w
                               ? *oh
                               : out(spec.in_w, spec.pad_left, spec.kernel_w, spec.dilation_w, spec.stride_w));
  if (!sizes.empty()) reject(text, "unknown key '" + sizes.begin()->first + "'");
  spec.validate();
  if (spec.pointwise()) {
    spec.in_w = spec.out_w = batch * spec.in_h * spec.in_w;
    spec.in_h = spec.out_h = 1;
    spec.validate();
  } else if (batch != 1) {
    reject(text, "mb > 1 is for Linear and 1x1 layers");
  }
  return problem;
}

namespace {

/// The next word: up to a blank outside n"...".
std::string_view take_word(std::string_view& line) {
  const std::size_t first = line.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return line = {};
  line.remove_prefix(first);
  bool quoted = false;
  std::size_t end = 0;
  for (; end < line.size(); ++end) {
    if (line[end] == '"') quoted = !quoted;
    if (!quoted && std::string_view(" \t\r#").find(line[end]) != std::string_view::npos) break;
  }
  const std::string_view word = line.substr(0, end);
  line = end < line.size() && line[end] == '#' ? std::string_view() : line.substr(end);
  return word;
}

void refuse_meaningful_option(std::string_view option) {
  for (const std::string_view name : {"--mb", "--batch"}) {
    if (option == name || option.starts_with(std::string(name) + "="))
      throw Error(ErrorKind::invalid_argument, std::string(name) + " is not understood here", std::string(option),
                  "write mb as a part of each problem, and name each file");
  }
}

}  // namespace

std::vector<Problem> parse_problems(std::string_view text, const std::string& where) {
  std::vector<Problem> problems;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    try {
      for (std::string_view word = take_word(line); !word.empty(); word = take_word(line)) {
        if (word.starts_with("--"))
          refuse_meaningful_option(word);
        else
          problems.push_back(parse_problem(word));
      }
    } catch (const Error& error) {
      throw Error(error.kind(), error.what(), where + ":" + std::to_string(number));
    }
  }
  if (problems.empty())
    throw Error(ErrorKind::invalid_argument, "there is no problem in it", where, "one a line: ic64ih56oc64oh56kh3ph1");
  return problems;
}

}  // namespace octavo::tools

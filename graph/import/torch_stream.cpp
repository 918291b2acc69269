// SPDX-License-Identifier: Apache-2.0
// See graph/import/torch_stream.h.
#include "graph/import/torch_stream.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <system_error>

#include "graph/import/constant_tensor.h"
#include "graph/import/load_number.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

std::string_view torch_characters(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};  // NOLINT: bytes as characters
}

bool is_torch_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

std::size_t torch_width(TorchNumber type, std::size_t long_bytes) {
  switch (type) {
    case TorchNumber::byte:
    case TorchNumber::character:
      return 1;
    case TorchNumber::int16:
    case TorchNumber::half:
      return 2;
    case TorchNumber::int32:
    case TorchNumber::float32:
      return 4;
    case TorchNumber::int64:
      return long_bytes;
    case TorchNumber::float64:
      break;
  }
  return 8;
}

/// "4\n1\n3\nV 1\n": the kind of a composite object, its number.
bool begins_in_ascii(std::string_view text) {
  if (text.size() < 4 || (text[0] != '3' && text[0] != '4') || text[1] != '\n') return false;
  std::size_t i = 2;
  while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i;
  return i > 2 && i < text.size() && text[i] == '\n';
}

}  // namespace

double TorchNumbers::real(std::int64_t i) const {
  const auto at = static_cast<std::size_t>(i);
  if (!spelled.empty()) return spelled[at];
  const auto number = bytes.subspan(at * width, width);
  switch (type) {
    case TorchNumber::byte:
      return load_number<std::uint8_t>(number);
    case TorchNumber::character:
      return load_number<std::int8_t>(number);
    case TorchNumber::int16:
      return load_number<std::int16_t>(number);
    case TorchNumber::int32:
      return load_number<std::int32_t>(number);
    case TorchNumber::int64:
      return width == 4 ? load_number<std::int32_t>(number) : static_cast<double>(load_number<std::int64_t>(number));
    case TorchNumber::half:
      return half_to_float(load_number<std::uint16_t>(number));
    case TorchNumber::float32:
      return load_number<float>(number);
    case TorchNumber::float64:
      break;
  }
  return load_number<double>(number);
}

TorchStream::TorchStream(std::span<const std::byte> bytes, std::size_t long_bytes)
    : bytes_(bytes), long_bytes_(long_bytes), ascii_(begins_in_ascii(torch_characters(bytes))) {}

bool TorchStream::begins(std::span<const std::byte> bytes) {
  if (begins_in_ascii(torch_characters(bytes.first(std::min<std::size_t>(bytes.size(), 64))))) return true;
  if (bytes.size() < 8) return false;
  const auto kind = load_number<std::uint32_t>(bytes);
  return kind == 3 || kind == 4;
}

void TorchStream::fail(const std::string& what) const {
  throw Error(ErrorKind::malformed, fmt::format("byte {}: {}", position_, what));
}

std::span<const std::byte> TorchStream::take(std::int64_t count, std::size_t width) {
  if (count < 0) fail(fmt::format("a count of {}", count));
  if (static_cast<std::uint64_t>(count) > left() / width) {
    fail(fmt::format("{} numbers of {} bytes, but only {} bytes are left", count, width, left()));
  }
  const auto taken = bytes_.subspan(position_, static_cast<std::size_t>(count) * width);
  position_ += taken.size();
  return taken;
}

/// In ASCII, one line end follows a number or a string.
void TorchStream::skip_line_end() {
  if (position_ < bytes_.size() && bytes_[position_] == std::byte{'\n'}) ++position_;
}

std::string_view TorchStream::word() {
  const std::string_view rest = torch_characters(bytes_.subspan(position_));
  std::size_t begin = 0;
  while (begin < rest.size() && is_torch_space(rest[begin])) ++begin;
  std::size_t end = begin;
  while (end < rest.size() && !is_torch_space(rest[end])) ++end;
  if (begin == end) fail("the file ends where a number is expected");
  position_ += end;
  return rest.substr(begin, end - begin);
}

std::int64_t TorchStream::spelled_integer() {
  const std::string_view digits = word();
  std::int64_t value = 0;
  const auto [stop, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (problem != std::errc{} || stop != digits.data() + digits.size()) fail("not a whole number");
  return value;
}

double TorchStream::spelled_real() {
  std::string_view digits = word();
  if (digits == "-nan") digits.remove_prefix(1);
  double value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, problem] = std::from_chars(digits.data(), end, value);
  if (problem == std::errc::result_out_of_range) fail("a number beyond the range of a double");
  if (problem != std::errc{} || stop != end) fail("not a number");
  return value;
}

std::int64_t TorchStream::integer() {
  if (!ascii_) return load_number<std::int32_t>(take(1, 4));
  const std::int64_t value = spelled_integer();
  skip_line_end();
  if (value < std::numeric_limits<std::int32_t>::min() || value > std::numeric_limits<std::int32_t>::max()) {
    fail(fmt::format("{} does not fit 32 bits", value));
  }
  return value;
}

std::int64_t TorchStream::wide() { return wides(1)[0]; }

std::vector<std::int64_t> TorchStream::wides(std::int64_t count) {
  std::vector<std::int64_t> values;
  if (ascii_) {
    if (count < 0 || static_cast<std::uint64_t>(count) > left()) fail(fmt::format("a count of {}", count));
    for (std::int64_t i = 0; i < count; ++i) values.push_back(spelled_integer());
    if (count > 0) skip_line_end();
    return values;
  }
  const auto taken = take(count, long_bytes_);
  for (std::int64_t i = 0; i < count; ++i) {
    const auto number = taken.subspan(static_cast<std::size_t>(i) * long_bytes_);
    values.push_back(long_bytes_ == 4 ? load_number<std::int32_t>(number) : load_number<std::int64_t>(number));
  }
  return values;
}

double TorchStream::real() {
  if (!ascii_) return load_number<double>(take(1, 8));
  const double value = spelled_real();
  skip_line_end();
  return value;
}

std::string_view TorchStream::text() {
  const std::int64_t length = integer();
  const std::string_view characters = torch_characters(take(length, 1));
  if (ascii_ && length > 0) skip_line_end();
  return characters;
}

TorchNumbers TorchStream::numbers(TorchNumber type, std::int64_t count) {
  TorchNumbers numbers;
  numbers.type = type;
  numbers.count = count;
  numbers.width = torch_width(type, long_bytes_);
  const bool characters = type == TorchNumber::byte || type == TorchNumber::character;
  if (!ascii_ || characters) {  // single bytes are not spelled out in ASCII files either
    numbers.bytes = take(count, numbers.width);
  } else {
    if (count < 0 || static_cast<std::uint64_t>(count) > left()) fail(fmt::format("a count of {}", count));
    for (std::int64_t i = 0; i < count; ++i) numbers.spelled.push_back(spelled_real());
  }
  if (ascii_ && count > 0) skip_line_end();
  return numbers;
}

}  // namespace octavo::graph

// SPDX-License-Identifier: Apache-2.0
// The one exception type that octavo throws.
#pragma once

#include <algorithm>
#include <stdexcept>
#include <string>
#include <utility>

namespace octavo {

/// What kind of thing went wrong; the `octavo` command maps each to an exit code, the C ABI to a status.
enum class ErrorKind {
  invalid_argument,  ///< the caller passed something that cannot be meant (wrong shape, unknown option)
  io,                ///< a file cannot be opened, read or written
  malformed,         ///< a file's content is broken, truncated or hostile
  unsupported,       ///< well-formed, but octavo cannot do it (unknown layer, unknown version)
  resource,          ///< out of memory, or the system refuses executable memory
};

/// Every failure of the library. It says what went wrong, where (file, layer, byte), and how to fix it.
/// The library never prints, exits or aborts. Names in the texts come from files: bytes that would steer a terminal are
/// written as "\x1b".
class Error : public std::runtime_error {
 public:
  /// `where` and `hint` may be empty. what() is "where: what (hint)".
  Error(ErrorKind kind, std::string what, std::string where = {}, std::string hint = {})
      : std::runtime_error(plain(join(what, where, hint))),
        kind_(kind),
        where_(plain(std::move(where))),
        hint_(plain(std::move(hint))) {}

  [[nodiscard]] ErrorKind kind() const noexcept { return kind_; }
  [[nodiscard]] const std::string& where() const noexcept { return where_; }
  [[nodiscard]] const std::string& hint() const noexcept { return hint_; }

 private:
  static bool steers(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f;
  }
  static std::string plain(std::string text) {
    if (std::none_of(text.begin(), text.end(), steers)) return text;
    constexpr char digits[] = "0123456789abcdef";
    std::string result;
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (steers(c)) {
        result.append({'\\', 'x', digits[byte >> 4U], digits[byte & 15U]});
      } else {
        result += c;
      }
    }
    return result;
  }
  static std::string join(const std::string& what, const std::string& where, const std::string& hint) {
    std::string text = where.empty() ? what : where + ": " + what;
    if (!hint.empty()) text += " (" + hint + ")";
    return text;
  }

  ErrorKind kind_;
  std::string where_, hint_;
};

}  // namespace octavo

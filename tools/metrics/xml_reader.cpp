// SPDX-License-Identifier: Apache-2.0
// See xml_reader.h.
#include "tools/metrics/xml_reader.h"

#include <array>
#include <utility>
#include <vector>

#include "octavo/error.h"

namespace octavo::metrics {
namespace {

[[noreturn]] void malformed(const std::string& what) { throw Error(ErrorKind::malformed, what); }

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::string decoded(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, char>, 5> kEntities{
      {{"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}, {"&amp;", '&'}}};
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    bool found = false;
    for (const auto& [name, character] : kEntities) {
      if (text.substr(i, name.size()) != name) continue;
      out += character;
      i += name.size();
      found = true;
      break;
    }
    if (!found) out += text[i++];
  }
  return out;
}

/// An element that is open.
struct Open {
  std::size_t path;  ///< length of the path above it
  std::string text;
};

}  // namespace

void read_xml(std::string_view document, const std::function<void(std::string_view, std::string_view)>& leave) {
  constexpr std::size_t kDepth = 64;
  std::string path;
  std::vector<Open> open;
  const auto close = [&] {
    leave(path, decoded(trimmed(open.back().text)));
    path.resize(open.back().path);
    open.pop_back();
  };
  std::size_t at = 0;
  while (at < document.size()) {
    const std::size_t tag = document.find('<', at);
    if (!open.empty()) open.back().text += document.substr(at, tag - at);
    if (tag == std::string_view::npos) break;
    const bool comment = document.substr(tag, 4) == "<!--";
    const std::size_t end = comment ? document.find("-->", tag) : document.find('>', tag);
    if (end == std::string_view::npos) malformed("a tag does not end");
    at = end + (comment ? 3 : 1);
    std::string_view name = document.substr(tag + 1, end - tag - 1);
    if (comment || name.starts_with('!') || name.starts_with('?')) continue;
    if (name.starts_with('/')) {
      const std::string_view closed = trimmed(name.substr(1));
      const std::size_t slash = path.rfind('/');
      const std::string_view last = std::string_view(path).substr(slash == std::string::npos ? 0 : slash + 1);
      if (open.empty() || last != closed) malformed("</" + std::string(closed) + "> closes nothing that is open");
      close();
      continue;
    }
    const bool alone = name.ends_with('/');
    if (alone) name.remove_suffix(1);
    name = name.substr(0, name.find_first_of(" \t\r\n"));
    if (name.empty()) malformed("a tag has no name");
    if (open.size() == kDepth) malformed("elements nest too deep");
    open.push_back({path.size(), {}});
    if (!path.empty()) path += '/';
    path += name;
    if (alone) close();
  }
  if (!open.empty()) malformed("'" + path + "' does not end");
}

}  // namespace octavo::metrics

// SPDX-License-Identifier: Apache-2.0
// Enough of XML for annotations: elements and their text, in order. Comments, declarations and attributes are skipped;
// the five named entities are decoded.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace octavo::metrics {

/// Calls `leave(path, text)` at the end of each element: path "annotation/object/name", text without blanks around it.
/// Throws Error(malformed), without a place, for elements that do not nest or nest deeper than 64.
void read_xml(std::string_view document, const std::function<void(std::string_view, std::string_view)>& leave);

}  // namespace octavo::metrics

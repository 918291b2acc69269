// SPDX-License-Identifier: Apache-2.0
// MD5 (RFC 1321), as BigDL's weight files carry it: a checksum against accidents, not against forgery.
#pragma once

#include <array>
#include <cstddef>
#include <span>

namespace octavo::graph {

[[nodiscard]] std::array<std::byte, 16> md5(std::span<const std::byte> bytes);

}  // namespace octavo::graph

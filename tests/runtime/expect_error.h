// SPDX-License-Identifier: Apache-2.0
// Expecting an octavo::Error of a kind, and what it says.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "octavo/error.h"

namespace octavo::test {

template <class F>
void expect_error(ErrorKind kind, const std::string& part, F&& act) {
  try {
    act();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos)
        << "'" << part << "' is not in: " << error.what();
    return;
  }
  ADD_FAILURE() << "no error where one with '" << part << "' is expected";
}

}  // namespace octavo::test

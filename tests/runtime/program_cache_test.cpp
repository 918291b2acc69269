// SPDX-License-Identifier: Apache-2.0
// Kept programs: compiled once a key, at most so many, safe under threads.
#include "runtime/program_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "octavo/error.h"

namespace octavo::runtime {
namespace {

ProgramKey key_of(std::int64_t batch) { return {{{batch, 3}}, 1, Isa::reference, {}, {}, {}}; }

class ProgramCacheTest : public testing::Test {
 protected:
  void get(std::int64_t batch) {
    (void)cache_.get(key_of(batch), [this] {
      ++compiled_;
      return Program(nullptr);
    });
  }
  ProgramCache cache_{3};
  std::atomic<int> compiled_ = 0;
};

TEST_F(ProgramCacheTest, CompilesEachKeyOnce) {
  for (int i = 0; i < 5; ++i) {
    get(1);
    get(2);
  }
  EXPECT_EQ(compiled_, 2);
}

TEST_F(ProgramCacheTest, ForgetsTheOneUnusedLongest) {
  for (const std::int64_t batch : {1, 2, 3}) get(batch);
  get(1);
  get(4);  // 2 goes
  EXPECT_EQ(cache_.size(), 3U);
  get(1);
  get(3);
  EXPECT_EQ(compiled_, 4);
  get(2);
  EXPECT_EQ(compiled_, 5);
}

TEST_F(ProgramCacheTest, AFailureIsNotKept) {
  const auto fail = []() -> Program { throw Error(ErrorKind::unsupported, "no"); };
  EXPECT_THROW((void)cache_.get(key_of(1), fail), Error);
  EXPECT_EQ(cache_.size(), 0U);
  get(1);
  EXPECT_EQ(compiled_, 1);
}

TEST_F(ProgramCacheTest, AFailureTakesOutNoLaterSuccess) {
  const auto fail_late = [this]() -> Program {
    for (const std::int64_t batch : {2, 3, 4, 1}) get(batch);  // pushes out the one that is being compiled
    throw Error(ErrorKind::unsupported, "no");
  };
  EXPECT_THROW((void)cache_.get(key_of(1), fail_late), Error);
  EXPECT_EQ(cache_.size(), 3U);
  get(1);
  EXPECT_EQ(compiled_, 4);
}

TEST_F(ProgramCacheTest, ThreadsThatWantTheSameWaitForOne) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([this] {
      for (int round = 0; round < 50; ++round) get(round % 3);
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(compiled_, 3);
}

}  // namespace
}  // namespace octavo::runtime

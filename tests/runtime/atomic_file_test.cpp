// SPDX-License-Identifier: Apache-2.0
// A file is written whole or not at all, and stays what it was: a link, readable by the same users.
#include "runtime/atomic_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <string_view>

#include "octavo/error.h"
#include "tests/runtime/temporary_folder.h"

namespace octavo::runtime {
namespace {

using octavo::test::Bytes;
using octavo::test::read_bytes;
using std::filesystem::perms;

class AtomicFileTest : public testing::Test {
 protected:
  [[nodiscard]] std::ptrdiff_t files() const {
    return std::distance(std::filesystem::directory_iterator(folder_.path()), {});
  }
  static void write(AtomicFile& file, std::string_view text) { file.write(std::as_bytes(std::span(text))); }

  octavo::test::TemporaryFolder folder_;
  const std::filesystem::path old_ = folder_.put("old", {1, 2, 3});
};

TEST_F(AtomicFileTest, AFailingWriteLeavesTheOldFileAndNothingElse) {
  // The system refuses to let files grow beyond 64 KB, as a full disk would.
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{65536, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  EXPECT_THROW(
      {
        AtomicFile file(old_);
        write(file, std::string(65537, 'a'));
        file.commit();
      },
      Error);
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(read_bytes(old_), (Bytes{1, 2, 3}));
  EXPECT_EQ(files(), 1);
}

TEST_F(AtomicFileTest, AnExceptionBeforeCommitLeavesTheOldFile) {
  {
    AtomicFile half(old_);
    write(half, "half");
    const int nameless = ::open(folder_.path().c_str(), O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);
    if (nameless >= 0) {  // such a file system: a process that is killed here leaves nothing
      ::close(nameless);
      EXPECT_EQ(files(), 1);
    }
    half.prepare();
    EXPECT_EQ(files(), 2);
  }
  EXPECT_EQ(read_bytes(old_), (Bytes{1, 2, 3}));
  EXPECT_EQ(files(), 1);
}

TEST_F(AtomicFileTest, ALinkStaysALinkAndPermissionsStay) {
  std::filesystem::permissions(old_, perms::owner_read | perms::owner_write);
  std::filesystem::create_symlink(old_, folder_ / "link");
  AtomicFile file(folder_ / "link");
  write(file, "new");
  file.commit();
  EXPECT_TRUE(std::filesystem::is_symlink(folder_ / "link"));
  EXPECT_EQ(read_bytes(old_), (Bytes{'n', 'e', 'w'}));
  EXPECT_EQ(std::filesystem::status(old_).permissions(), perms::owner_read | perms::owner_write);
  EXPECT_EQ(files(), 2);
}

}  // namespace
}  // namespace octavo::runtime

// SPDX-License-Identifier: Apache-2.0
// Temporary file, fsync, a name for it, rename, fsync of the folder.
#include "runtime/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <system_error>

#include "octavo/error.h"

namespace octavo::runtime {
namespace {

[[noreturn]] void fail(const std::filesystem::path& target, const char* what, int error) {
  throw Error(ErrorKind::io, std::string(what) + ": " + std::generic_category().message(error), target.string());
}

/// A symbolic link stays; the file that it points to is replaced.
std::filesystem::path resolve(const std::filesystem::path& target) {
  std::error_code ignored;
  if (!std::filesystem::is_symlink(target, ignored)) return target;
  auto resolved = std::filesystem::weakly_canonical(target, ignored);
  return ignored ? target : resolved;
}

constexpr int kNameTries = 1000;

std::filesystem::path folder_of(const std::filesystem::path& file) {
  return file.has_parent_path() ? file.parent_path() : std::filesystem::path(".");
}

/// Where the system shows an open file of this process: the only way to a name for one that has none.
std::string name_of_open_file(int descriptor) { return "/proc/self/fd/" + std::to_string(descriptor); }

/// A file without a name in the target's folder; -1 where the file system or the system has no such thing.
int open_nameless(const std::filesystem::path& target) {
  const int descriptor = ::open(folder_of(target).c_str(), O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666);
  if (descriptor < 0) return -1;
  if (::access(name_of_open_file(descriptor).c_str(), F_OK) == 0) return descriptor;
  ::close(descriptor);
  return -1;
}

}  // namespace

AtomicFile::AtomicFile(const std::filesystem::path& target) : target_(resolve(target)) {
  std::error_code ignored;
  if (target_.filename().empty() || std::filesystem::is_directory(target_, ignored)) {
    throw Error(ErrorKind::io, "cannot write: it is a folder", target.string());
  }
  // Renaming over a device (/dev/null) or a pipe would take it away from everybody.
  if (std::filesystem::exists(target_, ignored) && !std::filesystem::is_regular_file(target_, ignored)) {
    throw Error(ErrorKind::io, "cannot write: not a regular file", target.string());
  }
  descriptor_ = open_nameless(target_);
  for (int i = 0; descriptor_ < 0; ++i) {
    temporary_ = temporary_name(i);
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0 && (errno != EEXIST || i == kNameTries)) fail(target_, "cannot write", errno);
  }
  struct stat existing {};
  if (::stat(target_.c_str(), &existing) == 0) ::fchmod(descriptor_, existing.st_mode & 07777U);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

std::filesystem::path AtomicFile::temporary_name(int i) const {
  std::filesystem::path name = target_;
  name += ".part" + std::to_string(::getpid()) + "-" + std::to_string(i);
  return name;
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  constexpr std::size_t kAtOnce = std::size_t{1} << 26U;
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), std::min(bytes.size(), kAtOnce));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail(target_, "cannot write", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void AtomicFile::prepare() {
  if (prepared_) return;
  if (::fsync(descriptor_) != 0) fail(target_, "cannot write to the disk", errno);
  for (int i = 0; temporary_.empty(); ++i) {
    const std::filesystem::path name = temporary_name(i);
    if (::linkat(AT_FDCWD, name_of_open_file(descriptor_).c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0) {
      temporary_ = name;
    } else if (errno != EEXIST || i == kNameTries) {
      fail(target_, "cannot write", errno);
    }
  }
  prepared_ = true;
}

void AtomicFile::commit() {
  prepare();
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail(target_, "cannot put the new file in place", errno);
  ::close(descriptor_);
  descriptor_ = -1;
  // The content is safe by now; a folder that cannot be synced (some network file systems) is no failure.
  const int opened = ::open(folder_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened < 0) return;
  ::fsync(opened);
  ::close(opened);
}

}  // namespace octavo::runtime

// SPDX-License-Identifier: Apache-2.0
// See files_read.h. A file is its device and its number there, so links need no thought.
#include "tools/octavo/files_read.h"

#include <sys/stat.h>

#include <system_error>

#include "octavo/error.h"
#include "tools/octavo/pictures.h"

namespace octavo::tool {

namespace fs = std::filesystem;

bool FilesRead::identify(const fs::path& file, Identity& identity) {
  struct stat found {};
  if (file.empty() || ::stat(file.c_str(), &found) != 0) return false;
  identity = {found.st_dev, found.st_ino};
  return S_ISREG(found.st_mode) || S_ISDIR(found.st_mode);  // devices and pipes are never replaced
}

void FilesRead::add_one(const fs::path& file) {
  Identity identity;
  if (identify(file, identity)) files_.insert(identity);
}

void FilesRead::add(const fs::path& file_or_folder) {
  add_one(file_or_folder);
  std::error_code problem;
  if (file_or_folder.empty() || !fs::is_directory(file_or_folder, problem)) return;
  const auto skip = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator at(file_or_folder, skip, problem), end; !problem && at != end;
       at.increment(problem)) {
    add_one(at->path());
  }
}

void FilesRead::add(const std::vector<fs::path>& files) {
  for (const fs::path& file : files) add_one(file);
}

void FilesRead::add_pictures(const fs::path& file_or_folder) {
  if (file_or_folder.empty()) return;
  try {
    add(find_pictures(file_or_folder));
  } catch (const Error&) {  // there are none, which is for the reader to judge
  }
}

void FilesRead::refuse_as_outputs(const std::vector<fs::path>& written) const {
  std::set<fs::path> targets;
  for (const fs::path& file : written) {
    if (file.empty()) continue;
    Identity identity;
    if (identify(file, identity) && files_.contains(identity)) {
      throw Error(ErrorKind::invalid_argument, "an output is an input", file.string(), "choose another name");
    }
    std::error_code ignored;
    const fs::path absolute = fs::absolute(file, ignored);
    const fs::path target = fs::weakly_canonical(absolute, ignored);
    if (!targets.insert(target.empty() ? absolute : target).second) {
      throw Error(ErrorKind::invalid_argument, "two outputs are one file", file.string(), "choose two names");
    }
  }
}

}  // namespace octavo::tool

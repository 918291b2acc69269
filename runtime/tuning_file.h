// SPDX-License-Identifier: Apache-2.0
// The file that keeps tuned plans: JSON, versioned, written whole or not at all, merged with what is there.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "jit/tuning.h"

namespace octavo::runtime {

/// A record that was left out, and why.
struct SkippedRecord {
  std::string place;  ///< "records[3].threads"
  std::string what;
};

struct TuningFileContent {
  jit::TuningTable table;
  std::vector<SkippedRecord> skipped;
};

/// The records of a file. A record with a field that is missing or out of range is left out and listed; what is no
/// tuning file at all is an Error(malformed), one of a later version Error(unsupported), one that cannot be read
/// Error(io). At most 64 MB and 100,000 records are read.
[[nodiscard]] TuningFileContent read_tuning_file(const std::filesystem::path& file);

/// Adds the records to those of the file, replacing records of the same key, and makes the folder where there is none.
/// A file that is there and cannot be read stays as it is: what read_tuning_file() throws. Otherwise Error(io).
void merge_into_tuning_file(const std::filesystem::path& file, const jit::TuningTable& records);

/// Takes records out of a file, where it has them. As above.
void remove_from_tuning_file(const std::filesystem::path& file, const std::vector<jit::TuningKey>& keys);

/// Where tuned plans are kept unless an option names a file: $OCTAVO_TUNING, or else
/// $XDG_CACHE_HOME/octavo/tuning.json, or else $HOME/.cache/octavo/tuning.json. Nothing when $OCTAVO_TUNING is "none",
/// or when no variable says where the user's files are.
[[nodiscard]] std::optional<std::filesystem::path> default_tuning_file();

/// The table that a compilation uses. `wanted`: CompileOptions::tuning. Empty for "none", and where the default is the
/// user's file and it does not exist; a file that an option or $OCTAVO_TUNING names has to.
[[nodiscard]] jit::TuningTable load_tuning(const std::optional<std::filesystem::path>& wanted);

}  // namespace octavo::runtime

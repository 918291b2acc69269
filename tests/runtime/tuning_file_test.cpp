// SPDX-License-Identifier: Apache-2.0
// The tuning file: what is written is read, what is broken is named, what is there is kept.
#include "runtime/tuning_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "octavo/error.h"
#include "tests/jit/scoped_environment.h"
#include "tests/runtime/expect_error.h"
#include "tests/runtime/temporary_folder.h"

namespace octavo::runtime {
namespace {

using jit::TuningTable;
using jit::testing::ScopedEnvironment;
using octavo::test::expect_error;
using octavo::test::TemporaryFolder;
using ::testing::HasSubstr;

class TuningFile : public ::testing::Test {
 protected:
  static TuningTable records(const std::string& spec, double seconds) {
    return {{{"AMD \"EPYC\" \xC3\xA9", spec, 2},
             {"tile1x1_block1x1_tileouter", "tile2x2_block1x1_tileouter", seconds, 1e-3}}};
  }
  [[nodiscard]] std::filesystem::path put(const std::string& text) const {
    const std::filesystem::path file = folder_ / "tuning.json";
    std::ofstream(file) << text;
    return file;
  }
  /// A file of one record with one field replaced.
  [[nodiscard]] std::filesystem::path with(const std::string& field, const nlohmann::json& value) const {
    nlohmann::json record = {{"cpu", "a"}, {"spec", "b"},    {"threads", 1},   {"plan", "c"},
                             {"us", 1.5},  {"planner", "d"}, {"planner_us", 2}};
    record[field] = value;
    return put(nlohmann::json{{"format", "octavo tuning"}, {"version", 1}, {"records", {record}}}.dump());
  }

  TemporaryFolder folder_;
};

TEST_F(TuningFile, ReadsBackWhatWasWritten) {
  const auto file = folder_ / "new/folders/tuning.json";
  merge_into_tuning_file(file, records("conv", 123.456e-6));
  const TuningFileContent content = read_tuning_file(file);
  EXPECT_TRUE(content.skipped.empty());
  ASSERT_EQ(content.table.size(), 1U);
  const auto& [key, record] = *content.table.begin();
  EXPECT_EQ(key, records("conv", 1).begin()->first);
  EXPECT_NEAR(record.seconds, 123.456e-6, 1e-10);
  EXPECT_EQ(record.plan, "tile1x1_block1x1_tileouter");
  EXPECT_EQ(record.planner, "tile2x2_block1x1_tileouter");
}

TEST_F(TuningFile, MergesWithTheRecordsThatAreThere) {
  const auto file = folder_ / "tuning.json";
  merge_into_tuning_file(file, records("first", 1e-6));
  merge_into_tuning_file(file, records("second", 2e-6));
  merge_into_tuning_file(file, records("first", 3e-6));
  const TuningTable table = read_tuning_file(file).table;
  ASSERT_EQ(table.size(), 2U);
  EXPECT_NEAR(table.at(records("first", 1).begin()->first).seconds, 3e-6, 1e-12);
  EXPECT_NEAR(table.at(records("second", 1).begin()->first).seconds, 2e-6, 1e-12);
}

TEST_F(TuningFile, ARecordCanBeTakenOut) {
  const auto file = folder_ / "tuning.json";
  remove_from_tuning_file(file, {records("first", 1).begin()->first});
  EXPECT_FALSE(std::filesystem::exists(file));
  merge_into_tuning_file(file, records("first", 1e-6));
  merge_into_tuning_file(file, records("second", 1e-6));
  remove_from_tuning_file(file, {records("first", 1).begin()->first});
  EXPECT_EQ(read_tuning_file(file).table.size(), 1U);
}

TEST_F(TuningFile, LeavesOutBrokenRecordsAndSaysWhich) {
  const double infinite = std::numeric_limits<double>::infinity();
  for (const auto& [field, value] :
       std::vector<std::pair<std::string, nlohmann::json>>{{"cpu", 1},
                                                           {"cpu", ""},
                                                           {"spec", nullptr},
                                                           {"spec", std::string(1001, 'x')},
                                                           {"threads", 0},
                                                           {"threads", 1025},
                                                           {"threads", "1"},
                                                           {"threads", 1.5},
                                                           {"us", -1},
                                                           {"us", 0},
                                                           {"us", "nan"},
                                                           {"us", "inf"},
                                                           {"us", infinite},
                                                           {"plan", {1, 2}},
                                                           {"planner", false},
                                                           {"planner_us", "fast"},
                                                           {"unknown", 1}}) {
    const TuningFileContent content = read_tuning_file(with(field, value));
    EXPECT_TRUE(content.table.empty()) << field << " = " << value;
    ASSERT_EQ(content.skipped.size(), 1U) << field << " = " << value;
    EXPECT_THAT(content.skipped[0].place, HasSubstr("records[0]"));
    EXPECT_FALSE(content.skipped[0].what.empty());
  }
  EXPECT_EQ(read_tuning_file(with("cpu", "fine")).table.size(), 1U);
}

TEST_F(TuningFile, WhatIsNoTuningFileIsAnErrorThatNamesIt) {
  for (const std::string text : {"", "nonsense", "[]", "{}", R"({"format": "octavo tuning"})",
                                 R"({"format": "other", "version": 1, "records": []})",
                                 R"({"format": "octavo tuning", "version": 0, "records": []})",
                                 R"({"format": "octavo tuning", "version": 1, "records": {}})",
                                 R"({"format": "octavo tuning", "version": 1, "records": [)"})
    expect_error(ErrorKind::malformed, "tuning.json", [&] { (void)read_tuning_file(put(text)); });
  expect_error(ErrorKind::malformed, "tuning.json", [&] { (void)read_tuning_file(put(std::string(100'000, '['))); });
  expect_error(ErrorKind::malformed, "no JSON: it breaks at byte 3 ", [&] { (void)read_tuning_file(put("[1x")); });
  expect_error(ErrorKind::malformed, "a number in it", [&] { (void)read_tuning_file(put("[1e999]")); });
  expect_error(ErrorKind::unsupported, "version 2",
               [&] { (void)read_tuning_file(put(R"({"format": "octavo tuning", "version": 2, "records": []})")); });
  expect_error(ErrorKind::io, "absent.json", [&] { (void)read_tuning_file(folder_ / "absent.json"); });
  expect_error(ErrorKind::io, "", [&] { (void)read_tuning_file(folder_.path()); });
}

TEST_F(TuningFile, IsNotReplacedWhereItCannotBeRead) {
  const auto file = put("precious");
  EXPECT_THROW(merge_into_tuning_file(file, records("conv", 1e-6)), Error);
  std::string kept;
  std::ifstream(file) >> kept;
  EXPECT_EQ(kept, "precious");
}

TEST_F(TuningFile, LiesWhereTheEnvironmentSays) {
  const ScopedEnvironment home("HOME", "/home/someone"), cache("XDG_CACHE_HOME", ""), unset("OCTAVO_TUNING", "");
  EXPECT_EQ(default_tuning_file(), "/home/someone/.cache/octavo/tuning.json");
  {
    const ScopedEnvironment other("XDG_CACHE_HOME", "/elsewhere");
    EXPECT_EQ(default_tuning_file(), "/elsewhere/octavo/tuning.json");
    const ScopedEnvironment named("OCTAVO_TUNING", "/named.json");
    EXPECT_EQ(default_tuning_file(), "/named.json");
    const ScopedEnvironment none("OCTAVO_TUNING", "none");
    EXPECT_EQ(default_tuning_file(), std::nullopt);
  }
  const ScopedEnvironment homeless("HOME", "");
  EXPECT_EQ(default_tuning_file(), std::nullopt);
}

TEST_F(TuningFile, IsLoadedWhenItExistsOrWasNamed) {
  const auto file = folder_ / "cache/octavo/tuning.json";
  const ScopedEnvironment cache("XDG_CACHE_HOME", (folder_ / "cache").c_str()), unset("OCTAVO_TUNING", "");
  EXPECT_TRUE(load_tuning(std::nullopt).empty());
  merge_into_tuning_file(file, records("conv", 1e-6));
  EXPECT_EQ(load_tuning(std::nullopt).size(), 1U);
  EXPECT_EQ(load_tuning(file).size(), 1U);
  EXPECT_TRUE(load_tuning("none").empty());
  expect_error(ErrorKind::io, "absent.json", [&] { (void)load_tuning(folder_ / "absent.json"); });
  const ScopedEnvironment named("OCTAVO_TUNING", (folder_ / "absent.json").c_str());
  expect_error(ErrorKind::io, "absent.json", [] { (void)load_tuning(std::nullopt); });
}

}  // namespace
}  // namespace octavo::runtime

// SPDX-License-Identifier: Apache-2.0
// {"format": "octavo tuning", "version": 1, "records": [{"cpu", "spec", "threads", "plan", "us", "planner",
// "planner_us"}, ...]}
#include "runtime/tuning_file.h"

#include <array>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <system_error>

#include "octavo/error.h"
#include "runtime/atomic_file.h"
#include "runtime/json_view.h"

namespace octavo::runtime {
namespace {

constexpr std::string_view format_name = "octavo tuning";
constexpr std::int64_t version = 1;
constexpr std::uintmax_t most_file_bytes = std::uintmax_t{64} << 20;
constexpr std::size_t most_records = 100'000, most_characters = 1000, json_depth = 8;
constexpr int most_threads = 1024;
constexpr const char* way_out = "name another file, or OCTAVO_TUNING=none; remove this one only if octavo tune made it";

std::string read_text(const std::filesystem::path& file) {
  std::error_code problem;
  const std::uintmax_t size = std::filesystem::file_size(file, problem);
  if (problem) throw Error(ErrorKind::io, "cannot read: " + problem.message(), file.string(), "octavo tune writes it");
  if (size > most_file_bytes) throw Error(ErrorKind::malformed, "larger than 64 MB", file.string(), way_out);
  std::ifstream in(file, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (!in) throw Error(ErrorKind::io, "cannot read", file.string());
  return text;
}

std::string short_text(const JsonView& view) {
  const std::string& text = view.text();
  if (text.empty() || text.size() > most_characters) view.fail("1 to 1000 characters are expected");
  return text;
}

double seconds_of(const JsonView& view) {
  const double seconds = double{view.number()} * 1e-6;
  if (!std::isfinite(seconds) || seconds <= 0) view.fail("a positive number of microseconds is expected");
  return seconds;
}

void read_record(const JsonView& record, jit::TuningTable& table) {
  record.expect_only({"cpu", "spec", "threads", "plan", "us", "planner", "planner_us"});
  jit::TuningKey key{short_text(record.at("cpu")), short_text(record.at("spec")),
                     static_cast<int>(record.at("threads").integer(1, most_threads))};
  table[std::move(key)] = {short_text(record.at("plan")), short_text(record.at("planner")), seconds_of(record.at("us")),
                           seconds_of(record.at("planner_us"))};
}

TuningFileContent parse(const std::string& text) {
  nlohmann::json document;
  const JsonView root = JsonView::parse(text, json_depth, document);
  if (root.at("format").text() != format_name) root.at("format").fail("not \"octavo tuning\"");
  const std::int64_t found = root.at("version").integer();
  if (found > version)
    throw Error(ErrorKind::unsupported, "version " + std::to_string(found) + ", this octavo reads up to 1", "version",
                "update octavo, or tune anew into another file");
  if (found != version) root.at("version").fail("1 is expected");
  const std::vector<JsonView> records = root.at("records").items();
  if (records.size() > most_records) root.at("records").fail("more than 100,000 records");
  TuningFileContent content;
  for (const JsonView& record : records) {
    try {
      read_record(record, content.table);
    } catch (const Error& error) {
      content.skipped.push_back({error.where(), error.what()});
    }
  }
  return content;
}

void write(const std::filesystem::path& file, const jit::TuningTable& table) {
  std::error_code ignored;  // opening the file says what is wrong
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), ignored);
  nlohmann::ordered_json records = nlohmann::ordered_json::array();
  for (const auto& [key, record] : table) {
    records.push_back({{"cpu", key.cpu},
                       {"spec", key.spec},
                       {"threads", key.threads},
                       {"plan", record.plan},
                       {"us", record.seconds * 1e6},
                       {"planner", record.planner},
                       {"planner_us", record.planner_seconds * 1e6}});
  }
  const nlohmann::ordered_json document = {{"format", format_name}, {"version", version}, {"records", records}};
  const std::string text = document.dump(1, ' ', true, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  AtomicFile out(file);
  out.write(std::as_bytes(std::span(text)));
  out.commit();
}

jit::TuningTable table_of_existing(const std::filesystem::path& file) {
  return std::filesystem::exists(file) ? read_tuning_file(file).table : jit::TuningTable{};
}

/// An environment variable's value; nothing when it is not set, or empty.
std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

}  // namespace

TuningFileContent read_tuning_file(const std::filesystem::path& file) {
  const std::string text = read_text(file);
  try {
    return parse(text);
  } catch (const Error& error) {
    throw Error(error.kind(), error.what(), file.string(), error.hint().empty() ? way_out : "");
  }
}

void merge_into_tuning_file(const std::filesystem::path& file, const jit::TuningTable& records) {
  jit::TuningTable table = records;
  table.merge(table_of_existing(file));
  write(file, table);
}

void remove_from_tuning_file(const std::filesystem::path& file, const std::vector<jit::TuningKey>& keys) {
  jit::TuningTable table = table_of_existing(file);
  std::size_t removed = 0;
  for (const jit::TuningKey& key : keys) removed += table.erase(key);
  if (removed > 0) write(file, table);
}

std::optional<std::filesystem::path> default_tuning_file() {
  if (const auto named = variable("OCTAVO_TUNING")) {
    if (*named == "none") return std::nullopt;
    return *named;
  }
  const std::filesystem::path name = std::filesystem::path("octavo") / "tuning.json";
  if (const auto cache = variable("XDG_CACHE_HOME")) return *cache / name;
  if (const auto home = variable("HOME")) return std::filesystem::path(*home) / ".cache" / name;
  return std::nullopt;
}

jit::TuningTable load_tuning(const std::optional<std::filesystem::path>& wanted) {
  const auto file = wanted ? wanted : default_tuning_file();
  if (!file || file->empty() || *file == "none") return {};
  const bool named = wanted || variable("OCTAVO_TUNING");
  std::error_code ignored;
  if (!named && !std::filesystem::exists(*file, ignored)) return {};
  return read_tuning_file(*file).table;
}

}  // namespace octavo::runtime

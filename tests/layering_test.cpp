// SPDX-License-Identifier: Apache-2.0
// The layers: jit < graph < runtime < tools. An include that points upward is a defect, and so is an installed header
// that shows what is not installed. Reads the sources as text; links nothing of octavo.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

/// Lowest first. A folder may include those before it and itself.
const std::vector<std::string> kLayers{"jit", "graph", "runtime", "tools", "tests"};
/// Outside users: the installed headers are all they may know.
const std::set<std::string> kPublicOnly{"python", "examples"};

struct Tree {
  fs::path root;

  /// The layer whose include/octavo/ holds `header` ("octavo/error.h"); empty for none.
  [[nodiscard]] std::string owner_of(const std::string& header) const {
    for (const std::string& layer : kLayers) {
      if (fs::exists(root / layer / "include" / header)) return layer;
    }
    return "";
  }
};

std::ptrdiff_t rank_of(const std::string& layer) {
  return std::find(kLayers.begin(), kLayers.end(), layer) - kLayers.begin();
}

bool is_layer(const std::string& name) { return rank_of(name) < std::ssize(kLayers); }

std::string first_part(const fs::path& path) { return path.begin()->string(); }

bool is_public_header(const fs::path& file) { return std::next(file.begin())->string() == "include"; }

/// What is wrong with one include of `file` (a path from the root); empty when nothing is.
std::string verdict(const Tree& tree, const fs::path& file, const std::string& included) {
  const std::string layer = first_part(file);
  const std::string target = first_part(included);
  const bool outside = kPublicOnly.contains(layer);
  if (target == "octavo") {
    const std::string owner = tree.owner_of(included);
    if (owner.empty()) return "no layer owns this public header";
    return outside || rank_of(owner) <= rank_of(layer) ? "" : "points upward, into " + owner;
  }
  if (!is_layer(target)) {
    // Another library's header, or one that the build generates beside its user; neither is octavo's own.
    const bool exists_beside = fs::exists(tree.root / file.parent_path() / included);
    return exists_beside ? "is not named from the root" : "";
  }
  if (outside) return "is not a public header";
  if (is_public_header(file)) return "is not installed, but the header that includes it is";
  return rank_of(target) <= rank_of(layer) ? "" : "points upward, into " + target;
}

std::vector<std::string> violations_of(const Tree& tree, const fs::path& file, std::istream& text) {
  static const std::regex kInclude(R"(^\s*#\s*include\s*["<]([^">]+)[">])");
  std::vector<std::string> found;
  std::string line;
  for (int number = 1; std::getline(text, line); ++number) {
    std::smatch match;
    if (!std::regex_search(line, match, kInclude)) continue;
    const std::string wrong = verdict(tree, file, match[1].str());
    if (wrong.empty()) continue;
    found.push_back(file.generic_string() + ":" + std::to_string(number) + ": " + match[1].str() + " " + wrong);
  }
  return found;
}

std::vector<std::string> violations_of(const Tree& tree, const fs::path& file, const std::string& text) {
  std::istringstream stream(text);
  return violations_of(tree, file, stream);
}

struct Scan {
  std::size_t files = 0;
  std::vector<std::string> violations;
};

Scan scan(const Tree& tree) {
  static const std::set<std::string> kSources{".h", ".hpp", ".c", ".cpp"};
  Scan result;
  std::vector<std::string> folders = kLayers;
  folders.insert(folders.end(), kPublicOnly.begin(), kPublicOnly.end());
  for (const std::string& folder : folders) {
    if (!fs::exists(tree.root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(tree.root / folder)) {
      if (!entry.is_regular_file() || !kSources.contains(entry.path().extension().string())) continue;
      std::ifstream text(entry.path());
      const auto found = violations_of(tree, fs::relative(entry.path(), tree.root), text);
      result.violations.insert(result.violations.end(), found.begin(), found.end());
      ++result.files;
    }
  }
  return result;
}

const Tree kTree{OCTAVO_SOURCE_DIR};

TEST(Layering, NoIncludeOfTheTreePointsUpward) {
  const Scan result = scan(kTree);
  EXPECT_GT(result.files, 100U);  // the sources are where this test looks
  EXPECT_THAT(result.violations, IsEmpty());
}

TEST(Layering, SeesAnIncludeThatPointsUpward) {
  EXPECT_THAT(violations_of(kTree, "jit/plan.cpp", "#include \"graph/graph.h\"\n"),
              ElementsAre("jit/plan.cpp:1: graph/graph.h points upward, into graph"));
  EXPECT_THAT(violations_of(kTree, "graph/passes/fold.cpp", "\n  #  include <runtime/step.h>\n"),
              ElementsAre("graph/passes/fold.cpp:2: runtime/step.h points upward, into runtime"));
  EXPECT_THAT(violations_of(kTree, "runtime/model.cpp", "#include \"tools/table.h\"\n#include \"jit/plan.h\"\n"),
              ElementsAre("runtime/model.cpp:1: tools/table.h points upward, into tools"));
  EXPECT_THAT(violations_of(kTree, "runtime/model.cpp", "#include \"tests/graph/net.h\"\n"),
              ElementsAre("runtime/model.cpp:1: tests/graph/net.h points upward, into tests"));
}

TEST(Layering, KnowsWhoOwnsEachPublicHeader) {
  EXPECT_EQ(kTree.owner_of("octavo/error.h"), "jit");
  EXPECT_EQ(kTree.owner_of("octavo/isa.h"), "jit");
  EXPECT_EQ(kTree.owner_of("octavo/model.h"), "runtime");
  EXPECT_THAT(violations_of(kTree, "jit/plan.cpp", "#include \"octavo/error.h\"\n"), IsEmpty());
  EXPECT_THAT(violations_of(kTree, "graph/graph.cpp", "#include \"octavo/tensor.h\"\n"),
              ElementsAre("graph/graph.cpp:1: octavo/tensor.h points upward, into runtime"));
  EXPECT_THAT(violations_of(kTree, "tools/main.cpp", "#include <octavo/lost.h>\n"),
              ElementsAre("tools/main.cpp:1: octavo/lost.h no layer owns this public header"));
}

TEST(Layering, KeepsInternalsOutOfPublicHeaders) {
  EXPECT_THAT(violations_of(kTree, "runtime/include/octavo/model.h", "#include \"graph/graph.h\"\n"),
              ElementsAre("runtime/include/octavo/model.h:1: graph/graph.h is not installed, but the header that "
                          "includes it is"));
  EXPECT_THAT(violations_of(kTree, "examples/predict.cpp", "#include \"octavo/octavo.h\"\n#include \"jit/plan.h\"\n"),
              ElementsAre("examples/predict.cpp:2: jit/plan.h is not a public header"));
}

TEST(Layering, WantsPathsFromTheRoot) {
  EXPECT_THAT(violations_of(kTree, "jit/plan.cpp", "#include \"plan.h\"\n"),
              ElementsAre("jit/plan.cpp:1: plan.h is not named from the root"));
  EXPECT_THAT(violations_of(kTree, "jit/plan.cpp", "#include <vector>\n#include \"xbyak/xbyak.h\"\n"), IsEmpty());
}

}  // namespace

// SPDX-License-Identifier: Apache-2.0
// docs/formats.md names, layer by layer, what each importer reads: exactly what the tables in its source say. Reads
// both as text; links nothing of octavo.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

namespace {

namespace fs = std::filesystem;

struct FormatSection {
  const char* title;    ///< of the format
  const char* heading;  ///< of its table
  const char* sources;  ///< how the names of its importer's files begin
  const char* registry;
};

constexpr FormatSection kSections[] = {{"Caffe", "Layers", "caffe_", "caffe_layers.cpp"},
                                       {"ONNX", "Operators", "onnx_", "onnx_operators.cpp"},
                                       {"TensorFlow", "Operators", "tensorflow_", "tensorflow_operators.cpp"},
                                       {"Torch7", "Modules", "torch_", "torch_layers.cpp"},
                                       {"BigDL", "Modules", "bigdl_", "bigdl_layers.cpp"}};

std::string text_of(const fs::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::set<std::string> matches(const std::string& text, const std::regex& pattern) {
  std::set<std::string> found;
  for (std::sregex_iterator match(text.begin(), text.end(), pattern), end; match != end; ++match) {
    found.insert((*match)[1].str());
  }
  return found;
}

std::string between(const std::string& text, const std::string& from, const std::string& to) {
  const std::size_t begin = text.find(from);
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find(to, begin + from.size()) - begin);
}

/// The first cells of the rows, without what stands in parentheses.
std::string first_cells(const std::string& section) {
  std::string cells;
  for (const std::string& cell : matches(section, std::regex("\n\\| ([A-Za-z][^|]*)\\|"))) cells += cell + '\n';
  return std::regex_replace(cells, std::regex("\\([^)]*\\)"), "");
}

class FormatsPage : public testing::TestWithParam<FormatSection> {
 protected:
  const fs::path root_ = OCTAVO_SOURCE_DIR;
  const std::string section_ =
      between(between(text_of(root_ / "docs/formats.md"), "\n## " + std::string(GetParam().title) + "\n", "\n## "),
              "\n### " + std::string(GetParam().heading) + "\n", "\n### ");
};

TEST_P(FormatsPage, NamesEveryLayerThatIsRead) {
  const std::string registry = text_of(root_ / "graph/import" / GetParam().registry);
  const auto read = matches(registry, std::regex(R"re(\{"(?:\w+\.)?(\w+)",\s*convert_)re"));
  const auto named = matches(section_, std::regex("([A-Za-z]\\w*)"));
  EXPECT_GT(read.size(), 40U);
  for (const std::string& layer : read) EXPECT_TRUE(named.contains(layer)) << layer << " is read and not on the page";
}

TEST_P(FormatsPage, NamesNothingElse) {
  std::string sources;
  for (const auto& entry : fs::directory_iterator(root_ / "graph/import")) {
    if (entry.path().filename().string().starts_with(GetParam().sources)) sources += text_of(entry.path());
  }
  const auto known = matches(sources, std::regex(R"re("(?:\w+\.)*(\w+)")re"));
  // The table's own head, and what is read by structure.
  const std::set<std::string> others{"BigDL", "Caffe", "ONNX", "Module", "StaticGraph", "DynamicGraph", "TensorFlow"};
  for (const std::string& name : matches(first_cells(section_), std::regex("\\b([A-Z]\\w*)"))) {
    EXPECT_TRUE(known.contains(name) || others.contains(name)) << name << " is on the page and not in the source";
  }
}

INSTANTIATE_TEST_SUITE_P(All, FormatsPage, testing::ValuesIn(kSections),
                         [](const auto& info) { return std::string(info.param.title); });

}  // namespace

// SPDX-License-Identifier: Apache-2.0
// Runs the built command as a user would, in a folder of the test's own.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <png.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

namespace octavo::tool::test {

namespace fs = std::filesystem;
using Json = nlohmann::json;

inline std::string read_all(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline void write_all(const fs::path& file, const std::string& content) {
  std::ofstream(file, std::ios::binary) << content;
}

/// What a run left behind.
struct Finished {
  int code = -1;  ///< exit status; -1 when a signal ended it
  std::string out, err;
  /// stdout as JSON; a parse error fails the test.
  [[nodiscard]] Json json() const { return Json::parse(out); }
};

/// A temporary folder, gone afterwards, and the command run within it.
class CommandTest : public ::testing::Test {
 protected:
  CommandTest() {
    std::string pattern = (fs::temp_directory_path() / "octavo-test-XXXXXX").string();
    folder = mkdtemp(pattern.data());
  }
  ~CommandTest() override { fs::remove_all(folder); }

  Finished run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), OCTAVO_COMMAND);
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    const fs::path out = folder / ".stdout";
    const fs::path err = folder / ".stderr";
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    pid_t child = 0;
    const int problem = posix_spawn(&child, OCTAVO_COMMAND, &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    int status = 0;
    if (problem == 0) waitpid(child, &status, 0);
    return {problem == 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_all(out), read_all(err)};
  }

  [[nodiscard]] std::string path(const std::string& name) const { return (folder / name).string(); }

  fs::path folder;
};

/// With an untrained LeNet (28x28 gray, ten classes) in the folder: lenet.prototxt, lenet.caffemodel, and both
/// converted: lenet.octavo, lenet8.octavo.
class LenetTest : public CommandTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(run({"zoo", "lenet", "--output", folder.string()}).code, 0);
    const std::vector<std::string> convert = {"convert", "--prototxt", path("lenet.prototxt"), path("lenet.caffemodel"),
                                              "-o"};
    std::vector<std::string> plain = convert;
    plain.push_back(path("lenet.octavo"));
    ASSERT_EQ(run(plain).code, 0);
    std::vector<std::string> quantized = convert;
    quantized.insert(quantized.end(), {path("lenet8.octavo"), "--quantize", "--scale", "0.0078125", "--mean", "128"});
    ASSERT_EQ(run(quantized).code, 0);
  }

  /// A gray noise picture of 28x28.
  void draw(const std::string& name, unsigned seed) const {
    constexpr std::uint32_t side = 28;
    std::minstd_rand generator(seed);
    std::vector<std::uint8_t> pixels(std::size_t{side} * side);
    for (std::uint8_t& pixel : pixels) pixel = static_cast<std::uint8_t>(generator() >> 8U);
    fs::create_directories(fs::path(path(name)).parent_path());
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = image.height = side;
    image.format = PNG_FORMAT_GRAY;
    ASSERT_NE(png_image_write_to_file(&image, path(name).c_str(), 0, pixels.data(), 0, nullptr), 0) << image.message;
  }
};

}  // namespace octavo::tool::test

// SPDX-License-Identifier: Apache-2.0
// Files that hold many pictures: CIFAR-10's binary files and MNIST's idx files.
#include "tools/octavo/datasets.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "octavo/error.h"

namespace octavo::tool {
namespace {

namespace fs = std::filesystem;

class Datasets : public testing::Test {
 protected:
  Datasets() { fs::create_directories(folder); }
  ~Datasets() override { fs::remove_all(folder); }
  fs::path write(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder / name, std::ios::binary) << bytes;
    return folder / name;
  }
  fs::path folder = fs::temp_directory_path() / ("octavo.datasets." + std::to_string(::getpid()));
};

/// Pixel p of plane c of record r is 7 r + 64 c + p, modulo 256.
std::string cifar_record(char label, int r) {
  std::string record(1, label);
  for (int c = 0; c < 3; ++c) {
    for (int p = 0; p < 1024; ++p) record += static_cast<char>(7 * r + 64 * c + p);
  }
  return record;
}

TEST_F(Datasets, CifarRecordsArePlanesOfRedGreenBlue) {
  write("test_batch.bin", cifar_record(3, 0) + cifar_record(9, 1));
  const Dataset data = read_cifar10(folder);
  ASSERT_EQ(data.classes, (std::vector<std::size_t>{3, 9}));
  EXPECT_EQ(data.class_names.at(3), "cat");
  const Picture second = data.pictures.read(1);
  EXPECT_EQ(second.height, 32);
  EXPECT_EQ(second.channels, 3);
  for (std::size_t p = 0; p < 1024; ++p) {
    for (std::size_t c = 0; c < 3; ++c) ASSERT_EQ(second.pixels[3 * p + c], static_cast<std::uint8_t>(7 + 64 * c + p));
  }
  EXPECT_EQ(data.pictures.name(1), folder / "test_batch.bin:1");
}

TEST_F(Datasets, BrokenCifarFilesAreRefused) {
  EXPECT_THROW((void)read_cifar10(write("a.bin", cifar_record(3, 0) + "x")), Error);
  EXPECT_THROW((void)read_cifar10(write("b.bin", "")), Error);
  EXPECT_THROW((void)read_cifar10(write("c.bin", cifar_record(10, 0))), Error);
  EXPECT_THROW((void)read_cifar10(folder / "absent.bin"), Error);
}

std::string big_endian(unsigned value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
          static_cast<char>(value)};
}
std::string idx_header(char dimensions, std::initializer_list<unsigned> dims) {
  std::string header{0, 0, 8, dimensions};
  for (const unsigned dim : dims) header += big_endian(dim);
  return header;
}

TEST_F(Datasets, MnistIsReadAsItIsAndCompressed) {
  write("t10k-images-idx3-ubyte", idx_header(3, {2, 2, 3}) + std::string("abcdefghijkl"));
  const std::string labels = idx_header(1, {2}) + std::string("\x05\x07");
  const gzFile compressed = gzopen((folder / "t10k-labels-idx1-ubyte.gz").c_str(), "wb");
  gzwrite(compressed, labels.data(), static_cast<unsigned>(labels.size()));
  gzclose(compressed);
  const Dataset data = read_mnist(folder);
  EXPECT_EQ(data.classes, (std::vector<std::size_t>{5, 7}));
  const Picture second = data.pictures.read(1);
  EXPECT_EQ(second.height, 2);
  EXPECT_EQ(second.width, 3);
  EXPECT_EQ(std::string(second.pixels.begin(), second.pixels.end()), "ghijkl");
}

TEST_F(Datasets, BrokenIdxFilesAreRefused) {
  write("t10k-labels-idx1-ubyte", idx_header(1, {2}) + std::string("\x05\x07"));
  const std::string pixels = "abcdefghijkl";
  for (const std::string& images : {std::string(), idx_header(1, {12}) + pixels, idx_header(3, {2, 2, 4}) + pixels,
                                    idx_header(3, {3, 2, 2}) + pixels,
                                    idx_header(3, {0xffffffff, 0xffffffff, 0xffffffff}), idx_header(3, {0, 2, 2})}) {
    write("t10k-images-idx3-ubyte", images);
    EXPECT_THROW((void)read_mnist(folder), Error);
  }
}

TEST_F(Datasets, AFewAreEvenlySpread) {
  std::string bytes;
  for (int r = 0; r < 10; ++r) bytes += cifar_record(static_cast<char>(r), r);
  const Dataset few = spread(read_cifar10(write("all.bin", bytes)), 4);
  EXPECT_EQ(few.classes, (std::vector<std::size_t>{0, 2, 5, 7}));
  EXPECT_EQ(few.pictures.size(), 4U);
  EXPECT_EQ(few.pictures.read(3).pixels.front(), 49);
  EXPECT_EQ(spread(few, 9).classes.size(), 4U);
}

}  // namespace
}  // namespace octavo::tool

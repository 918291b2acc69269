// SPDX-License-Identifier: Apache-2.0
// The objects of Torch7 files: every kind, binary and ASCII, longs of 8 and of 4 bytes.
#include "graph/import/torch_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

#include "graph/import/torch_tensor.h"
#include "tests/graph/torch_files.h"

namespace octavo::graph {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Bytes of a binary file, number by number.
class TorchBytes {
 public:
  explicit TorchBytes(std::size_t long_bytes = 8) : long_bytes_(long_bytes) {}

  template <class T>
  TorchBytes& raw(T value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  TorchBytes& integer(std::int32_t value) { return raw(value); }
  TorchBytes& wide(std::int64_t value) { return long_bytes_ == 4 ? raw(static_cast<std::int32_t>(value)) : raw(value); }
  TorchBytes& text(const std::string& characters) {
    integer(static_cast<std::int32_t>(characters.size()));
    bytes_ += characters;
    return *this;
  }
  TorchBytes& object(std::int32_t index, const std::string& name) {
    return integer(4).integer(index).text("V 1").text(name);
  }
  /// A vector of this type.
  template <class T>
  TorchBytes& vector(std::int32_t index, const std::string& type, const std::vector<T>& values) {
    object(index, "torch." + type + "Tensor").integer(1).wide(static_cast<std::int64_t>(values.size())).wide(1).wide(1);
    object(index + 1, "torch." + type + "Storage").wide(static_cast<std::int64_t>(values.size()));
    for (const T value : values) raw(value);
    return *this;
  }
  [[nodiscard]] const std::string& done() const { return bytes_; }

 private:
  std::size_t long_bytes_;
  std::string bytes_;
};

std::vector<float> numbers_of(const TorchFile& file, const TorchValue& tensor) {
  ImportBudget budget(file.bytes());
  const BlobPtr blob = torch_blob(file, file.tensor(tensor), budget);
  return {blob->f32.values.begin(), blob->f32.values.end()};
}

TorchFile file_of(const TorchFiles& files, const std::string& bytes) { return TorchFile(files.write("x.t7", bytes)); }

template <class T>
void expect_vector(const std::string& type, const std::vector<T>& values, const std::vector<float>& expected) {
  const TorchFiles files;
  const TorchFile file = file_of(files, TorchBytes().vector(1, type, values).done());
  EXPECT_EQ(numbers_of(file, file.root()), expected) << type;
}

TEST(TorchFile, ReadsTensorsOfEveryType) {
  expect_vector<std::uint8_t>("Byte", {0, 200}, {0.0F, 200.0F});
  expect_vector<std::int8_t>("Char", {-3, 100}, {-3.0F, 100.0F});
  expect_vector<std::int16_t>("Short", {-300, 7}, {-300.0F, 7.0F});
  expect_vector<std::int32_t>("Int", {-70000, 7}, {-70000.0F, 7.0F});
  expect_vector<std::int64_t>("Long", {-70000, 1 << 20}, {-70000.0F, 1048576.0F});
  expect_vector<float>("Float", {1.5F, -2.25F, 3}, {1.5F, -2.25F, 3.0F});
  expect_vector<double>("Double", {0.1, -2.25}, {0.1F, -2.25F});
  expect_vector<std::uint16_t>("Half", {0x3C00, 0xC400, 0x0001}, {1.0F, -4.0F, 0x1p-24F});
  expect_vector<float>("Cuda", {1.5F, -2.25F}, {1.5F, -2.25F});
  expect_vector<double>("CudaDouble", {0.1}, {0.1F});
  expect_vector<std::int64_t>("CudaLong", {-5}, {-5.0F});
  expect_vector<std::uint16_t>("CudaHalf", {0x3C00}, {1.0F});
}

TEST(TorchFile, ReadsFilesOfThirtyTwoBitMachines) {
  const TorchFiles files;
  const TorchFile file = file_of(files, TorchBytes(4).vector<float>(1, "Float", {1, 2, 3}).done());
  EXPECT_THAT(numbers_of(file, file.root()), ElementsAre(1, 2, 3));
  const TorchFile longs = file_of(files, TorchBytes(4).vector<std::int32_t>(1, "Long", {-9, 8}).done());
  EXPECT_THAT(numbers_of(longs, longs.root()), ElementsAre(-9, 8));
}

TEST(TorchFile, ReadsAsciiFiles) {
  const TorchFiles files;
  const std::string tensor =
      "4\n2\n3\nV 1\n18\ntorch.DoubleTensor\n2\n2 3\n3 1\n1\n4\n3\n3\nV 1\n19\ntorch.DoubleStorage\n6\n"
      "1 2 3.5 -4e-3 inf 6\n";
  const std::string bytes =
      "4\n4\n3\nV 1\n16\ntorch.ByteTensor\n1\n3\n1\n1\n4\n5\n3\nV 1\n17\ntorch.ByteStorage\n3\n\n 9\n";
  const std::string text =
      "3\n1\n5\n2\n1\nt\n" + tensor + "2\n1\nb\n" + bytes + "2\n3\nyes\n5\n1\n1\n0.1\n2\n0\n2\n5\na\nb c\n1\n7\n";
  const TorchFile file = file_of(files, text);
  const TorchTable& table = file.table(file.root());
  EXPECT_THAT(numbers_of(file, table.find("t")), ElementsAre(1, 2, 3.5F, -4e-3F, INFINITY, 6));
  EXPECT_THAT(numbers_of(file, table.find("b")), ElementsAre(10, 32, 57));
  EXPECT_TRUE(table.find("yes").is(TorchKind::boolean));
  EXPECT_EQ(table.find("yes").number, 1);
  const TorchValue empty = table.find(0.1);
  ASSERT_TRUE(empty.is(TorchKind::string));
  EXPECT_EQ(file.text(empty), "");
  EXPECT_EQ(table.find("a\nb c").number, 7);
}

TEST(TorchFile, KeepsNumbersWhereTheyLieWhenTheyLieAligned) {
  for (int shift = 0; shift < 4; ++shift) {
    const TorchFiles files;
    TorchBytes bytes;
    bytes.integer(3).integer(9).integer(1).integer(2).text(std::string(static_cast<std::size_t>(shift), 'x'));
    bytes.vector<float>(1, "Float", {1, 2, 3});
    const TorchFile file = file_of(files, bytes.done());
    ImportBudget budget(0);
    const TorchValue tensor = file.table(file.root()).find(std::string(static_cast<std::size_t>(shift), 'x'));
    const BlobPtr blob = torch_blob(file, file.tensor(tensor), budget);
    const auto* data = reinterpret_cast<const std::byte*>(blob->f32.values.data());
    const auto mapped = file.owner()->bytes();
    const bool inside = data >= mapped.data() && data < mapped.data() + mapped.size();
    const auto at = file.storage(file.tensor(tensor).storage).bytes.data();
    EXPECT_EQ(inside, reinterpret_cast<std::uintptr_t>(at) % 4 == 0) << shift;
    EXPECT_THAT(std::vector<float>(blob->f32.values.begin(), blob->f32.values.end()), ElementsAre(1, 2, 3));
  }
}

TEST(TorchFile, FollowsStridesAndOffsets) {
  const TorchFiles files;
  TorchBytes bytes;
  bytes.object(1, "torch.FloatTensor").integer(3).wide(2).wide(2).wide(3);  // sizes
  bytes.wide(0).wide(1).wide(2).wide(2);                                    // strides, offset
  bytes.object(2, "torch.FloatStorage").wide(8);
  for (int i = 0; i < 8; ++i) bytes.raw(static_cast<float>(i));
  const TorchFile file = file_of(files, bytes.done());
  EXPECT_THAT(numbers_of(file, file.root()), ElementsAre(1, 3, 5, 2, 4, 6, 1, 3, 5, 2, 4, 6));
}

TEST(TorchFile, KnowsBackReferencesAndCircles) {
  const TorchFiles files;
  TorchBytes bytes;
  bytes.integer(3).integer(1).integer(3);                        // a table of three
  bytes.integer(2).text("self").integer(3).integer(1);           // itself
  bytes.integer(2).text("a").vector<float>(2, "Float", {4, 5});  // a tensor, twice
  bytes.integer(2).text("b").integer(4).integer(2);
  const TorchFile file = file_of(files, bytes.done());
  const TorchTable& table = file.table(file.root());
  EXPECT_TRUE(table.find("self").same(file.root()));
  EXPECT_TRUE(table.find("a").same(table.find("b")));
  EXPECT_THAT(numbers_of(file, table.find("b")), ElementsAre(4, 5));
}

TEST(TorchFile, SkipsFunctionsOfEveryGeneration) {
  const TorchFiles files;
  TorchBytes bytes;
  bytes.integer(3).integer(1).integer(4);
  bytes.integer(2).text("oldest").integer(6).text("code").integer(0);
  bytes.integer(2).text("old").integer(7).integer(2).text("code").integer(3).integer(3).integer(0);
  bytes.integer(2).text("new").integer(8).integer(4).text("code").integer(3).integer(5).integer(0);
  bytes.integer(2).text("again").integer(8).integer(4);
  const TorchFile file = file_of(files, bytes.done());
  const TorchTable& table = file.table(file.root());
  for (const char* name : {"oldest", "old", "new"}) EXPECT_TRUE(table.find(name).is(TorchKind::function)) << name;
  EXPECT_TRUE(table.find("again").same(table.find("new")));
}

TEST(TorchFile, ReadsObjectsOfBeforeThereWereVersions) {
  const TorchFiles files;
  TorchBytes bytes;
  bytes.integer(4).integer(1).text("nn.Linear").integer(3).integer(2).integer(0);
  const TorchFile file = file_of(files, bytes.done());
  EXPECT_EQ(file.object(file.root()).class_name, "nn.Linear");
  EXPECT_EQ(file.object(file.root()).version, 0);
}

TEST(TorchFile, OfEqualKeysTheLastCounts) {
  const TorchFiles files;
  TorchBytes bytes;
  bytes.integer(3).integer(1).integer(3);
  for (const double value : {1.0, 2.0}) bytes.integer(2).text("k").integer(1).raw(value);
  bytes.integer(1).raw(1.0).integer(1).raw(7.0);
  const TorchFile file = file_of(files, bytes.done());
  EXPECT_EQ(file.table(file.root()).find("k").number, 2.0);
  EXPECT_EQ(file.table(file.root()).list().size(), 1U);
}

/// Tiny files, one kind of object each, as Torch wrote them.
TEST(TorchFile, ReadsFilesThatTorchWrote) {
  const std::filesystem::path folder = std::filesystem::path(OCTAVO_SHARED_DATA) / "torch7/types";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no " << folder;
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    EXPECT_NO_THROW((void)TorchFile(entry.path())) << entry.path();
    ++files;
  }
  EXPECT_EQ(files, 15);
  const TorchFile doubles(folder / "doubletensor.t7"), floats(folder / "floattensor.t7");
  EXPECT_THAT(numbers_of(doubles, doubles.root()), ElementsAre(1, 2, 3, 4, 5, 6.9F));
  EXPECT_EQ(doubles.tensor(doubles.root()).sizes, (Shape{2, 3}));
  const std::vector<float> numbers = numbers_of(floats, floats.root());
  EXPECT_NEAR(std::accumulate(numbers.begin(), numbers.end(), 0.0), 12.97241666913, 1e-6);
  const TorchFile list(folder / "list_table.t7"), hash(folder / "tds_hash.t7"), vec(folder / "tds_vec.t7");
  EXPECT_EQ(list.text(list.table(list.root()).list().at(2)), "third item");
  EXPECT_EQ(hash.table(hash.root()).find(10.0).number, 11.0);
  EXPECT_THAT(torch_integers(vec, vec.root()), ElementsAre(123, 456));
  const TorchFile circle(folder / "recursive_class.t7");
  EXPECT_TRUE(circle.table(circle.root()).find("a").same(circle.root()));
}

}  // namespace
}  // namespace octavo::graph

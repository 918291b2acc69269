// SPDX-License-Identifier: Apache-2.0
// Broken and hostile Torch7 files: each is an Error that says where, none is a crash or an allocation by a size that
// the file merely claims.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/graph/torch_files.h"

namespace octavo::graph {
namespace {

using testing::AnyOf;
using testing::HasSubstr;
using Ref = TorchModel::Ref;

std::string small_network() {
  TorchModel model;
  const Ref branches = model.container("ConcatTable", {model.convolution(2, 3, 3), model.convolution(2, 3, 3)});
  const Ref root = model.container(
      "Sequential", {branches, model.module("CAddTable"), model.module("View", {{"size", model.longs({48})}}),
                     model.linear(48, 5), model.module("LogSoftMax")});
  return model.bytes(root);
}

/// Whatever it is, it is an Error.
void import_or_error(const TorchFiles& files, const std::string& bytes) {
  try {
    (void)files.import(bytes, {{"input", {1, 2, 6, 6}}});
  } catch (const Error& error) {
    EXPECT_THAT(error.kind(), AnyOf(ErrorKind::malformed, ErrorKind::unsupported, ErrorKind::invalid_argument));
  }
}

TEST(TorchHostile, EveryTruncationIsAnError) {
  const TorchFiles files;
  const std::string whole = small_network();
  for (std::size_t size = 0; size < whole.size(); size += size < 600 ? 1 : 37) {
    EXPECT_THROW((void)files.import(whole.substr(0, size), {{"input", {1, 2, 6, 6}}}), Error) << size;
  }
}

TEST(TorchHostile, RandomDamageIsAnErrorOrANetwork) {
  const TorchFiles files;
  const std::string whole = small_network();
  std::mt19937 random(1);
  for (int i = 0; i < 400; ++i) {
    std::string damaged = whole;
    for (int k = 0; k < 3; ++k) damaged[random() % 900] = static_cast<char>(random());
    import_or_error(files, damaged);
  }
}

template <class T>
std::string bytes_of(std::initializer_list<T> values) {
  std::string bytes;
  for (const T value : values) bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  return bytes;
}

std::string words(std::initializer_list<std::int32_t> values) { return bytes_of(values); }
std::string longs(std::initializer_list<std::int64_t> values) { return bytes_of(values); }
std::string named(const std::string& text) { return words({static_cast<std::int32_t>(text.size())}) + text; }
std::string head(std::int32_t index, const std::string& name) { return words({4, index}) + named("V 1") + named(name); }

TEST(TorchHostile, CountsBeyondTheFileAreErrors) {
  const TorchFiles files;
  const auto message = [&](const std::string& bytes) {
    return std::string(error_of([&] { (void)files.import(bytes); }).what());
  };
  EXPECT_THAT(message(words({3, 1, 1 << 30})), HasSubstr("a table of 1073741824 entries"));
  EXPECT_THAT(message(words({3, 1, -1})), HasSubstr("a table of -1 entries"));
  EXPECT_THAT(message(words({3, 1, 1, 2, 1 << 30})), HasSubstr("1073741824 numbers of 1 bytes"));
  EXPECT_THAT(message(head(1, "torch.FloatTensor") + words({1 << 20})), HasSubstr("a tensor of 1048576 dimensions"));
  EXPECT_THAT(message(head(1, "torch.FloatStorage") + longs({(std::int64_t{1} << 60) + 9})),
              HasSubstr("numbers of 4 bytes"));
  EXPECT_THAT(message(words({3, 1, 1, 0, 0})), HasSubstr("nil as the key"));
  EXPECT_THAT(message(words({3, 1, 1, 77})), HasSubstr("77 is no kind of object"));
  EXPECT_THAT(message(head(1, "nn.Linear") + words({1, 0, 0})), HasSubstr("holds a number instead of a table"));
  EXPECT_THAT(message("4\n1\n3\nV 1\n5\nnn.Li\n3\n2\n999999999\n"), HasSubstr("a table of 999999999 entries"));
}

TEST(TorchHostile, TablesNestedWithoutEndAreAnError) {
  const TorchFiles files;
  std::string bytes;
  for (std::int32_t i = 1; i < 300000; ++i) bytes += words({3, i, 1});
  EXPECT_THAT(error_of([&] { (void)files.import(bytes); }).what(), HasSubstr("nested"));
}

TEST(TorchHostile, ModulesThatHoldThemselvesAreAnError) {
  const TorchFiles files;
  TorchModel model;
  const Ref root = model.module("Sequential"), list = model.document().table();
  model.document().append(list, root);
  model.document().set(root, "modules", list);
  EXPECT_THAT(error_of([&] {
                (void)files.import(model, root, {1, 2});
              }).what(),
              HasSubstr("nested more than 128 deep"));
}

TEST(TorchHostile, ModulesThatMultiplyAreAnError) {
  const TorchFiles files;
  for (const char* type : {"Sequential", "ConcatTable"}) {
    TorchModel model;
    Ref inner = model.module("Identity");
    for (int i = 0; i < 60; ++i) inner = model.container(type, {inner, inner});
    EXPECT_THAT(error_of([&] {
                  (void)files.import(model, inner, {1, 2});
                }).what(),
                AnyOf(HasSubstr("more than 65536 modules"), HasSubstr("tables grow too large")));
  }
  // The same table handed on and on, twice each time.
  TorchModel model;
  const Ref twice = model.container("ConcatTable", {model.module("Identity"), model.module("Identity")});
  const Ref root = model.container("Sequential", std::vector<Ref>(40, twice));
  EXPECT_THAT(error_of([&] { (void)files.import(model, root, {1, 2}); }).what(), HasSubstr("tables grow too large"));
}

TEST(TorchHostile, TensorsThatReachBeyondTheirStorageAreErrors) {
  const TorchFiles files;
  const auto linear = [](std::initializer_list<std::int64_t> sizes, std::initializer_list<std::int64_t> strides,
                         std::int64_t offset) {
    return head(1, "nn.Linear") + words({3, 2, 1, 2}) + named("weight") + head(3, "torch.FloatTensor") +
           words({static_cast<std::int32_t>(sizes.size())}) + longs(sizes) + longs(strides) + longs({offset}) +
           head(4, "torch.FloatStorage") + longs({6}) + std::string(24, '\0');
  };
  const auto message = [&](const std::string& bytes) {
    return std::string(error_of([&] { (void)files.import(bytes, {{"input", {1, 3}}}); }).what());
  };
  EXPECT_NO_THROW((void)files.import(linear({2, 3}, {3, 1}, 1), {{"input", {1, 3}}}));
  EXPECT_THAT(message(linear({2, 3}, {3, 1}, 2)), HasSubstr("reaches number 6 of a storage of 6"));
  EXPECT_THAT(message(linear({3, 3}, {3, 1}, 1)), HasSubstr("reaches number 8 of a storage of 6"));
  EXPECT_THAT(message(linear({2, 3}, {-3, 1}, 4)), HasSubstr("stride -3"));
  EXPECT_THAT(message(linear({2, 3}, {std::int64_t{1} << 62, 1}, 1)), HasSubstr("reaches"));
  EXPECT_THAT(message(linear({2, 3}, {3, 1}, -5)), HasSubstr("reaches"));
  // A storage of six numbers that poses as 2^39 of them: strides of 0.
  EXPECT_THAT(message(linear({std::int64_t{1} << 37, 3}, {0, 0}, 1)), HasSubstr("too many numbers"));
}

TEST(TorchHostile, SizesThatMakeTooManyNodesAreAnError) {
  const TorchFiles files;
  TorchModel model;
  const Ref root = model.module("SplitTable", {{"dimension", 1.0}});
  EXPECT_THAT(error_of([&] {
                (void)files.import(model, root, {1 << 30, 2});
              }).what(),
              HasSubstr("a table of 1073741824"));
}

}  // namespace
}  // namespace octavo::graph

// SPDX-License-Identifier: Apache-2.0
// BigDL's separate weight file, as Java's DataOutputStream writes it (big-endian): a magic number, how many storages;
// of each its id, type, length and numbers; then the length of a checksum and the checksum of all before.
#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "graph/import/bigdl_limits.h"
#include "graph/import/bigdl_tensor.h"
#include "graph/import/md5.h"
#include "graph/mapped_file.h"
#include "graph/placed_error.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

constexpr std::uint32_t kWeightFileMagic = 3721;

[[noreturn]] void bad_weight_file(const std::string& what) { throw Error(ErrorKind::malformed, what); }

template <class T>
T big_endian(const std::byte* bytes) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) value = static_cast<T>(value << 8) | std::to_integer<T>(bytes[i]);
  return value;
}

class WeightFileReader {
 public:
  explicit WeightFileReader(BigdlBytes bytes) : bytes_(bytes) {}

  BigdlBytes take(std::uint64_t count) {
    if (count > bytes_.size() - at_) bad_weight_file(fmt::format("the weight file ends early, at byte {}", at_));
    at_ += static_cast<std::size_t>(count);
    return bytes_.subspan(at_ - static_cast<std::size_t>(count), static_cast<std::size_t>(count));
  }
  std::uint32_t word() { return big_endian<std::uint32_t>(take(sizeof(std::uint32_t)).data()); }
  [[nodiscard]] std::size_t at() const { return at_; }

 private:
  BigdlBytes bytes_;
  std::size_t at_ = 0;
};

/// BigDL's numbers of storage types.
enum class StorageType : std::uint32_t {
  single = 0,
  real = 1,
  character = 2,
  truth = 3,
  integer = 5,
  small = 6,
  large = 7,
  byte = 9
};

template <class Bits, class Number>
std::vector<float> big_endian_numbers(WeightFileReader& reader, std::uint32_t count) {
  const BigdlBytes bytes = reader.take(std::uint64_t{count} * sizeof(Bits));
  std::vector<float> numbers(count);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = static_cast<float>(std::bit_cast<Number>(big_endian<Bits>(bytes.data() + i * sizeof(Bits))));
  }
  return numbers;
}

std::vector<float> storage_numbers(WeightFileReader& reader, std::uint32_t type, std::uint32_t count) {
  switch (static_cast<StorageType>(type)) {
    case StorageType::single:
      return big_endian_numbers<std::uint32_t, float>(reader, count);
    case StorageType::real:
      return big_endian_numbers<std::uint64_t, double>(reader, count);
    case StorageType::character:
      return big_endian_numbers<std::uint16_t, std::uint16_t>(reader, count);
    case StorageType::truth:
    case StorageType::byte:
      return big_endian_numbers<std::uint8_t, std::int8_t>(reader, count);
    case StorageType::integer:
      return big_endian_numbers<std::uint32_t, std::int32_t>(reader, count);
    case StorageType::small:
      return big_endian_numbers<std::uint16_t, std::int16_t>(reader, count);
    case StorageType::large:
      return big_endian_numbers<std::uint64_t, std::int64_t>(reader, count);
  }
  throw Error(ErrorKind::unsupported, fmt::format("storages of type {}, which hold no numbers", type));
}

}  // namespace

void BigdlTensors::read_weight_file(const std::filesystem::path& file) {
  const auto mapped = MappedFile::open(file);
  const BigdlBytes bytes = mapped->bytes();
  try {
    WeightFileReader reader(bytes);
    if (bytes.size() < 8 || reader.word() != kWeightFileMagic) bad_weight_file("not a weight file of BigDL");
    const std::uint32_t storages = reader.word();
    for (std::uint32_t i = 0; i < storages; ++i) {
      if (i == kMaxBigdlTensors) bad_weight_file("too many storages");
      const auto id = static_cast<std::int64_t>(static_cast<std::int32_t>(reader.word()));
      const std::uint32_t type = reader.word(), count = reader.word();
      decoded_[id] = storage_numbers(reader, type, count);
    }
    const auto digest = md5(bytes.first(reader.at()));
    const BigdlBytes stored = reader.take(reader.word());
    if (!std::ranges::equal(stored, digest)) {
      throw Error(ErrorKind::malformed, "its checksum does not match", {}, "the file is damaged: copy it again");
    }
  } catch (const Error& error) {
    throw placed(error, file.string());
  }
}

}  // namespace octavo::graph

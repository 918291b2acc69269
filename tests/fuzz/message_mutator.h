// SPDX-License-Identifier: Apache-2.0
// Changes protobuf messages in their own terms: fields are set, cleared, repeated, reordered, or get another's value,
// so that a fuzzer's inputs stay messages and name each other's values, which changes of single bytes seldom do.
#pragma once

#include <google/protobuf/message.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <random>
#include <string_view>

namespace octavo::fuzz {

/// One change of `message` somewhere in it, chosen by `random`.
void change(google::protobuf::Message& message, std::minstd_rand& random);

/// Puts a part of `other` in the place of, or behind, a part of `message` that is of the same type.
void cross(google::protobuf::Message& message, const google::protobuf::Message& other, std::minstd_rand& random);

/// What `LLVMFuzzerCustomMutator` does for an input that is a serialized message of the type of `message`: one to four
/// changes, or, where the bytes are none or the result is longer than `max_size`, and once in eight times, a change of
/// bytes. Returns the new size.
std::size_t mutate(google::protobuf::Message& message, std::uint8_t* data, std::size_t size, std::size_t max_size,
                   unsigned int seed);

/// What `LLVMFuzzerCustomCrossOver` does for two such inputs; 0 where there is nothing to cross.
std::size_t cross_over(google::protobuf::Message& message, std::string_view first, std::string_view second,
                       std::uint8_t* out, std::size_t max_size, unsigned int seed);

}  // namespace octavo::fuzz

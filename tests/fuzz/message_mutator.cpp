// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/message_mutator.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <vector>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace octavo::fuzz {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using Random = std::minstd_rand;

std::size_t below(std::size_t count, Random& random) {
  return std::uniform_int_distribution<std::size_t>(0, count - 1)(random);
}
bool one_in(std::size_t count, Random& random) { return below(count, random) == 0; }

/// The messages within a message, itself among them.
void collect(Message& message, std::vector<Message*>& all) {
  all.push_back(&message);
  const Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) continue;
    if (!field->is_repeated()) {
      collect(*reflection.MutableMessage(&message, field), all);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      collect(*reflection.MutableRepeatedMessage(&message, field, i), all);
    }
  }
}

std::vector<Message*> parts_of(Message& message) {
  std::vector<Message*> all;
  collect(message, all);
  return all;
}

/// A value at which readers of files go wrong, or one near the old.
template <typename Integer>
Integer integer_near(Integer old, Random& random) {
  using Limits = std::numeric_limits<Integer>;
  constexpr Integer kValues[] = {0, 1, 2, 3, 4, 7, 8, 255, 65536, Limits::max(), Limits::min(), Limits::max() / 2 + 1};
  switch (below(4, random)) {
    case 0:
      return old == Limits::max() ? 0 : static_cast<Integer>(old + 1);
    case 1:
      return old == Limits::min() ? 0 : static_cast<Integer>(old - 1);
    case 2:
      return static_cast<Integer>(random());
    default:
      return kValues[below(std::size(kValues), random)];
  }
}

template <typename Real>
Real real_near(Real old, Random& random) {
  using Limits = std::numeric_limits<Real>;
  const Real values[] = {0, -old, old / 2, 1, Limits::min(), Limits::max(), Limits::infinity(), Limits::quiet_NaN()};
  return values[below(std::size(values), random)];
}

/// A string of another field of `root`, or the old one with its bytes changed.
std::string string_near(std::string old, Message& root, Random& random) {
  if (!one_in(3, random)) {
    for (int attempt = 0; attempt < 8; ++attempt) {
      const std::vector<Message*> parts = parts_of(root);
      const Message& part = *parts[below(parts.size(), random)];
      const Reflection& reflection = *part.GetReflection();
      std::vector<const FieldDescriptor*> fields;
      reflection.ListFields(part, &fields);
      std::erase_if(fields,
                    [](const FieldDescriptor* field) { return field->cpp_type() != FieldDescriptor::CPPTYPE_STRING; });
      if (fields.empty()) continue;
      const FieldDescriptor* field = fields[below(fields.size(), random)];
      if (!field->is_repeated()) return reflection.GetString(part, field);
      return reflection.GetRepeatedString(
          part, field, static_cast<int>(below(static_cast<std::size_t>(reflection.FieldSize(part, field)), random)));
    }
  }
  const std::size_t size = old.size();
  old.resize(size + 16);
  old.resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(old.data()), size, old.size()));
  return old;
}

/// Puts a part of `root` that has the type of `target` in its place.
void copy_alike(Message& target, Message& root, Random& random) {
  std::vector<Message*> alike = parts_of(root);
  std::erase_if(
      alike, [&](const Message* part) { return part->GetDescriptor() != target.GetDescriptor() || part == &target; });
  if (alike.empty()) return;
  // A copy of its own, as the one may hold the other.
  const std::unique_ptr<Message> copy(alike[below(alike.size(), random)]->New());
  copy->CopyFrom(*alike[below(alike.size(), random)]);
  target.CopyFrom(*copy);
}

/// Gives a singular field (index < 0), or an element of a repeated one, another value.
void change_value(Message& root, Message& message, const FieldDescriptor& field, int index, Random& random) {
  const Reflection& reflection = *message.GetReflection();
  const bool one = index < 0;
  // reflection's accessors differ by name only: SetT(message, field, value) and SetRepeatedT(message, field, index,
  // value).
#define OCTAVO_CHANGE(TYPE, NAME, NEAR)                                                                 \
  case FieldDescriptor::TYPE:                                                                           \
    if (one) {                                                                                          \
      reflection.Set##NAME(&message, &field, NEAR(reflection.Get##NAME(message, &field), random));      \
    } else {                                                                                            \
      reflection.SetRepeated##NAME(&message, &field, index,                                             \
                                   NEAR(reflection.GetRepeated##NAME(message, &field, index), random)); \
    }                                                                                                   \
    break
  switch (field.cpp_type()) {
    OCTAVO_CHANGE(CPPTYPE_INT32, Int32, integer_near);
    OCTAVO_CHANGE(CPPTYPE_INT64, Int64, integer_near);
    OCTAVO_CHANGE(CPPTYPE_UINT32, UInt32, integer_near);
    OCTAVO_CHANGE(CPPTYPE_UINT64, UInt64, integer_near);
    OCTAVO_CHANGE(CPPTYPE_FLOAT, Float, real_near);
    OCTAVO_CHANGE(CPPTYPE_DOUBLE, Double, real_near);
    case FieldDescriptor::CPPTYPE_BOOL:
      if (one) {
        reflection.SetBool(&message, &field, !reflection.GetBool(message, &field));
      } else {
        reflection.SetRepeatedBool(&message, &field, index, !reflection.GetRepeatedBool(message, &field, index));
      }
      break;
    case FieldDescriptor::CPPTYPE_ENUM: {
      const auto& type = *field.enum_type();
      const auto* value = type.value(static_cast<int>(below(static_cast<std::size_t>(type.value_count()), random)));
      one ? reflection.SetEnum(&message, &field, value) : reflection.SetRepeatedEnum(&message, &field, index, value);
      break;
    }
    case FieldDescriptor::CPPTYPE_STRING:
      if (one) {
        reflection.SetString(&message, &field, string_near(reflection.GetString(message, &field), root, random));
      } else {
        reflection.SetRepeatedString(&message, &field, index,
                                     string_near(reflection.GetRepeatedString(message, &field, index), root, random));
      }
      break;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      copy_alike(one ? *reflection.MutableMessage(&message, &field)
                     : *reflection.MutableRepeatedMessage(&message, &field, index),
                 root, random);
      break;
  }
#undef OCTAVO_CHANGE
}

/// One more element: a copy of another, or a value of its own.
void add_element(Message& root, Message& message, const FieldDescriptor& field, Random& random) {
  const Reflection& reflection = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return reflection.AddInt32(&message, &field, integer_near<std::int32_t>(1, random));
    case FieldDescriptor::CPPTYPE_INT64:
      return reflection.AddInt64(&message, &field, integer_near<std::int64_t>(1, random));
    case FieldDescriptor::CPPTYPE_UINT32:
      return reflection.AddUInt32(&message, &field, integer_near<std::uint32_t>(1, random));
    case FieldDescriptor::CPPTYPE_UINT64:
      return reflection.AddUInt64(&message, &field, integer_near<std::uint64_t>(1, random));
    case FieldDescriptor::CPPTYPE_FLOAT:
      return reflection.AddFloat(&message, &field, real_near(1.0F, random));
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return reflection.AddDouble(&message, &field, real_near(1.0, random));
    case FieldDescriptor::CPPTYPE_BOOL:
      return reflection.AddBool(&message, &field, one_in(2, random));
    case FieldDescriptor::CPPTYPE_ENUM:
      return reflection.AddEnumValue(&message, &field, field.enum_type()->value(0)->number());
    case FieldDescriptor::CPPTYPE_STRING:
      return reflection.AddString(&message, &field, string_near({}, root, random));
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      const std::unique_ptr<Message> added(reflection.GetMessageFactory()->GetPrototype(field.message_type())->New());
      copy_alike(*added, root, random);
      reflection.AddMessage(&message, &field)->CopyFrom(*added);
    }
  }
}

void change_repeated(Message& root, Message& message, const FieldDescriptor& field, Random& random) {
  const Reflection& reflection = *message.GetReflection();
  const int size = reflection.FieldSize(message, &field);
  const auto any = [&] { return static_cast<int>(below(static_cast<std::size_t>(size), random)); };
  const std::size_t choice = size == 0 ? 0 : below(8, random);
  if (choice == 0) {
    add_element(root, message, field, random);
  } else if (choice == 1) {
    reflection.SwapElements(&message, &field, any(), size - 1);
    reflection.RemoveLast(&message, &field);
  } else if (choice == 2) {
    reflection.SwapElements(&message, &field, any(), any());
  } else {
    change_value(root, message, field, any(), random);
  }
}

}  // namespace

void change(Message& message, Random& random) {
  const std::vector<Message*> parts = parts_of(message);
  Message& part = *parts[below(parts.size(), random)];
  const Reflection& reflection = *part.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection.ListFields(part, &fields);
  // Mostly what is there; once in a while a field that is not.
  const int declared = part.GetDescriptor()->field_count();
  if (declared == 0) return;
  const FieldDescriptor& field =
      fields.empty() || one_in(8, random)
          ? *part.GetDescriptor()->field(static_cast<int>(below(static_cast<std::size_t>(declared), random)))
          : *fields[below(fields.size(), random)];
  if (field.is_repeated()) {
    change_repeated(message, part, field, random);
  } else if (reflection.HasField(part, &field) && one_in(6, random)) {
    reflection.ClearField(&part, &field);
  } else {
    change_value(message, part, field, -1, random);
  }
}

void cross(Message& message, const Message& other, Random& random) {
  const std::unique_ptr<Message> source(other.New());
  source->CopyFrom(other);
  const std::vector<Message*> from = parts_of(*source), to = parts_of(message);
  for (int attempt = 0; attempt < 16; ++attempt) {
    const Message& part = *from[below(from.size(), random)];
    Message& place = *to[below(to.size(), random)];
    if (part.GetDescriptor() != place.GetDescriptor()) continue;
    if (one_in(2, random)) {
      place.CopyFrom(part);
    } else {
      place.MergeFrom(part);  // the repeated fields of the one follow those of the other
    }
    return;
  }
}

namespace {

/// The message's bytes in place of the input; 0 where they do not fit.
std::size_t store(const Message& message, std::uint8_t* out, std::size_t max_size) {
  const std::string bytes = message.SerializePartialAsString();
  if (bytes.size() > max_size) return 0;
  std::memcpy(out, bytes.data(), bytes.size());
  return bytes.size();
}

}  // namespace

std::size_t mutate(Message& message, std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned int seed) {
  Random random(seed);
  if (one_in(8, random) || !message.ParsePartialFromArray(data, static_cast<int>(size))) {
    return LLVMFuzzerMutate(data, size, max_size);
  }
  const std::size_t changes = 1 + below(4, random);
  for (std::size_t i = 0; i < changes; ++i) change(message, random);
  const std::size_t stored = store(message, data, max_size);
  return stored != 0 ? stored : LLVMFuzzerMutate(data, size, max_size);
}

std::size_t cross_over(Message& message, std::string_view first, std::string_view second, std::uint8_t* out,
                       std::size_t max_size, unsigned int seed) {
  Random random(seed);
  const std::unique_ptr<Message> other(message.New());
  if (!message.ParsePartialFromArray(first.data(), static_cast<int>(first.size()))) return 0;
  if (!other->ParsePartialFromArray(second.data(), static_cast<int>(second.size()))) return 0;
  cross(message, *other, random);
  return store(message, out, max_size);
}

}  // namespace octavo::fuzz

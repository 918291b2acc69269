// SPDX-License-Identifier: Apache-2.0
// See graph/import/bigdl_module.h.
#include "graph/import/bigdl_module.h"

#include <fmt/core.h>

#include <array>
#include <utility>

#include "graph/import/bigdl_fields.h"
#include "graph/import/bigdl_limits.h"
#include "graph/import/wire_reader.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

namespace field = bigdl_field::module;

[[noreturn]] void bad_module(const std::string& what) { throw Error(ErrorKind::malformed, what); }

std::string module_text(BigdlBytes bytes) {
  if (bytes.size() > kMaxBigdlNameBytes) bad_module(fmt::format("a name of {} bytes", bytes.size()));
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// What a class's package says, whatever came before it in the different releases.
BigdlFamily family_of(std::string_view package) {
  constexpr std::array<std::pair<std::string_view, BigdlFamily>, 6> kEndings = {{
      {".nn", BigdlFamily::nn},
      {".nn.quantized", BigdlFamily::quantized},
      {".nn.keras", BigdlFamily::keras},
      {".nn.internal", BigdlFamily::keras},
      {".keras.layers", BigdlFamily::keras},
      {".keras.models", BigdlFamily::keras},
  }};
  if (!package.starts_with("com.intel.analytics.")) return BigdlFamily::other;
  for (const auto& [ending, family] : kEndings) {
    if (package.ends_with(ending)) return family;
  }
  return BigdlFamily::other;
}

class ModuleReader {
 public:
  BigdlModule read(BigdlBytes message, std::size_t depth) {
    if (depth > kMaxBigdlDepth) bad_module(fmt::format("modules nested more than {} deep", kMaxBigdlDepth));
    if (++modules_ > kMaxBigdlModules) bad_module(fmt::format("more than {} modules", kMaxBigdlModules));
    BigdlModule module;
    std::string postfix;
    WireReader reader(message);
    while (const auto part = reader.next()) {
      if (part->is_bytes()) {
        read_part(*part, depth, module, postfix);
      } else if (part->type == WireField::Type::varint) {
        if (part->number == field::id) module.id = static_cast<std::int64_t>(part->value);
        if (part->number == field::has_parameters) module.has_parameters = part->value != 0;
      }
    }
    const std::size_t dot = module.class_name.find_last_of(".$");
    module.type = dot == std::string::npos ? module.class_name : module.class_name.substr(dot + 1);
    module.family =
        dot == std::string::npos ? BigdlFamily::other : family_of(std::string_view(module.class_name).substr(0, dot));
    if (module.name.empty()) module.name = module.type + postfix;
    return module;
  }

 private:
  void read_part(const WireField& part, std::size_t depth, BigdlModule& module, std::string& postfix) {
    switch (part.number) {
      case field::name:
        module.name = module_text(part.bytes);
        break;
      case field::part:
        module.parts.push_back(read(part.bytes, depth + 1));
        break;
      case field::weight:
        module.weight = part.bytes;
        break;
      case field::bias:
        module.bias = part.bytes;
        break;
      case field::source:
        if (++names_ > kMaxBigdlNames) bad_module("too many connections");
        module.sources.push_back(module_text(part.bytes));
        break;
      case field::type:
        module.class_name = module_text(part.bytes);
        break;
      case field::attribute:
        read_attribute(part.bytes, module);
        break;
      case field::postfix:
        postfix = module_text(part.bytes);
        break;
      case field::input_shape:
        module.input_shape = part.bytes;
        break;
      case field::parameter:
        if (++names_ > kMaxBigdlNames) bad_module("too many parameters");
        module.parameters.push_back(part.bytes);
        break;
      default:
        break;
    }
  }

  void read_attribute(BigdlBytes entry, BigdlModule& module) {
    if (++attributes_ > kMaxBigdlAttributes) bad_module("too many attributes");
    std::string key;
    BigdlBytes value;
    WireReader reader(entry);
    while (const auto part = reader.next()) {
      if (!part->is_bytes()) continue;
      if (part->number == bigdl_field::entry::key) key = module_text(part->bytes);
      if (part->number == bigdl_field::entry::value) value = part->bytes;
    }
    module.attributes[std::move(key)] = value;
  }

  std::size_t modules_ = 0, attributes_ = 0, names_ = 0;
};

}  // namespace

BigdlModule read_bigdl_module(BigdlBytes message) { return ModuleReader().read(message, 0); }

std::optional<Shape> read_bigdl_shape(const std::optional<BigdlBytes>& message) {
  if (!message) return std::nullopt;
  Shape shape;
  bool several = false;
  const auto add = [&](std::uint64_t value) {
    if (shape.size() == kMaxBigdlRank) bad_module(fmt::format("a shape of more than {} dimensions", kMaxBigdlRank));
    shape.push_back(static_cast<std::int32_t>(value));
  };
  WireReader reader(*message);
  while (const auto part = reader.next()) {
    if (part->number == bigdl_field::shape::kind && part->type == WireField::Type::varint) several = part->value != 0;
    if (part->number == bigdl_field::shape::value) for_each_varint(*part, add);
  }
  if (several || shape.empty()) return std::nullopt;
  return shape;
}

bool is_bigdl(BigdlBytes bytes) {
  // Every module names its class, of Intel's packages if it is BigDL's own; no field has a number above 23.
  bool named = false;
  try {
    WireReader reader(bytes);
    while (const auto part = reader.next()) {
      if (part->number > 23) return false;
      if (part->number != field::type || !part->is_bytes()) continue;
      named = module_text(part->bytes).starts_with("com.intel.analytics.");
    }
  } catch (const Error&) {
    // A file that is cut short: what was seen before decides.
  }
  return named;
}

}  // namespace octavo::graph

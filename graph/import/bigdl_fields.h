// SPDX-License-Identifier: Apache-2.0
// Field numbers of BigDL's messages (octavo_bigdl.proto), for reading them where they lie.
#pragma once

#include <cstdint>

namespace octavo::graph::bigdl_field {

namespace module {
inline constexpr std::uint32_t name = 1, part = 2, weight = 3, bias = 4, source = 5, type = 7, attribute = 8,
                               version = 9, postfix = 11, id = 12, input_shape = 13, has_parameters = 15,
                               parameter = 16;
}
namespace entry {  // of a map
inline constexpr std::uint32_t key = 1, value = 2;
}
namespace value {  // AttrValue
inline constexpr std::uint32_t integer = 3, long_integer = 4, single = 5, real = 6, text = 7, truth = 8, tensor = 10,
                               module = 13, list = 14, array = 15, format = 16, shape = 18;
}
namespace array {  // AttrValue.ArrayValue
inline constexpr std::uint32_t size = 1, integer = 3, long_integer = 4, single = 5, real = 6, text = 7, truth = 8,
                               tensor = 10, module = 13;
}
namespace list {  // NameAttrList
inline constexpr std::uint32_t name = 1, attribute = 2;
}
namespace tensor {
inline constexpr std::uint32_t type = 1, size = 2, stride = 3, offset = 4, dimensions = 5, scalar = 7, storage = 8,
                               id = 9, kind = 10;
}
namespace storage {
inline constexpr std::uint32_t type = 1, single = 2, real = 3, integer = 6, long_integer = 7, bytes = 8, id = 9;
}
namespace shape {
inline constexpr std::uint32_t kind = 1, size = 2, value = 3, part = 4;
}

}  // namespace octavo::graph::bigdl_field

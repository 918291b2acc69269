// SPDX-License-Identifier: Apache-2.0
// Einstein's sums as permutations, one product of matrices, and reductions: see graph/import/node_layers.h.
#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/check.h"
#include "graph/import/node_layers.h"

namespace octavo::graph {
namespace {

/// The names of an operand's dimensions: letters, and below 0 the dimensions that an ellipsis stands for, the last -1.
using Subscripts = std::vector<int>;

Subscripts subscripts_of(std::string_view text, std::size_t rank) {
  const std::size_t dots = text.find("...");
  const std::size_t letters = text.size() - (dots == text.npos ? 0 : 3);
  require(dots == text.npos ? letters == rank : letters <= rank, "'{}' for {} dimensions", text, rank);
  Subscripts names;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == dots) {
      for (std::size_t d = rank - letters; d > 0; --d) names.push_back(-static_cast<int>(d));
      i += 2;
      continue;
    }
    if (std::isalpha(static_cast<unsigned char>(text[i])) == 0) NodeBuilder::malformed(fmt::format("'{}'", text));
    names.push_back(text[i]);
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (std::find(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(i), names[i]) !=
        names.begin() + static_cast<std::ptrdiff_t>(i)) {
      NodeBuilder::unsupported(fmt::format("a diagonal, '{}'", text));
    }
  }
  return names;
}

bool names_one(const Subscripts& names, int name) { return std::find(names.begin(), names.end(), name) != names.end(); }

ImportedValue permuted_value(NodeBuilder& node, const ImportedValue& x, const std::vector<std::int64_t>& order) {
  if (!x.is_constant()) return node.add_permute(x, order);
  return NodeBuilder::constant_value(permuted(*x.constant, order, node.budget()));
}

ImportedValue reshaped_value(NodeBuilder& node, const ImportedValue& x, const Shape& shape) {
  return x.is_constant() ? NodeBuilder::constant_value(reshaped(*x.constant, shape)) : node.add_reshape(x, shape);
}

/// A value with names for its dimensions.
struct NamedValue {
  ImportedValue value;
  Subscripts names;

  [[nodiscard]] std::int64_t size_of(int name) const {
    const auto at = std::find(names.begin(), names.end(), name) - names.begin();
    return value.shape.at(static_cast<std::size_t>(at));
  }
};

/// With its dimensions in another order.
NamedValue in_order(NodeBuilder& node, const NamedValue& x, const Subscripts& names) {
  std::vector<std::int64_t> order;
  for (const int name : names) order.push_back(std::find(x.names.begin(), x.names.end(), name) - x.names.begin());
  return {permuted_value(node, x.value, order), names};
}

/// Summed over the dimensions that nothing else names.
NamedValue summed(NodeBuilder& node, const NamedValue& x, const Subscripts& read) {
  NamedValue y{x.value, {}};
  std::vector<std::int64_t> axes;
  for (std::size_t d = 0; d < x.names.size(); ++d) {
    if (names_one(read, x.names[d])) {
      y.names.push_back(x.names[d]);
    } else {
      axes.push_back(static_cast<std::int64_t>(d));
    }
  }
  if (!axes.empty()) {
    y.value = add_reduction(node, ReductionKind::sum, x.value, reduced_axes(x.value.shape, std::move(axes), false));
  }
  return y;
}

Shape sizes_of(const NamedValue& x, const Subscripts& names) {
  Shape sizes;
  for (const int name : names) sizes.push_back(x.size_of(name));
  return sizes;
}

Subscripts joined_names(const Subscripts& a, const Subscripts& b, const Subscripts& c) {
  Subscripts all = a;
  all.insert(all.end(), b.begin(), b.end());
  all.insert(all.end(), c.begin(), c.end());
  return all;
}

/// A product of matrices for each position of what both have and the result keeps.
NamedValue multiplied(NodeBuilder& node, const NamedValue& a, const NamedValue& b, const Subscripts& wanted) {
  Subscripts batch, inner, rows, columns;
  for (const int name : a.names) {
    const bool shared = names_one(b.names, name);
    require(!shared || a.size_of(name) == b.size_of(name), "dimensions of {} and {} that are one", a.size_of(name),
            shared ? b.size_of(name) : 0);
    (!shared ? rows : names_one(wanted, name) ? batch : inner).push_back(name);
  }
  for (const int name : b.names) {
    if (!names_one(a.names, name)) columns.push_back(name);
  }
  const Shape outer = sizes_of(a, batch), row_sizes = sizes_of(a, rows), column_sizes = sizes_of(b, columns);
  const std::int64_t depth = element_count(sizes_of(a, inner));
  const auto matrices = [&](std::int64_t height, std::int64_t width) {
    Shape shape = outer;
    shape.insert(shape.end(), {height, width});
    return shape;
  };
  const NamedValue left = in_order(node, a, joined_names(batch, rows, inner));
  const NamedValue right = in_order(node, b, joined_names(batch, inner, columns));
  // By one constant matrix, rows stay as they are: a Linear layer takes any number of dimensions before the last.
  Shape left_shape = matrices(element_count(row_sizes), depth);
  if (batch.empty() && !row_sizes.empty()) {
    left_shape = row_sizes;
    left_shape.push_back(depth);
  }
  const ImportedValue product =
      add_matrix_product(node, reshaped_value(node, left.value, left_shape),
                         reshaped_value(node, right.value, matrices(depth, element_count(column_sizes))));
  Shape shape = outer;
  shape.insert(shape.end(), row_sizes.begin(), row_sizes.end());
  shape.insert(shape.end(), column_sizes.begin(), column_sizes.end());
  return {node.add_reshape(product, shape), joined_names(batch, rows, columns)};
}

/// Of an equation that does not say it: what an ellipsis stands for, then the letters that stand once, in their order.
std::string implied_result(const std::string& operands) {
  std::map<char, int> letters;
  for (const char c : operands) letters[c] += std::isalpha(static_cast<unsigned char>(c)) != 0 ? 1 : 2;
  std::string result = operands.find("...") != operands.npos ? "..." : "";
  for (const auto& [letter, times] : letters) {
    if (times == 1) result += letter;
  }
  return result;
}

}  // namespace

ImportedValue add_einsum(NodeBuilder& node, const std::string& given, const std::vector<ImportedValue>& operands) {
  std::string equation = given;
  std::erase(equation, ' ');
  if (equation.find("->") == equation.npos) equation += "->" + implied_result(equation);
  const std::size_t arrow = equation.find("->");
  std::vector<std::string> texts(1);
  for (const char c : equation.substr(0, arrow)) c == ',' ? (void)texts.emplace_back() : texts.back().push_back(c);
  require(texts.size() == operands.size(), "'{}' for {} operands", equation, operands.size());
  if (operands.size() > 2) NodeBuilder::unsupported(fmt::format("a product of {} values", operands.size()));
  std::vector<NamedValue> parts;
  std::size_t dots = 0;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    parts.push_back({operands[i], subscripts_of(texts[i], operands[i].shape.size())});
    const Subscripts& names = parts.back().names;
    dots = std::max(dots,
                    static_cast<std::size_t>(std::count_if(names.begin(), names.end(), [](int n) { return n < 0; })));
  }
  const std::string result = equation.substr(arrow + 2);
  const bool elides = result.find("...") != result.npos;
  const Subscripts wanted = subscripts_of(result, elides ? result.size() - 3 + dots : result.size());
  for (const int name : wanted) {
    const bool made =
        std::any_of(parts.begin(), parts.end(), [&](const auto& part) { return names_one(part.names, name); });
    if (!made) NodeBuilder::malformed(fmt::format("'{}' names a dimension that nothing has", equation));
  }
  Subscripts read = wanted;
  if (parts.size() == 2) read.insert(read.end(), parts[1].names.begin(), parts[1].names.end());
  NamedValue y = summed(node, parts[0], read);
  if (parts.size() == 2) {
    read = wanted;
    read.insert(read.end(), y.names.begin(), y.names.end());
    y = multiplied(node, y, summed(node, parts[1], read), wanted);
  }
  const NamedValue ordered = in_order(node, y, wanted);
  ImportedValue value = ordered.value;
  value.type = operands[0].type;
  return value;
}

}  // namespace octavo::graph

// SPDX-License-Identifier: Apache-2.0
// Arithmetic on constants at import: the shape computations that files hold, and weights that they rearrange or
// rescale. Integers are computed as integers, everything else in double.
//
// Each function takes what it makes off the budget before it allocates, and throws Error(invalid_argument) when shapes
// do not fit.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/graph.h"
#include "graph/import/constant_tensor.h"
#include "graph/import/import_budget.h"

namespace octavo::graph {

// fold.cpp
/// What is computed element by element, stored as the type holds it: rounded to fp32, or wrapped to the integer type.
[[nodiscard]] ConstantPtr tensor_of(ElementType type, Shape shape, const std::vector<double>& values);
/// An integer as the type holds it (two's complement).
[[nodiscard]] std::int64_t wrapped(ElementType type, std::int64_t value);
/// A real number as an integer type: cut off towards zero, moved into the type's range, NaN to 0.
[[nodiscard]] std::int64_t truncated(ElementType type, double value);
[[nodiscard]] ConstantPtr cast_to(const ConstantTensor& x, ElementType type, ImportBudget& budget);
/// The one number of `value`, repeated.
[[nodiscard]] ConstantPtr filled(const ConstantTensor& value, Shape shape, ImportBudget& budget);

// fold_movement.cpp
/// The same numbers in another shape, shared.
[[nodiscard]] ConstantPtr reshaped(const ConstantTensor& x, Shape shape);
[[nodiscard]] ConstantPtr permuted(const ConstantTensor& x, const std::vector<std::int64_t>& order,
                                   ImportBudget& budget);
[[nodiscard]] ConstantPtr sliced(const ConstantTensor& x, const StridedSlice& slice, ImportBudget& budget);
[[nodiscard]] ConstantPtr gathered(const ConstantTensor& x, const ConstantTensor& indices, std::int64_t along,
                                   ImportBudget& budget);
/// At least one part.
[[nodiscard]] ConstantPtr joined(const std::vector<ConstantPtr>& parts, std::int64_t along, ImportBudget& budget);
/// x repeated to `shape`, which x's shape broadcasts to.
[[nodiscard]] ConstantPtr expanded(const ConstantTensor& x, const Shape& shape, ImportBudget& budget);
[[nodiscard]] ConstantPtr tiled(const ConstantTensor& x, const std::vector<std::int64_t>& repeats,
                                ImportBudget& budget);

// fold_binary.cpp
[[nodiscard]] bool gives_truth(BinaryKind kind);
/// Of the type of a, or boolean.
[[nodiscard]] ConstantPtr combined(BinaryKind kind, const ConstantTensor& a, const ConstantTensor& b,
                                   ImportBudget& budget);
[[nodiscard]] ConstantPtr selected(const ConstantTensor& condition, const ConstantTensor& a, const ConstantTensor& b,
                                   ImportBudget& budget);

// fold_unary.cpp
/// The function's value at x.
[[nodiscard]] double value_of(const Unary& op, double x);
[[nodiscard]] ConstantPtr mapped(const Unary& op, const ConstantTensor& x, ImportBudget& budget);

// fold_reduction.cpp
/// What a reduction is over.
struct ReducedAxes {
  std::vector<std::int64_t> axes;  ///< rising
  Shape kept;                      ///< x's shape with 1 for the reduced dimensions
  Shape shape;                     ///< the result's
};
/// `axes`: counted from the front, in any order.
[[nodiscard]] ReducedAxes reduced_axes(const Shape& x, std::vector<std::int64_t> axes, bool keep);
[[nodiscard]] ConstantPtr reduced(ReductionKind kind, const ConstantTensor& x, const ReducedAxes& over,
                                  ImportBudget& budget);

/// Axes counted from the front of a value of that rank; throws Error when one is named twice.
[[nodiscard]] std::vector<std::int64_t> canonical_axes(const std::vector<std::int64_t>& axes, std::int64_t rank);

/// The shape that a Reshape to `wanted` makes of `x`: -1 is inferred; 0 copies, unless `allow_zero`.
struct FittedShape {
  Shape shape;                     ///< with all dimensions known
  std::vector<std::int64_t> dims;  ///< as for graph::Reshape: 0 copies, -1 is inferred
};
[[nodiscard]] FittedShape fitted_shape(const Shape& x, const std::vector<std::int64_t>& wanted, bool allow_zero);

}  // namespace octavo::graph

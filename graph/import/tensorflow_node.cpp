// SPDX-License-Identifier: Apache-2.0
// See graph/import/tensorflow_node.h.
#include "graph/import/tensorflow_node.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "graph/check.h"
#include "graph/import/open_extent.h"

namespace octavo::graph {
namespace {

const std::vector<std::int64_t> kToImage{0, 3, 1, 2}, kFromImage{0, 2, 3, 1};

/// Whether the numbers of [N, C, H, W] lie as those of [N, H, W, C].
bool same_order(const Shape& image) { return image[1] == 1 || (image[2] == 1 && image[3] == 1); }

}  // namespace

Shape image_shape(const Shape& plain) { return {plain.at(0), plain.at(3), plain.at(1), plain.at(2)}; }
Shape plain_shape(const Shape& image) { return {image.at(0), image.at(2), image.at(3), image.at(1)}; }
std::int64_t image_axis(std::int64_t plain) { return plain == 0 ? 0 : plain == 3 ? 1 : plain + 1; }

TensorflowValue tensorflow_value(ImportedValue plain) {
  TensorflowValue value;
  value.type = plain.type;
  value.shape = plain.shape;
  value.plain = std::move(plain);
  return value;
}

TensorflowValue tensorflow_image(ImportedValue image) {
  TensorflowValue value;
  value.type = image.type;
  value.shape = plain_shape(image.shape);
  value.image = std::move(image);
  return value;
}

TensorflowNode::TensorflowNode(const TensorflowNodeDef& definition, const TensorflowFile& file,
                               std::vector<TensorflowValuePtr> inputs, GraphWriter& writer, ImportBudget& budget)
    : FoldingBuilder(definition.name, {}, writer, budget),
      definition_(definition),
      file_(file),
      attributes_(definition, file.owner(), budget),
      inputs_(std::move(inputs)) {}

const TensorflowValuePtr& TensorflowNode::shared_value(std::size_t i) const {
  if (i >= inputs_.size()) malformed(fmt::format("it has no input {}", i));
  return inputs_[i];
}

ImportedValue TensorflowNode::in(std::size_t i) {
  TensorflowValue& x = value(i);
  if (!x.plain) {
    const Shape& shape = x.image->shape;
    x.plain = same_order(shape) ? reshape(*x.image, x.shape) : permute(*x.image, kFromImage);
  }
  return *x.plain;
}

ImportedValue TensorflowNode::image(std::size_t i) {
  TensorflowValue& x = value(i);
  if (!x.image) {
    if (x.shape.size() != 4) malformed(fmt::format("{} is no map [N, H, W, C]", to_text(x.shape)));
    const Shape shape = image_shape(x.shape);
    const bool by_reshape = same_order(shape) && !x.plain->is_constant();
    x.image = by_reshape ? reshape(*x.plain, shape) : permute(*x.plain, kToImage);
  }
  return *x.image;
}

bool TensorflowNode::all_fit_images() const {
  bool found = false;
  for (const TensorflowValuePtr& input : inputs_) {
    if (input->shape.size() > 4) return false;
    found = found || input->is_image();
  }
  return found;
}

ImportedValue TensorflowNode::image_operand(std::size_t i) {
  const Shape& plain = shape(i);
  if (plain.size() == 4) return image(i);
  if (plain.empty()) return in(i);
  Shape longer(4 - plain.size(), 1);
  longer.insert(longer.end(), plain.begin(), plain.end());
  const ImportedValue x = reshape(in(i), longer);
  return same_order(image_shape(longer)) ? reshape(x, image_shape(longer)) : permute(x, kToImage);
}

ImportedValue TensorflowNode::in_order(std::size_t i) {
  const TensorflowValue& x = value(i);
  return x.image && !x.plain && same_order(x.image->shape) ? *x.image : in(i);
}

void TensorflowNode::set_in(std::size_t i, ImportedValue plain) {
  (void)shared_value(i);
  inputs_[i] = std::make_shared<TensorflowValue>(tensorflow_value(std::move(plain)));
}

ImportedValue TensorflowNode::only_result() {
  const TensorflowValue& value = values_.at(0);
  if (value.plain) return *value.plain;
  return permute(*value.image, kFromImage);
}

void TensorflowNode::open_result(std::int64_t axis, const ImportedValue& count) {
  result(opened(only_result(), axis, count));
}

const ConstantTensor& TensorflowNode::constant(std::size_t i, std::string_view what) {
  (void)in(i);
  return known_numbers(*value(i).plain, what);
}

std::vector<std::int64_t> TensorflowNode::integers(std::size_t i, std::string_view what) {
  return to_integers(constant(i, what));
}

std::int64_t TensorflowNode::integer(std::size_t i, std::string_view what) {
  const std::vector<std::int64_t> numbers = integers(i, what);
  if (numbers.size() != 1) malformed(fmt::format("its {} is not one number", what));
  return numbers[0];
}

float TensorflowNode::scalar(std::size_t i, std::string_view what) {
  (void)in(i);
  return known_number(*value(i).plain, what);
}

bool TensorflowNode::channels_first() const {
  const std::string format = attributes_.text("data_format", "NHWC");
  if (format != "NHWC" && format != "NCHW") unsupported(fmt::format("the data format {}", format));
  return format == "NCHW";
}

ImportedValue TensorflowNode::picture(std::size_t i) {
  if (rank(i) != 4) {
    unsupported(fmt::format("a {} of {} dimensions", type(), rank(i)),
                "octavo convolves and pools over two dimensions");
  }
  return channels_first() ? in(i) : image(i);
}

void TensorflowNode::result_picture(ImportedValue picture) {
  channels_first() ? result(std::move(picture)) : result_image(std::move(picture));
}

void TensorflowNode::retype(ElementType type) {
  TensorflowValue& value = values_.at(0);
  value.type = type;
  if (value.plain) value.plain->type = type;
  if (value.image) value.image->type = type;
}

std::vector<TensorflowValuePtr> TensorflowNode::finish_values() {
  std::vector<ImportedValue> made;
  std::vector<std::string> names;
  const auto nowhere = [](const TensorflowValue& value) { return !value.image && !value.plain; };
  if (std::any_of(values_.begin(), values_.end(), nowhere)) {  // on branches that are not taken
    return std::vector<TensorflowValuePtr>(values_.size(), std::make_shared<TensorflowValue>(values_.front()));
  }
  for (std::size_t i = 0; i < values_.size(); ++i) {
    made.push_back(values_[i].image ? *values_[i].image : *values_[i].plain);
    names.push_back(i == 0 ? definition_.name : fmt::format("{}:{}", definition_.name, i));
  }
  results(std::move(made));
  name_outputs(std::move(names));
  (void)finish();
  std::vector<TensorflowValuePtr> shared;
  for (TensorflowValue& value : values_) shared.push_back(std::make_shared<TensorflowValue>(std::move(value)));
  return shared;
}

}  // namespace octavo::graph

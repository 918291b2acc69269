// SPDX-License-Identifier: Apache-2.0
// What the converter of one TensorFlow node sees.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/import/folding_builder.h"
#include "graph/import/tensorflow_attributes.h"

namespace octavo::graph {

struct TensorflowNormStep;
struct TensorflowValue;
using TensorflowValuePtr = std::shared_ptr<TensorflowValue>;

/// On which branch a value is.
struct TensorflowBranch {
  bool taken_if = false;
  TensorflowValuePtr condition{};
};

/// What a value is that SpaceToBatchND cut into blocks, or a convolution of such blocks.
struct TensorflowBlocks {
  ImportedValue source;  ///< [N, C, H, W] before
  Pair size{1, 1}, pad_begin{0, 0}, pad_end{0, 0};
  std::optional<Convolution> convolution{};  ///< dilated, without padding: what it is on the source
};

/// An output of a node. TensorFlow's maps are [N, H, W, C], the graph's [N, C, H, W]: what a convolution makes is held
/// in the graph's order, and is permuted to TensorFlow's only for a reader that needs it so.
struct TensorflowValue {
  ElementType type = ElementType::float32;
  Shape shape;                                  ///< in TensorFlow's order; empty for a scalar
  std::optional<ImportedValue> plain;           ///< the value in TensorFlow's order; one of the two is there
  std::optional<ImportedValue> image;           ///< the value [N, C, H, W]
  std::optional<ImportedValue> unflat;          ///< [N, C, H, W], when this is [N, H * W * C] of it
  bool random = false;                          ///< made from random numbers
  bool mask = false;                            ///< of 1 and 0, by random numbers: a dropout's
  std::shared_ptr<TensorflowValue> unscaled{};  ///< when this is that, times or divided by one number
  bool whole = false;                           ///< of whole numbers, whatever its type
  bool dead = false;                            ///< on the branch that a constant condition does not take
  /// Conditions under which the value is there, by the node that decides: the branches of Switch.
  std::map<std::string, TensorflowBranch> conditions{};
  std::shared_ptr<const TensorflowBlocks> blocks{};
  std::shared_ptr<const TensorflowNormStep> norm{};  ///< when this is a step of a spelled-out batch normalization

  /// Whether the graph holds it as [N, C, H, W]. (Constants are turned for whoever asks.)
  [[nodiscard]] bool is_image() const { return image && !image->is_constant(); }
};

[[nodiscard]] TensorflowValue tensorflow_value(ImportedValue plain);
[[nodiscard]] TensorflowValue tensorflow_image(ImportedValue image);

class TensorflowNode : public FoldingBuilder {
 public:
  TensorflowNode(const TensorflowNodeDef& definition, const TensorflowFile& file,
                 std::vector<TensorflowValuePtr> inputs, GraphWriter& writer, ImportBudget& budget);

  [[nodiscard]] const std::string& type() const { return definition_.op; }
  [[nodiscard]] const TensorflowNodeDef& definition() const { return definition_; }
  [[nodiscard]] const TensorflowFile& file() const { return file_; }
  [[nodiscard]] const TensorflowAttributes& attributes() const { return attributes_; }

  [[nodiscard]] std::size_t input_count() const { return inputs_.size(); }
  /// Throws Error(malformed) when the node has no such input.
  [[nodiscard]] TensorflowValue& value(std::size_t i = 0) const { return *shared_value(i); }
  [[nodiscard]] const TensorflowValuePtr& shared_value(std::size_t i) const;
  [[nodiscard]] const Shape& shape(std::size_t i = 0) const { return value(i).shape; }
  [[nodiscard]] std::int64_t rank(std::size_t i = 0) const { return static_cast<std::int64_t>(shape(i).size()); }
  /// The input in TensorFlow's order of dimensions.
  [[nodiscard]] ImportedValue in(std::size_t i = 0);
  /// The input [N, H, W, C] as [N, C, H, W].
  [[nodiscard]] ImportedValue image(std::size_t i = 0);
  /// Whether the graph holds it so already.
  [[nodiscard]] bool is_image(std::size_t i = 0) const { return value(i).is_image(); }
  /// Whether one of the inputs is, and the others are maps, or numbers that broadcast to maps.
  [[nodiscard]] bool all_fit_images() const;
  /// Any operand of arithmetic on images, with as many dimensions.
  [[nodiscard]] ImportedValue image_operand(std::size_t i);
  /// The numbers in TensorFlow's order whatever the shape: to be reshaped.
  [[nodiscard]] ImportedValue in_order(std::size_t i = 0);

  /// The numbers of an input that have to be known at import; throws Error(unsupported) when a node makes them.
  [[nodiscard]] const ConstantTensor& constant(std::size_t i, std::string_view what);
  [[nodiscard]] std::vector<std::int64_t> integers(std::size_t i, std::string_view what);
  [[nodiscard]] std::int64_t integer(std::size_t i, std::string_view what);
  [[nodiscard]] float scalar(std::size_t i, std::string_view what);
  /// Whether the data_format attribute (NHWC unless it says so) has the channels on axis 1.
  [[nodiscard]] bool channels_first() const;
  /// An input of 4 dimensions as [N, C, H, W], by data_format.
  [[nodiscard]] ImportedValue picture(std::size_t i = 0);

  /// Puts a value in TensorFlow's order in place of an input.
  void set_in(std::size_t i, ImportedValue plain);

  /// The node's outputs, in order.
  void result(ImportedValue plain) { outputs({tensorflow_value(std::move(plain))}); }
  void result_image(ImportedValue image) { outputs({tensorflow_image(std::move(image))}); }
  /// [N, C, H, W], by data_format.
  void result_picture(ImportedValue picture);
  /// The results do not depend on the random numbers that went in.
  void settle_random() { settles_random_ = true; }
  [[nodiscard]] bool settles_random() const { return settles_random_; }
  /// More of them, behind those that are there.
  void add_outputs(const std::vector<TensorflowValue>& values) {
    values_.insert(values_.end(), values.begin(), values.end());
  }
  void mark_blocks(std::shared_ptr<const TensorflowBlocks> blocks) { values_.at(0).blocks = std::move(blocks); }
  void mark_norm(std::shared_ptr<const TensorflowNormStep> step) { values_.at(0).norm = std::move(step); }
  /// Of the first output: integers that were computed in fp32.
  void retype(ElementType type);
  /// The first output, in TensorFlow's order, by itself.
  [[nodiscard]] ImportedValue only_result();
  /// Of the first output only `count` positions along an axis, in TensorFlow's order, count.
  void open_result(std::int64_t axis, const ImportedValue& count);
  void mark_whole() { values_.at(0).whole = true; }
  void mark_mask() { values_.at(0).mask = true; }
  void outputs(std::vector<TensorflowValue> values) { values_ = std::move(values); }
  /// Gives the results the names of the file; called once, after the converter.
  [[nodiscard]] std::vector<TensorflowValuePtr> finish_values();

 private:
  const TensorflowNodeDef& definition_;
  const TensorflowFile& file_;
  TensorflowAttributes attributes_;
  std::vector<TensorflowValuePtr> inputs_;
  std::vector<TensorflowValue> values_;
  bool settles_random_ = false;
};

/// [N, H, W, C] as [N, C, H, W], and back.
[[nodiscard]] Shape image_shape(const Shape& plain);
[[nodiscard]] Shape plain_shape(const Shape& image);
/// The axis of [N, C, H, W] that axis `plain` (from the front) of [N, H, W, C] is.
[[nodiscard]] std::int64_t image_axis(std::int64_t plain);

}  // namespace octavo::graph

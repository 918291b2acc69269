// SPDX-License-Identifier: Apache-2.0
// A trained network: load, quantize, predict, save.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "octavo/image.h"
#include "octavo/options.h"
#include "octavo/program.h"
#include "octavo/tensor.h"
#include "octavo/tune.h"

namespace octavo {

/// What Model::load() may need to know besides the file. What the file's format has no use for is
/// Error(invalid_argument).
struct LoadOptions {
  std::map<std::string, Shape> input_shapes{};  ///< by name, where the file leaves them open
  std::filesystem::path weights{};              ///< BigDL: the file with the numbers, when they were saved apart
  std::vector<std::string> inputs{};            ///< TensorFlow: as TensorflowOptions::inputs
  /// ONNX: names of the values that the network is to end with, instead of the file's outputs; nodes that they do not
  /// need are left out, and may be such as octavo does not know. TensorFlow: as TensorflowOptions::outputs.
  std::vector<std::string> outputs{};
  bool channels_first = true;  ///< TensorFlow: as TensorflowOptions::channels_first
};

/// What quantize() did with a layer.
struct LayerQuantization {
  std::string layer, op;
  bool quantized = false;
  std::string reason;
  std::int64_t weights = 0;
  bool bias_corrected = false;  ///< QuantizeOptions::correct_bias
};

/// How faithful an int8 layer is, in dB of signal-to-noise against fp32: 10 log10(sum fp32^2 / sum (fp32 - int8)^2).
struct LayerError {
  std::string layer, op;
  double alone_db = 0;      ///< of the layer in int8 on what fp32 gives it: its own noise
  double network_db = 0;    ///< of its output in the int8 network: with the noise of all layers before it
  double predicted_db = 0;  ///< LayerInfo::predicted_db
};

/// An immutable network; copies share it. Safe to use from many threads. One that was moved from may only be assigned
/// to or destroyed. A model of an `.octavo` file keeps the file mapped: replace such a file by renaming, as save()
/// does; shortening it in place ends the process when the numbers are next read (SIGBUS).
class Model {
 public:
  struct Impl;
  explicit Model(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

  /// Caffe prototxt and caffemodel. Throws Error: io, malformed, unsupported (an unknown layer: its name, type and
  /// place).
  static Model load_caffe(const std::filesystem::path& prototxt, const std::filesystem::path& caffemodel);
  /// The topology alone, with He-initialised weights from `seed`: an untrained network, for measurements.
  static Model load_caffe_untrained(const std::filesystem::path& prototxt, std::uint64_t seed = 0);
  /// ONNX, operator sets 7 to 28, with its external data beside it. `input_shapes`: by name, for inputs of which the
  /// file leaves more open than the batch. Throws Error: io, malformed, unsupported (the node and its operator).
  static Model load_onnx(const std::filesystem::path& file, const std::map<std::string, Shape>& input_shapes = {});
  /// TensorFlow: a frozen graph (GraphDef, binary or text), or the folder of a SavedModel with its variables. Throws
  /// Error: io, malformed, unsupported (the node and its operator), invalid_argument (names that the file does not
  /// have; a shape that is missing).
  static Model load_tensorflow(const std::filesystem::path& file, const TensorflowOptions& options = {});
  /// A network of nn, cudnn or nngraph in a Torch7 file, binary or ASCII. Such a file does not say what its network
  /// takes: `input_shapes` does, by name ("input", or "input_1", "input_2", ... of a network that takes a table),
  /// unless its first layer does. Throws Error: io, malformed, unsupported (the module and its class), invalid_argument
  /// (a shape is needed).
  static Model load_torch(const std::filesystem::path& file, const std::map<std::string, Shape>& input_shapes = {});
  /// A BigDL model (protobuf, all releases, float or quantized). `weights`: the file with its numbers, when they were
  /// saved apart; `input_shapes`: by name, for inputs whose shape the file does not say. Throws Error: io, malformed,
  /// unsupported (the module and its class).
  static Model load_bigdl(const std::filesystem::path& file, const std::filesystem::path& weights = {},
                          const std::map<std::string, Shape>& input_shapes = {});
  /// Any format, told by content: `.octavo`, ONNX, TensorFlow, BigDL, Torch7, or a caffemodel that carries its
  /// topology.
  static Model load(const std::filesystem::path& file, const LoadOptions& options = {});

  /// The files that load(file) reads: the file, and an ONNX file's external data. (Of a SavedModel, its folder.) What
  /// is no model that octavo reads stands for itself: loading says what is wrong.
  static std::vector<std::filesystem::path> files_of(const std::filesystem::path& file);

  /// Weights in s8, no calibration data. Layers already quantized stay as they are.
  [[nodiscard]] Model quantize(const QuantizeOptions& options = {}) const;
  [[nodiscard]] bool quantized() const;  ///< any layer is
  /// The fp32 network whose weights are the stored 8-bit numbers: what a quantized model is measured against when
  /// nothing else is there.
  [[nodiscard]] Model dequantize() const;
  [[nodiscard]] std::vector<LayerQuantization> quantization() const;

  /// Runs the network in fp32 and in int8 on these inputs, one after the other, each layer also alone; the layer with
  /// the most noise of its own first. An fp32 network is quantized as `options` say; a quantized one is measured
  /// against dequantize(). All inputs have one shape. `progress` hears the fraction done, from 0 to 1. Throws
  /// Error(invalid_argument) without inputs, or for a network of several.
  [[nodiscard]] std::vector<LayerError> layer_errors(std::span<const Tensor> inputs,
                                                     const QuantizeOptions& options = {},
                                                     const CompileOptions& compile_options = {},
                                                     const std::function<void(double)>& progress = {}) const;

  /// Machine code for this input shape. `inputs`: a shape for each network input, in order; empty: those of the file;
  /// a first dimension of 0 means "as in the file".
  [[nodiscard]] Program compile(const CompileOptions& options = {}, const std::vector<Shape>& inputs = {}) const;
  /// Measures many plans of each integer layer of a quantized model on this machine, and keeps in a file those that
  /// beat the planner's choice; later compilations for the same shapes take them. One entry for each distinct layer.
  /// Takes seconds a layer, on an otherwise idle machine. Throws Error: invalid_argument (nothing is quantized; no file
  /// to keep plans in), unsupported (the scalar reference), io, malformed (the file).
  [[nodiscard]] std::vector<TunedLayer> tune(const TuneOptions& options = {},
                                             const std::vector<Shape>& inputs = {}) const;

  /// Compiles for the tensor's shape (programs are kept) and runs.
  [[nodiscard]] Tensor predict(const Tensor& input, const CompileOptions& options = {}) const;

  /// Writes an `.octavo` file, whole or not at all. Throws Error(io).
  void save(const std::filesystem::path& file) const;

  /// Writes an ONNX file (operator set 21), whole or not at all: fp32 weights as they are, 8-bit ones as int8 numbers
  /// behind DequantizeLinear. What is known of pictures and labels is not written. Throws Error: io; unsupported,
  /// naming the first layer that ONNX cannot say.
  void save_onnx(const std::filesystem::path& file) const;

  /// Writes a frozen TensorFlow graph (GraphDef), whole or not at all, with pictures and maps in TensorFlow's order;
  /// 8-bit weights as the fp32 numbers that they stand for. What is known of pictures and labels is not written. Throws
  /// Error: io; unsupported, naming the first layer that TensorFlow cannot say.
  void save_tensorflow(const std::filesystem::path& file) const;
  /// Writes a binary Torch7 file, whole or not at all: modules of nn, nested or as an nngraph gModule, in fp32 (8-bit
  /// weights as what they stand for). The shapes of the inputs, and what is known of pictures and labels, are not
  /// written. Throws Error: io; unsupported, naming the first layer that Torch7 cannot say.
  void save_torch(const std::filesystem::path& file) const;
  /// Writes a BigDL model (protobuf), whole or not at all. 8-bit weights become BigDL's quantized layers, which have
  /// one scale for each output channel: quantize() with windows of all channels. Throws Error: io; unsupported, naming
  /// the first layer that BigDL cannot say.
  void save_bigdl(const std::filesystem::path& file) const;
  /// Writes a Caffe network of fp32 weights: its topology as text, and topology and weights in binary; both files, or
  /// neither, whole. Throws Error: io; unsupported, naming the first layer that Caffe cannot say.
  void save_caffe(const std::filesystem::path& prototxt, const std::filesystem::path& caffemodel) const;

  [[nodiscard]] const std::string& name() const;
  [[nodiscard]] std::vector<std::string> input_names() const;
  [[nodiscard]] std::vector<Shape> input_shapes() const;
  [[nodiscard]] std::vector<std::string> output_names() const;
  /// For each output, the name of the value before the Softmax that ends it (the logits, what fidelity is measured on),
  /// or the output itself where the network does not end in one. Names for CompileOptions::outputs.
  [[nodiscard]] std::vector<std::string> logit_names() const;
  [[nodiscard]] std::vector<std::string> layer_names() const;
  /// Of a detector (a DetectionOutput layer makes an output): how many classes it tells apart, the background included.
  [[nodiscard]] std::optional<std::int64_t> detection_classes() const;
  [[nodiscard]] std::int64_t parameter_count() const;
  /// The graph in text at a stage: imported, canonical, quantized, inserted, fused.
  [[nodiscard]] std::string print(std::string_view stage = "imported") const;

  [[nodiscard]] const std::optional<ImageInput>& image_input() const;
  [[nodiscard]] const std::vector<std::string>& labels() const;
  [[nodiscard]] Model with_image_input(ImageInput input) const;
  [[nodiscard]] Model with_labels(std::vector<std::string> labels) const;

 private:
  std::shared_ptr<const Impl> impl_;
};

}  // namespace octavo

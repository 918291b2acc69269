// SPDX-License-Identifier: Apache-2.0
// Sources of data. At prediction they are the network's inputs, so that all that counts is the shape of their tops. An
// Input layer says it; the layers of training read pictures from a database, whose size the prototxt may or may not
// say.
#include <fmt/core.h>

#include <filesystem>
#include <optional>

#include "graph/import/caffe.h"
#include "graph/import/caffe_layers.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

using caffe::LayerParameter;

Shape shape_from(const caffe::BlobShape& shape) { return {shape.dim().begin(), shape.dim().end()}; }

/// The i-th shape of an Input or DummyData: one for all tops, or one each.
Shape listed_shape(const google::protobuf::RepeatedPtrField<caffe::BlobShape>& shapes, int top, int tops) {
  if (shapes.size() != 1 && shapes.size() != tops) {
    CaffeLayerContext::malformed(fmt::format("it has {} tops and {} shapes", tops, shapes.size()),
                                 "give one shape for all, or one for each");
  }
  return shape_from(shapes.size() == 1 ? shapes[0] : shapes[top]);
}

Shape dummy_shape(const caffe::DummyDataParameter& param, int top, int tops) {
  if (param.shape_size() > 0) return listed_shape(param.shape(), top, tops);
  Shape shape;
  for (const auto* dims : {&param.num(), &param.channels(), &param.height(), &param.width()}) {
    if (dims->empty() || (dims->size() != 1 && dims->size() != tops)) {
      CaffeLayerContext::malformed("num, channels, height and width have to be given once, or once for each top");
    }
    shape.push_back(dims->size() == 1 ? dims->Get(0) : dims->Get(top));
  }
  return shape;
}

/// A mean file has the shape of the pictures. It is looked for where the prototxt lies: the path in it is one on the
/// machine that trained.
std::optional<Shape> mean_shape(const std::string& mean_file, const std::string& place) {
  if (mean_file.empty()) return std::nullopt;
  const std::filesystem::path prototxt = place.substr(0, place.rfind(':'));
  const std::filesystem::path beside = prototxt.parent_path() / std::filesystem::path(mean_file).filename();
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(beside, ignored)) return std::nullopt;
  return read_caffe_mean(beside)->shape;
}

/// What the parameters of a picture source tell; 0 where they do not.
struct PictureSize {
  std::int64_t channels = 0, height = 0, width = 0;
};

PictureSize picture_size(const LayerParameter& param, const std::string& place) {
  PictureSize size;
  const auto& transform = param.transform_param();
  std::string mean_file = transform.mean_file();
  std::int64_t crop = transform.crop_size();
  const auto old_fields = [&](const auto& data) {  // before transform_param, each source had these
    if (crop == 0) crop = data.crop_size();
    if (mean_file.empty()) mean_file = data.mean_file();
  };
  old_fields(param.data_param());
  old_fields(param.image_data_param());
  old_fields(param.window_data_param());

  if (const auto mean = mean_shape(mean_file, place); mean && mean->size() == 3) {
    size = {(*mean)[0], (*mean)[1], (*mean)[2]};
  }
  if (param.type() == "ImageData") {
    size.channels = param.image_data_param().is_color() ? 3 : 1;
    if (param.image_data_param().new_height() > 0) size.height = param.image_data_param().new_height();
    if (param.image_data_param().new_width() > 0) size.width = param.image_data_param().new_width();
  }
  if (param.type() == "WindowData" || transform.force_color()) size.channels = 3;
  if (transform.force_gray()) size.channels = 1;
  if (size.channels == 0 && transform.mean_value_size() > 1) size.channels = transform.mean_value_size();
  if (crop > 0) size.height = size.width = crop;
  return size;
}

Shape picture_shape(const LayerParameter& param, const std::string& place) {
  if (param.type() == "MemoryData") {
    const auto& memory = param.memory_data_param();
    return {memory.batch_size(), memory.channels(), memory.height(), memory.width()};
  }
  const PictureSize size = picture_size(param, place);
  if (size.channels == 0 || size.height == 0 || size.width == 0) {
    CaffeLayerContext::unsupported(
        "the size of its pictures is not in the prototxt but in the data that it names",
        "use the network's deploy prototxt; of a caffemodel that is loaded alone, its first top's "
        "shape can be given (--input-shape)");
  }
  // The batch of the training set says nothing about prediction.
  return {1, size.channels, size.height, size.width};
}

}  // namespace

std::vector<Shape> caffe_data_shapes(const CaffeLayer& layer, const std::map<std::string, Shape>& given) {
  const LayerParameter& param = layer.param;
  const int tops = param.top_size();
  if (tops == 0) CaffeLayerContext::malformed("it has no top");
  std::vector<Shape> shapes;
  for (int top = 0; top < tops; ++top) {
    const auto known = given.find(param.top(top));
    if (known != given.end()) {
      shapes.push_back(known->second);
    } else if (param.type() == "Input") {
      shapes.push_back(listed_shape(param.input_param().shape(), top, tops));
    } else if (param.type() == "DummyData") {
      shapes.push_back(dummy_shape(param.dummy_data_param(), top, tops));
    } else if (top == 0) {
      shapes.push_back(picture_shape(param, layer.place));
    } else {
      shapes.emplace_back();  // labels
    }
  }
  return shapes;
}

}  // namespace octavo::graph

// SPDX-License-Identifier: Apache-2.0
// What all ops share: see graph/export/torch_exporter.h.
#include "graph/export/torch_exporter.h"

#include <variant>

#include "graph/check.h"
#include "octavo/error.h"

namespace octavo::graph {

TorchDocument::Ref TorchModules::module(std::string_view type, Fields fields) {
  const bool named = type.find('.') != std::string_view::npos;
  const Ref ref = document_.object(named ? std::string(type) : "nn." + std::string(type));
  for (const auto& [name, value] : fields) document_.set(ref, name, value);
  document_.set(ref, "output", document_.tensor({}, {}));  // Torch's modules write into one that is there
  document_.set(ref, "gradInput", document_.tensor({}, {}));
  document_.set(ref, "train", false);
  return ref;
}

TorchDocument::Ref TorchModules::container(std::string_view type, const std::vector<Ref>& modules, Fields fields) {
  const Ref ref = module(type, fields), list = document_.table();
  for (const Ref inner : modules) document_.append(list, inner);
  document_.set(ref, "modules", list);
  return ref;
}

TorchDocument::Ref TorchModules::in_a_row(const std::vector<Ref>& modules) {
  if (modules.empty()) return module("Identity");
  return modules.size() == 1 ? modules[0] : container("Sequential", modules);
}

TorchDocument::Ref TorchModules::tensor(const Shape& shape, std::vector<float> values) {
  numbers_.push_back(std::move(values));
  return document_.tensor(shape, numbers_.back());
}

TorchDocument::Ref TorchModules::tensor(const Shape& shape, const Blob& blob) {
  return blob.quantized() ? tensor(shape, to_float(blob)) : document_.tensor(shape, blob.f32.values);
}

std::vector<TorchDocument::Ref> TorchStepExporter::run() {
  if (step_.form == TorchStep::Form::plain) {
    std::visit([this](const auto& op) { write(op); }, node_.op);
  } else {
    write_form();
  }
  if (row_.empty()) add("Identity");
  const bool first = step_.part == 0;
  out_.document().set(row_.back(), "name", first ? node_.name : graph_.values[step_.output].name);
  return std::move(row_);
}

void TorchStepExporter::cannot(const std::string& what) {
  throw Error(ErrorKind::unsupported, "Torch7 cannot say " + what);
}

void TorchStepExporter::add_multiply(double factor) {
  if (factor != 1.0) add("MulConstant", {{"constant_scalar", factor}, {"inplace", false}});
}

void TorchStepExporter::add_shift(double shift) {
  if (shift != 0.0) add("AddConstant", {{"constant_scalar", shift}, {"inplace", false}});
}

void TorchStepExporter::add_parallel(const std::vector<std::vector<Ref>>& rows) {
  std::vector<Ref> modules;
  for (const auto& row : rows) modules.push_back(out_.in_a_row(row));
  add(out_.container("ParallelTable", modules));
}

void TorchStepExporter::write_form() {
  switch (step_.form) {
    case TorchStep::Form::log_softmax:
      add("LogSoftMax");
      break;
    case TorchStep::Form::lookup:
      write(std::get<Embed>(node_.op));
      break;
    case TorchStep::Form::batch_norm:
      write_batch_norm(std::get<BatchNorm>(step_.first->op), &std::get<Scale>(node_.op));
      break;
    case TorchStep::Form::threshold: {
      const double limit = std::get<Unary>(step_.first->op).alpha;
      const double otherwise = to_float(*uses_.constant(node_.inputs[2]))[0];
      add("Threshold", {{"threshold", limit}, {"val", otherwise}, {"inplace", false}});
      break;
    }
    case TorchStep::Form::replicate: {
      const auto& op = std::get<Tile>(node_.op);
      const auto longer = static_cast<std::int64_t>(out_shape().size());
      const std::int64_t axis = op.axis < 0 ? op.axis + longer : op.axis;
      add("Replicate", {{"nfeatures", static_cast<double>(op.tiles)}, {"dim", static_cast<double>(axis + 1)}});
      break;
    }
    case TorchStep::Form::plain:
      break;
  }
}

}  // namespace octavo::graph

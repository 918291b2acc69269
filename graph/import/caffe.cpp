// SPDX-License-Identifier: Apache-2.0
// Entry points of the Caffe importer: see graph/import/caffe.h.
#include "graph/import/caffe.h"

#include <memory>
#include <new>
#include <optional>
#include <utility>

#include "graph/import/caffe_importer.h"
#include "graph/mapped_file.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

Graph import(CaffeNet net, const CaffeModelFile* model, const CaffeImportOptions& options) {
  const std::string file = net.file;
  try {
    return CaffeImporter(std::move(net), model, options).run();
  } catch (const std::bad_alloc&) {
    throw Error(ErrorKind::resource, "not enough memory for the network", file);
  }
}

}  // namespace

Graph import_caffe(const std::filesystem::path& prototxt, const std::filesystem::path& caffemodel,
                   const CaffeImportOptions& options) {
  std::optional<CaffeModelFile> model;
  if (!caffemodel.empty()) model.emplace(caffemodel);
  return import(read_caffe_text(prototxt), model ? &*model : nullptr, options);
}

Graph import_caffe_binary(const std::filesystem::path& caffemodel, const CaffeImportOptions& options) {
  const CaffeModelFile model(caffemodel);
  try {
    return import(read_caffe_topology(model, caffemodel), &model, options);
  } catch (const Error& error) {
    if (!error.hint().empty() || error.kind() == ErrorKind::resource) throw;
    throw Error(error.kind(), error.what(), {},
                "a caffemodel may not describe its network in full: give the prototxt, too");
  }
}

BlobPtr read_caffe_mean(const std::filesystem::path& binaryproto) {
  const auto mapped = MappedFile::open(binaryproto);
  CaffeBlob mean = decode_caffe_blob(mapped->bytes(), mapped, binaryproto.string());
  Shape& shape = mean.shape;
  if (shape.size() == 4 && shape[0] == 1) shape.erase(shape.begin());
  if (shape.size() != 3 || mean.values.values.empty()) {
    throw Error(ErrorKind::malformed, "not a mean picture: [channels, height, width] is expected",
                binaryproto.string());
  }
  Blob blob;
  blob.shape = shape;
  blob.f32 = std::move(mean.values);
  return std::make_shared<const Blob>(std::move(blob));
}

}  // namespace octavo::graph

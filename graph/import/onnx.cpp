// SPDX-License-Identifier: Apache-2.0
// Entry point of the ONNX importer: see graph/import/onnx.h.
#include "graph/import/onnx.h"

#include <new>

#include "graph/import/onnx_importer.h"
#include "graph/import/onnx_model_file.h"
#include "octavo/error.h"

namespace octavo::graph {

Graph import_onnx(const std::filesystem::path& file, const OnnxImportOptions& options) {
  try {
    const OnnxModelFile model(file);
    return OnnxImporter(model, options).run();
  } catch (const std::bad_alloc&) {
    throw Error(ErrorKind::resource, "not enough memory for the network", file.string());
  }
}

}  // namespace octavo::graph

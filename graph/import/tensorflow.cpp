// SPDX-License-Identifier: Apache-2.0
// Entry point of the TensorFlow importer: see graph/import/tensorflow.h.
#include "graph/import/tensorflow.h"

#include <new>

#include "graph/import/tensorflow_file.h"
#include "graph/import/tensorflow_importer.h"
#include "graph/placed_error.h"
#include "octavo/error.h"

namespace octavo::graph {

Graph import_tensorflow(const std::filesystem::path& file, const TensorflowImportOptions& options) {
  try {
    const TensorflowFile model(file);
    return TensorflowImporter(model, options).run();
  } catch (const std::bad_alloc&) {
    throw Error(ErrorKind::resource, "not enough memory for the network", file.string());
  } catch (const Error& error) {
    if (!error.where().empty()) throw;
    throw placed(error, file.string());
  }
}

}  // namespace octavo::graph

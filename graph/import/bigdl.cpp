// SPDX-License-Identifier: Apache-2.0
// Entry point of the BigDL importer: see graph/import/bigdl.h.
#include "graph/import/bigdl.h"

#include <new>

#include "graph/import/bigdl_importer.h"
#include "octavo/error.h"

namespace octavo::graph {

Graph import_bigdl(const std::filesystem::path& file, const BigdlImportOptions& options) {
  try {
    return BigdlImporter(file, options).run();
  } catch (const std::bad_alloc&) {
    throw Error(ErrorKind::resource, "not enough memory for the network", file.string());
  }
}

}  // namespace octavo::graph

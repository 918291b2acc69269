// SPDX-License-Identifier: Apache-2.0
// Entry point of the Torch7 importer: see graph/import/torch.h.
#include "graph/import/torch.h"

#include <new>

#include "graph/import/torch_importer.h"
#include "octavo/error.h"

namespace octavo::graph {

Graph import_torch(const std::filesystem::path& file, const TorchImportOptions& options) {
  try {
    const TorchFile objects(file);
    return TorchImporter(objects, options).run();
  } catch (const std::bad_alloc&) {
    throw Error(ErrorKind::resource, "not enough memory for the network", file.string());
  }
}

}  // namespace octavo::graph

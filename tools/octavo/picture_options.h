// SPDX-License-Identifier: Apache-2.0
// The options that say how a picture becomes the network's input; laid over what the model file says.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "octavo/model.h"
#include "tools/octavo/files_read.h"

namespace octavo::tool {

struct PictureArguments {
  std::string preset, resize, resize_mode, crop, mean, mean_file, scale, channel_order;
  bool antialias = false;

  void declare(CLI::App& app);
  [[nodiscard]] bool any() const;
  /// The model's own description (or the defaults) with these options laid over it. Throws Error for values that
  /// cannot be meant.
  [[nodiscard]] ImageInput over(const Model& model) const;
  /// The model, described by over() where any of these options is given; else as it is.
  [[nodiscard]] Model described(const Model& model) const;
  void add_to(FilesRead& read) const { read.add(mean_file); }
  /// A note on stderr when neither the model nor an option says anything of the pictures.
  void note_if_undescribed(const Model& model) const;
};

/// "resize 256x256 (stretch), crop 227x227, bgr, mean 104,117,123, scale 1"
[[nodiscard]] std::string describe(const ImageInput& input);

}  // namespace octavo::tool

// SPDX-License-Identifier: Apache-2.0
// The modules of Torch7, and what each becomes: a function a module, in torch_*.cpp by family. Internal to the
// importer.
#pragma once

#include <string_view>

#include "graph/import/torch_layer.h"

namespace octavo::graph {

using TorchConverter = TorchActivity (*)(TorchLayer& layer);
/// Null for a class that octavo does not know. `cudnn.X`, `cunn.X` and `nn.X` are the same.
[[nodiscard]] TorchConverter find_torch_converter(const TorchModule& module);

// Modules that hold modules: torch_containers.cpp; those of nngraph: torch_nngraph.cpp.
TorchActivity convert_torch_sequential(TorchLayer& layer);
TorchActivity convert_torch_concat(TorchLayer& layer);
TorchActivity convert_torch_concat_table(TorchLayer& layer);
TorchActivity convert_torch_parallel_table(TorchLayer& layer);
TorchActivity convert_torch_parallel(TorchLayer& layer);
TorchActivity convert_torch_map_table(TorchLayer& layer);
TorchActivity convert_torch_bottle(TorchLayer& layer);
TorchActivity convert_torch_decorator(TorchLayer& layer);
TorchActivity convert_torch_gmodule(TorchLayer& layer);

// Tables: torch_tables.cpp.
TorchActivity convert_torch_join_table(TorchLayer& layer);
TorchActivity convert_torch_split_table(TorchLayer& layer);
TorchActivity convert_torch_select_table(TorchLayer& layer);
TorchActivity convert_torch_narrow_table(TorchLayer& layer);
TorchActivity convert_torch_flatten_table(TorchLayer& layer);
TorchActivity convert_torch_zip_table(TorchLayer& layer);
TorchActivity convert_torch_table_arithmetic(TorchLayer& layer);
TorchActivity convert_torch_mm(TorchLayer& layer);
TorchActivity convert_torch_dot_product(TorchLayer& layer);

// Layers with weights: torch_convolution.cpp, torch_linear.cpp.
TorchActivity convert_torch_convolution(TorchLayer& layer);
TorchActivity convert_torch_convolution_map(TorchLayer& layer);
TorchActivity convert_torch_depthwise_convolution(TorchLayer& layer);
TorchActivity convert_torch_full_convolution(TorchLayer& layer);
TorchActivity convert_torch_temporal_convolution(TorchLayer& layer);
TorchActivity convert_torch_linear(TorchLayer& layer);
TorchActivity convert_torch_lookup_table(TorchLayer& layer);
TorchActivity convert_torch_scale(TorchLayer& layer);

// Windows: torch_pooling.cpp.
TorchActivity convert_torch_pooling(TorchLayer& layer);
TorchActivity convert_torch_adaptive_pooling(TorchLayer& layer);
TorchActivity convert_torch_subsampling(TorchLayer& layer);
TorchActivity convert_torch_upsampling(TorchLayer& layer);

// Functions of each number: torch_pointwise.cpp.
TorchActivity convert_torch_pointwise(TorchLayer& layer);
TorchActivity convert_torch_threshold(TorchLayer& layer);
TorchActivity convert_torch_prelu(TorchLayer& layer);
TorchActivity convert_torch_dropout(TorchLayer& layer);
TorchActivity convert_torch_identity(TorchLayer& layer);
TorchActivity convert_torch_constant(TorchLayer& layer);
TorchActivity convert_torch_gated_linear_unit(TorchLayer& layer);
TorchActivity convert_torch_crelu(TorchLayer& layer);

// Normalization and the Softmax family: torch_normalization.cpp.
TorchActivity convert_torch_batch_normalization(TorchLayer& layer);
TorchActivity convert_torch_instance_normalization(TorchLayer& layer);
TorchActivity convert_torch_lrn(TorchLayer& layer);
TorchActivity convert_torch_normalize(TorchLayer& layer);
TorchActivity convert_torch_softmax(TorchLayer& layer);

// What moves numbers, and reductions: torch_shape.cpp, torch_movement.cpp.
TorchActivity convert_torch_view(TorchLayer& layer);
TorchActivity convert_torch_reshape(TorchLayer& layer);
TorchActivity convert_torch_squeeze(TorchLayer& layer);
TorchActivity convert_torch_unsqueeze(TorchLayer& layer);
TorchActivity convert_torch_collapse(TorchLayer& layer);
TorchActivity convert_torch_transpose(TorchLayer& layer);
TorchActivity convert_torch_pixel_shuffle(TorchLayer& layer);
TorchActivity convert_torch_narrow(TorchLayer& layer);
TorchActivity convert_torch_select(TorchLayer& layer);
TorchActivity convert_torch_replicate(TorchLayer& layer);
TorchActivity convert_torch_padding(TorchLayer& layer);
TorchActivity convert_torch_spatial_padding(TorchLayer& layer);
TorchActivity convert_torch_shave(TorchLayer& layer);
TorchActivity convert_torch_reduction(TorchLayer& layer);

}  // namespace octavo::graph

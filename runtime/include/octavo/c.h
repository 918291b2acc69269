/* SPDX-License-Identifier: Apache-2.0
 * The C interface of octavo: load, quantize, save, compile, predict. See docs/api.md.
 *
 * - Every function that can fail returns a status; on failure, outputs are left as they were and
 *   octavo_last_error() says what went wrong, where, and how to fix it.
 * - Models and programs are immutable: any number of threads may use one at once.
 * - What a function hands out by `**` belongs to the caller, who frees it once. Strings and shapes that a function
 *   returns belong to the model or program and live as long as it does. Free functions take NULL.
 * - Tensors are dense fp32 in row-major order; pictures are [N, C, H, W].
 * - Structs of options begin with `struct_size`: the struct's sizeof in the caller's header, or 0 for the size that it
 *   had at first. Members that the caller's header does not know count as zeros; a size that no released header had is
 *   OCTAVO_INVALID_ARGUMENT.
 * - A model keeps its `.octavo` file mapped. Replace such a file by renaming, as octavo_model_save() does: one that is
 *   shortened in place takes the memory away, and reading it then ends the process (SIGBUS).
 * - After a predict on several threads, a child made by fork() must not predict on several threads: it may hang. Fork
 *   before, or compile with `threads` = 1 for the child. */
#ifndef OCTAVO_C_H
#define OCTAVO_C_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum octavo_status {
  OCTAVO_OK = 0,
  OCTAVO_INVALID_ARGUMENT = 1, /* the caller passed something that cannot be meant */
  OCTAVO_IO = 2,               /* a file cannot be opened, read or written */
  OCTAVO_MALFORMED = 3,        /* a file's content is broken */
  OCTAVO_UNSUPPORTED = 4,      /* well-formed, but octavo cannot do it */
  OCTAVO_RESOURCE = 5,         /* out of memory, or the system refuses executable memory */
  OCTAVO_INTERNAL = 6          /* a defect of octavo */
} octavo_status;

typedef struct octavo_model octavo_model;
typedef struct octavo_program octavo_program;

/* "0.1.0" */
const char* octavo_version(void);
/* The message of the last failure on this thread, "" if there was none; valid until the next failure on it. UTF-8 as
 * far as file names are; of any length. */
const char* octavo_last_error(void);

/* ---- models ---- */

/* Any format, told by content: `.octavo`, ONNX, TensorFlow, BigDL, Torch7, or a caffemodel that carries its topology.
 */
octavo_status octavo_model_load(const char* file, octavo_model** model);
/* A shape for one input, where an ONNX file leaves it open, or for those of a Torch7 file, which does not say it. */
typedef struct octavo_named_shape {
  const char* name;
  const int64_t* dims;
  size_t rank;
} octavo_named_shape;
octavo_status octavo_model_load_shaped(const char* file, const octavo_named_shape* shapes, size_t count,
                                       octavo_model** model);
/* What a file may leave open, and where the network begins and ends. All zeros, or a null pointer: as the file says. */
typedef struct octavo_load_options {
  size_t struct_size; /* sizeof(octavo_load_options), or 0 */
  const octavo_named_shape* input_shapes;
  size_t input_shape_count;
  const char* weights;       /* BigDL: the file with the numbers, when they were saved apart; or NULL */
  const char* const* inputs; /* TensorFlow: names of the nodes that the network begins with */
  size_t input_count;
  const char* const* outputs; /* ONNX, TensorFlow: names of what it ends with */
  size_t output_count;
  int tensorflow_order; /* nonzero: pictures and maps stay [N, H, W, C] */
} octavo_load_options;
octavo_status octavo_model_load_with(const char* file, const octavo_load_options* options, octavo_model** model);
octavo_status octavo_model_load_caffe(const char* prototxt, const char* caffemodel, octavo_model** model);
/* The topology with weights drawn from `seed`: untrained, for measurements. */
octavo_status octavo_model_load_caffe_untrained(const char* prototxt, uint64_t seed, octavo_model** model);

/* All zeros, or a null pointer: octavo's own choices. */
typedef struct octavo_quantize_options {
  size_t struct_size;            /* sizeof(octavo_quantize_options), or 0 */
  int has_window;                /* nonzero: the next three are meant for every layer */
  int64_t window_channels;       /* 16, 32, 64, 128, 256, or 0 for all */
  int64_t window_tile_h;         /* 0: octavo chooses */
  int64_t window_tile_w;         /* 0: octavo chooses */
  const char* const* keep_float; /* names of layers that stay fp32 */
  size_t keep_float_count;
} octavo_quantize_options;

octavo_status octavo_model_quantize(const octavo_model* model, const octavo_quantize_options* options,
                                    octavo_model** quantized);
/* Writes an `.octavo` file, whole or not at all. */
octavo_status octavo_model_save(const octavo_model* model, const char* file);
void octavo_model_free(octavo_model* model);

const char* octavo_model_name(const octavo_model* model);
int octavo_model_is_quantized(const octavo_model* model);
int64_t octavo_model_parameter_count(const octavo_model* model);
size_t octavo_model_input_count(const octavo_model* model);
size_t octavo_model_output_count(const octavo_model* model);
size_t octavo_model_layer_count(const octavo_model* model);
size_t octavo_model_label_count(const octavo_model* model);
/* NULL when the index is out of range. */
const char* octavo_model_input_name(const octavo_model* model, size_t index);
const char* octavo_model_output_name(const octavo_model* model, size_t index);
const char* octavo_model_layer_name(const octavo_model* model, size_t index);
const char* octavo_model_label(const octavo_model* model, size_t index);
/* The input's shape as the file states it; `*rank` is its number of dimensions (0 when out of range). */
const int64_t* octavo_model_input_shape(const octavo_model* model, size_t index, size_t* rank);
/* The graph in text at a stage: "imported", "canonical", "quantized", "inserted", "fused". Free with octavo_free(). */
octavo_status octavo_model_print(const octavo_model* model, const char* stage, char** text);
void octavo_free(void* memory);

/* Reads a JPEG or PNG and makes the first input of it, as the model file says: `count` floats, which must be the size
 * of one picture (channels * height * width) of that input. */
octavo_status octavo_model_read_picture(const octavo_model* model, const char* file, float* values, size_t count);

/* ---- programs ---- */

/* All zeros, or a null pointer: octavo's own choices. */
typedef struct octavo_compile_options {
  size_t struct_size;         /* sizeof(octavo_compile_options), or 0 */
  int threads;                /* that one predict call may use; 0: all cores this process may run on */
  int64_t batch;              /* first dimension of every input; 0: as in the file */
  const char* isa;            /* "avx512vnni", "avx2", ...; NULL: the best of this machine */
  const char* const* outputs; /* names of layers or tensors to return instead of the network's outputs */
  size_t output_count;
} octavo_compile_options;

octavo_status octavo_model_compile(const octavo_model* model, const octavo_compile_options* options,
                                   octavo_program** program);
void octavo_program_free(octavo_program* program);

size_t octavo_program_input_count(const octavo_program* program);
size_t octavo_program_output_count(const octavo_program* program);
const char* octavo_program_output_name(const octavo_program* program, size_t index);
/* NULL and rank 0 when the index is out of range. */
const int64_t* octavo_program_input_shape(const octavo_program* program, size_t index, size_t* rank);
const int64_t* octavo_program_output_shape(const octavo_program* program, size_t index, size_t* rank);

/* One pointer for each input and output, of the sizes that the shapes above say. Allocates nothing after the first
 * calls. The counts are those of the arrays, and must be the program's. */
octavo_status octavo_program_predict(const octavo_program* program, const float* const* inputs, size_t input_count,
                                     float* const* outputs, size_t output_count);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* OCTAVO_C_H */

// SPDX-License-Identifier: Apache-2.0
// The C interface: handles around Model and Program. No exception leaves a function here.
#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <type_traits>
#include <utility>

#include "octavo/c.h"
#include "octavo/octavo.h"

using octavo::Error;
using octavo::ErrorKind;
using octavo::Shape;

// The lists are kept because C callers get pointers into them.
struct octavo_model {
  explicit octavo_model(octavo::Model m)
      : model(std::move(m)),
        inputs(model.input_names()),
        outputs(model.output_names()),
        layers(model.layer_names()),
        shapes(model.input_shapes()) {}
  octavo::Model model;
  std::vector<std::string> inputs, outputs, layers;
  std::vector<Shape> shapes;
};

struct octavo_program {
  octavo::Program program;
};

namespace {

thread_local std::string last_error;

octavo_status report(octavo_status status, const char* message) noexcept {
  try {
    last_error = message;
  } catch (const std::bad_alloc&) {
    last_error = "out of memory";  // short enough to lie in the string itself
  }
  return status;
}

octavo_status status_of(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::invalid_argument:
      return OCTAVO_INVALID_ARGUMENT;
    case ErrorKind::io:
      return OCTAVO_IO;
    case ErrorKind::malformed:
      return OCTAVO_MALFORMED;
    case ErrorKind::unsupported:
      return OCTAVO_UNSUPPORTED;
    case ErrorKind::resource:
      return OCTAVO_RESOURCE;
  }
  return OCTAVO_INTERNAL;
}

/// Runs `act` and turns what it throws into a status.
template <class Act>
octavo_status guarded(Act act) noexcept {
  try {
    act();
    return OCTAVO_OK;
  } catch (const Error& error) {
    return report(status_of(error.kind()), error.what());
  } catch (const std::bad_alloc&) {
    return report(OCTAVO_RESOURCE, "out of memory");
  } catch (const std::exception& error) {
    return report(OCTAVO_INTERNAL, error.what());
  } catch (...) {
    return report(OCTAVO_INTERNAL, "an unknown exception");
  }
}

void require(bool holds, const char* what) {
  if (!holds) throw Error(ErrorKind::invalid_argument, what);
}

template <class T>
T& deref(T* pointer, const char* what) {
  require(pointer != nullptr, what);
  return *pointer;
}

std::string text_of(const char* text, const char* what) { return &deref(text, what); }

/// Bytes of each struct of options in the first octavo that had it, which is what a struct_size of 0 means. They stay
/// when members are added.
constexpr std::size_t first_bytes(const octavo_load_options*) {
  return offsetof(octavo_load_options, tensorflow_order) + sizeof(int);
}
constexpr std::size_t first_bytes(const octavo_quantize_options*) {
  return offsetof(octavo_quantize_options, keep_float_count) + sizeof(size_t);
}
constexpr std::size_t first_bytes(const octavo_compile_options*) {
  return offsetof(octavo_compile_options, output_count) + sizeof(size_t);
}

/// The caller's options, as far as its header knows them; the rest zeros.
template <class Options>
Options options_of(const Options* given) {
  static_assert(std::is_trivially_copyable_v<Options>);
  Options options{};
  if (given == nullptr) return options;
  const std::size_t least = first_bytes(given);
  const std::size_t bytes = given->struct_size == 0 ? least : given->struct_size;
  if (bytes < least || bytes > sizeof(Options)) {
    throw Error(ErrorKind::invalid_argument,
                "struct_size is " + std::to_string(bytes) + ", this octavo knows options of " + std::to_string(least) +
                    " to " + std::to_string(sizeof(Options)) + " bytes",
                {}, "set it to the struct's sizeof, or to 0; a newer header needs the library that came with it");
  }
  std::memcpy(&options, given, bytes);
  return options;
}

std::vector<std::string> names_of(const char* const* names, std::size_t count) {
  std::vector<std::string> list;
  require(count == 0 || names != nullptr, "a null pointer instead of a list of names");
  for (std::size_t i = 0; i < count; ++i) list.push_back(text_of(names[i], "a null pointer in a list of names"));
  return list;
}

std::map<std::string, Shape> shapes_of(const octavo_named_shape* shapes, std::size_t count) {
  require(count == 0 || shapes != nullptr, "a null pointer instead of a list of shapes");
  std::map<std::string, Shape> named;
  for (std::size_t i = 0; i < count; ++i) {
    require(shapes[i].rank == 0 || shapes[i].dims != nullptr, "a null pointer instead of a shape");
    named[text_of(shapes[i].name, "a null pointer instead of an input's name")] =
        Shape(shapes[i].dims, shapes[i].dims + shapes[i].rank);
  }
  return named;
}

template <class List>
const char* name_at(const List& names, std::size_t index) {
  return index < names.size() ? names[index].c_str() : nullptr;
}

const int64_t* shape_at(const std::vector<Shape>& shapes, std::size_t index, std::size_t* rank) {
  const bool found = index < shapes.size();
  if (rank != nullptr) *rank = found ? shapes[index].size() : 0;
  return found ? shapes[index].data() : nullptr;
}

const std::vector<Shape> kNone;
constexpr auto kNoModel = "a null pointer instead of a model";
constexpr auto kNoProgram = "a null pointer instead of a program";
constexpr auto kNoFile = "a null pointer instead of a file name";
constexpr auto kNoResult = "a null pointer instead of a place for the result";

template <class Load>
octavo_status load_into(octavo_model** to, Load load) noexcept {
  return guarded([&] {
    require(to != nullptr, kNoResult);
    *to = std::make_unique<octavo_model>(load()).release();
  });
}

}  // namespace

const char* octavo_version(void) { return OCTAVO_VERSION; }
const char* octavo_last_error(void) { return last_error.c_str(); }

octavo_status octavo_model_load(const char* file, octavo_model** model) {
  return load_into(model, [&] { return octavo::Model::load(text_of(file, kNoFile)); });
}

octavo_status octavo_model_load_shaped(const char* file, const octavo_named_shape* shapes, size_t count,
                                       octavo_model** model) {
  octavo_load_options options{};
  options.input_shapes = shapes;
  options.input_shape_count = count;
  return octavo_model_load_with(file, &options, model);
}

octavo_status octavo_model_load_with(const char* file, const octavo_load_options* options, octavo_model** model) {
  return load_into(model, [&] {
    const auto given = options_of(options);
    octavo::LoadOptions chosen;
    chosen.input_shapes = shapes_of(given.input_shapes, given.input_shape_count);
    if (given.weights != nullptr) chosen.weights = given.weights;
    chosen.inputs = names_of(given.inputs, given.input_count);
    chosen.outputs = names_of(given.outputs, given.output_count);
    chosen.channels_first = given.tensorflow_order == 0;
    return octavo::Model::load(text_of(file, kNoFile), chosen);
  });
}

octavo_status octavo_model_load_caffe(const char* prototxt, const char* caffemodel, octavo_model** model) {
  return load_into(model,
                   [&] { return octavo::Model::load_caffe(text_of(prototxt, kNoFile), text_of(caffemodel, kNoFile)); });
}

octavo_status octavo_model_load_caffe_untrained(const char* prototxt, uint64_t seed, octavo_model** model) {
  return load_into(model, [&] { return octavo::Model::load_caffe_untrained(text_of(prototxt, kNoFile), seed); });
}

octavo_status octavo_model_quantize(const octavo_model* model, const octavo_quantize_options* options,
                                    octavo_model** quantized) {
  return load_into(quantized, [&] {
    const auto given = options_of(options);
    octavo::QuantizeOptions chosen;
    if (given.has_window != 0) {
      chosen.window = octavo::Window{given.window_channels, given.window_tile_h, given.window_tile_w};
    }
    chosen.keep_float = names_of(given.keep_float, given.keep_float_count);
    return deref(model, kNoModel).model.quantize(chosen);
  });
}

octavo_status octavo_model_save(const octavo_model* model, const char* file) {
  return guarded([&] { deref(model, kNoModel).model.save(text_of(file, kNoFile)); });
}

void octavo_model_free(octavo_model* model) { delete model; }  // NOLINT(cppcoreguidelines-owning-memory): a handle

const char* octavo_model_name(const octavo_model* model) {
  return model != nullptr ? model->model.name().c_str() : nullptr;
}
int octavo_model_is_quantized(const octavo_model* model) {
  return model != nullptr && model->model.quantized() ? 1 : 0;
}
int64_t octavo_model_parameter_count(const octavo_model* model) {
  int64_t count = 0;
  guarded([&] { count = deref(model, kNoModel).model.parameter_count(); });
  return count;
}
size_t octavo_model_input_count(const octavo_model* model) { return model != nullptr ? model->inputs.size() : 0; }
size_t octavo_model_output_count(const octavo_model* model) { return model != nullptr ? model->outputs.size() : 0; }
size_t octavo_model_layer_count(const octavo_model* model) { return model != nullptr ? model->layers.size() : 0; }
size_t octavo_model_label_count(const octavo_model* model) {
  return model != nullptr ? model->model.labels().size() : 0;
}
const char* octavo_model_input_name(const octavo_model* model, size_t index) {
  return model != nullptr ? name_at(model->inputs, index) : nullptr;
}
const char* octavo_model_output_name(const octavo_model* model, size_t index) {
  return model != nullptr ? name_at(model->outputs, index) : nullptr;
}
const char* octavo_model_layer_name(const octavo_model* model, size_t index) {
  return model != nullptr ? name_at(model->layers, index) : nullptr;
}
const char* octavo_model_label(const octavo_model* model, size_t index) {
  return model != nullptr ? name_at(model->model.labels(), index) : nullptr;
}
const int64_t* octavo_model_input_shape(const octavo_model* model, size_t index, size_t* rank) {
  return shape_at(model != nullptr ? model->shapes : kNone, index, rank);
}

octavo_status octavo_model_print(const octavo_model* model, const char* stage, char** text) {
  return guarded([&] {
    require(text != nullptr, kNoResult);
    const std::string printed = deref(model, kNoModel).model.print(text_of(stage, "a null pointer instead of a stage"));
    auto* copy = static_cast<char*>(std::malloc(printed.size() + 1));  // NOLINT: freed from C
    if (copy == nullptr) throw std::bad_alloc();
    std::memcpy(copy, printed.c_str(), printed.size() + 1);
    *text = copy;
  });
}

void octavo_free(void* memory) { std::free(memory); }  // NOLINT: from octavo_model_print()

octavo_status octavo_model_read_picture(const octavo_model* model, const char* file, float* values, size_t count) {
  return guarded([&] {
    const auto& handle = deref(model, kNoModel);
    require(values != nullptr, kNoResult);
    require(!handle.shapes.empty(), "the network has no input");
    if (!handle.model.image_input()) {
      throw Error(ErrorKind::invalid_argument, "the model file does not say how pictures become inputs", {},
                  "describe it when converting the model; see docs/images.md");
    }
    const auto tensor =
        octavo::to_input(octavo::read_picture(text_of(file, kNoFile)), *handle.model.image_input(), handle.shapes[0]);
    if (std::cmp_not_equal(count, tensor.size())) {
      throw Error(ErrorKind::invalid_argument,
                  "room for " + std::to_string(count) + " values, but a picture has " + std::to_string(tensor.size()));
    }
    std::copy(tensor.values().begin(), tensor.values().end(), values);
  });
}

octavo_status octavo_model_compile(const octavo_model* model, const octavo_compile_options* options,
                                   octavo_program** program) {
  return guarded([&] {
    require(program != nullptr, kNoResult);
    const auto& handle = deref(model, kNoModel);
    const auto given = options_of(options);
    octavo::CompileOptions chosen;
    chosen.threads = given.threads;
    if (given.isa != nullptr) chosen.isa = octavo::parse_isa(given.isa);
    chosen.outputs = names_of(given.outputs, given.output_count);
    std::vector<Shape> inputs;
    if (given.batch != 0) {
      inputs = handle.shapes;
      for (Shape& shape : inputs) {
        require(!shape.empty(), "an input without dimensions has no batch");
        shape[0] = given.batch;
      }
    }
    *program = std::make_unique<octavo_program>(octavo_program{handle.model.compile(chosen, inputs)}).release();
  });
}

void octavo_program_free(octavo_program* program) { delete program; }  // NOLINT(cppcoreguidelines-owning-memory)

size_t octavo_program_input_count(const octavo_program* program) {
  return program != nullptr ? program->program.input_shapes().size() : 0;
}
size_t octavo_program_output_count(const octavo_program* program) {
  return program != nullptr ? program->program.output_shapes().size() : 0;
}
const char* octavo_program_output_name(const octavo_program* program, size_t index) {
  return program != nullptr ? name_at(program->program.output_names(), index) : nullptr;
}
const int64_t* octavo_program_input_shape(const octavo_program* program, size_t index, size_t* rank) {
  return shape_at(program != nullptr ? program->program.input_shapes() : kNone, index, rank);
}
const int64_t* octavo_program_output_shape(const octavo_program* program, size_t index, size_t* rank) {
  return shape_at(program != nullptr ? program->program.output_shapes() : kNone, index, rank);
}

octavo_status octavo_program_predict(const octavo_program* program, const float* const* inputs, size_t input_count,
                                     float* const* outputs, size_t output_count) {
  return guarded([&] {
    const auto& handle = deref(program, kNoProgram).program;
    require(input_count == handle.input_shapes().size(), "the number of inputs is not the program's");
    require(output_count == handle.output_shapes().size(), "the number of outputs is not the program's");
    require(inputs != nullptr && outputs != nullptr, "a null pointer instead of a list of tensors");
    const std::span in(inputs, input_count);
    const std::span out(outputs, output_count);
    const auto given = [](const float* tensor) { return tensor != nullptr; };
    require(std::all_of(in.begin(), in.end(), given) && std::all_of(out.begin(), out.end(), given),
            "a null pointer instead of a tensor");
    handle.predict(in, out);
  });
}

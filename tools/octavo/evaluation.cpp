// SPDX-License-Identifier: Apache-2.0
// The pass over labelled pictures: see evaluation.h.
#include "tools/octavo/evaluation.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <span>

#include "octavo/error.h"
#include "tools/octavo/console.h"

namespace octavo::tool {
namespace {

constexpr std::size_t answers_kept = 5;

Tensor timed_predict(Contestant& contestant, const Tensor& input) {
  const auto start = std::chrono::steady_clock::now();
  Tensor output = contestant.program.predict(input);
  contestant.seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return output;
}

std::size_t classes_of(const Program& program) {
  const Shape& shape = program.output_shapes().front();
  if (!one_value_a_class(shape) || shape.front() != program.input_shapes().front().front()) {
    throw Error(ErrorKind::unsupported, "the output of " + shape_text(shape) + " is not one number a class",
                program.output_names().front(), "a detector is judged with --voc or --coco");
  }
  return static_cast<std::size_t>(shape[1]);
}

}  // namespace

void Evaluation::run(const Dataset& data, const ImageInput& description, int threads) {
  const Program& any = (fp32 ? fp32 : int8)->program;
  const std::size_t classes = classes_of(any);
  if (fp32 && int8 && classes_of(int8->program) != classes) {
    throw Error(ErrorKind::invalid_argument, fmt::format("one network has {} classes, the other {}",
                                                         classes_of(fp32->program), classes_of(int8->program)));
  }
  const auto highest = std::max_element(data.classes.begin(), data.classes.end());
  if (*highest >= classes) {
    throw Error(ErrorKind::invalid_argument, fmt::format("class {}, but the network has {} classes", *highest, classes),
                data.pictures.name(static_cast<std::size_t>(highest - data.classes.begin())).string(),
                "classes are numbered from 0; are these pictures for another network?");
  }

  PictureLoader loader(data.pictures, description, any.input_shapes().front(), threads);
  Progress progress("eval", data.pictures.size());
  while (const std::optional<PictureBatch> batch = loader.next()) {
    const Tensor a = fp32 ? timed_predict(*fp32, batch->input) : Tensor();
    const Tensor b = int8 ? timed_predict(*int8, batch->input) : Tensor();
    for (std::size_t row = 0; row < batch->pictures.size(); ++row) {
      const std::size_t picture = batch->pictures[row];
      const std::size_t truth = data.classes[picture];
      std::vector<Answer> best_a;
      std::vector<Answer> best_b;
      if (fp32) {
        best_a = best_answers(a.values().subspan(row * classes, classes), answers_kept);
        fp32->score.add(best_a, truth);
      }
      if (int8) {
        best_b = best_answers(b.values().subspan(row * classes, classes), answers_kept);
        int8->score.add(best_b, truth);
      }
      if (fp32 && int8) {
        fidelity.add(a.values().subspan(row * classes, classes), b.values().subspan(row * classes, classes));
        if (best_a.front().index != best_b.front().index) {
          changed.push_back({picture, data.pictures.name(picture), truth, best_a.front().index, best_b.front().index});
        }
      }
    }
    pictures += batch->pictures.size();
    progress.advance(pictures + loader.skipped().size());
  }
  skipped = loader.skipped();
}

}  // namespace octavo::tool

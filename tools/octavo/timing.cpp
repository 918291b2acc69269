// SPDX-License-Identifier: Apache-2.0
// Interleaved timing: see timing.h.
#include "tools/octavo/timing.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <span>

#include "tools/octavo/console.h"

namespace octavo::tool {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// Like pixels after a mean was taken off.
void fill(Tensor& tensor) {
  std::minstd_rand generator(1);
  std::uniform_real_distribution<float> value(-128, 127);
  std::generate(tensor.data(), tensor.data() + tensor.size(), [&] { return value(generator); });
}

double quantile(const std::vector<double>& sorted, double share) {
  return sorted[static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1) + 0.5)];
}

}  // namespace

Spread spread_of(std::vector<double> milliseconds) {
  std::sort(milliseconds.begin(), milliseconds.end());
  return {quantile(milliseconds, 0.5), milliseconds.front(), quantile(milliseconds, 0.1), quantile(milliseconds, 0.9)};
}

Timed::Timed(const Program& program) : program_(program), layers_(program.layers().size()) {
  for (const Shape& shape : program_.input_shapes()) fill(inputs_.emplace_back(shape));
  for (const Shape& shape : program_.output_shapes()) outputs_.emplace_back(shape);
  for (const Tensor& input : inputs_) input_pointers_.push_back(input.data());
  for (Tensor& output : outputs_) output_pointers_.push_back(output.data());
}

void Timed::warm_up() { program_.predict(std::span<const float* const>(input_pointers_), output_pointers_); }

void Timed::run() {
  warm_up();
  const auto start = Clock::now();
  program_.predict(std::span<const float* const>(input_pointers_), output_pointers_);
  totals_.push_back(milliseconds_since(start));
}

void Timed::run_layers() {
  warm_up();
  program_.predict(std::span<const float* const>(input_pointers_), output_pointers_, seconds_);
  for (std::size_t l = 0; l < layers_.size(); ++l) layers_[l].push_back(seconds_.at(l) * 1e3);
}

std::size_t measure(std::vector<Timed>& programs, const Repeats& repeats,
                    const std::function<void()>& each_layer_round) {
  std::size_t rounds = 0;
  const auto in_turn = [&](const char* task, void (Timed::*step)(), const std::function<void()>& also) {
    // A thousandth of the time is a step of the progress: rounds are not known beforehand.
    Progress progress(task, static_cast<std::size_t>(repeats.seconds * 1e3));
    const auto start = Clock::now();
    for (rounds = 0; rounds < repeats.most; ++rounds) {
      const double spent = milliseconds_since(start);
      if (rounds >= repeats.least && spent >= repeats.seconds * 1e3) break;
      progress.advance(static_cast<std::size_t>(spent));
      for (Timed& program : programs) (program.*step)();
      if (also) also();
    }
  };
  in_turn("ms of measuring layers", &Timed::run_layers, each_layer_round);
  in_turn("ms of measuring the whole", &Timed::run, {});
  return rounds;
}

}  // namespace octavo::tool

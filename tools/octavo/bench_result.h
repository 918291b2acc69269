// SPDX-License-Identifier: Apache-2.0
// What octavo bench measured, layer by layer and summed, and how it is told: as text, as JSON, as a page.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "octavo/program.h"
#include "tools/octavo/json_output.h"
#include "tools/octavo/machine_limits.h"
#include "tools/octavo/onednn_int8.h"
#include "tools/octavo/timing.h"

namespace octavo::tool {

/// Milliseconds of a layer, or of several, round by round, on each side. A peer that does not run it has no entry.
struct Samples {
  std::vector<double> octavo;
  std::map<std::string, std::vector<double>> peers;
};

struct LayerRow {
  std::string name, type, algorithm;
  std::optional<LayerWork> work;
  Samples samples;
  std::map<std::string, std::string> implementations;  ///< of peers that say so
};

/// Layers with 8-bit weights of one kind, summed round by round.
struct Total {
  std::string name;
  std::vector<std::size_t> rows;  ///< of BenchResult::layers
  bool repeats = false;           ///< the same layers as a total before it: text and pages leave it out
  Samples samples;
};

struct BenchResult {
  std::string model, cpu, isa;
  std::int64_t batch = 1;
  int threads = 1;
  std::size_t rounds = 0;
  double load_ms = 0, quantize_ms = 0, compile_ms = 0;
  ProgramStatistics statistics;
  std::vector<std::string> peers;       ///< in the order in which they were asked for
  Spread octavo;                        ///< the whole network
  std::map<std::string, Spread> whole;  ///< of the peers that run it whole
  std::vector<LayerRow> layers;
  std::optional<MachineLimits> limits;

  /// Adds one program's times; layers of the same name on both sides share a row, and a side on which a layer's work is
  /// part of another layer has 0 ms. Changes of layout, which differ from side to side, share one row. Of octavo itself
  /// first, with an empty peer name.
  void add_program(const Program& program, const std::vector<std::vector<double>>& times, const std::string& peer);
  /// Adds the times of a peer that runs single layers of octavo's own program.
  void add_layers(const std::vector<LayerInfo>& program, const OnednnInt8& measured, const std::string& peer);
  /// 3x3 convolutions of stride 1, all convolutions, Linear layers, all of them: those that the network has.
  [[nodiscard]] std::vector<Total> totals() const;
};

[[nodiscard]] std::string as_text(const BenchResult& result);
[[nodiscard]] Json as_json(const BenchResult& result);
/// Bars and, where the limits are known, a roofline picture (bench_report.cpp).
[[nodiscard]] std::string as_html(const BenchResult& result);

}  // namespace octavo::tool

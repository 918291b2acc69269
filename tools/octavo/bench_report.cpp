// SPDX-License-Identifier: Apache-2.0
// The page of octavo bench: bars for the sums and the layers, dots under the machine's roofs, all numbers in a table.
#include <fmt/format.h>

#include <limits>

#include "tools/octavo/bench_result.h"
#include "tools/octavo/console.h"
#include "tools/octavo/report.h"

namespace octavo::tool {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

double median_of(const Samples& samples, const std::string& peer) {
  const auto times = samples.peers.find(peer);
  return times == samples.peers.end() ? kNone : spread_of(times->second).median;
}

/// octavo's median, then the peers'.
std::vector<double> medians_of(const Samples& samples, const std::vector<std::string>& peers) {
  std::vector<double> values = {spread_of(samples.octavo).median};
  for (const std::string& peer : peers) values.push_back(median_of(samples, peer));
  return values;
}

std::vector<std::string> series_of(const BenchResult& result) {
  std::vector<std::string> series = {"octavo int8"};
  series.insert(series.end(), result.peers.begin(), result.peers.end());
  return series;
}

/// Bytes that a layer must read and write at least, when its activations and its weights have these sizes.
double bytes_of(const LayerWork& work, double activation_bytes, double weight_bytes) {
  const double in = static_cast<double>(work.images * work.in_h * work.in_w * work.in_channels);
  const double out = static_cast<double>(work.images * work.out_h * work.out_w * work.out_channels);
  const double weights =
      static_cast<double>(work.out_channels * (work.in_channels / work.groups) * work.kernel_h * work.kernel_w);
  return activation_bytes * (in + out * (work.residual ? 2 : 1)) + weight_bytes * weights;
}

/// What each side keeps between layers: octavo fp32 activations and 8-bit weights.
double bytes_of(const LayerWork& work, const std::string& side) {
  if (side == "onednn-fp32") return bytes_of(work, 4, 4);
  if (side == "onednn-int8") return bytes_of(work, 1, 1);
  return bytes_of(work, 4, 1);
}

RooflineChart roofline(const BenchResult& result, const MachineLimits& limits) {
  RooflineChart chart{
      .title = "Roofline",
      .x_title = "multiply-accumulates a byte that must be moved",
      .y_title = "GMAC/s",
      .series = series_of(result),
      .oblique = {{fmt::format("memory, {:.0f} GB/s", limits.memory_bandwidth * 1e-9), limits.memory_bandwidth * 1e-9},
                  {fmt::format("last level of cache, {:.0f} GB/s", limits.cache_bandwidth * 1e-9),
                   limits.cache_bandwidth * 1e-9}},
      .level = {{fmt::format("int8 dot products, {:.0f} GMAC/s", limits.int8_rate * 1e-9), limits.int8_rate * 1e-9},
                {fmt::format("fp32 multiply-adds, {:.0f} GMAC/s", limits.fp32_rate * 1e-9), limits.fp32_rate * 1e-9}},
      .dots = {}};
  for (const LayerRow& row : result.layers) {
    if (!row.work) continue;
    const auto work = static_cast<double>(row.work->multiply_accumulates());
    const std::vector<double> times = medians_of(row.samples, result.peers);
    for (std::size_t s = 0; s < times.size(); ++s) {
      if (!(times[s] > 0)) continue;
      const double intensity = work / bytes_of(*row.work, chart.series[s]), rate = work / times[s] * 1e-6;
      const std::string how = s == 0 ? row.algorithm : row.implementations.at(chart.series[s]);
      chart.dots.push_back({s, intensity, rate,
                            fmt::format("{}, {}: {:.3f} ms, {:.1f} GMAC/s, {:.1f} MAC a byte ({})", row.name,
                                        chart.series[s], times[s], rate, intensity, how)});
    }
  }
  return chart;
}

void add_table(HtmlReport& page, const BenchResult& result) {
  std::vector<std::string> header = {"layer", "type", "algorithm", "octavo ms"};
  for (const std::string& peer : result.peers) {
    header.push_back(peer + " ms");
    header.emplace_back("ratio");
  }
  std::vector<std::vector<std::string>> cells;
  for (const LayerRow& row : result.layers) {
    const std::vector<double> values = medians_of(row.samples, result.peers);
    std::vector<std::string> line = {row.name, row.type, row.algorithm, fmt::format("{:.3f}", values.front())};
    for (std::size_t s = 1; s < values.size(); ++s) {
      line.push_back(values[s] >= 0 ? fmt::format("{:.3f}", values[s]) : "");
      line.push_back(values[s] > 0 && values[0] > 0 ? fmt::format("{:.2f}", values[s] / values[0]) : "");
    }
    cells.push_back(std::move(line));
  }
  page.add_table("Layers in numbers", header, cells);
}

}  // namespace

std::string as_html(const BenchResult& result) {
  HtmlReport page("octavo bench: " + result.model,
                  fmt::format("Batch {}, {}, {}, {}; medians of {} interleaved rounds.", result.batch,
                              count_text(result.threads, "thread"), result.cpu, result.isa, result.rounds));
  BarChart sums{.title = "Sums", .unit = "ms", .series = series_of(result), .bars = {}};
  std::vector<double> whole = {result.octavo.median};
  for (const std::string& peer : result.peers) {
    const auto found = result.whole.find(peer);
    whole.push_back(found == result.whole.end() ? kNone : found->second.median);
  }
  sums.bars.push_back({"whole network", whole});
  for (const Total& total : result.totals()) {
    if (!total.repeats) sums.bars.push_back({total.name, medians_of(total.samples, result.peers)});
  }
  page.add(sums);
  if (result.limits) {
    page.add(roofline(result, *result.limits));
    page.add_text(
        "Each dot is a layer with 8-bit weights; point at it for its numbers. Work is counted as a direct "
        "convolution's, so "
        "an algorithm that multiplies less may stand above its roof. Bytes are what a layer must read and write at "
        "least, "
        "in the sizes that each side keeps; what lies in cache between layers moves faster than memory's roof. The "
        "roofs "
        "are measured, on as many threads.");
  }
  BarChart layers{.title = "Layer by layer", .unit = "ms", .series = series_of(result), .bars = {}};
  for (const LayerRow& row : result.layers) layers.bars.push_back({row.name, medians_of(row.samples, result.peers)});
  page.add(layers);
  add_table(page, result);
  return page.html();
}

}  // namespace octavo::tool

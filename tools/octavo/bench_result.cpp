// SPDX-License-Identifier: Apache-2.0
// Sums, text and JSON of a measurement: see bench_result.h.
#include "tools/octavo/bench_result.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "tools/octavo/console.h"

namespace octavo::tool {
namespace {

/// Round by round; times that are not there yet count 0.
void add_times(std::vector<double>& sum, const std::vector<double>& times) {
  sum.resize(std::max(sum.size(), times.size()), 0.0);
  for (std::size_t round = 0; round < times.size(); ++round) sum[round] += times[round];
}

void add_samples(Samples& sum, const Samples& samples) {
  add_times(sum.octavo, samples.octavo);
  for (const auto& [peer, times] : samples.peers) add_times(sum.peers[peer], times);
}

using Kind = std::function<bool(const LayerRow&)>;

bool is_linear(const LayerRow& row) { return row.type == "FusedLinear"; }
bool is_3x3(const LayerRow& row) {
  const LayerWork& work = *row.work;
  return !is_linear(row) && work.kernel_h == 3 && work.kernel_w == 3 && work.stride_h == 1 && work.stride_w == 1 &&
         work.groups == 1;
}

std::string ms_text(double milliseconds) { return fmt::format("{:.3f}", milliseconds); }

/// Blank where it says nothing.
std::string ratio_text(double peer, double octavo) {
  return peer > 0 && octavo > 0 ? fmt::format("{:.2f}", peer / octavo) : "";
}

Json spread_json(const Spread& spread) { return {{"min", spread.lowest}, {"p10", spread.p10}, {"p90", spread.p90}}; }

Json peer_json(const Spread& peer, const Spread& octavo) {
  Json ratio = nullptr;
  if (octavo.median > 0) ratio = peer.median / octavo.median;
  return {{"ms", peer.median}, {"ratio", ratio}, {"spread_ms", spread_json(peer)}};
}

Json peers_json(const Samples& samples) {
  const Spread octavo = spread_of(samples.octavo);
  Json peers = Json::object();
  for (const auto& [name, times] : samples.peers) peers[name] = peer_json(spread_of(times), octavo);
  return peers;
}

Json work_json(const LayerWork& work) {
  return {{"images", work.images},
          {"in_channels", work.in_channels},
          {"out_channels", work.out_channels},
          {"groups", work.groups},
          {"in_size", {work.in_h, work.in_w}},
          {"out_size", {work.out_h, work.out_w}},
          {"kernel", {work.kernel_h, work.kernel_w}},
          {"stride", {work.stride_h, work.stride_w}},
          {"multiply_accumulates", work.multiply_accumulates()}};
}

Json layer_json(const LayerRow& row) {
  const Spread octavo = spread_of(row.samples.octavo);
  Json peers = peers_json(row.samples);
  for (const auto& [peer, implementation] : row.implementations) peers[peer]["implementation"] = implementation;
  return {{"name", row.name},
          {"type", row.type},
          {"algorithm", row.algorithm},
          {"work", row.work ? work_json(*row.work) : Json(nullptr)},
          {"octavo_ms", octavo.median},
          {"octavo_spread_ms", spread_json(octavo)},
          {"peers", peers}};
}

Json limits_json(const MachineLimits& limits) {
  return {{"int8_gmac_per_second", limits.int8_rate * 1e-9},
          {"fp32_gmac_per_second", limits.fp32_rate * 1e-9},
          {"cache_gb_per_second", limits.cache_bandwidth * 1e-9},
          {"memory_gb_per_second", limits.memory_bandwidth * 1e-9}};
}

std::string layers_text(const BenchResult& result) {
  std::vector<Table::Column> columns = {{"layer"}, {"type"}, {"octavo ms", Table::Align::right}};
  for (const std::string& peer : result.peers) {
    columns.push_back({peer + " ms", Table::Align::right});
    columns.push_back({"ratio", Table::Align::right});
  }
  Table table(columns);
  for (const LayerRow& row : result.layers) {
    const double octavo = spread_of(row.samples.octavo).median;
    std::vector<std::string> cells = {row.name, row.type, ms_text(octavo)};
    for (const std::string& peer : result.peers) {
      const auto times = row.samples.peers.find(peer);
      const bool runs = times != row.samples.peers.end();
      const double ms = runs ? spread_of(times->second).median : 0;
      cells.push_back(runs ? ms_text(ms) : "");
      cells.push_back(ratio_text(ms, octavo));
    }
    table.add(std::move(cells));
  }
  return table.text();
}

/// What of the network, who: median, tenth and ninetieth percentile, ratio.
std::string sums_text(const BenchResult& result) {
  Table table({{""},
               {""},
               {"median ms", Table::Align::right},
               {"10%", Table::Align::right},
               {"90%", Table::Align::right},
               {"ratio", Table::Align::right}});
  const auto add = [&](const std::string& what, const std::string& who, const Spread& s, const Spread& octavo) {
    table.add({what, who, ms_text(s.median), ms_text(s.p10), ms_text(s.p90), ratio_text(s.median, octavo.median)});
  };
  for (const Total& total : result.totals()) {
    if (total.repeats) continue;
    const Spread octavo = spread_of(total.samples.octavo);
    add(fmt::format("{}, {}", total.name, count_text(static_cast<std::int64_t>(total.rows.size()), "layer")), "octavo",
        octavo, octavo);
    for (const std::string& peer : result.peers) add("", peer, spread_of(total.samples.peers.at(peer)), octavo);
  }
  add("whole network", "octavo", result.octavo, result.octavo);
  for (const std::string& peer : result.peers) {
    const auto whole = result.whole.find(peer);
    if (whole != result.whole.end()) add("", peer, whole->second, result.octavo);
  }
  return table.text();
}

}  // namespace

void BenchResult::add_program(const Program& program, const std::vector<std::vector<double>>& times,
                              const std::string& peer) {
  for (std::size_t l = 0; l < times.size(); ++l) {
    const LayerInfo& layer = program.layers()[l];
    const bool moves_data = layer.type == "Reorder" || layer.type == "Output";
    const std::string name = moves_data ? "(reorders)" : layer.name;
    auto row = std::find_if(layers.begin(), layers.end(), [&](const LayerRow& r) { return r.name == name; });
    if (row == layers.end()) {
      LayerRow added{name, moves_data ? "Reorder" : layer.type, moves_data ? "" : layer.algorithm, layer.work, {}, {}};
      added.samples.octavo.assign(times[l].size(), 0.0);
      row = layers.insert(layers.end(), std::move(added));
    }
    add_times(peer.empty() ? row->samples.octavo : row->samples.peers[peer], times[l]);
    if (!peer.empty() && !moves_data) row->implementations[peer] = layer.algorithm;
  }
  for (LayerRow& row : layers) {
    if (!peer.empty()) row.samples.peers[peer].resize(row.samples.octavo.size(), 0.0);
  }
}

void BenchResult::add_layers(const std::vector<LayerInfo>& program, const OnednnInt8& measured,
                             const std::string& peer) {
  for (std::size_t l = 0; l < program.size(); ++l) {
    if (measured.times()[l].empty()) continue;
    const auto row =
        std::find_if(layers.begin(), layers.end(), [&](const LayerRow& r) { return r.name == program[l].name; });
    if (row == layers.end()) continue;
    row->samples.peers[peer] = measured.times()[l];
    row->implementations[peer] = measured.implementation(l);
  }
}

std::vector<Total> BenchResult::totals() const {
  const std::vector<std::pair<std::string, Kind>> kinds = {
      {"3x3 convolutions of stride 1", is_3x3},
      {"convolutions", [](const LayerRow& row) { return !is_linear(row); }},
      {"Linear", is_linear},
      {"convolutions and Linear", [](const LayerRow&) { return true; }},
  };
  std::vector<Total> totals;
  for (const auto& [name, belongs] : kinds) {
    Total total;
    total.name = name;
    for (std::size_t l = 0; l < layers.size(); ++l) {
      if (!layers[l].work || !belongs(layers[l])) continue;
      total.rows.push_back(l);
      add_samples(total.samples, layers[l].samples);
    }
    total.repeats =
        std::any_of(totals.begin(), totals.end(), [&](const Total& before) { return before.rows == total.rows; });
    if (!total.rows.empty()) totals.push_back(std::move(total));
  }
  return totals;
}

std::string as_text(const BenchResult& result) {
  return fmt::format("{}, batch {}, {}, {}, {}; {} interleaved rounds\n\n", result.model, result.batch,
                     count_text(result.threads, "thread"), result.cpu, result.isa, result.rounds) +
         layers_text(result) + "\n" + sums_text(result) +
         fmt::format("\nload {:.0f} ms, quantize {:.0f} ms, compile {:.0f} ms ({} kernels written in {:.1f} ms)\n",
                     result.load_ms, result.quantize_ms, result.compile_ms, result.statistics.kernels,
                     result.statistics.emit_seconds * 1e3);
}

Json as_json(const BenchResult& result) {
  Json peers = Json::object();
  for (const std::string& peer : result.peers) {
    const auto whole = result.whole.find(peer);
    peers[peer] = whole != result.whole.end() ? peer_json(whole->second, result.octavo)
                                              : Json{{"ms", nullptr}, {"ratio", nullptr}, {"spread_ms", nullptr}};
  }
  Json totals = Json::array();
  for (const Total& total : result.totals()) {
    const Spread octavo = spread_of(total.samples.octavo);
    totals.push_back({{"name", total.name},
                      {"layers", total.rows.size()},
                      {"octavo_ms", octavo.median},
                      {"octavo_spread_ms", spread_json(octavo)},
                      {"peers", peers_json(total.samples)}});
  }
  Json layers = Json::array();
  for (const LayerRow& row : result.layers) layers.push_back(layer_json(row));
  return {{"model", result.model},
          {"batch", result.batch},
          {"threads", result.threads},
          {"cpu", result.cpu},
          {"isa", result.isa},
          {"rounds", result.rounds},
          {"octavo_ms", result.octavo.median},
          {"octavo_spread_ms", spread_json(result.octavo)},
          {"peers", peers},
          {"load_ms", result.load_ms},
          {"quantize_ms", result.quantize_ms},
          {"compile_ms", result.compile_ms},
          {"emit_ms", result.statistics.emit_seconds * 1e3},
          {"kernels", result.statistics.kernels},
          {"totals", totals},
          {"limits", result.limits ? limits_json(*result.limits) : Json(nullptr)},
          {"layers", layers}};
}

}  // namespace octavo::tool

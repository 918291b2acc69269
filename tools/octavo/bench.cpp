// SPDX-License-Identifier: Apache-2.0
// octavo bench: time of a network and of its layers, against other ways to run it, in one process.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <map>
#include <memory>

#include "octavo/error.h"
#include "octavo/isa.h"
#include "tools/octavo/command.h"
#include "tools/octavo/console.h"
#include "tools/octavo/json_output.h"
#include "tools/octavo/model_options.h"
#include "tools/octavo/report.h"
#include "tools/octavo/scaling.h"
#include "tools/octavo/text.h"
#include "tools/octavo/timing.h"

namespace octavo::tool {
namespace {

struct Bench {
  ModelArgument model;
  QuantizeArguments quantization;
  CompileArguments compile;
  Repeats repeats;
  std::int64_t batch = 1;
  std::vector<std::string> against;
  std::string report;
  bool json = false, scaling = false;

  [[nodiscard]] ExitCode run() const;
  [[nodiscard]] ExitCode run_scaling(const Model& ours, const CompileOptions& options,
                                     const std::vector<Shape>& shapes) const;
};

/// A layer on both sides; 0 ms where that side has no step of this name (its work is part of another layer).
struct LayerRow {
  std::string name, type;
  double octavo_ms = 0;
  std::map<std::string, double> peer_ms;
};

struct Peer {
  std::string name;
  Spread total;
};

struct Result {
  std::string model, cpu, isa;
  std::int64_t batch = 1;
  int threads = 1;
  std::size_t rounds = 0;
  double load_ms = 0, quantize_ms = 0, compile_ms = 0;
  ProgramStatistics statistics;
  Spread octavo;
  std::vector<Peer> peers;
  std::vector<LayerRow> layers;
};

std::string cpu_name() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (line.rfind("model name", 0) == 0) return line.substr(std::min(line.find(": ") + 2, line.size()));
  }
  return "unknown CPU";
}

/// Runs `work`, adds its time to `milliseconds`.
template <class Work>
auto clocked(double& milliseconds, const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  auto result = work();
  milliseconds += std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  return result;
}

/// Adds the times of one program's layers to the rows, matched by name. Changes of layout between layers, which differ
/// from side to side, share one row.
void add_layers(std::vector<LayerRow>& rows, const Program& program, const std::vector<double>& times,
                const std::string& peer) {
  for (std::size_t l = 0; l < times.size(); ++l) {
    const LayerInfo& layer = program.layers()[l];
    const bool moves_data = layer.type == "Reorder" || layer.type == "Output";
    const std::string name = moves_data ? "(reorders)" : layer.name;
    auto row = std::find_if(rows.begin(), rows.end(), [&](const LayerRow& r) { return r.name == name; });
    if (row == rows.end()) row = rows.insert(rows.end(), {name, moves_data ? "Reorder" : layer.type, 0, {}});
    (peer.empty() ? row->octavo_ms : row->peer_ms[peer]) += times[l];
  }
}

Json spread_json(const Spread& spread) { return {{"min", spread.lowest}, {"p10", spread.p10}, {"p90", spread.p90}}; }

Json as_json(const Result& result) {
  Json peers = Json::object();
  for (const Peer& peer : result.peers) {
    peers[peer.name] = {{"ms", peer.total.median},
                        {"ratio", peer.total.median / result.octavo.median},
                        {"spread_ms", spread_json(peer.total)}};
  }
  Json layers = Json::array();
  for (const LayerRow& row : result.layers) {
    Json peer_times = Json::object();
    for (const auto& [name, ms] : row.peer_ms) peer_times[name] = {{"ms", ms}};
    layers.push_back({{"name", row.name}, {"type", row.type}, {"octavo_ms", row.octavo_ms}, {"peers", peer_times}});
  }
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
          {"layers", layers}};
}

std::string as_text(const Result& result) {
  std::vector<Table::Column> columns = {{"layer"}, {"type"}, {"octavo ms", Table::Align::right}};
  for (const Peer& peer : result.peers) {
    columns.push_back({peer.name + " ms", Table::Align::right});
    columns.push_back({"ratio", Table::Align::right});
  }
  Table layers(columns);
  for (const LayerRow& row : result.layers) {
    std::vector<std::string> cells = {row.name, row.type, fmt::format("{:.3f}", row.octavo_ms)};
    for (const Peer& peer : result.peers) {
      const double ms = row.peer_ms.at(peer.name);
      cells.push_back(fmt::format("{:.3f}", ms));
      cells.push_back(ms > 0 && row.octavo_ms > 0 ? fmt::format("{:.2f}", ms / row.octavo_ms) : "");
    }
    layers.add(std::move(cells));
  }
  Table whole({{""},
               {"median ms", Table::Align::right},
               {"10%", Table::Align::right},
               {"90%", Table::Align::right},
               {"ratio", Table::Align::right}});
  const auto add = [&](const std::string& name, const Spread& s) {
    whole.add({name, fmt::format("{:.3f}", s.median), fmt::format("{:.3f}", s.p10), fmt::format("{:.3f}", s.p90),
               fmt::format("{:.2f}", s.median / result.octavo.median)});
  };
  add("octavo", result.octavo);
  for (const Peer& peer : result.peers) add(peer.name, peer.total);
  return fmt::format("{}, batch {}, {}, {}, {}; {} interleaved rounds\n\n", result.model, result.batch,
                     count_text(result.threads, "thread"), result.cpu, result.isa, result.rounds) +
         layers.text() + "\n" + whole.text() +
         fmt::format("\nload {:.0f} ms, quantize {:.0f} ms, compile {:.0f} ms ({} kernels written in {:.1f} ms)\n",
                     result.load_ms, result.quantize_ms, result.compile_ms, result.statistics.kernels,
                     result.statistics.emit_seconds * 1e3);
}

std::string as_html(const Result& result) {
  HtmlReport page("octavo bench: " + result.model,
                  fmt::format("Batch {}, {}, {}, {}; medians of {} interleaved rounds.", result.batch,
                              count_text(result.threads, "thread"), result.cpu, result.isa, result.rounds));
  BarChart whole{.title = "Whole network", .unit = "ms", .series = {"octavo int8"}, .bars = {}};
  BarChart layers{.title = "Layer by layer", .unit = "ms", .series = {"octavo int8"}, .bars = {}};
  std::vector<std::string> header = {"layer", "type", "octavo ms"};
  std::vector<double> totals = {result.octavo.median};
  for (const Peer& peer : result.peers) {
    whole.series.push_back(peer.name);
    layers.series.push_back(peer.name);
    header.push_back(peer.name + " ms");
    totals.push_back(peer.total.median);
  }
  whole.bars.push_back({result.model, totals});
  std::vector<std::vector<std::string>> cells;
  for (const LayerRow& row : result.layers) {
    std::vector<double> values = {row.octavo_ms};
    std::vector<std::string> line = {row.name, row.type, fmt::format("{:.3f}", row.octavo_ms)};
    for (const Peer& peer : result.peers) {
      values.push_back(row.peer_ms.at(peer.name));
      line.push_back(fmt::format("{:.3f}", values.back()));
    }
    layers.bars.push_back({row.name, values});
    cells.push_back(std::move(line));
  }
  page.add(whole);
  page.add(layers);
  page.add_table("Layers in numbers", header, cells);
  return page.html();
}

ExitCode Bench::run_scaling(const Model& ours, const CompileOptions& options, const std::vector<Shape>& shapes) const {
  if (!against.empty() || !report.empty())
    throw Error(ErrorKind::invalid_argument, "--scaling measures octavo alone: no --against, no --report");
  const Scaling measured = measure_scaling(ours, options, shapes, repeats);
  const std::string isa(isa_name(options.isa.value_or(default_isa())));
  if (json) {
    Json result = {{"model", ours.name()}, {"batch", batch}, {"cpu", cpu_name()}, {"isa", isa}};
    result.update(scaling_json(measured));
    print_json(result);
  } else {
    print(fmt::format("{}, batch {}, {}, {}; {} interleaved rounds\n\n", ours.name(), batch, cpu_name(), isa,
                      measured.rounds) +
          scaling_text(measured));
  }
  return ExitCode::ok;
}

ExitCode Bench::run() const {
  Result result;
  const Model opened = clocked(result.load_ms, [&] { return model.open(); });
  const Model ours = clocked(result.quantize_ms, [&] { return quantization.apply(opened); });
  compile.note_if_slow();
  const CompileOptions options = compile.options();
  const std::vector<Shape> shapes = batched_inputs(opened, batch);
  if (scaling) return run_scaling(ours, options, shapes);
  const Program program = clocked(result.compile_ms, [&] { return ours.compile(options, shapes); });

  std::vector<Program> programs = {program};
  std::vector<Timed> timed;
  timed.emplace_back(program);
  for (const std::string& peer : against) {
    // The network as trained, or, when only 8-bit weights are left of it, those as fp32: as fast either way.
    programs.push_back((opened.quantized() ? opened.dequantize() : opened).compile(options, shapes));
    timed.emplace_back(programs.back());
    result.peers.push_back({peer, {}});
  }
  result.rounds = measure(timed, repeats);

  result.model = opened.name();
  result.cpu = cpu_name();
  result.isa = isa_name(options.isa.value_or(default_isa()));
  result.batch = batch;
  result.threads = program.threads();
  result.statistics = program.statistics();
  result.octavo = timed.front().total();
  add_layers(result.layers, program, timed.front().layers(), {});
  for (std::size_t p = 0; p < result.peers.size(); ++p) {
    result.peers[p].total = timed[p + 1].total();
    add_layers(result.layers, programs[p + 1], timed[p + 1].layers(), result.peers[p].name);
  }
  for (LayerRow& row : result.layers) {
    for (const Peer& peer : result.peers) row.peer_ms.try_emplace(peer.name, 0);
  }

  if (!report.empty()) write_file(report, as_html(result));
  if (json) {
    print_json(as_json(result));
  } else {
    print(as_text(result));
  }
  return ExitCode::ok;
}

}  // namespace

Command define_bench(CLI::App& app) {
  auto bench = std::make_shared<Bench>();
  bench->model.declare(app, true);
  app.add_option("--batch", bench->batch, "pictures a run")
      ->type_name("N")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  bench->compile.declare(app);
  app.add_option("--against", bench->against, "peers measured in the same run, comma-separated: onednn-fp32")
      ->type_name("NAMES")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember({"onednn-fp32"}));
  app.add_option("--seconds", bench->repeats.seconds, "of measuring, at least, each for layers and for the whole")
      ->type_name("S")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  app.add_option("--rounds", bench->repeats.least, "at least")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_flag("--scaling", bench->scaling, "octavo at 1, 2, ... threads (up to --threads), interleaved: speed-ups");
  bench->quantization.declare(app, nullptr);
  app.add_option("--report", bench->report, "write a page with charts too")->type_name("FILE.html");
  add_json_flag(app, bench->json);
  app.footer(
      "An fp32 model is quantized first; onednn-fp32 is the same network, all layers in fp32 on oneDNN.\n"
      "Both run in turn in one process; ratio is the peer's median time over octavo's. A layer that one side\n"
      "does not have (its work is part of another) counts 0 there.\n"
      "Examples:\n"
      "  octavo zoo vgg16 --output zoo && octavo bench zoo/vgg16.prototxt --against onednn-fp32 --threads 1\n"
      "  octavo bench net.octavo --batch 8 --against onednn-fp32 --json");
  return [bench] { return bench->run(); };
}

}  // namespace octavo::tool

// SPDX-License-Identifier: Apache-2.0
#include "tools/octavo/scaling.h"

#include <fmt/format.h>

#include "tools/octavo/console.h"

namespace octavo::tool {

std::vector<ScalingRow> scaling_rows(const std::vector<Spread>& totals) {
  std::vector<ScalingRow> rows;
  for (const Spread& total : totals) {
    const auto threads = static_cast<int>(rows.size()) + 1;
    const double speedup = totals.front().median / total.median;
    rows.push_back({threads, total, speedup, speedup / threads});
  }
  return rows;
}

Scaling measure_scaling(const Model& model, const CompileOptions& options, const std::vector<Shape>& inputs,
                        const Repeats& repeats) {
  CompileOptions of_count = options;
  const int most = model.compile(options, inputs).threads();
  std::vector<Timed> timed;
  for (of_count.threads = 1; of_count.threads <= most; ++of_count.threads)
    timed.emplace_back(model.compile(of_count, inputs));
  Scaling scaling;
  scaling.rounds = measure(timed, repeats);
  std::vector<Spread> totals;
  for (const Timed& program : timed) totals.push_back(program.total());
  scaling.rows = scaling_rows(totals);
  return scaling;
}

Json scaling_json(const Scaling& scaling) {
  Json rows = Json::array();
  for (const ScalingRow& row : scaling.rows) {
    rows.push_back({{"threads", row.threads},
                    {"ms", row.total.median},
                    {"spread_ms", {{"min", row.total.lowest}, {"p10", row.total.p10}, {"p90", row.total.p90}}},
                    {"speedup", row.speedup},
                    {"efficiency", row.efficiency}});
  }
  return {{"rounds", scaling.rounds}, {"scaling", rows}};
}

std::string scaling_text(const Scaling& scaling) {
  using enum Table::Align;
  Table table({{"threads", right},
               {"median ms", right},
               {"10%", right},
               {"90%", right},
               {"speed-up", right},
               {"efficiency", right}});
  for (const ScalingRow& row : scaling.rows) {
    table.add({fmt::format("{}", row.threads), fmt::format("{:.3f}", row.total.median),
               fmt::format("{:.3f}", row.total.p10), fmt::format("{:.3f}", row.total.p90),
               fmt::format("{:.2f}", row.speedup), fmt::format("{:.0f}%", 100 * row.efficiency)});
  }
  return table.text();
}

}  // namespace octavo::tool

// SPDX-License-Identifier: Apache-2.0
// Which layers run at phase TEST, by the rules that Caffe documents for NetStateRule.
#include <fmt/core.h>

#include <algorithm>

#include "graph/import/caffe_net.h"
#include "octavo/error.h"

namespace octavo::graph {
namespace {

bool meets(const CaffeState& state, const caffe::NetStateRule& rule) {
  const auto has = [&](const std::string& stage) {
    return std::find(state.stages.begin(), state.stages.end(), stage) != state.stages.end();
  };
  if (rule.has_phase() && rule.phase() != caffe::TEST) return false;
  if (rule.has_min_level() && state.level < rule.min_level()) return false;
  if (rule.has_max_level() && state.level > rule.max_level()) return false;
  return std::all_of(rule.stage().begin(), rule.stage().end(), has) &&
         std::none_of(rule.not_stage().begin(), rule.not_stage().end(), has);
}

bool runs(const CaffeState& state, const CaffeLayer& layer) {
  const auto met = [&](const caffe::NetStateRule& rule) { return meets(state, rule); };
  const auto& param = layer.param;
  if (param.include_size() > 0 && param.exclude_size() > 0) {
    throw Error(ErrorKind::malformed, fmt::format("layer '{}' has both include and exclude rules", param.name()),
                layer.place);
  }
  if (param.include_size() > 0) return std::any_of(param.include().begin(), param.include().end(), met);
  return std::none_of(param.exclude().begin(), param.exclude().end(), met);
}

}  // namespace

void keep_test_layers(CaffeNet& net, const CaffeState& state) {
  CaffeState all = state;
  if (net.state.has_level()) all.level = net.state.level();
  all.stages.insert(all.stages.end(), net.state.stage().begin(), net.state.stage().end());
  std::erase_if(net.layers, [&](const CaffeLayer& layer) { return !runs(all, layer); });
}

}  // namespace octavo::graph

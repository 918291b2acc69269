// SPDX-License-Identifier: Apache-2.0
// octavo zoo: well-known networks as Caffe files, for measurements.
#include "tools/zoo/zoo.h"

#include <fmt/format.h>

#include <cstdint>
#include <memory>
#include <string>

#include "octavo/error.h"
#include "tools/octavo/command.h"
#include "tools/octavo/console.h"
#include "tools/octavo/json_output.h"
#include "tools/octavo/option_checks.h"

namespace octavo::tool {
namespace {

struct Zoo {
  std::string name, directory;
  std::uint64_t seed = 0;
  bool json = false;

  [[nodiscard]] ExitCode list() const;
  [[nodiscard]] ExitCode write() const;
};

ExitCode Zoo::list() const {
  Table table({{"name"}, {"network"}});
  Json rows = Json::array();
  for (const zoo::ZooNetwork& network : zoo::zoo_networks()) {
    table.add({std::string(network.name), std::string(network.description)});
    rows.push_back({{"name", network.name}, {"description", network.description}});
  }
  if (json) {
    print_json({{"networks", rows}});
  } else {
    print(table.text());
  }
  return ExitCode::ok;
}

ExitCode Zoo::write() const {
  if (directory.empty())
    throw Error(ErrorKind::invalid_argument, "--output is needed", {}, "the folder for the two files");
  constexpr double steps = 1000;
  Progress progress("zoo " + name + ", thousandths", static_cast<std::size_t>(steps));
  const zoo::ZooFiles files = zoo::write_zoo(
      name, directory, seed, [&](double done) { progress.advance(static_cast<std::size_t>(done * steps)); });
  if (json) {
    print_json({{"name", name},
                {"prototxt", files.prototxt.string()},
                {"caffemodel", files.caffemodel.string()},
                {"parameters", files.parameters},
                {"bytes", files.bytes},
                {"seed", seed},
                {"trained", false}});
  } else {
    print(fmt::format("{}\n{}\n{} parameters, {}; untrained: weights drawn from seed {}, its answers mean nothing\n",
                      files.prototxt.string(), files.caffemodel.string(), files.parameters,
                      human_bytes(static_cast<double>(files.bytes)), seed));
  }
  return ExitCode::ok;
}

}  // namespace

Command define_zoo(CLI::App& app) {
  auto zoo = std::make_shared<Zoo>();
  app.add_option("NAME", zoo->name, "of the network; without it: the list of them");
  app.add_option("-o,--output", zoo->directory, "the folder for NAME.prototxt and NAME.caffemodel")->type_name("DIR");
  app.add_option("--seed", zoo->seed, "of the He-initialised weights")
      ->type_name("N")
      ->check(unsigned_number())
      ->capture_default_str();
  add_json_flag(app, zoo->json);
  app.footer(
      "The networks are untrained: right in shape and size, for measurements; their answers mean nothing.\n"
      "Pictures go in as --preset NAME says, an option of convert, predict and eval.\n"
      "Examples:\n"
      "  octavo zoo\n"
      "  octavo zoo vgg16 --output nets && octavo bench nets/vgg16.prototxt --against onednn-fp32");
  return [zoo] { return zoo->name.empty() ? zoo->list() : zoo->write(); };
}

}  // namespace octavo::tool

// SPDX-License-Identifier: Apache-2.0
// octavo dump: the machine code that was written for a network.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>

#include "octavo/error.h"
#include "octavo/program.h"
#include "tools/octavo/command.h"
#include "tools/octavo/console.h"
#include "tools/octavo/files_read.h"
#include "tools/octavo/json_output.h"
#include "tools/octavo/model_options.h"
#include "tools/octavo/text.h"

namespace octavo::tool {
namespace {

struct Dump {
  ModelArgument model;
  QuantizeArguments quantization;
  CompileArguments compile;
  std::string layer, kernel, raw;
  std::int64_t batch = 0;
  bool json = false, list = false;

  [[nodiscard]] ExitCode run() const;
  [[nodiscard]] std::vector<KernelInfo> chosen(const Program& program) const;
  /// The file of a kernel's bytes; its name is the kernel's, as far as files can have that.
  [[nodiscard]] std::filesystem::path raw_file(const KernelInfo& info) const;
  void refuse_overwriting(const std::vector<KernelInfo>& kernels) const;
};

std::vector<KernelInfo> Dump::chosen(const Program& program) const {
  const auto has_layer = [&](const LayerInfo& info) { return info.name == layer; };
  if (!layer.empty() && std::none_of(program.layers().begin(), program.layers().end(), has_layer)) {
    throw Error(ErrorKind::invalid_argument, fmt::format("no layer \"{}\" in the program", layer), model.model,
                "octavo info lists the layers; some became part of another");
  }
  std::vector<KernelInfo> kernels = program.kernels();
  std::erase_if(kernels, [&](const KernelInfo& info) {
    const bool other_layer =
        !layer.empty() && std::find(info.layers.begin(), info.layers.end(), layer) == info.layers.end();
    return other_layer || info.name.find(kernel) == std::string::npos;
  });
  if (kernels.empty() && !kernel.empty()) {
    throw Error(ErrorKind::invalid_argument, fmt::format("no kernel's name holds \"{}\"", kernel), model.model,
                "octavo dump --list names them");
  }
  return kernels;
}

std::filesystem::path Dump::raw_file(const KernelInfo& info) const {
  std::string name = info.name;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return c == '/' || c == ' ' || c == '\0'; }, '_');
  return std::filesystem::path(raw) / (name + ".bin");
}

void Dump::refuse_overwriting(const std::vector<KernelInfo>& kernels) const {
  FilesRead read;
  model.add_to(read);
  quantization.add_to(read);
  compile.add_to(read);
  std::vector<std::filesystem::path> written;
  for (const KernelInfo& info : kernels) written.push_back(raw_file(info));
  read.refuse_as_outputs(written);
}

ExitCode Dump::run() const {
  const Model network = quantization.apply(model.open());
  const Program program = compile_batch(network, compile.options(), batch);
  const std::vector<KernelInfo> kernels = chosen(program);
  if (!raw.empty()) {
    refuse_overwriting(kernels);
    std::filesystem::create_directories(raw);
  }

  Json rows = Json::array();
  std::string text;
  for (const KernelInfo& info : kernels) {
    const std::string file = raw.empty() ? std::string() : raw_file(info).string();
    if (!raw.empty()) write_file(file, {reinterpret_cast<const char*>(info.code.data()), info.code.size()});
    rows.push_back({{"name", info.name},
                    {"layers", info.layers},
                    {"bytes", info.code.size()},
                    {"file", raw.empty() ? Json(nullptr) : Json(file)},
                    {"listing", list ? Json(nullptr) : Json(info.listing)}});
    text += fmt::format("{}: {} bytes, for {}{}\n", info.name, info.code.size(), fmt::join(info.layers, ", "),
                        raw.empty() ? std::string() : ", in " + file);
    if (!list) text += info.listing + "\n";
  }
  if (kernels.empty()) text = "no machine code: every layer asked for runs without kernels (octavo info says how)\n";
  if (json) {
    print_json({{"model", network.name()}, {"kernels", rows}});
  } else {
    print(text);
  }
  return ExitCode::ok;
}

}  // namespace

Command define_dump(CLI::App& app) {
  auto dump = std::make_shared<Dump>();
  dump->model.declare(app, true);
  app.add_option("--layer", dump->layer, "only the kernels of this layer")->type_name("NAME");
  app.add_option("--kernel", dump->kernel, "only kernels whose name holds this")->type_name("TEXT");
  app.add_flag("--list", dump->list, "names and sizes only");
  app.add_option("--raw", dump->raw, "write each kernel's bytes as DIR/NAME.bin too")->type_name("DIR");
  dump->quantization.declare(app, nullptr);
  app.add_option("--batch", dump->batch, "pictures a run (default: as in the file)")
      ->type_name("N")
      ->check(CLI::Range(1, 65536));
  dump->compile.declare(app);
  add_json_flag(app, dump->json);
  app.footer(
      "An fp32 model is quantized first. Raw bytes: objdump -D -b binary -m i386:x86-64 NAME.bin\n"
      "Examples:\n"
      "  octavo dump net.octavo --list\n"
      "  octavo dump net.octavo --layer conv1 | less\n"
      "  octavo dump net.octavo --raw kernels/");
  return [dump] { return dump->run(); };
}

}  // namespace octavo::tool

// SPDX-License-Identifier: Apache-2.0
// See eval_data.h.
#include "tools/octavo/eval_data.h"

#include <filesystem>
#include <system_error>
#include <unordered_map>

#include "octavo/error.h"
#include "tools/metrics/coco_files.h"
#include "tools/metrics/voc_files.h"
#include "tools/octavo/text.h"

namespace octavo::tool {

namespace fs = std::filesystem;

void EvalDataArguments::declare(CLI::App& app) {
  const char* group = "Pictures and what is in them";
  app.add_option("--images", images,
                 "a folder a class, numbered in sorted order; or, with --labels or --coco, the folder of the pictures")
      ->type_name("DIR")
      ->group(group);
  app.add_option("--labels", labels,
                 "lines `name index`: pictures below --images and their classes (ImageNet's val.txt)")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--cifar10", cifar10, "a binary file of CIFAR-10, or the folder of its test_batch.bin")
      ->type_name("PATH")
      ->group(group);
  app.add_option("--mnist", mnist, "the folder of MNIST's t10k idx files, compressed or not")
      ->type_name("DIR")
      ->group(group);
  app.add_option("--voc", voc, "a year of Pascal VOC's devkit: Annotations/, ImageSets/Main/, JPEGImages/")
      ->type_name("DIR")
      ->group(group);
  app.add_option("--split", split, "which of its pictures (default: all that are annotated)")
      ->type_name("NAME")
      ->group(group);
  app.add_option("--voc-ap", voc_ap, "11-point (default, VOC 2007) or area (from VOC 2010 on)")
      ->type_name("RULE")
      ->check(CLI::IsMember({"11-point", "area"}))
      ->group(group);
  app.add_option("--coco", coco, "COCO's instances_*.json for the pictures in --images")
      ->type_name("FILE")
      ->group(group);
  app.add_option("--truth", truth,
                 "a text file a picture, lines `category left top right bottom [difficult]`; with --detections")
      ->type_name("DIR")
      ->group(group);
  app.add_option("--limit", limit, "use this many pictures, evenly spread")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000'000))
      ->group(group);
}

std::variant<Dataset, DetectionData> EvalDataArguments::read() const {
  const int classes = (coco.empty() && !images.empty() ? 1 : 0) + (cifar10.empty() ? 0 : 1) + (mnist.empty() ? 0 : 1);
  const int objects = (coco.empty() ? 0 : 1) + (voc.empty() ? 0 : 1) + (truth.empty() ? 0 : 1);
  if (classes + objects != 1) {
    throw Error(ErrorKind::invalid_argument,
                classes + objects == 0 ? "no pictures are given" : "pictures are given in several ways", {},
                "give one of --images, --cifar10, --mnist, --voc, --coco, --truth");
  }
  if (!labels.empty() && (images.empty() || !coco.empty())) {
    throw Error(ErrorKind::invalid_argument, "--labels lists pictures below --images", {},
                "a network's class names are kept in its file: octavo convert --labels");
  }
  if (!split.empty() && voc.empty())
    throw Error(ErrorKind::invalid_argument, "--split names a part of --voc's pictures");
  if (!voc_ap.empty() && voc.empty() && truth.empty())
    throw Error(ErrorKind::invalid_argument, "--voc-ap is the rule for --voc and --truth");
  if (classes == 1) return read_classes();
  return limit == 0 ? read_objects() : spread(read_objects(), limit);
}

Dataset EvalDataArguments::read_classes() const {
  Dataset data = !cifar10.empty()  ? read_cifar10(cifar10)
                 : !mnist.empty()  ? read_mnist(mnist)
                 : !labels.empty() ? read_class_list(images, labels)
                                   : read_class_folders(images);
  return limit == 0 ? data : spread(std::move(data), limit);
}

DetectionData EvalDataArguments::read_objects() const {
  DetectionData data;
  if (voc_ap == "area" || !truth.empty()) data.averaging = metrics::VocAveraging::area;
  if (voc_ap == "11-point") data.averaging = metrics::VocAveraging::eleven_points;
  if (!coco.empty()) {
    data.coco = true;
    data.truth = metrics::read_coco_instances(coco);
    if (!images.empty()) {
      for (const auto& image : data.truth.images) data.files.push_back(fs::path(images) / image.name);
    }
  } else if (!voc.empty()) {
    data.truth = metrics::read_voc_devkit(voc, split);
    for (const auto& image : data.truth.images) data.files.push_back(metrics::voc_picture(voc, image));
  } else {
    data.truth = metrics::read_text_truth(truth);
  }
  return data;
}

std::vector<metrics::Detection> EvalDataArguments::read_detections(const std::string& path,
                                                                   const DetectionData& data) const {
  const auto read = [&](const metrics::TruthSet& known) {
    return data.coco ? metrics::read_coco_results(path, known) : metrics::read_voc_detections(path, known);
  };
  if (limit == 0) return read(data.truth);
  const metrics::TruthSet all = read_objects().truth;
  std::unordered_map<std::int64_t, std::size_t> chosen;
  for (std::size_t i = 0; i < data.truth.images.size(); ++i) chosen.emplace(data.truth.images[i].id, i);
  std::vector<metrics::Detection> detections;
  for (metrics::Detection detection : read(all)) {
    const auto at = chosen.find(all.images[detection.image].id);
    if (at == chosen.end()) continue;
    detection.image = at->second;
    detections.push_back(detection);
  }
  return detections;
}

void EvalDataArguments::add_to(FilesRead& read, const std::variant<Dataset, DetectionData>& data) const {
  for (const std::string& source : {labels, cifar10, mnist, coco, truth}) read.add(source);
  if (!voc.empty()) {
    for (const char* part : {"Annotations", "ImageSets", "JPEGImages"}) read.add(fs::path(voc) / part);
  }
  read.add_pictures(images);
  if (const auto* const dataset = std::get_if<Dataset>(&data)) {
    for (std::size_t i = 0; i < dataset->pictures.size(); ++i) read.add(dataset->pictures.name(i));
  } else {
    read.add(std::get<DetectionData>(data).files);
  }
}

std::vector<fs::path> EvalDataArguments::detection_files(const std::string& path, const DetectionData& data) const {
  if (path.empty()) return {};
  if (data.coco) return {path};
  std::vector<fs::path> files;
  for (const auto& named : metrics::voc_detections(data.truth, {}, split_name())) {
    files.push_back(fs::path(path) / named.first);
  }
  return files;
}

void EvalDataArguments::write_detections(const std::string& path, const DetectionData& data,
                                         const std::vector<metrics::Detection>& detections) const {
  if (data.coco) {
    write_file(path, metrics::coco_results(data.truth, detections));
    return;
  }
  std::error_code problem;
  fs::create_directories(path, problem);
  if (problem) throw Error(ErrorKind::io, "cannot make the folder: " + problem.message(), path);
  for (const auto& [name, text] : metrics::voc_detections(data.truth, detections, split_name())) {
    write_file(fs::path(path) / name, text);
  }
}

}  // namespace octavo::tool

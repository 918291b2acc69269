// SPDX-License-Identifier: Apache-2.0
// Files of truth and detections: what is written comes back; what is broken is told with its place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "octavo/error.h"
#include "tests/metrics/scenes.h"
#include "tools/metrics/coco_files.h"
#include "tools/metrics/voc_files.h"
#include "tools/metrics/xml_reader.h"

namespace octavo::metrics {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Files : public testing::Test {
 protected:
  Files() { fs::create_directories(folder); }
  ~Files() override { fs::remove_all(folder); }
  fs::path write(const std::string& name, const std::string& text) const {
    const fs::path file = folder / name;
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
    return file;
  }
  template <class Read>
  static std::string problem(Read read) {
    try {
      read();
    } catch (const Error& error) {
      return error.what() + (" @ " + error.where());
    }
    return "";
  }
  fs::path folder = fs::temp_directory_path() / ("octavo.metrics." + std::to_string(::getpid()));
};

/// Detections of uneven numbers, floats as detectors give them.
test::Scenes uneven_scenes() {
  test::Scenes scenes = test::make_scenes(3, 9, 4);
  test::Dice dice(7);
  const auto uneven = [&](double value) {
    return static_cast<double>(static_cast<float>(value) + static_cast<float>(dice.below(1 << 24)) / (1 << 25));
  };
  for (Detection& d : scenes.detections) {
    const double left = uneven(d.box.x), top = uneven(d.box.y);
    d.box = {left, top, uneven(left + d.box.width) - left, uneven(top + d.box.height) - top};
    d.score = uneven(d.score / 2) * 1e-3;
  }
  return scenes;
}

/// To the last bit: what is read scores as what was written.
void expect_same(const Detection& a, const Detection& b) {
  EXPECT_EQ(a.image, b.image);
  EXPECT_EQ(a.category, b.category);
  EXPECT_EQ(a.score, b.score);
  EXPECT_EQ(a.box.x, b.box.x);
  EXPECT_EQ(a.box.y, b.box.y);
  EXPECT_EQ(a.box.width, b.box.width);
  EXPECT_EQ(a.box.height, b.box.height);
}

TEST_F(Files, CocoResultsComeBack) {
  const test::Scenes scenes = uneven_scenes();
  const fs::path file = write("r.json", coco_results(scenes.truth, scenes.detections));
  const auto read = read_coco_results(file, scenes.truth);
  ASSERT_EQ(read.size(), scenes.detections.size());
  for (std::size_t i = 0; i < read.size(); ++i) expect_same(read[i], scenes.detections[i]);
  EXPECT_TRUE(read_coco_results(write("none.json", coco_results(scenes.truth, {})), scenes.truth).empty());
}

TEST_F(Files, CocoInstancesAreReadInTheOrderOfTheirIds) {
  const TruthSet truth =
      read_coco_instances(write("i.json", R"({"images": [{"id": 9, "file_name": "b.jpg", "width": 4, "height": 3},
                                     {"id": 2, "file_name": "a.jpg", "width": 6, "height": 5}],
        "categories": [{"id": 7, "name": "cat"}, {"id": 1, "name": "dog"}],
        "annotations": [{"id": 1, "image_id": 9, "category_id": 7, "bbox": [1, 2, 3.5, 4], "area": 5.5, "iscrowd": 1}]})"));
  EXPECT_EQ(truth.images[0].name, "a.jpg");
  EXPECT_EQ(truth.categories[1].name, "cat");
  ASSERT_EQ(truth.truths.size(), 1U);
  EXPECT_EQ(truth.truths[0].image, 1U);
  EXPECT_EQ(truth.truths[0].category, 1U);
  EXPECT_EQ(truth.truths[0].box.width, 3.5);
  EXPECT_EQ(truth.truths[0].area, 5.5);
  EXPECT_TRUE(truth.truths[0].crowd);
}

TEST_F(Files, BrokenCocoFilesSayWhatIsWrong) {
  const auto instances = [&](const std::string& text) {
    return problem([&] { (void)read_coco_instances(write("i.json", text)); });
  };
  EXPECT_THAT(instances("{"), HasSubstr("at byte 2"));
  EXPECT_THAT(instances("[]"), HasSubstr("'images'"));
  EXPECT_THAT(instances(R"({"images": 3})"), HasSubstr("not a list"));
  EXPECT_THAT(instances(R"({"images": [{"id": "x"}]})"), HasSubstr("not a whole number"));
  const std::string image = R"({"id": 1, "file_name": "a", "width": 1, "height": 1})";
  EXPECT_THAT(instances(R"({"images": [)" + image + "," + image + R"(], "categories": [], "annotations": []})"),
              HasSubstr("two images"));
  EXPECT_THAT(instances(R"({"images": [)" + image + R"(], "categories": [], "annotations":
      [{"image_id": 1, "category_id": 4, "bbox": [0, 0, 1, 1]}]})"),
              HasSubstr("no category of id 4"));
  EXPECT_THAT(problem([&] { (void)read_coco_instances(folder / "absent.json"); }), HasSubstr("absent.json"));
  const test::Scenes scenes = test::make_scenes(3, 2, 2);
  EXPECT_THAT(problem([&] {
                (void)read_coco_results(
                    write("r.json", R"([{"image_id": 5, "category_id": 1, "score": 1, "bbox": [0,0,1,1]}])"),
                    scenes.truth);
              }),
              HasSubstr("no image of id 5"));
}

constexpr const char* kAnnotation = R"(<?xml version="1.0"?>
<annotation><!-- <object> --><folder>VOC2007</folder><size><width>500</width><height>375</height><depth>3</depth></size>
<object><name>dog</name><difficult>1</difficult><bndbox><xmin>10</xmin><ymin>20</ymin><xmax>110</xmax><ymax>70</ymax></bndbox>
<part><name>head</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>3</xmax><ymax>4</ymax></bndbox></part></object>
<object><name>wheel &amp; axle</name><bndbox><xmax>9</xmax><xmin>5</xmin><ymin>6</ymin><ymax>8</ymax></bndbox></object>
</annotation>)";

TEST_F(Files, TheDevkitIsRead) {
  write("VOC/Annotations/000001.xml", kAnnotation);
  write("VOC/Annotations/000002.xml", "<annotation/>");
  write("VOC/ImageSets/Main/test.txt", "000002\n000001\n");
  const TruthSet truth = read_voc_devkit(folder / "VOC", "test");
  ASSERT_EQ(truth.images.size(), 2U);
  EXPECT_EQ(truth.images[0].name, "000002");
  EXPECT_EQ(truth.images[1].width, 500);
  ASSERT_EQ(truth.truths.size(), 2U);
  EXPECT_EQ(truth.categories[truth.truths[0].category].name, "dog");
  EXPECT_EQ(truth.truths[0].image, 1U);
  EXPECT_TRUE(truth.truths[0].difficult);
  EXPECT_EQ(truth.truths[0].box.x, 10);  // not those of its part
  EXPECT_EQ(truth.truths[0].box.width, 100);
  EXPECT_EQ(truth.truths[0].box.height, 50);
  EXPECT_EQ(truth.categories[truth.truths[1].category].name, "wheel & axle");
  EXPECT_FALSE(truth.truths[1].difficult);
  EXPECT_EQ(voc_picture("VOC", truth.images[1]), fs::path("VOC/JPEGImages/000001.jpg"));
  EXPECT_EQ(read_voc_devkit(folder / "VOC", "").images.size(), 2U);
}

TEST_F(Files, BrokenDevkitsSayWhatIsWrong) {
  const auto with = [&](const std::string& annotation) {
    write("VOC/Annotations/000001.xml", annotation);
    return problem([&] { (void)read_voc_devkit(folder / "VOC", ""); });
  };
  EXPECT_THAT(with("<annotation>"), HasSubstr("does not end"));
  EXPECT_THAT(with("<a></b>"), HasSubstr("closes nothing"));
  EXPECT_THAT(with("<annotation><object><name>dog</name></object></annotation>"), HasSubstr("without a name or a box"));
  EXPECT_THAT(with("<annotation><size><width>wide</width></size></annotation>"), HasSubstr("000001.xml"));
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "<a>";
  EXPECT_THAT(with(deep), HasSubstr("too deep"));
  EXPECT_THAT(problem([&] { (void)read_voc_devkit(folder / "VOC", "val"); }), HasSubstr("val.txt"));
}

TEST_F(Files, VocDetectionsComeBack) {
  const test::Scenes scenes = uneven_scenes();
  for (const auto& [name, text] : voc_detections(scenes.truth, scenes.detections, "test")) write("d/" + name, text);
  auto read = read_voc_detections(folder / "d", scenes.truth);
  ASSERT_EQ(read.size(), scenes.detections.size());
  std::size_t next = 0;
  for (std::size_t category = 0; category < 4; ++category) {
    for (const Detection& d : scenes.detections) {
      if (d.category == category) expect_same(read[next++], d);
    }
  }
}

TEST_F(Files, DetectionsAPictureAreReadToo) {
  const test::Scenes scenes = test::make_scenes(4, 2, 2);
  write("d/picture1.txt", "category1 0.5 1 2 11 22\nunknown 0.4 1 2 3 4\n\n");
  const auto read = read_voc_detections(folder / "d", scenes.truth);
  ASSERT_EQ(read.size(), 1U);
  expect_same(read[0], {1, 1, 0.5, {1, 2, 10, 20}});
  EXPECT_THAT(problem([&] { (void)read_voc_detections(folder, scenes.truth); }), HasSubstr("no file of detections"));
  write("d/picture1.txt", "category1 0.5 1 2 11\n");
  EXPECT_THAT(problem([&] { (void)read_voc_detections(folder / "d", scenes.truth); }), HasSubstr("picture1.txt:1"));
}

TEST_F(Files, HostileXmlIsRefusedOrRead) {
  std::string text = kAnnotation;
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (const char c : {'<', '>', '/', '\0', '&'}) {
      std::string damaged = text;
      damaged[i] = c;
      try {
        read_xml(damaged, [](std::string_view, std::string_view) {});
      } catch (const Error&) {
      }
    }
    try {
      read_xml(text.substr(0, i), [](std::string_view, std::string_view) {});
    } catch (const Error&) {
    }
  }
}

}  // namespace
}  // namespace octavo::metrics

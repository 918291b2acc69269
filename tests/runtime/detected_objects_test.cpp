// SPDX-License-Identifier: Apache-2.0
// From rows of detections to objects in the picture, whatever was done to the picture.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "octavo/detection.h"
#include "octavo/error.h"
#include "octavo/model.h"

namespace octavo {
namespace {

const Shape kInput{1, 3, 100, 200};

std::vector<float> row(float label, float score, float left, float top, float right, float bottom) {
  return {0, label, score, left, top, right, bottom};
}

TEST(DetectedObjects, AStretchedPictureIsTheWholeInput) {
  const auto objects = detected_objects(row(3, 0.9F, 0.25F, 0.5F, 0.5F, 1.0F), 300, 400, {}, kInput);
  ASSERT_EQ(objects.size(), 1U);
  EXPECT_EQ(objects[0].label, 3);
  EXPECT_EQ(objects[0].score, 0.9F);
  EXPECT_FLOAT_EQ(objects[0].left, 100);
  EXPECT_FLOAT_EQ(objects[0].top, 150);
  EXPECT_FLOAT_EQ(objects[0].right, 200);
  EXPECT_FLOAT_EQ(objects[0].bottom, 300);
}

TEST(DetectedObjects, ACroppedPictureIsLargerThanTheInput) {
  ImageInput input;
  input.resize_h = input.resize_w = 200;
  input.resize_mode = ResizeMode::shorter_side;
  // 400 x 800 becomes 200 x 400, of which the middle 100 x 200 is the input: 50 pixels above, 100 beside it.
  const auto objects = detected_objects(row(1, 1, 0, 0, 1, 1), 400, 800, input, kInput);
  EXPECT_FLOAT_EQ(objects[0].left, 200);
  EXPECT_FLOAT_EQ(objects[0].top, 100);
  EXPECT_FLOAT_EQ(objects[0].right, 600);
  EXPECT_FLOAT_EQ(objects[0].bottom, 300);
}

TEST(DetectedObjects, AreSortedAndLeftOverRowsAreNone) {
  std::vector<float> rows = row(1, 0.3F, 0, 0, 1, 1);
  for (const auto& more : {row(2, 0.8F, 0, 0, 1, 1), row(-1, -1, -1, -1, -1, -1), row(3, 0.1F, 0, 0, 1, 1)}) {
    rows.insert(rows.end(), more.begin(), more.end());
  }
  const auto objects = detected_objects(rows, 10, 10, {}, kInput, 0.2F);
  ASSERT_EQ(objects.size(), 2U);
  EXPECT_EQ(objects[0].label, 2);
  EXPECT_EQ(objects[1].label, 1);
  EXPECT_EQ(detected_objects(rows, 10, 10, {}, kInput, 0.3F).size(), 2U) << "from this score on";
  rows[2] = std::nanf("");
  EXPECT_TRUE(std::isnan(detected_objects(rows, 10, 10, {}, kInput, 0.2F)[0].score)) << "it has to show";
}

TEST(DetectedObjects, BrokenRowsAreRefused) {
  EXPECT_THROW((void)detected_objects(std::vector<float>(8), 10, 10, {}, kInput), Error);
  EXPECT_THROW((void)detected_objects(std::vector<float>(7), 0, 10, {}, kInput), Error);
  EXPECT_THROW((void)detected_objects(row(NAN, 1, 0, 0, 1, 1), 10, 10, {}, kInput), Error);
  EXPECT_THROW((void)detected_objects(row(HUGE_VALF, 1, 0, 0, 1, 1), 10, 10, {}, kInput), Error);
  EXPECT_THROW((void)detected_objects(row(1, 1, 0, 0, 1, 1), 10, 10, {}, {1, 3, 0, 300}), Error);
}

// A third party's face detector, and what OpenCV's dnn module (4.14) finds with it in one photo: pixels of the photo.
TEST(FaceDetector, FindsTheFacesThatOpenCvFinds) {
  const std::filesystem::path data = OCTAVO_SHARED_DATA;
  const auto folder = data / "caffe" / "yufacedetectnet";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no " << folder;
  ImageInput input;
  input.mean = {104, 117, 123};
  const Model model =
      Model::load_caffe(folder / "yufacedetectnet-open-v1.prototxt", folder / "yufacedetectnet-open-v1.caffemodel");
  EXPECT_EQ(model.detection_classes(), 2);
  const Picture picture = read_picture(data / "images" / "faces" / "13.jpg");
  for (const bool int8 : {false, true}) {
    const Program program = (int8 ? model.quantize() : model).compile();
    ASSERT_EQ(detection_output(program), 0U);
    const Tensor found = program.predict(to_input(picture, input, program.input_shapes()[0]));
    const auto faces =
        detected_objects(found.values(), picture.height, picture.width, input, program.input_shapes()[0], 0.5F);
    const float expected[][5] = {
#include "tests/runtime/known_faces.inc"
    };
    ASSERT_EQ(faces.size(), std::size(expected));
    for (std::size_t i = 0; i < faces.size(); ++i) {
      const float tolerance = int8 ? 3.0F : 1.0F;
      EXPECT_NEAR(faces[i].score, expected[i][0], 0.02F);
      EXPECT_NEAR(faces[i].left, expected[i][1], tolerance);
      EXPECT_NEAR(faces[i].top, expected[i][2], tolerance);
      EXPECT_NEAR(faces[i].right, expected[i][3], tolerance);
      EXPECT_NEAR(faces[i].bottom, expected[i][4], tolerance);
    }
  }
}

}  // namespace
}  // namespace octavo

// SPDX-License-Identifier: Apache-2.0
// octavo predict and eval on a detector: a small SSD with seeded weights, so that what it finds is arbitrary but fixed.
#include "octavo/error.h"
#include "octavo/model.h"
#include "tests/tools/run_command.h"
#include "tools/octavo/detector_evaluation.h"

namespace octavo::tool::test {
namespace {

constexpr const char* kDetector = R"(
name: "tiny-ssd"
input: "data" input_shape { dim: [1, 3, 32, 32] }
layer { name: "c1" type: "Convolution" bottom: "data" top: "c1" convolution_param { num_output: 16 kernel_size: 3 stride: 4 pad: 1 } }
layer { name: "r1" type: "ReLU" bottom: "c1" top: "c1" }
layer { name: "n" type: "Normalize" bottom: "c1" top: "n" norm_param { across_spatial: false channel_shared: false scale_filler { value: 10 } } }
layer { name: "loc" type: "Convolution" bottom: "n" top: "loc" convolution_param { num_output: 12 kernel_size: 3 pad: 1 } }
layer { name: "lp" type: "Permute" bottom: "loc" top: "lp" permute_param { order: [0, 2, 3, 1] } }
layer { name: "lf" type: "Flatten" bottom: "lp" top: "lf" }
layer { name: "conf" type: "Convolution" bottom: "n" top: "conf" convolution_param { num_output: 9 kernel_size: 3 pad: 1 } }
layer { name: "cp" type: "Permute" bottom: "conf" top: "cp" permute_param { order: [0, 2, 3, 1] } }
layer { name: "cf" type: "Flatten" bottom: "cp" top: "cf" }
layer { name: "cr" type: "Reshape" bottom: "cf" top: "cr" reshape_param { shape { dim: [0, -1, 3] } } }
layer { name: "cs" type: "Softmax" bottom: "cr" top: "cs" softmax_param { axis: 2 } }
layer { name: "cx" type: "Flatten" bottom: "cs" top: "cx" }
layer { name: "p" type: "PriorBox" bottom: "n" bottom: "data" top: "p" prior_box_param { min_size: 8 aspect_ratio: 2 variance: [0.1, 0.1, 0.2, 0.2] } }
layer { name: "out" type: "DetectionOutput" bottom: "lf" bottom: "cx" bottom: "p" top: "out" detection_output_param {
  num_classes: 3 nms_param { nms_threshold: 0.45 top_k: 50 } code_type: CENTER_SIZE keep_top_k: 20 confidence_threshold: 0.05 } }
)";

class Detector : public CommandTest {
 protected:
  void SetUp() override {
    write_all(path("ssd.prototxt"), kDetector);
    write_all(path("labels.txt"), "background\ncat\ndog\n");
    ImageInput input;
    input.mean = {128};
    input.scale = {0.02F};
    const Model model = Model::load_caffe_untrained(path("ssd.prototxt"), 3).with_image_input(input);
    model.save(path("ssd.octavo"));
    model.with_labels({"background", "cat", "dog"}).save(path("labelled.octavo"));
    ASSERT_EQ(run({"zoo", "lenet", "--output", folder.string()}).code, 0);
    draw_rgb("pictures/one.png", 90, 60, 1);
    draw_rgb("pictures/two.png", 41, 77, 2);
    write_all(path("pictures/three.png"), "not a picture");
  }
  /// Noise of this size.
  void draw_rgb(const std::string& name, unsigned width, unsigned height, unsigned seed) const {
    fs::create_directories((folder / name).parent_path());
    std::mt19937 random(seed);
    std::vector<std::uint8_t> pixels(std::size_t{3} * width * height);
    for (auto& pixel : pixels) pixel = static_cast<std::uint8_t>(random());
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = width;
    image.height = height;
    image.format = PNG_FORMAT_RGB;
    ASSERT_NE(png_image_write_to_file(&image, path(name).c_str(), 0, pixels.data(), 0, nullptr), 0) << image.message;
  }
  /// Width and height of a PNG.
  static std::pair<unsigned, unsigned> size_of(const fs::path& file) {
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    EXPECT_NE(png_image_begin_read_from_file(&image, file.c_str()), 0) << image.message;
    const std::pair<unsigned, unsigned> size{image.width, image.height};
    png_image_free(&image);
    return size;
  }
  std::vector<std::string> with_model(std::vector<std::string> arguments, const std::vector<std::string>& more) const {
    arguments.insert(arguments.end(), {path("ssd.octavo")});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }
};

TEST_F(Detector, PredictTellsBoxesInPixelsOfEachPictureAndDrawsThem) {
  const Finished finished =
      run(with_model({"predict", "--json"}, {path("pictures"), "--score", "0.1", "--labels", path("labels.txt"),
                                             "--batch", "2", "--draw", path("drawn")}));
  ASSERT_EQ(finished.code, 5) << finished.err;  // one picture cannot be read
  const Json result = finished.json();
  ASSERT_EQ(result["predictions"].size(), 2U);
  EXPECT_EQ(result["skipped"].size(), 1U);
  for (const Json& prediction : result["predictions"]) {
    const Json& output = prediction["outputs"][0];
    ASSERT_FALSE(output["objects"].empty());
    double last = 1.0;
    for (const Json& object : output["objects"]) {
      EXPECT_LE(object["score"], last);
      EXPECT_GE(object["score"], 0.1);
      last = object["score"];
      EXPECT_EQ(object["label"], object["class"] == 1 ? "cat" : "dog");
      EXPECT_LT(object["box"][0], object["box"][2]);
      EXPECT_LT(object["box"][1], object["box"][3]);
    }
  }
  EXPECT_EQ(size_of(path("drawn/one.png")), (std::pair{90U, 60U}));
  EXPECT_EQ(size_of(path("drawn/two.png")), (std::pair{41U, 77U}));
  EXPECT_EQ(finished.err.find("labels for"), std::string::npos) << finished.err;
  write_all(path("few.txt"), "cat\ndog\n");
  const Finished text =
      run(with_model({"predict"}, {path("pictures/one.png"), "--score", "1", "--labels", path("few.txt")}));
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_NE(text.err.find("2 labels for 3 classes"), std::string::npos) << text.err;
  EXPECT_NE(text.out.find("nothing found"), std::string::npos);
}

/// What is in the pictures, in COCO's words: what the network itself finds best, and one object that is not there.
std::string coco_truth(const Json& predictions) {
  Json images = Json::array(), annotations = Json::array();
  for (const Json& prediction : predictions) {
    const auto id = static_cast<int>(images.size()) + 1;
    images.push_back({{"id", id},
                      {"file_name", fs::path(prediction["file"].get<std::string>()).filename().string()},
                      {"width", 90},
                      {"height", 60}});
    const Json& best = prediction["outputs"][0]["objects"][0];
    const Json& box = best["box"];
    annotations.push_back(
        {{"id", id},
         {"image_id", id},
         {"category_id", best["class"]},
         {"bbox",
          {box[0], box[1], box[2].get<double>() - box[0].get<double>(), box[3].get<double>() - box[1].get<double>()}}});
  }
  annotations.push_back({{"id", 99}, {"image_id", 1}, {"category_id", 2}, {"bbox", {0, 0, 1, 1}}});
  return Json({{"images", images},
               {"annotations", annotations},
               {"categories", {{{"id", 1}, {"name", "cat"}}, {{"id", 2}, {"name", "dog"}}}}})
      .dump();
}

TEST_F(Detector, EvalScoresBothSidesAndDetectionsComeBackWithTheSameScore) {
  fs::remove(path("pictures/three.png"));
  const Json found = run(with_model({"predict", "--json"}, {path("pictures"), "--score", "0.05"})).json();
  write_all(path("truth.json"), coco_truth(found["predictions"]));
  const Finished finished =
      run(with_model({"eval", "--json"}, {"--coco", path("truth.json"), "--images", path("pictures"),
                                          "--save-detections", path("found.json"), "--save-fp32-detections",
                                          path("found32.json"), "--report", path("page.html")}));
  ASSERT_EQ(finished.code, 0) << finished.err;
  const Json result = finished.json();
  EXPECT_EQ(result["images"], 2);
  for (const char* side : {"fp32", "int8"}) {
    EXPECT_GT(result[side]["ap"], 0.3) << side;
    EXPECT_LT(result[side]["ap"], 1.0) << side;
  }
  EXPECT_GE(result["agreement"]["fp32_above_half"], result["agreement"]["found_by_int8"]);
  EXPECT_NE(read_all(path("page.html")).find("<svg"), std::string::npos);

  for (const auto& [side, file] : {std::pair{"int8", "found.json"}, {"fp32", "found32.json"}}) {
    const Finished again = run({"eval", "--json", "--coco", path("truth.json"), "--detections", path(file)});
    ASSERT_EQ(again.code, 0) << again.err;
    for (const char* number : {"ap", "ap75", "ar100", "detections"}) {
      EXPECT_EQ(again.json()["given"][number], result[side][number]) << side << number;
    }
    EXPECT_TRUE(again.json()["int8"].is_null());
  }
  // Of fewer pictures the detections of those count.
  const std::vector<std::string> one = {"--coco", path("truth.json"), "--limit", "1"};
  std::vector<std::string> eval = with_model({"eval", "--json"}, {"--images", path("pictures")}),
                           again = {"eval", "--json", "--detections", path("found.json")};
  eval.insert(eval.end(), one.begin(), one.end());
  again.insert(again.end(), one.begin(), one.end());
  EXPECT_EQ(run(again).json()["given"]["detections"], run(eval).json()["int8"]["detections"]);
}

TEST_F(Detector, EvalLeavesOutWhatIsNoNumberAndSaysSo) {
  fs::remove(path("pictures/three.png"));
  const Json found = run(with_model({"predict", "--json"}, {path("pictures"), "--score", "0.05"})).json();
  write_all(path("truth.json"), coco_truth(found["predictions"]));
  const Finished finished =
      run(with_model({"eval", "--json"}, {"--coco", path("truth.json"), "--images", path("pictures"),
                                          "--save-detections", path("found.json"), "--scale", "3e38"}));
  ASSERT_EQ(finished.code, 0) << finished.err;
  EXPECT_GT(finished.json()["int8"]["not_numbers"], 0);
  EXPECT_EQ(run({"eval", "--coco", path("truth.json"), "--detections", path("found.json")}).code, 0);
}

TEST(AgreementOf, CountsWhatTheOtherSideRepeatsAndTellsWhatItLacks) {
  using metrics::Detection;
  const metrics::Box box{10, 10, 100, 100}, near{10, 10, 91, 100}, far{10, 10, 89, 100};
  const std::vector<Detection> first = {
      {0, 0, 0.9, box}, {1, 0, 0.9, box}, {2, 0, 0.9, box}, {3, 0, 0.9, box}, {4, 0, 0.5, box}};
  const std::vector<Detection> second = {{0, 0, 0.46, near},  // found again
                                         {1, 1, 0.9, box},    // another category
                                         {2, 0, 0.44, box},   // less than half the score
                                         {3, 0, 0.9, far}};   // an overlap of 0.89
  const Agreement agreement = agreement_of(first, second, 6);
  EXPECT_EQ(agreement.certain, 4U);  // 0.5 is not above 0.5
  EXPECT_EQ(agreement.found, 1U);
  ASSERT_EQ(agreement.differences.size(), 3U);
  EXPECT_EQ(agreement.differences[0].image, 1U);
  EXPECT_EQ(agreement.differences[0].only_second.front().category, 1U);
  EXPECT_EQ(agreement.differences[1].only_first.size(), 1U);
  EXPECT_TRUE(agreement.differences[1].only_second.empty());
  EXPECT_EQ(agreement.differences[2].only_second.size(), 1U);
}

TEST(CategoriesOf, GoByNameElseByOrderAndTellStrangers) {
  metrics::TruthSet truth;
  for (const char* name : {"cat", "dog", "cow"}) truth.categories.push_back({name, 0});
  truth.truths = {{0, 0, {}, 0, false, false}, {0, 2, {}, 0, false, false}};  // a cat, a cow
  using Categories = std::vector<std::optional<std::size_t>>;
  const std::vector<std::string> labels = {"background", "dog", "horse", "cat"};
  const Categories named = categories_of(labels, 4, truth);
  EXPECT_EQ(named, (Categories{std::nullopt, 1, std::nullopt, 0}));
  const std::string strangers = strangers_text(named, labels, truth);
  EXPECT_NE(strangers.find("not found: cow;"), std::string::npos) << strangers;
  EXPECT_NE(strangers.find("left out: horse"), std::string::npos) << strangers;
  EXPECT_EQ(categories_of({}, 4, truth), (Categories{std::nullopt, 0, 1, 2}));
  EXPECT_EQ(categories_of({}, 3, truth), (Categories{0, 1, 2}));
  EXPECT_EQ(strangers_text(categories_of({}, 4, truth), {}, truth), "");
  EXPECT_THROW((void)categories_of({}, 5, truth), Error);
  try {
    (void)categories_of({"background", "face"}, 2, truth);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("none of the network's labels (background, face)"), std::string::npos);
  }
}

TEST_F(Detector, EvalReadsTheDevkit) {
  fs::create_directories(path("VOC/JPEGImages"));
  fs::create_directories(path("VOC/Annotations"));
  fs::rename(path("pictures/one.png"), path("VOC/JPEGImages/000001.jpg"));  // pictures are told by content
  write_all(
      path("VOC/Annotations/000001.xml"),
      "<annotation><object><name>cat</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>80</xmax><ymax>50</ymax></bndbox>"
      "</object></annotation>");
  const Finished finished =
      run(with_model({"eval", "--json"}, {"--voc", path("VOC"), "--save-detections", path("found")}));
  EXPECT_EQ(finished.code, 2) << "three classes, but twenty categories and no labels";
  const Finished labelled =
      run({"eval", "--json", path("labelled.octavo"), "--voc", path("VOC"), "--save-detections", path("found")});
  ASSERT_EQ(labelled.code, 0) << labelled.err;
  EXPECT_TRUE(labelled.json()["int8"]["categories"]["dog"].is_null()) << "there is no dog to find";
  const Finished again = run({"eval", "--json", "--voc", path("VOC"), "--detections", path("found")});
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_NEAR(again.json()["given"]["map"].get<double>(), labelled.json()["int8"]["map"].get<double>(), 1e-9);
}

TEST_F(Detector, InfoMeasuresEachLayerAndTheWorstCanStayFloat) {
  const std::vector<std::string> measure = {"info", "--json", path("ssd.octavo"), "--measure", path("pictures")};
  const Finished finished = run(measure);
  ASSERT_EQ(finished.code, 0) << finished.err;
  const Json layers = finished.json()["layers"];
  ASSERT_EQ(layers.size(), 3U);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    EXPECT_GT(layers[i]["alone_db"], 15.0);
    EXPECT_LT(layers[i]["alone_db"], 70.0);
    if (i > 0) {
      EXPECT_GE(layers[i]["alone_db"], layers[i - 1]["alone_db"]) << "the worst comes first";
    }
  }
  EXPECT_EQ(run({"convert", "--quantize", "--keep-float", "worst:1", path("ssd.octavo"), "-o", path("x.octavo")}).code,
            2)
      << "nothing to measure on";
  // The pictures of the measurement go in as the options say, whatever the command.
  const std::vector<std::string> dark = {"--mean", "0", "--scale", "1e-9"};
  std::vector<std::string> elsewhere = measure;
  elsewhere.insert(elsewhere.end(), dark.begin(), dark.end());
  const Finished measured = run(elsewhere);
  ASSERT_EQ(measured.code, 0) << measured.err;
  EXPECT_NE(measured.json()["layers"], layers);
  const auto worst_noise = [&](std::vector<std::string> words) {
    words.insert(words.end(), {"--quantize", "--keep-float", "worst:1", "--measure", path("pictures")});
    const Finished said = run(words);
    return said.err.substr(0, said.err.find(" on its own"));
  };
  const std::vector<std::string> predict = {"predict", path("ssd.octavo"), path("pictures/one.png")};
  std::vector<std::string> predict_dark = predict;
  predict_dark.insert(predict_dark.end(), dark.begin(), dark.end());
  EXPECT_NE(worst_noise(predict), worst_noise(predict_dark));

  const Finished converted = run({"convert", "--json", "--quantize", "--keep-float", "worst:1", "--measure",
                                  path("pictures"), path("ssd.octavo"), "-o", path("x.octavo")});
  ASSERT_EQ(converted.code, 0) << converted.err;
  const Json report = converted.json();
  for (const Json& layer : report["layers"]) {
    if (layer["op"] == "Convolution") {
      EXPECT_EQ(layer["quantized"], layer["layer"] != layers[0]["layer"]) << layer;
    }
  }
}

TEST_F(Detector, DrawingsAndDetectionsReplaceNoInput) {
  const std::string picture = read_all(path("pictures/one.png"));
  fs::create_directory_symlink("pictures", path("link"));
  for (const char* into : {"pictures", "link"}) {
    const Finished drawn = run(with_model({"predict"}, {path("pictures"), "--draw", path(into)}));
    EXPECT_EQ(drawn.code, 2) << drawn.out;
    EXPECT_NE(drawn.err.find("an output is an input"), std::string::npos) << drawn.err;
  }
  EXPECT_EQ(read_all(path("pictures/one.png")), picture);
  write_all(path("truth.json"),
            R"({"images": [{"id": 1, "file_name": "one.png", "width": 90, "height": 60}], "annotations": [],
                                    "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]})");
  const std::vector<std::string> eval{"eval",     path("labelled.octavo"), "--coco", path("truth.json"),
                                      "--images", path("pictures")};
  for (const char* option : {"--report", "--save-detections"}) {
    for (const char* input : {"truth.json", "labelled.octavo", "pictures/two.png"}) {
      const std::string before = read_all(path(input));
      std::vector<std::string> words = eval;
      words.insert(words.end(), {option, path(input)});
      const Finished finished = run(words);
      EXPECT_EQ(finished.code, 2) << option << input << finished.err;
      EXPECT_NE(finished.err.find("an output is an input"), std::string::npos) << finished.err;
      EXPECT_EQ(read_all(path(input)), before) << option << input;
    }
  }
}

TEST_F(Detector, RefusesWhatCannotBeMeant) {
  EXPECT_EQ(run({"predict", path("lenet.caffemodel"), path("pictures"), "--draw", path("drawn")}).code, 2);
  EXPECT_EQ(run({"eval", path("lenet.caffemodel")}).code, 2) << "no pictures";
  EXPECT_EQ(run({"eval", "--voc", path("VOC")}).code, 2) << "nothing to judge";
  write_all(path("truth.json"), R"({"images": [], "annotations": [], "categories": []})");
  write_all(path("none.json"), "[]");
  EXPECT_EQ(run({"eval", "--coco", path("truth.json"), "--detections", path("none.json"), "--save-fp32-detections",
                 path("x.json")})
                .code,
            2)
      << "nothing runs in fp32";
  EXPECT_EQ(run({"eval", path("lenet.caffemodel"), "--mnist", path("a"), "--cifar10", path("b")}).code, 2);
  EXPECT_EQ(run({"eval", path("lenet.caffemodel"), "--images", path("pictures"), "--detections", path("b")}).code, 2);
}

}  // namespace
}  // namespace octavo::tool::test

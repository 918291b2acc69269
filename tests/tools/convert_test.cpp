// SPDX-License-Identifier: Apache-2.0
// octavo convert, octavo info.
#include "tests/tools/run_command.h"

namespace octavo::tool::test {
namespace {

using Convert = LenetTest;

std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator{}));
}

TEST_F(Convert, SaysSizesAndWhatWasQuantized) {
  const Finished finished = run({"convert", "--json", "--quantize", path("lenet.octavo"), "-o", path("again.octavo")});
  ASSERT_EQ(finished.code, 0) << finished.err;
  const Json result = finished.json();
  EXPECT_EQ(result["bytes_before"], fs::file_size(path("lenet.octavo")));
  EXPECT_EQ(result["bytes_after"], fs::file_size(path("again.octavo")));
  EXPECT_GT(result["ratio"].get<double>(), 3.5);
  EXPECT_TRUE(result["quantized"]);
  ASSERT_EQ(result["layers"].size(), 4U);  // two convolutions, two Linear
  for (const Json& layer : result["layers"]) {
    EXPECT_FALSE(layer["reason"].get<std::string>().empty());
    EXPECT_GT(layer["weights"], 0);
  }
  const Finished people = run({"convert", "--quantize", path("lenet.octavo"), "-o", path("again.octavo")});
  EXPECT_NE(people.out.find("times smaller"), std::string::npos);
}

TEST_F(Convert, LeavesOutTheLayersNamed) {
  const Json layers = run({"convert", "--json", "--quantize", "--keep-float", "conv1", "--layer-window", "conv2=16",
                           path("lenet.octavo"), "-o", path("mixed.octavo")})
                          .json()["layers"];
  for (const Json& layer : layers) EXPECT_EQ(layer["quantized"], layer["layer"] != "conv1") << layer;
}

TEST_F(Convert, KeepsThePictureDescriptionAndLabelsInTheFile) {
  write_all(path("labels.txt"), "n00000001 zero, nought\nn00000002 one\n");
  ASSERT_EQ(run({"convert", path("lenet.octavo"), "-o", path("described.octavo"), "--resize", "32x30", "--crop", "28",
                 "--mean", "12.5", "--scale", "0.25", "--channel-order", "gray", "--labels", path("labels.txt")})
                .code,
            0);
  const Json info = run({"info", "--json", path("described.octavo")}).json();
  const std::string description = info["image_input"];
  for (const char* part : {"32x30", "28x28", "gray", "12.5", "0.25"}) {
    EXPECT_NE(description.find(part), std::string::npos) << description;
  }
  EXPECT_EQ(info["labels"], 2);
}

TEST_F(Convert, OutputAppearsWholeOrNotAtAll) {
  const std::string before = read_all(path("lenet8.octavo"));
  const std::size_t files = files_in(folder);
  // Fails after the model was read: an unknown layer.
  EXPECT_NE(
      run({"convert", "--quantize", "--keep-float", "nothing", path("lenet.octavo"), "-o", path("lenet8.octavo")}).code,
      0);
  EXPECT_EQ(read_all(path("lenet8.octavo")), before);
  EXPECT_EQ(run({"convert", path("lenet.octavo"), "-o", path("no-such-folder/x.octavo")}).code, 3);
  fs::create_directory(path("folder.octavo"));
  EXPECT_EQ(run({"convert", path("lenet.octavo"), "-o", path("folder.octavo")}).code, 3);
  EXPECT_EQ(files_in(folder), files + 1) << "something was left behind";
}

TEST_F(Convert, DoesNotOverwriteItsInput) {
  EXPECT_EQ(run({"convert", "--quantize", path("lenet.octavo"), "-o", path("lenet.octavo")}).code, 2);
  // A Caffe network is two files, and so is what is written of it.
  ASSERT_EQ(run({"convert", path("lenet.octavo"), "-o", path("two.caffemodel")}).code, 0);
  fs::copy_file(path("two.caffemodel"), path("weights.caffemodel"));
  const Finished finished =
      run({"convert", "--prototxt", path("two.prototxt"), path("weights.caffemodel"), "-o", path("two.caffemodel")});
  EXPECT_EQ(finished.code, 2);
  EXPECT_NE(finished.err.find("two.prototxt"), std::string::npos) << finished.err;
  const Finished told = run({"convert", path("lenet.octavo"), "-o", path("three.caffemodel")});
  EXPECT_NE(told.out.find("three.prototxt"), std::string::npos) << told.out;
}

TEST_F(Convert, WritesOnnxAndReadsItBack) {
  for (const char* model : {"lenet", "lenet8"}) {
    const std::string octavo = path(std::string(model) + ".octavo"), onnx = path(std::string(model) + ".onnx");
    ASSERT_EQ(run({"convert", octavo, "-o", onnx}).code, 0) << model;
    const Finished back = run({"convert", "--json", onnx, "-o", path("back.octavo")});
    ASSERT_EQ(back.code, 0) << back.err;
    EXPECT_EQ(back.json()["quantized"], std::string(model) == "lenet8");
    EXPECT_EQ(back.json()["parameters"], run({"info", "--json", octavo}).json()["parameters"]) << model;
    // The picture's description stays behind; the network is all there, at any batch.
    EXPECT_EQ(run({"info", onnx, "--batch", "3", "--threads", "1"}).code, 0);
  }
}

TEST_F(Convert, WritesBigdlAndCaffeAndReadsThemBack) {
  const Json before = run({"info", "--json", path("lenet.octavo")}).json();
  ASSERT_EQ(run({"convert", path("lenet.octavo"), "-o", path("net.bigdl")}).code, 0);
  ASSERT_EQ(run({"convert", path("lenet.octavo"), "-o", path("net.caffemodel")}).code, 0);
  EXPECT_EQ(run({"info", "--json", path("net.bigdl")}).json()["parameters"], before["parameters"]);
  EXPECT_EQ(run({"info", "--json", "--prototxt", path("net.prototxt"), path("net.caffemodel")}).json()["parameters"],
            before["parameters"]);
  // 8 bits: of all channels for BigDL; never for Caffe.
  const Finished eight = run({"convert", "--json", "--quantize", path("lenet.octavo"), "-o", path("net8.bigdl")});
  ASSERT_EQ(eight.code, 0) << eight.err;
  EXPECT_TRUE(eight.json()["quantized"]);
  EXPECT_EQ(run({"convert", path("net8.bigdl"), "-o", path("net8.octavo")}).code, 0);
  EXPECT_EQ(run({"convert", "--quantize", path("lenet.octavo"), "-o", path("net8.caffemodel")}).code, 4);
  for (const char* name : {"net8.t7", "net8.pb"}) {
    EXPECT_EQ(run({"convert", "--quantize", path("lenet.octavo"), "-o", path(name)}).code, 2) << name;
    EXPECT_FALSE(fs::exists(path(name))) << name;
  }
  EXPECT_EQ(run({"info", path("lenet.octavo"), "--weights", path("net.bigdl")}).code, 2);
}

TEST_F(Convert, TakesTheOptionsOfConvertModel) {
  ASSERT_EQ(run({"convert", path("lenet.octavo"), "-o", path("net.caffemodel")}).code, 0);
  const std::vector<std::string> whole{"convert-model",
                                       "--from",
                                       "Caffe",
                                       "--to",
                                       "BigDL",
                                       "--input",
                                       path("net.caffemodel"),
                                       "--output",
                                       path("net.bigdl"),
                                       "--prototxt",
                                       path("net.prototxt"),
                                       "--quantize",
                                       "true"};
  const Finished done = run(whole);
  ASSERT_EQ(done.code, 0) << done.err;
  EXPECT_TRUE(run({"convert", "--json", path("net.bigdl"), "-o", path("back.octavo")}).json()["quantized"]);
  const auto fails = [&](const std::vector<std::string>& rest, const std::string& message, int code = 2) {
    std::vector<std::string> words{"ConvertModel"};
    words.insert(words.end(), rest.begin(), rest.end());
    const Finished finished = run(words);
    EXPECT_EQ(finished.code, code) << finished.out;
    EXPECT_NE(finished.err.find(message), std::string::npos) << finished.err;
  };
  const std::string in = path("net.bigdl"), out = path("other.model");
  fails({"--from", "caffe", "--to", "bigdl", "--input", in, "--output", out},
        "If model is converted from caffe, the prototxt should be given with --prototxt.");
  fails({"--from", "bigdl", "--to", "caffe", "--input", in, "--output", out, "--prototxt", path("o.prototxt"),
         "--quantize", "true"},
        "Only support quantizing models to BigDL model now.");
  fails({"--from", "bigdl", "--to", "caffe", "--input", in, "--output", out, "--prototxt", path("net.prototxt")},
        "there already");
  fails({"--from", "keras", "--to", "bigdl", "--input", in, "--output", out}, "keras");
  fails({"--from", "bigdl", "--to", "bigdl", "--input", in}, "--output");
  fails({"--from", "octavo", "--to", "bigdl", "--input", path("lenet.octavo"), "--output", out, "--input-shape",
         "data=1x1x28x28"},
        "--input-shape");
  // A Torch7 file does not say what its network takes.
  ASSERT_EQ(run({"convert", path("lenet.octavo"), "-o", path("net.t7")}).code, 0);
  std::vector<std::string> words{"convert-model", "--from",       "torch",    "--to", "bigdl",
                                 "--input",       path("net.t7"), "--output", out};
  EXPECT_EQ(run(words).code, 2);
  words.insert(words.end(), {"--input-shape", "input=1x1x28x28"});
  const Finished shaped = run(words);
  EXPECT_EQ(shaped.code, 0) << shaped.err;
}

TEST_F(Convert, InputShapesAreChecked) {
  ASSERT_EQ(run({"convert", path("lenet.octavo"), "-o", path("lenet.onnx")}).code, 0);
  for (const char* shape : {"data", "=1x2", "data=", "data=1x", "data=0x3", "data=1xx3", "data=a"}) {
    const Finished finished = run({"info", path("lenet.onnx"), "--input-shape", shape});
    EXPECT_EQ(finished.code, 2) << shape << finished.out;
    EXPECT_NE(finished.err.find("--input-shape"), std::string::npos) << shape;
  }
  EXPECT_EQ(run({"info", path("lenet.onnx"), "--input-shape", "data=2x1x28x28", "--threads", "1"}).code, 0);
}

using Info = LenetTest;

TEST_F(Info, PrintsTheGraphAtEveryStage) {
  std::string last;
  for (const char* stage : {"imported", "canonical", "quantized", "inserted", "fused"}) {
    const Finished finished = run({"info", path("lenet8.octavo"), "--stage", stage});
    EXPECT_EQ(finished.code, 0) << finished.err;
    EXPECT_NE(finished.out.find("conv1"), std::string::npos) << stage;
    last = finished.out;
  }
  EXPECT_NE(last.find("FusedConvolution"), std::string::npos);
}

TEST_F(Info, SaysWhyForEveryLayer) {
  for (const char* model : {"lenet.octavo", "lenet8.octavo"}) {
    const Finished finished = run({"info", "--json", path(model)});
    ASSERT_EQ(finished.code, 0) << finished.err;
    const Json info = finished.json();
    EXPECT_GT(info["parameters"], 400'000);
    EXPECT_EQ(info["quantization"].size(), 4U);
    for (const Json& row : info["quantization"]) EXPECT_FALSE(row["reason"].get<std::string>().empty());
    ASSERT_FALSE(info["program"]["layers"].empty());
    for (const Json& layer : info["program"]["layers"])
      EXPECT_FALSE(layer["algorithm"].get<std::string>().empty()) << layer;
  }
}

TEST_F(Info, TakesATopologyAlone) {
  const Finished finished = run({"info", path("lenet.prototxt")});
  EXPECT_EQ(finished.code, 0) << finished.err;
  EXPECT_NE(finished.out.find("untrained"), std::string::npos);
}

}  // namespace
}  // namespace octavo::tool::test

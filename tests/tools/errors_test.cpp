// SPDX-License-Identifier: Apache-2.0
// Bad input: an exit code that says whose fault it is, a message that says what, nothing on stdout.
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>

#include "tests/tools/run_command.h"

namespace octavo::tool::test {
namespace {

using Errors = LenetTest;

void expect_refused(const Finished& finished, int code, const std::string& word) {
  EXPECT_EQ(finished.code, code) << finished.err;
  EXPECT_EQ(finished.out, "");
  EXPECT_EQ(finished.err.rfind("octavo: ", 0), 0U) << finished.err;
  EXPECT_NE(finished.err.find(word), std::string::npos) << finished.err;
}

TEST_F(Errors, AMissingModelIsUnreadableInput) {
  for (const char* command : {"info", "dump", "bench"}) {
    expect_refused(run({command, path("nowhere.octavo")}), 3, "nowhere.octavo");
  }
  expect_refused(run({"convert", path("nowhere.caffemodel"), "-o", path("x.octavo")}), 3, "nowhere.caffemodel");
  draw("a.png", 1);
  expect_refused(run({"predict", path("nowhere.octavo"), path("a.png")}), 3, "nowhere.octavo");
}

TEST_F(Errors, ATruncatedModelIsUnreadableInputWhateverItsLength) {
  const std::string whole = read_all(path("lenet8.octavo"));
  for (const double share : {0.0, 0.01, 0.3, 0.9, 0.999}) {
    write_all(path("cut.octavo"), whole.substr(0, static_cast<std::size_t>(share * static_cast<double>(whole.size()))));
    expect_refused(run({"info", path("cut.octavo")}), 3, "cut.octavo");
  }
}

TEST_F(Errors, ACaffemodelCutShortIsUnreadableInput) {
  const std::string whole = read_all(path("lenet.caffemodel"));
  write_all(path("cut.caffemodel"), whole.substr(0, whole.size() / 2));
  expect_refused(run({"info", "--prototxt", path("lenet.prototxt"), path("cut.caffemodel")}), 3, "cut.caffemodel");
}

TEST_F(Errors, AnUnknownLayerTypeIsUnsupported) {
  std::string prototxt = read_all(path("lenet.prototxt"));
  const std::size_t at = prototxt.find("\"Softmax\"");
  ASSERT_NE(at, std::string::npos);
  prototxt.replace(at, 9, "\"Quicksand\"");
  write_all(path("odd.prototxt"), prototxt);
  expect_refused(run({"info", path("odd.prototxt")}), 4, "Quicksand");
  prototxt.replace(at, 11, "\"SoftMax\"");
  write_all(path("near.prototxt"), prototxt);
  expect_refused(run({"info", path("near.prototxt")}), 4, "did you mean 'Softmax'");
}

TEST_F(Errors, UnknownNamesAndValuesAreUsageErrors) {
  expect_refused(run({"dump", path("lenet.octavo"), "--layer", "no-such-layer"}), 2, "no-such-layer");
  expect_refused(run({"info", path("lenet.octavo"), "--stage", "no-such-stage"}), 2, "no-such-stage");
  expect_refused(run({"info", path("lenet.octavo"), "--isa", "no-such-isa"}), 2, "no-such-isa");
  expect_refused(run({"info", path("lenet.octavo"), "--window", "64"}), 2, "--quantize");
  expect_refused(run({"info", path("lenet.octavo"), "--quantize", "--window", "48"}), 2, "48");
  expect_refused(run({"info", path("lenet.octavo"), "--quantize", "--keep-float", "no-such-layer"}), 2,
                 "no-such-layer");
  expect_refused(run({"bench", path("lenet.octavo"), "--against", "no-such-peer"}), 2, "no-such-peer");
  expect_refused(run({"bench", path("lenet.octavo"), "--threads", "0"}), 2, "--threads");
  expect_refused(run({"zoo", "no-such-net", "--output", folder.string()}), 2, "no-such-net");
  expect_refused(run({"convert", path("lenet.prototxt"), "-o", path("x.octavo")}), 2, "no weights");
  draw("a.png", 1);
  expect_refused(run({"predict", path("lenet.octavo"), path("a.png"), "--layer", "no-such-layer", "-o", path("x.npy")}),
                 2, "no-such-layer");
  expect_refused(run({"predict", path("lenet.octavo"), path("a.png"), "--mean", "1,x"}), 2, "--mean");
}

TEST_F(Errors, ValuesThatCannotBeMeantAreRefusedNotBent) {
  const std::string model = path("lenet8.octavo");
  draw("val/a/a.png", 1);
  for (const char* seed : {"-1", "99999999999999999999", "1.5", "7x"}) {
    expect_refused(run({"zoo", "lenet", "--output", path("nets"), "--seed", seed}), 2, "--seed");
    expect_refused(run({"info", path("lenet.prototxt"), "--seed", seed}), 2, "--seed");
  }
  EXPECT_FALSE(fs::exists(path("nets")));
  EXPECT_EQ(run({"info", path("lenet.prototxt"), "--seed", "18446744073709551615"}).code, 0);
  expect_refused(run({"bench", model, "--seconds", "nan"}), 2, "--seconds");
  expect_refused(run({"tune", model, "--budget", "nan", "-o", path("t.json")}), 2, "--budget");
  expect_refused(run({"predict", model, path("val"), "--score", "nan"}), 2, "--score");
  expect_refused(run({"info", ""}), 2, "MODEL: an empty value");
  expect_refused(run({"convert", model, "-o", ""}), 2, "--output: an empty value");
  expect_refused(run({"predict", model, path("val"), ""}), 2, "PICTURES: an empty value");
  expect_refused(run({"convert", model, "-o", path("x.prototxt")}), 2, "x.caffemodel");
  expect_refused(run({"convert", "--quantize", "--keep-float", "prob", path("lenet.octavo"), "-o", path("x.octavo")}),
                 2, "no weights");
  expect_refused(run({"eval", model, "--images", path("val"), "--split", "test"}), 2, "--split");
  expect_refused(run({"eval", model, "--images", path("val"), "--voc-ap", "area"}), 2, "--voc-ap");
}

TEST_F(Errors, AMisspeltOptionIsNamedBeforeWhatItHides) {
  expect_refused(run({"info", "--json-"}), 2, "there is no option '--json-' (did you mean '--json'");
  expect_refused(run({"convert", path("lenet.octavo"), "--ouput=x"}), 2, "did you mean '--output'");
  expect_refused(run({"info"}), 2, "MODEL is required");
}

TEST_F(Errors, HelpThatCannotBeWrittenIsNoSuccess) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "there is no /dev/full";
  const std::string line = std::string(OCTAVO_COMMAND " info --help > /dev/full 2> ") + path("err");
  const int status = std::system(line.c_str());  // NOLINT(cert-env33-c): a shell can redirect
  EXPECT_EQ(WEXITSTATUS(status), 3);
  EXPECT_NE(read_all(path("err")).find("cannot write"), std::string::npos);
}

TEST_F(Errors, ABatchThatTheNetworkDoesNotRunInNamesTheOneThatItDoes) {
  std::string prototxt = read_all(path("lenet.prototxt"));
  prototxt +=
      R"(layer { name: "fix" type: "Reshape" bottom: "prob" top: "fix" reshape_param { shape { dim: 1 dim: 10 } } })";
  write_all(path("lenet.prototxt"), prototxt);
  const std::string model = path("fixed.octavo");
  ASSERT_EQ(run({"convert", "--prototxt", path("lenet.prototxt"), path("lenet.caffemodel"), "-o", model}).code, 0);
  draw("val/a/a.png", 1);
  expect_refused(run({"bench", model, "--batch", "8"}), 2, "--batch 1)");
  expect_refused(run({"predict", model, path("val"), "--batch", "2"}), 2, "--batch 1)");
  expect_refused(run({"eval", model, "--images", path("val"), "--batch", "2"}), 2, "--batch 1)");
  const Finished evaluated = run({"eval", model, "--images", path("val")});
  EXPECT_EQ(evaluated.code, 0) << evaluated.err;
}

TEST_F(Errors, NameTheFileThatIsWrong) {
  for (const char* format : {"octavo", "onnx", "torch", "bigdl"}) {
    const bool octavo = std::string(format) == "octavo";
    const std::string other = path(octavo ? "lenet.caffemodel" : "lenet.octavo");
    expect_refused(run({"convert-model", "--from", format, "--to", "tensorflow", "--input", other, "--output", "x.pb"}),
                   3, other);
  }
  ASSERT_EQ(run({"convert", path("lenet.octavo"), "-o", path("lenet.t7")}).code, 0);
  expect_refused(run({"info", path("lenet.t7"), "--input-shape", "input=1x5x28x28"}), 3,
                 "--input-shape input=1x5x28x28");
  write_all(path("flat.prototxt"),
            R"(layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 4 } } }
                                      layer { name: "prob" type: "Softmax" bottom: "data" top: "prob" })");
  ASSERT_EQ(
      run({"convert", "--prototxt", path("flat.prototxt"), path("lenet.caffemodel"), "-o", path("flat.octavo")}).code,
      0);
  draw("val/a/a.png", 1);
  expect_refused(run({"eval", path("lenet8.octavo"), "--reference", path("flat.octavo"), "--images", path("val")}), 4,
                 "flat.octavo");
}

TEST_F(Errors, AnUnknownCommandIsNamed) { expect_refused(run({"frobnicate"}), 2, "frobnicate"); }

TEST_F(Errors, NegativeCountsAreUsageErrorsInShortMessages) {
  draw("pictures/a/a.png", 1);
  const std::vector<std::vector<std::string>> wrong = {
      {"eval", path("lenet8.octavo"), "--images", path("pictures"), "--limit", "-3"},
      {"predict", path("lenet8.octavo"), path("pictures"), "--top", "0"},
      {"bench", path("lenet8.octavo"), "--rounds", "0"}};
  for (const std::vector<std::string>& arguments : wrong) {
    const Finished finished = run(arguments);
    expect_refused(finished, 2, "not in range");
    EXPECT_LT(finished.err.size(), 200U) << finished.err;
  }
}

TEST_F(Errors, WhatQuantizedLayersCannotFollowIsRefused) {
  const std::string model = path("lenet8.octavo");
  expect_refused(run({"convert", "--quantize", "--window", "16", model, "-o", path("x.octavo")}), 2, "already");
  expect_refused(run({"info", "--quantize", "--layer-window", "conv1=16", model}), 2, "conv1");
  expect_refused(run({"dump", "--keep-float", "conv1", model}), 2, "conv1");
}

TEST_F(Errors, APrototxtBesideAFileThatIsItsOwnTopologyIsRefused) {
  expect_refused(run({"info", "--prototxt", path("lenet.prototxt"), path("lenet.octavo")}), 2, "--prototxt");
}

/// A field of a protocol buffer: a text or a message, or a number below 128.
std::string wire_field(int number, const std::string& bytes) {
  return std::string{static_cast<char>(number << 3 | 2), static_cast<char>(bytes.size())} + bytes;
}
std::string wire_field(int number, int value) { return {static_cast<char>(number << 3), static_cast<char>(value)}; }

/// y = x + w in ONNX, the numbers of w in a file beside it.
std::string onnx_with_external_data(const std::string& location) {
  const auto value = [](const std::string& name) {
    const std::string shape = wire_field(1, wire_field(1, 1)) + wire_field(1, wire_field(1, 2));
    return wire_field(1, name) + wire_field(2, wire_field(1, wire_field(1, 1) + wire_field(2, shape)));
  };
  const std::string weights = wire_field(1, 2) + wire_field(2, 1) + wire_field(8, "w") +
                              wire_field(13, wire_field(1, "location") + wire_field(2, location)) + wire_field(14, 1);
  const std::string node = wire_field(1, "x") + wire_field(1, "w") + wire_field(2, "y") + wire_field(4, "Add");
  const std::string graph = wire_field(1, node) + wire_field(2, "net") + wire_field(5, weights) +
                            wire_field(11, value("x")) + wire_field(12, value("y"));
  return wire_field(1, 8) + wire_field(7, graph) + wire_field(8, wire_field(2, 13));
}

TEST_F(Errors, NoCommandWritesOverTheNumbersBesideAnOnnxFile) {
  write_all(path("net.onnx"), onnx_with_external_data("numbers.bin"));
  const std::string numbers = path("numbers.bin");
  write_all(numbers, std::string(8, '\0'));
  EXPECT_EQ(run({"convert", path("net.onnx"), "-o", path("net.octavo")}).code, 0);
  expect_refused(run({"convert", path("net.onnx"), "-o", numbers}), 2, "an output is an input");
  EXPECT_EQ(read_all(numbers), std::string(8, '\0'));
}

TEST_F(Errors, NoCommandWritesOverWhatItReads) {
  draw("val/a/a.png", 1);
  write_all(path("labels.txt"), "zero\none\n");
  write_all(path("list"), "a/a.png 0\n");
  write_all(path("shapes"), "ic8oc8\n");
  const std::string model = path("lenet.octavo"), picture = path("val/a/a.png");
  fs::create_symlink("lenet.octavo", path("link"));
  fs::create_hard_link(model, path("twin"));
  fs::create_directory_symlink("val", path("other"));
  const std::vector<std::string> predict{"predict",          model,     picture, "--labels",
                                         path("labels.txt"), "--layer", "conv1", "-o"};
  const std::vector<std::string> eval{"eval", model, "--images", path("val"), "--labels", path("list"), "--report"};
  const std::vector<std::string> convert{"convert", model, "--labels", path("labels.txt"), "-o"};
  const std::vector<std::string> measured{"convert", model,       "--quantize", "--keep-float",
                                          "worst:1", "--measure", path("val"),  "-o"};
  const std::vector<std::string> bench{"bench", model, "--seconds", "0.01", "--report"};
  const std::vector<std::string> tune{"tune", model, "-o"}, shapes{"tune", "--shapes", path("shapes"), "-o"};
  const std::vector<std::string> caffe{
      "convert-model",        "--from",  "caffe", "--to", "bigdl", "--input", path("lenet.caffemodel"), "--prototxt",
      path("lenet.prototxt"), "--output"};
  const std::vector<std::pair<std::vector<std::string>, std::vector<std::string>>> tries = {
      {predict, {model, picture, path("labels.txt"), path("link"), path("twin"), path("other/a/a.png")}},
      {eval, {model, picture, path("list"), path("link"), path("val/../other/a/a.png")}},
      {convert, {model, path("labels.txt"), path("link"), path("./lenet.octavo")}},
      {measured, {picture}},
      {bench, {model, path("link"), path("twin")}},
      {tune, {model, path("link")}},
      {shapes, {path("shapes")}},
      {caffe, {path("lenet.caffemodel"), path("lenet.prototxt")}}};
  for (const auto& [command, outputs] : tries) {
    for (const std::string& output : outputs) {
      SCOPED_TRACE(command.front() + " over " + output);
      const std::string before = read_all(output);
      std::vector<std::string> words = command;
      words.push_back(output);
      expect_refused(run(words), 2, "an output is an input");
      EXPECT_EQ(read_all(output), before);
    }
  }
}

TEST_F(Errors, TwoOutputsAreTwoFiles) {
  expect_refused(run({"convert-model", "--from", "octavo", "--to", "caffe", "--input", path("lenet.octavo"), "--output",
                      path("same"), "--prototxt", path("./same")}),
                 2, "two outputs are one file");
  EXPECT_FALSE(fs::exists(path("same")));
}

TEST_F(Errors, AnOutputThatIsNoFileIsLeftAsItIs) {
  const std::string pipe = path("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  draw("a.png", 1);
  expect_refused(run({"convert", path("lenet.octavo"), "-o", pipe}), 3, "not a regular file");
  expect_refused(run({"predict", path("lenet8.octavo"), path("a.png"), "--layer", "conv1", "-o", pipe}), 3,
                 "not a regular file");
  EXPECT_TRUE(fs::is_fifo(pipe));
}

TEST_F(Errors, SayWhyAFileCannotBeReadOrAFolderMade) {
  expect_refused(run({"convert", path("lenet.octavo"), "--labels", path("nowhere.txt"), "-o", path("x.octavo")}), 3,
                 "No such file");
  write_all(path("file"), "");
  expect_refused(run({"dump", path("lenet8.octavo"), "--raw", path("file/below")}), 3, "file/below");
}

TEST_F(Errors, NamesFromFilesCannotSteerTheTerminal) {
  std::string prototxt = read_all(path("lenet.prototxt"));
  const std::size_t at = prototxt.find("\"Softmax\"");
  ASSERT_NE(at, std::string::npos);
  prototxt.replace(at, 9, "\"Sof\\n\\033[2Jtmax\"");
  write_all(path("odd.prototxt"), prototxt);
  const Finished finished = run({"info", path("odd.prototxt")});
  expect_refused(finished, 4, R"(Sof\x0a\x1b[2Jtmax)");
  EXPECT_EQ(std::count(finished.err.begin(), finished.err.end(), '\n'), 1);
}

TEST_F(Errors, TheScalarReferenceSaysThatItIsSlow) {
  const Finished finished = run({"info", path("lenet8.octavo"), "--isa", "reference"});
  EXPECT_EQ(finished.code, 0);
  EXPECT_NE(finished.err.find("right but slow"), std::string::npos) << finished.err;
}

TEST_F(Errors, AreJsonOnStderrWhenJsonIsAsked) {
  const Finished usage = run({"info", path("lenet.octavo"), "--json", "--stage", "no-such-stage"});
  EXPECT_EQ(usage.code, 2);
  EXPECT_EQ(usage.out, "");
  EXPECT_EQ(Json::parse(usage.err)["error"]["kind"], "invalid_argument");
  const Finished missing = run({"info", path("nowhere.octavo"), "--json"});
  EXPECT_EQ(missing.code, 3);
  EXPECT_EQ(Json::parse(missing.err)["error"]["kind"], "io");
  const Finished flag = run({"info", "--json", "--no-such-flag"});
  EXPECT_EQ(flag.code, 2);
  EXPECT_EQ(Json::parse(flag.err)["error"]["kind"], "invalid_argument");
}

}  // namespace
}  // namespace octavo::tool::test

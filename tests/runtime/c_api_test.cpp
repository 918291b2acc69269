// SPDX-License-Identifier: Apache-2.0
// The C interface: the same answers as in C++, and every misuse a status with a message.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <string>
#include <thread>
#include <vector>

#include "octavo/c.h"
#include "octavo/octavo.h"
#include "tests/runtime/c_api_in_c.h"
#include "tests/runtime/picture_files.h"
#include "tests/runtime/sample_model.h"
#include "tests/runtime/temporary_folder.h"

namespace octavo {
namespace {

class CApi : public testing::Test {
 protected:
  void SetUp() override {
    ImageInput input;
    input.order = ChannelOrder::rgb;
    test::to_model(test::sample_graph()).with_labels({"zero", "one"}).with_image_input(input).save(file_);
    ASSERT_EQ(octavo_model_load(file_.c_str(), &model_), OCTAVO_OK) << octavo_last_error();
  }
  void TearDown() override { octavo_model_free(model_); }

  test::TemporaryFolder folder_;
  std::string file_ = (folder_ / "model.octavo").string();
  octavo_model* model_ = nullptr;
};

TEST_F(CApi, TellsWhatAModelIs) {
  EXPECT_STREQ(octavo_version(), "0.1.0");
  EXPECT_STREQ(octavo_model_name(model_), "sample");
  EXPECT_EQ(octavo_model_is_quantized(model_), 0);
  EXPECT_EQ(octavo_model_parameter_count(model_), 540 + 20 + 360 + 6480 + 10);
  EXPECT_EQ(octavo_model_input_count(model_), 1U);
  EXPECT_STREQ(octavo_model_input_name(model_, 0), "data");
  EXPECT_EQ(octavo_model_input_name(model_, 1), nullptr);
  EXPECT_EQ(octavo_model_output_count(model_), 1U);
  EXPECT_STREQ(octavo_model_output_name(model_, 0), "prob");
  EXPECT_EQ(octavo_model_layer_count(model_), 6U);
  EXPECT_STREQ(octavo_model_layer_name(model_, 0), "conv1");
  EXPECT_EQ(octavo_model_label_count(model_), 2U);
  EXPECT_STREQ(octavo_model_label(model_, 1), "one");
  std::size_t rank = 0;
  const int64_t* shape = octavo_model_input_shape(model_, 0, &rank);
  ASSERT_EQ(rank, 4U);
  EXPECT_EQ(Shape(shape, shape + 4), (Shape{1, 3, 12, 12}));
  EXPECT_EQ(octavo_model_input_shape(model_, 1, &rank), nullptr);
  EXPECT_EQ(rank, 0U);
}

TEST_F(CApi, PredictsWhatCppPredictsBitForBit) {
  octavo_model* quantized = nullptr;
  ASSERT_EQ(octavo_model_quantize(model_, nullptr, &quantized), OCTAVO_OK) << octavo_last_error();
  EXPECT_EQ(octavo_model_is_quantized(quantized), 1);
  ASSERT_EQ(octavo_model_save(quantized, file_.c_str()), OCTAVO_OK);
  octavo_model_free(quantized);

  const Tensor input = test::sample_input();
  std::vector<float> output(10);
  ASSERT_EQ(predict_in_c(file_.c_str(), input.data(), output.data()), OCTAVO_OK) << octavo_last_error();
  const Tensor expected = test::to_model(test::sample_graph()).quantize().predict(input, test::one_thread());
  EXPECT_TRUE(std::ranges::equal(output, expected.values()));
}

TEST_F(CApi, CompilesForABatchAndForIntermediateOutputs) {
  const char* wanted[] = {"pool1", "fc"};
  octavo_compile_options options{};
  options.threads = 1;
  options.batch = 2;
  options.outputs = wanted;
  options.output_count = 2;
  octavo_program* program = nullptr;
  ASSERT_EQ(octavo_model_compile(model_, &options, &program), OCTAVO_OK) << octavo_last_error();
  ASSERT_EQ(octavo_program_output_count(program), 2U);
  EXPECT_STREQ(octavo_program_output_name(program, 1), "fc");
  std::size_t rank = 0;
  const int64_t* in = octavo_program_input_shape(program, 0, &rank);
  EXPECT_EQ(Shape(in, in + rank), (Shape{2, 3, 12, 12}));
  const int64_t* out = octavo_program_output_shape(program, 0, &rank);
  EXPECT_EQ(Shape(out, out + rank), (Shape{2, 20, 6, 6}));
  EXPECT_EQ(octavo_program_input_count(program), 1U);
  octavo_program_free(program);
}

TEST_F(CApi, QuantizesAsAsked) {
  const char* keep[] = {"conv1"};
  octavo_quantize_options options{};
  options.has_window = 1;
  options.window_channels = 16;
  options.keep_float = keep;
  options.keep_float_count = 1;
  octavo_model* quantized = nullptr;
  ASSERT_EQ(octavo_model_quantize(model_, &options, &quantized), OCTAVO_OK) << octavo_last_error();
  char* text = nullptr;
  ASSERT_EQ(octavo_model_print(quantized, "quantized", &text), OCTAVO_OK) << octavo_last_error();
  EXPECT_NE(std::string(text).find("16"), std::string::npos) << text;
  octavo_free(text);
  octavo_model_free(quantized);

  options.window_channels = 17;
  quantized = nullptr;
  EXPECT_EQ(octavo_model_quantize(model_, &options, &quantized), OCTAVO_INVALID_ARGUMENT);
  EXPECT_EQ(quantized, nullptr);
}

TEST_F(CApi, OptionsHaveASizeThatSomeHeaderHad) {
  octavo_quantize_options quantize{};
  octavo_compile_options compile{};
  for (const std::size_t wrong : {std::size_t{1}, std::size_t{3}, sizeof(std::size_t), sizeof(quantize) - 1,
                                  sizeof(quantize) + 1, std::size_t{10'000}, SIZE_MAX}) {
    octavo_model* quantized = nullptr;
    octavo_program* program = nullptr;
    quantize.struct_size = compile.struct_size = wrong;
    EXPECT_EQ(octavo_model_quantize(model_, &quantize, &quantized), OCTAVO_INVALID_ARGUMENT) << wrong;
    EXPECT_NE(std::string(octavo_last_error()).find("struct_size is " + std::to_string(wrong)), std::string::npos);
    EXPECT_EQ(octavo_model_compile(model_, &compile, &program), OCTAVO_INVALID_ARGUMENT) << wrong;
    EXPECT_EQ(quantized, nullptr);
    EXPECT_EQ(program, nullptr);
  }
  const char* keep[] = {"conv1"};  // the last members count, whether the size is said or not
  quantize.keep_float = keep;
  quantize.keep_float_count = 1;
  for (const std::size_t right : {std::size_t{0}, sizeof(quantize)}) {
    quantize.struct_size = right;
    octavo_model* quantized = nullptr;
    ASSERT_EQ(octavo_model_quantize(model_, &quantize, &quantized), OCTAVO_OK) << octavo_last_error();
    char* text = nullptr;
    ASSERT_EQ(octavo_model_print(quantized, "fused", &text), OCTAVO_OK);
    EXPECT_NE(std::string(text).find(" = Convolution("), std::string::npos) << text;
    octavo_free(text);
    octavo_model_free(quantized);
  }
}

TEST_F(CApi, MessagesAreWholeWhateverTheirLength) {
  octavo_model* none = nullptr;
  const std::string name = "/" + std::string(10'000, 'x') + "/end";
  EXPECT_NE(octavo_model_load(name.c_str(), &none), OCTAVO_OK);
  EXPECT_NE(std::string(octavo_last_error()).find("/end"), std::string::npos);
}

TEST_F(CApi, ReadsPicturesAsTheFileSays) {
  const auto picture = folder_.put("p.png", test::encode_png(test::sample_picture(24, 30, 3)));
  std::vector<float> values(3 * 12 * 12);
  ASSERT_EQ(octavo_model_read_picture(model_, picture.c_str(), values.data(), values.size()), OCTAVO_OK)
      << octavo_last_error();
  EXPECT_GT(std::accumulate(values.begin(), values.end(), 0.0F), 1000.0F);
  EXPECT_EQ(octavo_model_read_picture(model_, picture.c_str(), values.data(), 5), OCTAVO_INVALID_ARGUMENT);
  EXPECT_EQ(octavo_model_read_picture(model_, (folder_ / "none.png").c_str(), values.data(), values.size()), OCTAVO_IO);
}

TEST_F(CApi, EveryFailureIsAStatusWithAMessage) {
  octavo_model* none = nullptr;
  EXPECT_EQ(octavo_model_load("/no/such/file", &none), OCTAVO_IO);
  EXPECT_NE(std::string(octavo_last_error()).find("/no/such/file"), std::string::npos);
  const auto broken = folder_.put("broken.octavo", {0x89, 'O', 'C', 'T', 'A', 'V', 'O', '\n', 1, 2, 3});
  EXPECT_EQ(octavo_model_load(broken.c_str(), &none), OCTAVO_MALFORMED);
  const auto foreign = folder_.put("foreign", {'P', 'K', 3, 4});
  EXPECT_EQ(octavo_model_load(foreign.c_str(), &none), OCTAVO_UNSUPPORTED);
  EXPECT_EQ(none, nullptr);

  octavo_compile_options options{};
  options.isa = "z80";
  octavo_program* program = nullptr;
  EXPECT_EQ(octavo_model_compile(model_, &options, &program), OCTAVO_INVALID_ARGUMENT);
  EXPECT_EQ(program, nullptr);
}

TEST_F(CApi, NullPointersAreFailuresNotCrashes) {
  octavo_model* none = nullptr;
  octavo_program* program = nullptr;
  char* text = nullptr;
  const char* missing[] = {nullptr};
  EXPECT_EQ(octavo_model_load(nullptr, &none), OCTAVO_INVALID_ARGUMENT);
  EXPECT_EQ(octavo_model_load(file_.c_str(), nullptr), OCTAVO_INVALID_ARGUMENT);
  EXPECT_EQ(octavo_model_load_caffe(nullptr, nullptr, &none), OCTAVO_INVALID_ARGUMENT);
  EXPECT_EQ(octavo_model_load_caffe_untrained(nullptr, 0, &none), OCTAVO_INVALID_ARGUMENT);
  EXPECT_EQ(octavo_model_quantize(nullptr, nullptr, &none), OCTAVO_INVALID_ARGUMENT);
  EXPECT_EQ(octavo_model_save(nullptr, "x"), OCTAVO_INVALID_ARGUMENT);
  EXPECT_EQ(octavo_model_save(model_, nullptr), OCTAVO_INVALID_ARGUMENT);
  EXPECT_EQ(octavo_model_compile(nullptr, nullptr, &program), OCTAVO_INVALID_ARGUMENT);
  EXPECT_EQ(octavo_model_print(model_, nullptr, &text), OCTAVO_INVALID_ARGUMENT);
  octavo_compile_options options{};
  options.outputs = missing;
  options.output_count = 1;
  EXPECT_EQ(octavo_model_compile(model_, &options, &program), OCTAVO_INVALID_ARGUMENT);
  EXPECT_EQ(octavo_program_predict(nullptr, nullptr, 0, nullptr, 0), OCTAVO_INVALID_ARGUMENT);
  ASSERT_EQ(octavo_model_compile(model_, nullptr, &program), OCTAVO_OK) << octavo_last_error();
  const float* no_input[] = {nullptr};
  float* no_output[] = {nullptr};
  EXPECT_EQ(octavo_program_predict(program, no_input, 1, no_output, 1), OCTAVO_INVALID_ARGUMENT);
  EXPECT_EQ(octavo_program_predict(program, no_input, 2, no_output, 1), OCTAVO_INVALID_ARGUMENT);
  octavo_program_free(program);
  octavo_program_free(nullptr);
  octavo_model_free(nullptr);
  octavo_free(nullptr);
  EXPECT_EQ(octavo_model_name(nullptr), nullptr);
  EXPECT_EQ(octavo_model_layer_count(nullptr), 0U);
}

TEST_F(CApi, TheLastErrorIsOfItsThread) {
  octavo_model* none = nullptr;
  EXPECT_EQ(octavo_model_load("/here", &none), OCTAVO_IO);
  std::thread([] {
    EXPECT_STREQ(octavo_last_error(), "");
    octavo_model* other = nullptr;
    EXPECT_EQ(octavo_model_load("/there", &other), OCTAVO_IO);
    EXPECT_NE(std::string(octavo_last_error()).find("/there"), std::string::npos);
  }).join();
  EXPECT_NE(std::string(octavo_last_error()).find("/here"), std::string::npos);
}

}  // namespace
}  // namespace octavo

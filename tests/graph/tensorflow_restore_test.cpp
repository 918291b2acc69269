// SPDX-License-Identifier: Apache-2.0
// Variables of SavedModels: by the names of the checkpoint, and by what the file says restores them.
#include "graph/import/tensorflow_restore.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "graph/import/tensorflow.h"
#include "tests/graph/net.h"
#include "tests/graph/tensorflow_saved_models.h"

namespace octavo::graph {
namespace {

using test::op_at;
using test::ops_of;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

const StoredVariable kFirst{"first/.ATTRIBUTES/VARIABLE_VALUE", "Variable", 2, 2, {1, 2, 3, 4}};
const StoredVariable kSecond{"second/.ATTRIBUTES/VARIABLE_VALUE", "Variable", 2, 2, {5, 6, 7, 8}};

auto weights(const Graph& graph, const std::string& node) { return to_float(*op_at<Linear>(graph, node).weights); }

std::string complaint_of(const std::filesystem::path& folder) {
  try {
    (void)import_tensorflow(folder);
    return {};
  } catch (const Error& error) {
    return std::string(error.what()) + error.hint();
  }
}

/// A SavedModel of TensorFlow 2: the signature's function, called with a variable that the checkpoint holds.
TEST(TensorflowRestore, ASavedModelReadsItsVariablesAndCallsItsFunctions) {
  for (const bool snappy : {false, true}) {
    TensorflowSavedModel model({"dense/kernel"});
    model.handle("dense/kernel");
    const Graph graph = import_tensorflow(
        model.save({{"layer/kernel/.ATTRIBUTES/VARIABLE_VALUE", "dense/kernel", 2, 3, {1, 2, 3, 4, 5, 6}}}, snappy));
    EXPECT_EQ(ops_of(graph), "Input Linear Unary Identity");
    EXPECT_THAT(weights(graph, "call/MatMul_0"), ElementsAre(1, 4, 2, 5, 3, 6));
  }
}

/// Variables without names of their own: the graph numbers them in an order that is not that of the checkpoint, where
/// each is called "Variable".
TEST(TensorflowRestore, VariablesWithoutNamesAreThoseThatTheRestoringFunctionAssigns) {
  TensorflowSavedModel model({"Variable_1", "Variable"});
  model.handle("Variable").handle("Variable_1");
  model.restored_by_function({{"Variable_1", kFirst.key}, {"Variable", kSecond.key}});
  const Graph graph = import_tensorflow(model.save({kFirst, kSecond}));
  EXPECT_THAT(weights(graph, "call/MatMul_0"), ElementsAre(1, 3, 2, 4));
  EXPECT_THAT(weights(graph, "call/MatMul_1"), ElementsAre(5, 7, 6, 8));
}

/// An export holds each variable twice, by the same name; what is served has a third.
TEST(TensorflowRestore, OfTwoCopiesTheServedOneIsRead) {
  TensorflowSavedModel model({"dense/kernel_1"});
  model.handle("Variable").handle("dense/kernel_1");
  const StoredVariable own{"variables/0/.ATTRIBUTES/VARIABLE_VALUE", "dense/kernel", 2, 2, {1, 2, 3, 4}};
  const StoredVariable served{"_all_variables/0/.ATTRIBUTES/VARIABLE_VALUE", "dense/kernel", 2, 2, {5, 6, 7, 8}};
  model.restored_by_function({{"Variable", own.key}, {"dense/kernel_1", served.key}});
  EXPECT_THAT(weights(import_tensorflow(model.save({own, served})), "call/MatMul_0"), ElementsAre(5, 7, 6, 8));
}

/// Of several savers in a graph of TensorFlow 1, the one that the file names says where variables are.
TEST(TensorflowRestore, TheSaverOfTheFileIsFollowedAndNoOther) {
  TensorflowSavedModel model({"w", "v"});
  for (const char* name : {"w", "v"}) model.outer().node("VariableV2", {}, name);
  model.restored_by_nodes("warm", {{"w", kSecond.key}, {"v", kFirst.key}});
  model.restored_by_nodes("save", {{"w", kFirst.key}, {"v", kSecond.key}});
  const Graph graph = import_tensorflow(model.save({kFirst, kSecond}));
  EXPECT_THAT(weights(graph, "call/MatMul_0"), ElementsAre(1, 3, 2, 4));
  EXPECT_THAT(weights(graph, "call/MatMul_1"), ElementsAre(5, 7, 6, 8));
}

TEST(TensorflowRestore, ANameOfSeveralVariablesIsAnErrorWhereNothingSaysWhich) {
  TensorflowSavedModel model({"Variable"});
  model.handle("Variable");
  EXPECT_THAT(complaint_of(model.save({kFirst, kSecond})),
              AllOf(HasSubstr("node 'Variable'"), HasSubstr("several variables 'Variable'")));
}

TEST(TensorflowRestore, AVariableThatIsNotThereIsNamed) {
  TensorflowSavedModel model({"w"});
  model.handle("w").restored_by_function({{"w", "thirst/.ATTRIBUTES/VARIABLE_VALUE"}});
  EXPECT_THAT(complaint_of(model.save({kFirst})),
              AllOf(HasSubstr("no variable 'thirst/.ATTRIBUTES/VARIABLE_VALUE'"), HasSubstr(kFirst.key)));
}

TEST(TensorflowRestore, AVariableOfTwoKeysIsAnError) {
  TensorflowSavedModel model({"w"});
  model.handle("w").restored_by_function({{"w", kFirst.key}, {"w", kSecond.key}});
  EXPECT_THAT(complaint_of(model.save({kFirst, kSecond})),
              AllOf(HasSubstr("'w' is restored from"), HasSubstr(kFirst.key), HasSubstr(kSecond.key)));
}

/// Whatever restores nothing that can be told leaves the names of the checkpoint to decide.
TEST(TensorflowRestore, ABrokenRestoringFunctionSaysNothing) {
  const std::vector<std::function<void(TensorflowSavedModel&)>> breaks{
      [](auto& model) { model.function_at(1).mutable_node_def(2)->set_input(0, "RestoreV2:tensors:7"); },
      [](auto& model) { model.function_at(1).mutable_node_def(2)->set_input(0, "Identity_0:output:0"); },
      [](auto& model) { model.function_at(1).mutable_node_def(3)->clear_input(); },
      [](auto& model) { model.function_at(1).mutable_node_def(1)->clear_input(); },
      [](auto& model) { model.function_at(1).mutable_node_def(0)->clear_attr(); },
      [](auto& model) { model.function_at(1).mutable_node_def(0)->set_op("Placeholder"); },
      [](auto& model) { model.set_restore("elsewhere"); },
      [](auto& model) { model.set_restore(""); },
  };
  for (std::size_t i = 0; i < breaks.size(); ++i) {
    TensorflowSavedModel model({"w"});
    model.handle("w").restored_by_function({{"w", kFirst.key}});
    breaks[i](model);
    EXPECT_THAT(complaint_of(model.save({kFirst})), HasSubstr("the checkpoint has no variable 'w'")) << i;
  }
}

}  // namespace
}  // namespace octavo::graph

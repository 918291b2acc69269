// SPDX-License-Identifier: Apache-2.0
// SavedModels for tests: a network that multiplies by variables, what restores them, and the checkpoint.
#pragma once

#include <fmt/core.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/unknown_field_set.h>

#include <array>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/graph/tensorflow_files.h"

namespace octavo::graph {

/// A matrix of a checkpoint.
struct StoredVariable {
  std::string key;
  std::string full_name;  ///< what its object graph calls it
  std::int64_t rows = 0, columns = 0;
  std::vector<float> numbers;
};

class TensorflowSavedModel : public TensorflowFiles {
 public:
  using Restored = std::vector<std::pair<std::string, std::string>>;  ///< variables and their keys

  /// A signature of the function "body": x times each of these variables, each product through Relu.
  explicit TensorflowSavedModel(const std::vector<std::string>& captured) {
    std::vector<std::string> inputs{outer_.input("serving_x", {-1, 2})};
    inputs.insert(inputs.end(), captured.begin(), captured.end());
    tensorflow::FunctionDef& body = function("body");
    body.mutable_signature()->add_input_arg()->set_name("x");
    body.mutable_signature()->add_output_arg()->set_name("result");
    TensorflowModel inner;
    std::string value = "x";
    for (std::size_t i = 0; i < captured.size(); ++i) {
      const std::string number = fmt::format("_{}", i);
      body.mutable_signature()->add_input_arg()->set_name("kernel" + number);
      inner.node("ReadVariableOp", {"kernel" + number}, "Read" + number);
      inner.node("MatMul", {value, "Read" + number + ":value:0"}, "MatMul" + number);
      value = inner.node("Relu", {"MatMul" + number + ":product:0"}, "Relu" + number) + ":activations:0";
    }
    *body.mutable_node_def() = inner.finish().node();
    (*body.mutable_ret())["result"] = value;
    call("call", inputs, "body");
    (*(*meta().mutable_signature_def())["serving_default"].mutable_outputs())["y"].set_name("call:0");
  }

  TensorflowSavedModel& handle(const std::string& name) {
    outer_.writer().node("VarHandleOp", name, {}).set("shared_name", std::string_view(name));
    return *this;
  }

  /// TensorFlow 2's: a call of a function that reads the tensors and assigns them to its arguments.
  TensorflowSavedModel& restored_by_function(const Restored& variables) {
    std::vector<std::string> inputs{outer_.input("saver_filename", {})};
    tensorflow::FunctionDef& restore = function("restore");
    restore.mutable_signature()->add_input_arg()->set_name("file_prefix");
    restore.mutable_signature()->add_output_arg()->set_name("done");
    TensorflowModel inner;
    inner.node("Const", {}, "RestoreV2/tensor_names");
    inner.node("RestoreV2", {"file_prefix", "RestoreV2/tensor_names:output:0"}, "RestoreV2");
    std::vector<std::string> done{"file_prefix"};
    for (std::size_t i = 0; i < variables.size(); ++i) {
      inputs.push_back(variables[i].first);
      restore.mutable_signature()->add_input_arg()->set_name(fmt::format("variable_{}", i));
      inner.node("Identity", {fmt::format("RestoreV2:tensors:{}", i)}, fmt::format("Identity_{}", i));
      const std::string assign = fmt::format("Assign_{}", i);
      inner.node("AssignVariableOp", {fmt::format("variable_{}", i), fmt::format("Identity_{}:output:0", i)}, assign);
      done.push_back("^" + assign);
    }
    inner.node("Identity", done, "Done");
    *restore.mutable_node_def() = inner.finish().node();
    set_names(*restore.mutable_node_def(0), variables);
    (*restore.mutable_ret())["done"] = "Done:output:0";
    call("restoring", inputs, "restore");
    set_restore("restoring");
    return *this;
  }

  /// TensorFlow 1's: nodes of the graph itself. The last of these is the one that the file names.
  TensorflowSavedModel& restored_by_nodes(const std::string& saver, const Restored& variables) {
    outer_.node("Const", {}, saver + "/tensor_names");
    names_.emplace_back(saver + "/tensor_names", variables);
    outer_.node("RestoreV2", {saver + "/tensor_names", saver + "/tensor_names"}, saver + "/RestoreV2");
    std::vector<std::string> done;
    for (std::size_t i = 0; i < variables.size(); ++i) {
      const std::string assign = fmt::format("{}/Assign_{}", saver, i);
      const std::string source = fmt::format("{}/RestoreV2:{}", saver, i);
      outer_.node("Assign", {variables[i].first, source}, assign);
      done.push_back("^" + assign);
    }
    outer_.node("NoOp", done, saver + "/restore_all");
    set_restore(saver + "/restore_all");
    return *this;
  }

  /// The name of what restores variables, in the fields that octavo's schema leaves out; none where it is empty.
  void set_restore(const std::string& node) {
    google::protobuf::UnknownFieldSet& fields = *meta().GetReflection()->MutableUnknownFields(&meta());
    fields.Clear();
    if (!node.empty())
      fields.AddLengthDelimited(3)->assign(static_cast<char>(3 << 3 | 2) + varint_bytes(node.size()) + node);
  }
  TensorflowModel& outer() { return outer_; }
  tensorflow::MetaGraphDef& meta() {
    return saved_.meta_graphs_size() == 0 ? *saved_.add_meta_graphs() : *saved_.mutable_meta_graphs(0);
  }
  tensorflow::FunctionDef& function_at(int index) { return *library_.mutable_function(index); }

  /// The folder, with a checkpoint of these variables.
  [[nodiscard]] std::filesystem::path save(const std::vector<StoredVariable>& variables, bool snappy = false) {
    *meta().mutable_graph_def() = outer_.finish();
    *meta().mutable_graph_def()->mutable_library() = library_;
    for (tensorflow::NodeDef& node : *meta().mutable_graph_def()->mutable_node()) {
      if (const auto callee = calls_.find(node.name()); callee != calls_.end()) {
        (*node.mutable_attr())["f"].mutable_func()->set_name(callee->second);
      }
      for (const auto& [name, restored] : names_) {
        if (node.name() == name) set_names(node, restored);
      }
    }
    const auto folder = write("saved_model.pb", saved_.SerializeAsString()).parent_path();
    std::filesystem::create_directories(folder / "variables");
    tensorflow::BundleHeaderProto header;
    header.set_num_shards(1);
    tensorflow::TrackableObjectGraph objects;
    std::map<std::string, std::string> index{{"", header.SerializeAsString()}};
    std::string data;
    for (const StoredVariable& variable : variables) {
      auto& attribute = *objects.add_nodes()->add_attributes();
      attribute.set_full_name(variable.full_name);
      attribute.set_checkpoint_key(variable.key);
      tensorflow::BundleEntryProto entry;
      entry.set_dtype(tensorflow::DT_FLOAT);
      entry.mutable_shape()->add_dim()->set_size(variable.rows);
      entry.mutable_shape()->add_dim()->set_size(variable.columns);
      entry.set_offset(static_cast<std::int64_t>(data.size()));
      entry.set_size(static_cast<std::int64_t>(sizeof(float) * variable.numbers.size()));
      data.append(reinterpret_cast<const char*>(variable.numbers.data()), sizeof(float) * variable.numbers.size());
      index[variable.key] = entry.SerializeAsString();
    }
    const std::string text = objects.SerializeAsString();
    const std::string tensor = varint_bytes(text.size()) + std::string(4, '\0') + text;
    tensorflow::BundleEntryProto names;
    names.set_dtype(tensorflow::DT_STRING);
    names.set_offset(static_cast<std::int64_t>(data.size()));
    names.set_size(static_cast<std::int64_t>(tensor.size()));
    index["_CHECKPOINTABLE_OBJECT_GRAPH"] = names.SerializeAsString();
    write("variables/variables.data-00000-of-00001", data + tensor);
    write("variables/variables.index", sorted_table({index.begin(), index.end()}, snappy));
    return folder;
  }

 private:
  static std::string varint_bytes(std::uint64_t value) {
    std::array<std::uint8_t, 10> bytes{};
    std::uint8_t* end = google::protobuf::io::CodedOutputStream::WriteVarint64ToArray(value, bytes.data());
    return std::string(bytes.data(), end);
  }
  tensorflow::FunctionDef& function(const std::string& name) {
    tensorflow::FunctionDef& function = *library_.add_function();
    function.mutable_signature()->set_name(name);
    return function;
  }
  void call(const std::string& name, const std::vector<std::string>& inputs, const std::string& callee) {
    outer_.writer().node("StatefulPartitionedCall", name, inputs);
    calls_[name] = callee;
  }
  static void set_names(tensorflow::NodeDef& node, const Restored& variables) {
    tensorflow::TensorProto& tensor = *(*node.mutable_attr())["value"].mutable_tensor();
    tensor.set_dtype(tensorflow::DT_STRING);
    for (const auto& [name, key] : variables) tensor.add_string_val(key);
  }

  TensorflowModel outer_;
  tensorflow::FunctionDefLibrary library_;
  tensorflow::SavedModel saved_;
  std::map<std::string, std::string> calls_;
  std::vector<std::pair<std::string, Restored>> names_;
};

}  // namespace octavo::graph

# SPDX-License-Identifier: Apache-2.0
"""The ONNX files of caffe_to_onnx.py as PyTorch modules, node by node, for PyTorch has no reader of its own."""
import onnx
import torch
from onnx import numpy_helper
from torch.nn import functional


def attributes_of(node):
    return {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}


def max_pool(x, a):
    begin, end = a["pads"][:2], a["pads"][2:]
    # PyTorch rounds sizes up by the same rule as Caffe, from which the padding at the end was computed.
    return functional.max_pool2d(x, a["kernel_shape"], a["strides"], begin, ceil_mode=begin != end)


OPS = {
    "Conv": lambda i, a: functional.conv2d(i[0], i[1], i[2], a["strides"], a["pads"][:2], a["dilations"], a["group"]),
    "Gemm": lambda i, a: functional.linear(*i),
    "Relu": lambda i, a: functional.relu(i[0]),
    "LeakyRelu": lambda i, a: functional.leaky_relu(i[0], a["alpha"]),
    "MaxPool": lambda i, a: max_pool(i[0], a),
    "GlobalAveragePool": lambda i, a: functional.adaptive_avg_pool2d(i[0], 1),
    "LRN": lambda i, a: functional.local_response_norm(i[0], a["size"], a["alpha"], a["beta"], a["bias"]),
    "Concat": lambda i, a: torch.cat(i, a["axis"]),
    "Add": lambda i, a: i[0] + i[1],
    "Flatten": lambda i, a: torch.flatten(i[0], a["axis"]),
}


class Network(torch.nn.Module):
    def __init__(self, file):
        super().__init__()
        graph = onnx.load(file).graph
        self.input, self.output = graph.input[0].name, graph.output[0].name
        self.constants = torch.nn.ParameterList()
        index = {}
        for constant in graph.initializer:
            index[constant.name] = len(self.constants)
            value = torch.from_numpy(numpy_helper.to_array(constant).copy())
            self.constants.append(torch.nn.Parameter(value, requires_grad=False))
        # A value's name, or the number of a constant.
        self.steps = [
            (OPS[node.op_type], [index.get(name, name) for name in node.input], attributes_of(node), node.output[0])
            for node in graph.node
        ]

    def forward(self, x):
        values = {self.input: x}
        for op, sources, attributes, result in self.steps:
            inputs = [self.constants[s] if isinstance(s, int) else values[s] for s in sources]
            values[result] = op(inputs, attributes)
        return values[self.output]

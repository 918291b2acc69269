# SPDX-License-Identifier: Apache-2.0
"""Writes a Caffe network (prototxt and caffemodel) as an ONNX file, for engines that do not read Caffe.

Knows the layers of the networks that `octavo zoo` writes, and says so of any other. BatchNorm and Scale are folded into the
convolution before them, so that no engine starts with work that another was spared.
"""
import dataclasses
import pathlib
import subprocess
import tempfile

import numpy
import onnx
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from onnx import TensorProto, helper, numpy_helper

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / "graph" / "import" / "octavo_caffe.proto"


class Unsupported(Exception):
    """A layer, or an option of one, that this converter does not know."""


def schema_class(name):
    """A message class of octavo's own Caffe schema; protoc reads the schema, so that any protobuf runtime will do."""
    with tempfile.TemporaryDirectory() as folder:
        descriptors = pathlib.Path(folder) / "schema"
        subprocess.run(
            ["protoc", f"--proto_path={SCHEMA.parent}", f"--descriptor_set_out={descriptors}", SCHEMA.name], check=True
        )
        files = descriptor_pb2.FileDescriptorSet.FromString(descriptors.read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"octavo.graph.caffe.{name}"))


def numbers_of(blob):
    """A blob's floats as an array of its shape."""
    shape = list(blob.shape.dim) or [blob.num, blob.channels, blob.height, blob.width]
    count = int(numpy.prod(shape))
    only = type(blob)()
    only.data.MergeFrom(blob.data)
    packed = only.SerializeToString()  # the packed floats are its last bytes; element by element would take minutes
    if len(blob.data) != count:
        raise Unsupported(f"a blob of {len(blob.data)} numbers has the shape {shape}")
    return numpy.frombuffer(packed[len(packed) - 4 * count :], "<f4").reshape(shape).copy()


def pair_of(parameter, name, default):
    """(height, width) of kernel_size, stride or pad, in any of Caffe's spellings."""
    prefix = "kernel" if name == "kernel_size" else name
    if parameter.HasField(f"{prefix}_h") or parameter.HasField(f"{prefix}_w"):
        return getattr(parameter, f"{prefix}_h"), getattr(parameter, f"{prefix}_w")
    value = getattr(parameter, name)
    values = list(value) if hasattr(value, "__len__") else ([value] if parameter.HasField(name) else [])
    if not values:
        return default, default
    return (values[0], values[0]) if len(values) == 1 else (values[0], values[1])


def pooled_size(size, kernel, stride, pad):
    """Caffe's: rounded up, and the last window starts inside the image or the padding before it."""
    out = -(-(size + 2 * pad - kernel) // stride) + 1
    if pad and (out - 1) * stride >= size + pad:
        out -= 1
    return out


@dataclasses.dataclass
class Converted:
    """An ONNX model, and the names that comparing its answers needs."""

    model: onnx.ModelProto
    input_shape: tuple
    logits: str  # the value before the softmax that ends the network; the network's output
    logits_layer: str  # its name in the Caffe network


class Converter:
    def __init__(self, network, weights, batch):
        self.network = network
        self.blobs = {layer.name: [numbers_of(blob) for blob in layer.blobs] for layer in weights.layer}
        self.batch = batch
        self.nodes, self.constants, self.values, self.shapes, self.producers = [], {}, {}, {}, {}
        self.readers = {}

    def convert(self):
        for layer in self.network.layer:
            kind = layer.type.decode()
            rule = getattr(self, "add_" + kind.lower(), None)
            if rule is None:
                raise Unsupported(f"layer {layer.name.decode()!r} has the type {kind}")
            rule(layer)
        return self.finish()

    # -- helpers

    def input_of(self, layer, index=0):
        return self.values[layer.bottom[index]]

    def set_output(self, layer, value, shape):
        """Layers may write over their input: the top's name then means the new value from here on."""
        self.values[layer.top[0]] = value
        self.shapes[value] = tuple(shape)

    def add_node(self, op, layer, inputs, shape, **attributes):
        name = layer.name.decode()
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        for value in inputs:
            self.readers[value] = self.readers.get(value, 0) + 1
        self.producers[name] = self.nodes[-1]
        self.set_output(layer, name, shape)

    def add_constant(self, name, array):
        self.constants[name] = array
        return name

    # -- layers

    def add_input(self, layer):
        shape = tuple(layer.input_param.shape[0].dim)
        shape = (self.batch, *shape[1:])
        name = layer.top[0].decode()
        self.input_name, self.input_shape = name, shape
        self.set_output(layer, name, shape)

    def add_convolution(self, layer):
        parameter, source = layer.convolution_param, self.input_of(layer)
        kernel = pair_of(parameter, "kernel_size", 1)
        stride, pad = pair_of(parameter, "stride", 1), pair_of(parameter, "pad", 0)
        dilation = (list(parameter.dilation) or [1])[0]
        batch, channels, *size = self.shapes[source]
        group = parameter.group
        blobs = self.blobs[layer.name]
        name = layer.name.decode()
        weights = blobs[0].reshape(parameter.num_output, channels // group, *kernel)
        bias = blobs[1].reshape(-1) if parameter.bias_term else numpy.zeros(parameter.num_output, "f4")
        out = [(s + 2 * p - dilation * (k - 1) - 1) // t + 1 for s, p, k, t in zip(size, pad, kernel, stride)]
        self.add_node(
            "Conv",
            layer,
            [source, self.add_constant(name + ".weights", weights), self.add_constant(name + ".bias", bias)],
            (batch, parameter.num_output, *out),
            kernel_shape=kernel,
            strides=stride,
            pads=[*pad, *pad],
            dilations=[dilation, dilation],
            group=group,
        )

    def fold(self, layer, factor, offset):
        """x * factor + offset, a channel at a time, into the convolution that makes x."""
        value = self.input_of(layer)
        node = self.producers.get(value)
        if node is None or node.op_type != "Conv" or self.readers.get(value, 0):
            raise Unsupported(f"layer {layer.name.decode()!r} does not follow a convolution of its own")
        weights, bias = node.input[1], node.input[2]
        self.constants[weights] = (self.constants[weights] * factor[:, None, None, None]).astype("f4")
        self.constants[bias] = (self.constants[bias] * factor + offset).astype("f4")
        self.set_output(layer, value, self.shapes[value])

    def add_batchnorm(self, layer):
        mean, variance, scale = (blob.reshape(-1).astype("f8") for blob in self.blobs[layer.name])
        unit = 1 / scale[0] if scale[0] else 0.0
        factor = 1 / numpy.sqrt(variance * unit + layer.batch_norm_param.eps)
        self.fold(layer, factor, -mean * unit * factor)

    def add_scale(self, layer):
        blobs = [blob.reshape(-1).astype("f8") for blob in self.blobs[layer.name]]
        self.fold(layer, blobs[0], blobs[1] if layer.scale_param.bias_term else numpy.zeros_like(blobs[0]))

    def add_innerproduct(self, layer):
        parameter, source = layer.inner_product_param, self.input_of(layer)
        name, blobs = layer.name.decode(), self.blobs[layer.name]
        batch, *rest = self.shapes[source]
        if len(rest) > 1:
            flat = name + ".flat"
            self.nodes.append(helper.make_node("Flatten", [source], [flat], name=flat, axis=1))
            source = flat
        weights = blobs[0].reshape(parameter.num_output, int(numpy.prod(rest)))
        inputs = [source, self.add_constant(name + ".weights", weights)]
        if parameter.bias_term:
            inputs.append(self.add_constant(name + ".bias", blobs[1].reshape(-1)))
        self.add_node("Gemm", layer, inputs, (batch, parameter.num_output), transB=1)

    def add_relu(self, layer):
        source = self.input_of(layer)
        if layer.relu_param.negative_slope:
            self.add_node("LeakyRelu", layer, [source], self.shapes[source], alpha=layer.relu_param.negative_slope)
        else:
            self.add_node("Relu", layer, [source], self.shapes[source])

    def add_pooling(self, layer):
        parameter, source = layer.pooling_param, self.input_of(layer)
        batch, channels, *size = self.shapes[source]
        kernel = tuple(size) if parameter.global_pooling else pair_of(parameter, "kernel_size", 1)
        stride, pad = pair_of(parameter, "stride", 1), pair_of(parameter, "pad", 0)
        out = [pooled_size(*each) for each in zip(size, kernel, stride, pad)]
        largest = parameter.pool == 0
        if not largest:
            if pad != (0, 0) or kernel != tuple(size):
                raise Unsupported(f"layer {layer.name.decode()!r} averages less than the whole map")
            return self.add_node("GlobalAveragePool", layer, [source], (batch, channels, 1, 1))
        end = [(o - 1) * t + k - s - p for o, t, k, s, p in zip(out, stride, kernel, size, pad)]
        return self.add_node(
            "MaxPool",
            layer,
            [source],
            (batch, channels, *out),
            kernel_shape=kernel,
            strides=stride,
            pads=[*pad, *(max(e, 0) for e in end)],
        )

    def add_lrn(self, layer):
        parameter, source = layer.lrn_param, self.input_of(layer)
        if parameter.norm_region != 0:
            raise Unsupported(f"layer {layer.name.decode()!r} normalizes within channels")
        self.add_node(
            "LRN",
            layer,
            [source],
            self.shapes[source],
            alpha=parameter.alpha,
            beta=parameter.beta,
            bias=parameter.k,
            size=parameter.local_size,
        )

    def add_concat(self, layer):
        sources = [self.values[bottom] for bottom in layer.bottom]
        axis = layer.concat_param.axis
        shape = list(self.shapes[sources[0]])
        shape[axis] = sum(self.shapes[source][axis] for source in sources)
        self.add_node("Concat", layer, sources, shape, axis=axis)

    def add_eltwise(self, layer):
        if layer.eltwise_param.operation != 1 or len(layer.bottom) != 2 or layer.eltwise_param.coeff:
            raise Unsupported(f"layer {layer.name.decode()!r} is not the sum of two values")
        sources = [self.values[bottom] for bottom in layer.bottom]
        self.add_node("Add", layer, sources, self.shapes[sources[0]])

    def add_dropout(self, layer):
        source = self.input_of(layer)
        self.set_output(layer, source, self.shapes[source])

    add_split = add_dropout  # octavo writes what does nothing as a Split of one

    def add_softmax(self, layer):
        source = self.input_of(layer)
        self.logits, self.logits_layer = source, layer.bottom[0].decode()
        self.add_node("Softmax", layer, [source], self.shapes[source], axis=1)

    # -- the whole

    def finish(self):
        last = self.nodes[-1]
        if last.op_type != "Softmax":
            raise Unsupported("the network does not end in a softmax")
        # The softmax is left out: what precedes it tells engines apart, and costs what it costs everywhere.
        self.nodes.pop()
        graph = helper.make_graph(
            self.nodes,
            self.network.name.decode() or "network",
            [helper.make_tensor_value_info(self.input_name, TensorProto.FLOAT, self.input_shape)],
            [helper.make_tensor_value_info(self.logits, TensorProto.FLOAT, self.shapes[self.logits])],
            [numpy_helper.from_array(array, name) for name, array in self.constants.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
        onnx.checker.check_model(model)
        return Converted(model, self.input_shape, self.logits, self.logits_layer)


def convert(prototxt, caffemodel, batch=1):
    """Reads both files. Raises Unsupported."""
    net = schema_class("NetParameter")
    network = text_format.Parse(pathlib.Path(prototxt).read_text(), net())
    weights = net.FromString(pathlib.Path(caffemodel).read_bytes())
    return Converter(network, weights, batch).convert()

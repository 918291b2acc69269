# SPDX-License-Identifier: Apache-2.0
"""Writes a network as Caffe files: deploy.prototxt (text) and a caffemodel (protobuf) from one description.

A message is a list of (field, value); a value is a number, a string, an Enum, a list of these (a repeated field), a
Message, or an array of float32. Only what a small classifier needs of caffe.proto is known here.
"""

import struct

import numpy as np


class Enum(str):
    """An enumerator: its name in text, its number in the binary file."""


class Message(list):
    def __init__(self, kind, *fields):
        super().__init__(fields)
        self.kind = kind


# Field numbers of caffe.proto.
_NUMBERS = {
    "NetParameter": {"name": 1, "layer": 100},
    "LayerParameter": {"name": 1, "type": 2, "bottom": 3, "top": 4, "blobs": 7, "convolution_param": 106,
                       "dropout_param": 108, "inner_product_param": 117, "pooling_param": 121, "batch_norm_param": 139,
                       "scale_param": 142, "input_param": 143},
    "BlobProto": {"data": 5, "shape": 7},
    "BlobShape": {"dim": 1},
    "InputParameter": {"shape": 1},
    "ConvolutionParameter": {"num_output": 1, "bias_term": 2, "pad": 3, "kernel_size": 4},
    "InnerProductParameter": {"num_output": 1, "bias_term": 2},
    "PoolingParameter": {"pool": 1, "kernel_size": 2, "stride": 3},
    "DropoutParameter": {"dropout_ratio": 1},
    "BatchNormParameter": {"use_global_stats": 1},
    "ScaleParameter": {"bias_term": 4},
}
_ENUMERATORS = {"MAX": 0, "AVE": 1}


def text(message, indent=""):
    """The prototxt; arrays (weights) are left out."""
    lines = []
    for field, value in message:
        for item in value if type(value) is list else [value]:
            if isinstance(item, Message):
                if any(isinstance(v, np.ndarray) for _, v in item):
                    continue
                lines.append(f"{indent}{field} {{\n{text(item, indent + '  ')}{indent}}}\n")
            elif isinstance(item, bool):
                lines.append(f"{indent}{field}: {str(item).lower()}\n")
            elif isinstance(item, str) and not isinstance(item, Enum):
                lines.append(f'{indent}{field}: "{item}"\n')
            else:
                lines.append(f"{indent}{field}: {item}\n")
    return "".join(lines)


def _varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def _bytes_field(number, data):
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def binary(message):
    """The protobuf wire format."""
    out = b""
    for field, value in message:
        number = _NUMBERS[message.kind][field]
        for item in value if type(value) is list else [value]:
            if isinstance(item, Message):
                out += _bytes_field(number, binary(item))
            elif isinstance(item, np.ndarray):
                out += _bytes_field(number, item.astype("<f4").tobytes())
            elif isinstance(item, Enum):
                out += _varint(number << 3) + _varint(_ENUMERATORS[item])
            elif isinstance(item, str):
                out += _bytes_field(number, item.encode())
            elif isinstance(item, float):
                out += _varint(number << 3 | 5) + struct.pack("<f", item)
            else:
                out += _varint(number << 3) + _varint(int(item))
    return out


def blob(values):
    return Message("BlobProto", ("shape", Message("BlobShape", ("dim", [int(d) for d in values.shape]))),
                   ("data", np.ascontiguousarray(values)))


def layer(name, kind, bottom, top, params=(), blobs=()):
    """`params`: at most one (field, message). In place when bottom == top."""
    fields = [("name", name), ("type", kind)]
    fields += [("bottom", bottom)] if bottom else []
    fields += [("top", top), *params]
    fields += [("blobs", blob(values)) for values in blobs]
    return Message("LayerParameter", *fields)

# SPDX-License-Identifier: Apache-2.0
"""Writes the backend node tests of the installed `onnx` package as a folder for octavo_onnx_backend.

    onnx_node_tests.py FOLDER

Releases up to 1.19 carry that folder themselves; later ones compute it. Tests of sequences, maps and optional values are
left out, as their data are no tensors; how many is said."""
import pathlib
import sys

import numpy
import onnx
from onnx.backend.test.case import node as node_tests


def message_of(value, name):
    return value if isinstance(value, onnx.TensorProto) else onnx.numpy_helper.from_array(numpy.asarray(value), name)


def files_of(case):
    """Names of files and their bytes."""
    files = {"model.onnx": case.model.SerializeToString()}
    for number, (inputs, outputs) in enumerate(case.data_sets):
        for kind, values, infos in (("input", inputs, case.model.graph.input), ("output", outputs, case.model.graph.output)):
            for i, (value, info) in enumerate(zip(values, infos)):
                name = f"test_data_set_{number}/{kind}_{i}.pb"
                files[name] = message_of(value, info.name).SerializeToString()
    return files


def main(folder):
    written = left_out = 0
    for case in node_tests.collect_testcases(None):
        infos = [*case.model.graph.input, *case.model.graph.output]
        if not all(info.type.HasField("tensor_type") for info in infos):
            left_out += 1
            continue
        for name, content in files_of(case).items():
            file = pathlib.Path(folder, case.name, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        written += 1
    print(f"onnx {onnx.__version__}: {written} tests, {left_out} left out")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])

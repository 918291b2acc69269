# SPDX-License-Identifier: Apache-2.0
"""What octavo writes as ONNX, run in ONNX Runtime on the same pictures of noise: a row a network. A
softmax at the end is left out.

    onnx_exports.py OCTAVO FILE...        files that `octavo convert` reads by themselves (.octavo, .onnx, ...)

Columns: of the fp32 file, the largest difference from octavo's fp32 answers; of the file with 8-bit weights, that from
octavo's fp32 answers of the network with those weights; how far the same file, and octavo's own int8 answers (which
round activations, too), are from the fp32 ones. Differences are shares of the range of octavo's fp32 answers; the last
three columns add the signal-to-noise ratio, in dB."""
import pathlib
import subprocess
import sys
import tempfile

import numpy
import onnx
import onnxruntime
from agreement import decibels, write_pictures

MEAN = 128
PICTURES = 2


def without_softmax(model):
    """The same model without a softmax at its end, which hides differences."""
    output = model.graph.output[0]
    for node in [each for each in model.graph.node if each.op_type == "Softmax" and each.output[0] == output.name]:
        output.name = node.input[0]
        model.graph.node.remove(node)
    return model


def with_plain_weights(model):
    """The same model with the fp32 numbers that its 8-bit weights stand for."""
    stored = {each.name: each for each in model.graph.initializer}
    for node in [each for each in model.graph.node if each.op_type == "DequantizeLinear"]:
        numbers, scales = (onnx.numpy_helper.to_array(stored[name]) for name in node.input[:2])
        given = {each.name: each.i for each in node.attribute}
        axis, block = given.get("axis", 1), given.get("block_size", 0)
        if block:
            scales = numpy.repeat(scales, block, axis=axis).take(range(numbers.shape[axis]), axis=axis)
        elif scales.ndim:
            scales = scales.reshape([-1 if d == axis else 1 for d in range(numbers.ndim)])
        plain = onnx.numpy_helper.from_array((numbers * scales).astype("f4"), node.output[0])
        model.graph.initializer.append(plain)
        model.graph.node.remove(node)
    return model


class Network:
    """One file, and what becomes of it in a folder."""

    def __init__(self, command, file, folder):
        self.command, self.folder = command, folder
        self.real, self.rounded = folder / "real.onnx", folder / "rounded.onnx"
        self.octavo("convert", file, "-o", self.real)
        self.octavo("convert", "--quantize", file, "-o", self.rounded)
        for written in (self.real, self.rounded):
            onnx.save(without_softmax(onnx.load(str(written))), str(written))
        self.plain = folder / "plain.onnx"
        onnx.save(with_plain_weights(onnx.load(str(self.rounded))), str(self.plain))
        session = self.session(self.real)
        self.input = session.get_inputs()[0].name
        self.output = session.get_outputs()[0].name
        shape = [each if isinstance(each, int) else 1 for each in session.get_inputs()[0].shape]
        self.gray = shape[1] == 1
        self.batch = shape[0]
        whole = numpy.random.default_rng(1).integers(0, 256, [PICTURES, *shape[1:]])
        self.pictures = whole.astype("f4") - MEAN
        write_pictures(self.pictures, folder / "pictures", MEAN)

    def octavo(self, *arguments):
        done = subprocess.run([self.command, *map(str, arguments)], capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(" ".join((done.stderr or done.stdout).split()))

    @staticmethod
    def session(file):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])

    def answers(self, file, *more):
        """Octavo's."""
        to = self.folder / "answers.npy"
        colours = ["--channel-order", "gray"] if self.gray else []
        self.octavo("predict", file, self.folder / "pictures", "--mean", MEAN, "--scale", 1, *colours, *more,
                    "--layer", self.output, "--threads", 1, "-o", to)
        return numpy.load(to)

    def answers_there(self, file):
        """ONNX Runtime's."""
        session = self.session(file)
        answers = []
        for x in self.pictures:
            (all_alike,) = session.run([self.output], {self.input: numpy.repeat(x[None], self.batch, axis=0)})
            answers.append(all_alike[: len(all_alike) // self.batch])
        return numpy.concatenate(answers)


def row_of(network):
    real = network.answers(network.real)
    scale = float(real.max() - real.min())

    def share(answers, reference):
        return f"{float(numpy.abs(answers.reshape(-1) - reference.reshape(-1)).max()) / scale:.1e}"

    def share_and_decibels(answers, reference):
        return f"{share(answers, reference)}, {decibels(answers, reference):.0f} dB"

    there = network.answers_there(network.rounded)
    int8 = network.answers(network.real, "--quantize")
    return [
        share(network.answers_there(network.real), real),
        share(there, network.answers(network.plain)),
        share_and_decibels(there, real),
        share_and_decibels(int8, real),
        share_and_decibels(there, int8),
    ]


def main(command, files):
    failed = False
    print("| network | fp32 file | 8-bit file | 8-bit file from fp32 | octavo's int8 from fp32 | 8-bit file from octavo's int8 |")
    print("|---|---|---|---|---|---|")
    for file in map(pathlib.Path, files):
        with tempfile.TemporaryDirectory() as folder:
            try:
                cells = row_of(Network(command, file, pathlib.Path(folder)))
            except Exception as error:  # the others still want their rows
                cells = [f"failed: {error}"]
                failed = True
        print("| " + " | ".join([file.stem, *cells]) + " |", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))

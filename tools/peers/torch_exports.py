# SPDX-License-Identifier: Apache-2.0
"""What octavo writes as Torch7, read by the package torchfile and computed by NumPy, beside the recorded answers of
other frameworks on the same networks: a row a network.

    torch_exports.py OCTAVO LIST DATA [FILE...]

LIST is tests/third_party.json; with FILEs, only the networks whose path has one of them in it. The last column is the
largest difference, as a share of the outputs' range."""
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
import torch_in_numpy
from third_party import input_of


def converted(octavo, network, data, to):
    command = [octavo, "convert", data / network["file"], "-o", to]
    for option in ("prototxt", "weights"):
        if option in network:
            command += [f"--{option}", data / network[option]]
    if network["file"].endswith(".pb"):
        command += ["--tf-inputs", ",".join(network["inputs"]), "--tf-outputs", ",".join(network["outputs"])]
    if network["file"].split("/")[0] != "caffe":
        for name, shape in network["inputs"].items():
            command += ["--input-shape", f"{name}=" + "x".join(map(str, shape))]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(" ".join(done.stderr.split()))


def difference(output, answer):
    flat = output.reshape(-1)
    recorded = numpy.array(answer["numbers"])
    if len(flat) != answer["count"]:
        return numpy.inf
    some = flat[numpy.arange(len(recorded)) * len(flat) // len(recorded)]
    return float(numpy.abs(some - recorded).max()) / answer["range"]


def without_softmax(module, last):
    """The logits of a classifier are what was recorded."""
    if torch_in_numpy.kind_of(module) == "Sequential":
        end = torch_in_numpy.field(module, "modules")[-1]
        if torch_in_numpy.kind_of(end) == "SoftMax" and torch_in_numpy.field(end, "name").decode() != last:
            torch_in_numpy.field(module, "modules").pop()
    return module


def main():
    octavo, networks, data = sys.argv[1], json.loads(pathlib.Path(sys.argv[2]).read_text()), pathlib.Path(sys.argv[3])
    print("| file | written as | largest difference |\n|---|---|---|")
    for network in networks:
        if len(sys.argv) > 4 and not any(each in network["file"] for each in sys.argv[4:]):
            continue
        if "untrained" in network or "until" in network:
            continue
        try:
            with tempfile.TemporaryDirectory() as folder:
                file = pathlib.Path(folder, "net.t7")
                converted(octavo, network, data, file)
                module = without_softmax(torch_in_numpy.load(file), network["outputs"][-1])
                inputs = [input_of(shape, i).astype("f8") for i, shape in enumerate(network["inputs"].values())]
                if network["file"].endswith(".pb") and inputs[0].ndim == 4:  # octavo has channels first
                    inputs = [each.transpose(0, 3, 1, 2) for each in inputs]
                outputs = torch_in_numpy.run(module, inputs[0] if len(inputs) == 1 else inputs)
            outputs = outputs if isinstance(outputs, list) else [outputs]
            # The file ends with the network's outputs, which are the last that were recorded.
            pairs = list(zip(reversed(outputs), reversed(network["answers"])))
            worst = max(difference(*each) for each in pairs)
            print(f"| `{network['file']}` | {torch_in_numpy.kind_of(module)} | {worst:.1e} |", flush=True)
        except (RuntimeError, NotImplementedError) as error:
            print(f"| `{network['file']}` | {error} | |", flush=True)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""Records what other frameworks compute of networks that others trained, for octavo_third_party to compare with.

    third_party.py LIST DATA [--octavo-third-party PROGRAM] [--bigdl CLASSPATH] [FILE...]

LIST is tests/third_party.json; of its networks, those whose framework can be imported here (OpenCV, TensorFlow, ONNX
Runtime, torchfile) and, with --bigdl, those of BigDL get new answers; with FILEs, only those whose path has one of them
in it. Networks without weights need --octavo-third-party, which writes the weights that octavo gives them. BigDL is
Java: BigdlAnswers.java, beside this file, runs with its jar and Spark's in the class path."""
import argparse
import json
import pathlib
import subprocess
import tempfile

import numpy

RECORDED = 32


def input_of(shape, which):
    """The n-th input of a network: numbers between -1 and 1, those of octavo_third_party."""
    index = numpy.arange(numpy.prod(shape), dtype=numpy.int64)
    return (((index * 7919 + which * 131) % 1000).astype("f4") / numpy.float32(500) - numpy.float32(1)).reshape(shape)


def inputs_of(network):
    return {name: input_of(shape, i) for i, (name, shape) in enumerate(network["inputs"].items())}


def with_weights(network, data, folder, options):
    """The topology of a network without weights as octavo writes it, and the weights that octavo gives it."""
    files = [pathlib.Path(folder, name) for name in ("seeded.prototxt", "seeded.caffemodel")]
    subprocess.run([options.octavo_third_party, "--weights", data / network["file"], *files], check=True)
    return files


def read_caffe_in_opencv(cv2, network, data, options):
    with tempfile.TemporaryDirectory() as folder:
        prototxt, weights = (data / network[each] if each in network else None for each in ("prototxt", "file"))
        if network.get("untrained"):
            prototxt, weights = data / network["file"], with_weights(network, data, folder, options)[1]
        text = prototxt.read_text()
        if "until" in network:
            text = text[: text.rindex("layer {", 0, text.index(f'"{network["until"]}"'))]
        for batch in ("input_dim: 10\n", "dim: 10\n"):
            text = text.replace(batch, batch.replace("10", "1"))
        cut = pathlib.Path(folder, "net.prototxt")
        cut.write_text(text)
        return cv2.dnn.readNetFromCaffe(str(cut), str(weights))


def opencv(network, data, options):
    import cv2

    inputs = inputs_of(network)
    if network["file"].endswith(".pb"):
        net = cv2.dnn.readNetFromTensorflow(*(str(data / network[each]) for each in ("file", "pbtxt")))
        inputs = {name: each.transpose(0, 3, 1, 2) for name, each in inputs.items()}
    else:
        net = read_caffe_in_opencv(cv2, network, data, options)
    for name, numbers in inputs.items():
        net.setInput(numbers, name)
    known = net.getLayerNames()  # layers, not what they make
    answers = [net.forward(*[name for name in [each] if name in known]) for each in network["outputs"]]
    return f"OpenCV {cv2.__version__} dnn", answers


def caffe_to_onnx(network, data, options):
    """For what OpenCV computes otherwise than Caffe: an LRN with k."""
    import onnxruntime
    from caffe_to_onnx import convert

    with tempfile.TemporaryDirectory() as folder:
        model = convert(*with_weights(network, data, folder, options)).model
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    name = f"ONNX Runtime {onnxruntime.__version__}, by caffe_to_onnx.py"
    return name, session.run(None, inputs_of(network))


def tensorflow(network, data, _):
    import tensorflow

    graph = tensorflow.compat.v1.GraphDef.FromString((data / network["file"]).read_bytes())
    with tensorflow.Graph().as_default() as built:
        tensorflow.compat.v1.import_graph_def(graph, name="")
        with tensorflow.compat.v1.Session(graph=built) as session:
            fed = {f"{name}:0": numbers for name, numbers in inputs_of(network).items()}
            answers = session.run([f"{name}:0" for name in network["outputs"]], fed)
    return f"TensorFlow {tensorflow.__version__}", answers


def onnxruntime(network, data, _):
    import onnxruntime

    session = onnxruntime.InferenceSession(str(data / network["file"]), providers=["CPUExecutionProvider"])
    return f"ONNX Runtime {onnxruntime.__version__}", session.run(network["outputs"], inputs_of(network))


def torchfile(network, data, _):
    import torch_in_numpy

    inputs = [each.astype("f8") for each in inputs_of(network).values()]
    module = torch_in_numpy.load(data / network["file"])
    return "torchfile and NumPy", [torch_in_numpy.run(module, inputs[0] if len(inputs) == 1 else inputs)]


def bigdl(network, data, options):
    if not options.bigdl:
        raise ImportError("--bigdl")
    (shape,) = network["inputs"].values()
    source = pathlib.Path(__file__).with_name("BigdlAnswers.java")
    weights = str(data / network["weights"]) if "weights" in network else "-"
    with tempfile.TemporaryDirectory() as folder:
        answers = pathlib.Path(folder, "answers.txt")
        file = data / network["file"]
        dims = "x".join(map(str, shape))
        subprocess.run(["java", "-cp", options.bigdl, source, file, weights, dims, answers], check=True)
        return "BigDL 0.8.0", [numpy.loadtxt(answers)]


def record(numbers):
    flat = numpy.asarray(numbers, "f8").reshape(-1)
    kept = min(RECORDED, len(flat))
    some = [float(f"{flat[i * len(flat) // kept]:.9g}") for i in range(kept)]
    return {"count": len(flat), "range": float(f"{flat.max() - flat.min():.9g}"), "numbers": some}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("list", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("files", nargs="*")
    parser.add_argument("--octavo-third-party", metavar="PROGRAM")
    parser.add_argument("--bigdl", metavar="CLASSPATH")
    options = parser.parse_intermixed_args()
    networks = json.loads(options.list.read_text())
    for network in networks:
        if options.files and not any(each in network["file"] for each in options.files):
            continue
        if network.get("untrained") and not options.octavo_third_party:
            continue
        try:
            network["answered_by"], answers = globals()[network["framework"]](network, options.data, options)
        except ImportError as missing:
            print(f"{network['file']}: left as it was, no {missing.name or missing}")
            continue
        network["answers"] = [record(each) for each in answers]
        print(f"{network['file']}: {network['answered_by']}")
    lines = ",\n".join(json.dumps(each) for each in networks)
    options.list.write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()

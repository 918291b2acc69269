# SPDX-License-Identifier: Apache-2.0
"""Times a network on octavo and on its peers, in turn, after checking that all compute the same. See README.md."""
import argparse
import contextlib
import json
import os
import pathlib
import sys
import time

import numpy
import onnx

import agreement
import results
from caffe_to_onnx import Unsupported, convert
from contenders import LeftOut, Octavo, Worker
from engines import ENGINES, pixels_like

ROOT = pathlib.Path(__file__).resolve().parents[2]
CALIBRATION_INPUTS = 16
PAUSE_SECONDS = 0.05  # threads that wait by spinning stop by then


def parse():
    parser = argparse.ArgumentParser(prog="tools/peers/compare", description=__doc__)
    parser.add_argument("network", help="a network of `octavo zoo`, or a .prototxt")
    parser.add_argument("--weights", help="the .caffemodel of a .prototxt")
    parser.add_argument("--batch", default="1", help="pictures a run; several: 1,8 (default: %(default)s)")
    parser.add_argument("--threads", default="1", help="cores; several: 1,all (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=10, help="default: %(default)s")
    parser.add_argument("--runs", type=int, default=5, help="of each engine in a round (default: %(default)s)")
    parser.add_argument("--engines", help=f"some of {', '.join(ENGINES)} (default: all)")
    parser.add_argument("--calibration", help="a .npy of inputs [count][C][H][W] for engines that calibrate")
    parser.add_argument("--octavo", help="the command (default: build/release's or build/demo's)")
    parser.add_argument("--output", help="PREFIX of PREFIX.json, .md and .html (default: build/peers/NETWORK)")
    options = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    try:
        options.batch = [int(b) for b in options.batch.split(",")]
        options.threads = [cores if t == "all" else int(t) for t in options.threads.split(",")]
    except ValueError as problem:
        parser.error(f"--batch and --threads take numbers: {problem}")
    for wrong in [t for t in options.threads if not 1 <= t <= cores] + [b for b in options.batch if b < 1]:
        parser.error(f"{wrong}: a batch is at least 1, and this process may use {cores} cores")
    options.engines = options.engines.split(",") if options.engines else list(ENGINES)
    for unknown in set(options.engines) - set(ENGINES):
        parser.error(f"there is no engine '{unknown}'")
    if options.rounds < 1 or options.runs < 1:
        parser.error("rounds and runs are at least 1")
    return options


def find_octavo(wish):
    places = [wish] if wish else [ROOT / "build" / preset / "tools/octavo/octavo" for preset in ("release", "demo")]
    for place in places:
        if place and pathlib.Path(place).is_file():
            return pathlib.Path(place).resolve()
    raise SystemExit(f"compare: there is no {places[0]}; tools/demo builds octavo, --octavo names another one")


def cpu_name():
    with contextlib.suppress(OSError):
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(": ", 1)[1]
    return "unknown CPU"


def say(text):
    print(f"compare: {text}", file=sys.stderr, flush=True)


class Network:
    """The network's files in all forms: Caffe, .octavo, and ONNX for each batch."""

    def __init__(self, options, octavo, folder):
        self.folder = folder
        given = options.network.endswith(".prototxt")
        self.name = pathlib.Path(options.network).stem if given else options.network
        if given:
            self.prototxt, self.weights = pathlib.Path(options.network), pathlib.Path(options.weights or "")
        else:
            self.prototxt, self.weights = (folder / f"{self.name}.{end}" for end in ("prototxt", "caffemodel"))
            octavo.run("zoo", self.name, "--output", folder)
        self.quantized = folder / f"{self.name}.octavo"
        octavo.run("convert", "--quantize", "--prototxt", self.prototxt, self.weights, "--mean", 128, "-o", self.quantized)

    def onnx(self, batch):
        say(f"writing {self.name} for batch {batch} as ONNX")
        converted = convert(self.prototxt, self.weights, batch)
        file = self.folder / f"{self.name}.batch{batch}.onnx"
        onnx.save(converted.model, file)
        return file, converted

    def answers(self, octavo, pictures, layer, quantized):
        """octavo's own, of fp32 or 8 bits, a row a picture."""
        out = self.folder / "answers.npy"
        model = [self.quantized] if quantized else ["--prototxt", self.prototxt, self.weights, "--mean", 128]
        octavo.run("predict", *model, pictures, "--layer", layer, "-o", out)
        return numpy.load(out)


def start_workers(options, setting, model, calibration, reference, folder):
    """Those that can be had and whose answers are right; why the others are left out goes into `setting`."""
    settings = folder / "settings.json"
    cpus = sorted(os.sched_getaffinity(0))[: setting["threads"]]
    shared = {"cpus": cpus, "threads": setting["threads"], "folder": str(folder), "calibration": str(calibration)}
    settings.write_text(json.dumps(shared))
    workers = []
    for name in options.engines:
        say(f"{results.title_of(setting)}: preparing {name}")
        try:
            worker = Worker(name, model, settings, folder / f"{name}.log")
        except LeftOut as problem:
            setting["left_out"][name] = str(problem)
            continue
        out = folder / "answers.npy"
        try:
            worker.ask("check", folder / "check.npy", out)
        except LeftOut as problem:
            setting["left_out"][name] = str(problem)
            continue
        said, problem = agreement.judge(numpy.load(out), reference, ENGINES[name].quantized)
        if problem:
            setting["left_out"][name] = problem
            worker.close()
            continue
        setting["contenders"][name] = {"quantized": ENGINES[name].quantized, "note": worker.note, **said}
        workers.append(worker)
    return workers


def measure(options, setting, octavo, network, workers):
    times = {}
    for number in range(options.rounds):
        say(f"{results.title_of(setting)}: round {number + 1} of {options.rounds}")
        turns = [lambda: octavo.round(network.quantized, setting["batch"], options.runs)]
        turns += [lambda worker=worker: worker.round(options.runs) for worker in workers]
        first = number % len(turns)  # so that nobody always follows the same one
        for turn in turns[first:] + turns[:first]:
            time.sleep(PAUSE_SECONDS)
            for name, milliseconds in turn().items():
                times.setdefault(name, []).append(milliseconds)
    for name, milliseconds in times.items():
        setting["contenders"][name].update(results.summary(milliseconds))


def compare(options, command, network, batch, threads, versions):
    octavo = Octavo(command, sorted(os.sched_getaffinity(0))[:threads])
    setting = {"network": network.name, "batch": batch, "threads": threads, "contenders": {}, "left_out": {}}
    model, converted = network.onnx(batch)
    folder = network.folder
    shape = converted.input_shape
    inputs = numpy.stack([pixels_like(shape, 1000 + i) for i in range(2)])
    numpy.save(folder / "check.npy", inputs)
    pictures = folder / f"pictures.batch{batch}"
    agreement.write_pictures(inputs.reshape(-1, *shape[1:]), pictures)
    reference = network.answers(octavo, pictures, converted.logits_layer, False)
    quantized = network.answers(octavo, pictures, converted.logits_layer, True)
    setting["contenders"]["octavo-int8"] = {
        "quantized": True,
        "note": "no calibration",
        "db": agreement.decibels(quantized, reference),
    }
    setting["contenders"]["onednn-fp32"] = {"quantized": False, "note": "octavo's own fp32 form of the network"}
    calibration = folder / "calibration.npy"
    numpy.save(calibration, calibration_inputs(options.calibration, shape))
    workers = start_workers(options, setting, model, calibration, reference, folder)
    try:
        refuse_if_none_agrees(options, setting)
        for worker in workers:
            versions.update(worker.versions)
        measure(options, setting, octavo, network, workers)
    finally:
        for worker in workers:
            worker.close()
    return setting


def calibration_inputs(file, shape):
    """[count][batch][C][H][W]: the given ones, or noise."""
    if not file:
        return numpy.stack([pixels_like(shape, seed) for seed in range(CALIBRATION_INPUTS)])
    given = numpy.load(file).astype("f4")
    count = len(given) // shape[0]
    if given.shape[1:] != tuple(shape[1:]) or count == 0:
        raise SystemExit(f"compare: {file} holds {given.shape}, wanted are at least {shape[0]} of {tuple(shape[1:])}")
    return given[: count * shape[0]].reshape(count, *shape)


def refuse_if_none_agrees(options, setting):
    """Engines that all call the fp32 network another one mean that the ONNX file is another network."""
    asked = [name for name in options.engines if not ENGINES[name].quantized]
    checked = [name for name in asked if "differ" in setting["left_out"].get(name, "") or name in setting["contenders"]]
    if checked and not any(name in setting["contenders"] for name in checked):
        raise SystemExit(f"compare: the ONNX file is not the network: {setting['left_out'][checked[0]]}")


def main():
    options = parse()
    command = find_octavo(options.octavo)
    everywhere = Octavo(command, sorted(os.sched_getaffinity(0)))
    name = pathlib.Path(options.network).stem
    folder = ROOT / "build" / "peers" / "work" / name
    folder.mkdir(parents=True, exist_ok=True)
    versions = {"octavo": everywhere.run("--version").split()[-1]}
    try:
        network = Network(options, everywhere, folder)
        settings = [
            compare(options, command, network, batch, threads, versions)
            for batch in options.batch
            for threads in options.threads
        ]
    except (LeftOut, Unsupported) as problem:
        raise SystemExit(f"compare: {problem}") from problem
    found = {
        "cpu": cpu_name(),
        "versions": versions,
        "rounds": options.rounds,
        "runs": options.runs,
        "settings": settings,
    }
    prefix = options.output or str(ROOT / "build" / "peers" / name)
    pathlib.Path(prefix + ".json").write_text(json.dumps(found, indent=1) + "\n")
    pathlib.Path(prefix + ".html").write_text(results.page(found))
    table = results.markdown(found)
    pathlib.Path(prefix + ".md").write_text(table)
    print(table)
    say(f"written: {prefix}.json, .md and .html")


if __name__ == "__main__":
    main()

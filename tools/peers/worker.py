# SPDX-License-Identifier: Apache-2.0
"""One engine in a process of its own, so that no engine's waiting threads take time from another.

Usage: worker.py ENGINE MODEL.onnx SETTINGS.json. Then a line of JSON an answer, on stdout:
at the start {"versions", "note"} or {"error"}; and for each line on stdin
  check FILE OUT   runs the inputs of FILE.npy one after the other, writes the answers to OUT.npy: {"answers": count}
  time N           one run that does not count, then N that do: {"ms": [N numbers]}
"""
import json
import os
import pathlib
import sys

import numpy


def limit_to(cpus):
    """Before any engine starts its threads. Some ask the environment, some the affinity."""
    os.sched_setaffinity(0, cpus)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(len(cpus))


def answer(stream, content):
    print(json.dumps(content), file=stream, flush=True)


def main():
    name, model, settings_file = sys.argv[1:]
    settings = json.loads(pathlib.Path(settings_file).read_text())
    limit_to(settings["cpus"])
    # Engines print what they like; answers go where stdout was, everything else to stderr.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    from engines import ENGINES, timed

    try:
        engine = ENGINES[name](settings["threads"])
        versions = engine.versions()
        calibration = list(numpy.load(settings["calibration"]))
        engine.prepare(model, calibration, settings["folder"])
    except Exception as problem:  # whatever an engine's installation may throw
        answer(answers, {"error": f"{type(problem).__name__}: {problem}".splitlines()[0]})
        return
    answer(answers, {"versions": versions, "note": engine.note})
    x = calibration[0]
    for line in sys.stdin:
        command, *arguments = line.split()
        if command == "check":
            outputs = [numpy.array(engine.run(each)) for each in numpy.load(arguments[0])]
            numpy.save(arguments[1], numpy.stack(outputs))
            answer(answers, {"answers": len(outputs)})
        elif command == "time":
            engine.run(x)
            answer(answers, {"ms": [1e3 * timed(engine.run, x) for _ in range(int(arguments[0]))]})
        else:
            answer(answers, {"error": f"unknown command {command}"})


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""Who takes part in a comparison: octavo's command, and a process for each other engine."""
import json
import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


class LeftOut(Exception):
    """Why an engine takes no part."""


class Octavo:
    """The command. Each round is a run of `octavo bench`: oneDNN's fp32 form of the network is measured within it."""

    def __init__(self, command, cpus):
        self.command, self.cpus = str(command), cpus

    def run(self, *arguments):
        finished = subprocess.run(
            [self.command, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: os.sched_setaffinity(0, self.cpus),
            check=False,
        )
        if finished.returncode != 0:
            raise LeftOut(finished.stderr.strip().splitlines()[-1] if finished.stderr.strip() else "octavo failed")
        return finished.stdout

    def round(self, model, batch, runs):
        """Milliseconds by name: a median of `runs` runs each."""
        result = json.loads(
            self.run(
                *("bench", model, "--batch", batch, "--threads", len(self.cpus), "--rounds", runs, "--seconds", 0),
                *("--against", "onednn-fp32", "--json"),
            )
        )
        return {"octavo-int8": result["octavo_ms"], "onednn-fp32": result["peers"]["onednn-fp32"]["ms"]}


class Worker:
    """One engine in a process of its own (worker.py). Raises LeftOut when it cannot take part."""

    def __init__(self, name, model, settings, log):
        self.name = name
        self.log = open(log, "w")  # noqa: SIM115 - as long as the process
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "worker.py"), name, str(model), str(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        started = self.answer()
        self.versions, self.note = started["versions"], started["note"]

    def answer(self):
        line = self.process.stdout.readline()
        content = json.loads(line) if line else {"error": f"the process ended; its output is in {self.log.name}"}
        if "error" in content:
            self.close()
            raise LeftOut(content["error"])
        return content

    def ask(self, *words):
        try:
            self.process.stdin.write(" ".join(map(str, words)) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # answer() says that the process is gone
        return self.answer()

    def round(self, runs):
        return {self.name: statistics.median(self.ask("time", runs)["ms"])}

    def close(self):
        self.process.stdin.close()
        self.process.terminate()
        self.process.wait()
        self.log.close()

# SPDX-License-Identifier: Apache-2.0
"""The engines that octavo is compared with: each makes a function from an input array to an output array.

An engine is asked for its quickest form on this machine: static shapes, one stream of `threads` threads, its own choice of
layouts. Modules are imported within, so that an engine that is not installed does not stop the others.
"""
import pathlib
import time

import numpy


class Engine:
    """`prepare()` takes the ONNX file, inputs to calibrate with (a list of arrays) and a folder for what is made on the way."""

    name = ""
    quantized = False
    note = ""  # which form was chosen, once prepared

    def __init__(self, threads):
        self.threads = threads

    def versions(self):
        raise NotImplementedError

    def prepare(self, model, calibration, folder):
        raise NotImplementedError

    def run(self, x):
        raise NotImplementedError


class OnnxRuntime(Engine):
    name = "onnxruntime-fp32"

    def versions(self):
        import onnxruntime

        return {"onnxruntime": onnxruntime.__version__}

    def model_file(self, model, calibration, folder):
        return model

    def prepare(self, model, calibration, folder):
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        file = self.model_file(model, calibration, folder)
        self.session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0].name

    def run(self, x):
        return self.session.run(None, {self.input: x})[0]


class OnnxRuntimeDynamic(OnnxRuntime):
    name, quantized = "onnxruntime-dynamic-int8", True
    note = "quantize_dynamic, weights u8 (its CPU kernel for ConvInteger takes no s8)"

    def model_file(self, model, calibration, folder):
        from onnxruntime.quantization import QuantType, quantize_dynamic

        file = pathlib.Path(folder) / f"{pathlib.Path(model).stem}.dynamic.onnx"
        quantize_dynamic(model, file, weight_type=QuantType.QUInt8)
        return file


class OnnxRuntimeStatic(OnnxRuntime):
    name, quantized = "onnxruntime-static-int8", True
    note = "quantize_static, QDQ, activations u8, weights s8 a channel"

    def model_file(self, model, calibration, folder):
        from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

        class Inputs(CalibrationDataReader):
            def __init__(self, name):
                self.left = iter([{name: x} for x in calibration])

            def get_next(self):
                return next(self.left, None)

        import onnx

        name = onnx.load(model, load_external_data=False).graph.input[0].name
        file = pathlib.Path(folder) / f"{pathlib.Path(model).stem}.static.onnx"
        quantize_static(
            model,
            file,
            Inputs(name),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return file


class OpenVino(Engine):
    name = "openvino-fp32"

    def versions(self):
        import openvino

        return {"openvino": openvino.__version__}

    def read(self, core, model, calibration):
        return core.read_model(model)

    def prepare(self, model, calibration, folder):
        import openvino

        core = openvino.Core()
        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": "1",
            "INFERENCE_NUM_THREADS": str(self.threads),
            "INFERENCE_PRECISION_HINT": "f32",
        }
        compiled = core.compile_model(self.read(core, model, calibration), "CPU", settings)
        self.request = compiled.create_infer_request()

    def run(self, x):
        # The answer is copied, not the input: shared memory is what an application that cares for time would use.
        return next(iter(self.request.infer([x], share_inputs=True).values()))


class OpenVinoStatic(OpenVino):
    name, quantized = "openvino-static-int8", True
    note = "nncf.quantize, preset performance"

    def versions(self):
        import nncf

        return {**super().versions(), "nncf": nncf.__version__}

    def read(self, core, model, calibration):
        import nncf

        network = core.read_model(model)
        return nncf.quantize(
            network, nncf.Dataset(calibration), preset=nncf.QuantizationPreset.PERFORMANCE, subset_size=len(calibration)
        )


class PyTorch(Engine):
    name = "pytorch-fp32"

    def versions(self):
        import torch

        return {"torch": torch.__version__}

    def prepare(self, model, calibration, folder):
        import torch

        from onnx_in_torch import Network

        torch.set_num_threads(self.threads)
        torch.set_num_interop_threads(1)
        torch.set_grad_enabled(False)
        network, x = Network(model).eval(), torch.from_numpy(calibration[0])
        last = x.contiguous(memory_format=torch.channels_last)
        forms = {"eager": (lambda: network, x), "eager, channels_last": (lambda: network.to(memory_format=torch.channels_last), last)}
        forms["traced and frozen"] = (lambda: torch.jit.optimize_for_inference(torch.jit.trace(network, x)), x)
        forms["compiled, channels_last"] = (lambda: torch.compile(network), last)
        best, self.refused = None, {}
        for form, (make, example) in forms.items():
            try:
                function = make()
                for _ in range(3):
                    function(example)
                spent = min(timed(function, example) for _ in range(3))
            except Exception as problem:  # a form that does not work on this machine is no form of it
                self.refused[form] = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
                continue
            if best is None or spent < best[0]:
                best = (spent, form, function)
        if best is None:
            raise RuntimeError(f"no form of the network runs: {self.refused}")
        _, self.form, self.function = best
        self.note = self.form + "".join(f"; '{form}' does not work: {why}" for form, why in self.refused.items())

    def run(self, x):
        import torch

        value = torch.from_numpy(x)
        if "channels_last" in self.form:
            value = value.contiguous(memory_format=torch.channels_last)
        return self.function(value).numpy()


def timed(function, *arguments):
    """Seconds of one call."""
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


ENGINES = {
    engine.name: engine
    for engine in (OnnxRuntime, OnnxRuntimeDynamic, OnnxRuntimeStatic, OpenVino, OpenVinoStatic, PyTorch)
}


def pixels_like(shape, seed):
    """Like pixels of which a mean was taken off; whole numbers, so that a PNG can hold them."""
    return numpy.random.default_rng(seed).integers(-128, 128, shape).astype("f4")

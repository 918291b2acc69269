# SPDX-License-Identifier: Apache-2.0
"""The comparison's own parts, without any engine: python3 peers_test.py FOLDER_OF_TOOLS_PEERS [OCTAVO].

Ends with status 77, saying what is missing, when only the parts that need no package could be tested."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

TOOLS = sys.argv[1]
OCTAVO = sys.argv[2] if len(sys.argv) > 2 else None
sys.path.insert(0, TOOLS)
sys.dont_write_bytecode = True

import results  # noqa: E402 - after its folder is known

try:
    import numpy
    import onnx.reference

    import agreement
    import caffe_to_onnx

    MISSING = ""
except ImportError as problem:
    MISSING = str(problem)


def contender(milliseconds, **more):
    return {"quantized": True, "note": "", **results.summary(milliseconds), **more}


def sample():
    return {
        "cpu": "a <processor>",
        "versions": {"b": "2", "a": "1"},
        "rounds": 3,
        "runs": 5,
        "settings": [
            {
                "network": "net",
                "batch": 1,
                "threads": 2,
                "contenders": {
                    "slow": {**contender([4.0, 9.0, 5.0], db=31.26), "note": "its quickest form"},
                    "octavo-int8": contender([2.0, 2.0, 2.0]),
                    "exact": contender([1.0, 1.0, 1.0], difference=2e-7),
                },
                "left_out": {"other": "not <installed>"},
            }
        ],
    }


class Results(unittest.TestCase):
    def test_a_summary_is_the_median_and_the_tenths(self):
        figures = results.summary([float(x) for x in range(100, -1, -1)])
        self.assertEqual((figures["ms"], figures["p10"], figures["p90"], figures["min"]), (50, 10, 90, 0))

    def test_rows_are_quickest_first_and_related_to_octavo(self):
        rows = results.rows_of(sample()["settings"][0])
        self.assertEqual([(name, ratio) for name, _, ratio in rows], [("exact", 0.5), ("octavo-int8", 1.0), ("slow", 2.5)])

    def test_the_table_has_all_figures_and_says_who_is_left_out(self):
        table = results.markdown(sample())
        self.assertIn("## net, batch 1, 2 threads", table)
        self.assertIn("| slow | 5.00 | 4.00 | 9.00 | 4.00 | 2.50 | 31.3 dB |", table)
        self.assertIn("| exact | 1.00 | 1.00 | 1.00 | 1.00 | 0.50 | 2e-07 of the largest |", table)
        self.assertIn("Left out: other: not <installed>", table)
        self.assertIn("slow: its quickest form.", table)
        self.assertIn("a 1, b 2.", table)

    def test_the_page_escapes_and_needs_nothing_from_elsewhere(self):
        page = results.page(sample())
        self.assertNotIn("<processor>", page)
        self.assertNotIn("<installed>", page)
        self.assertNotIn("http", page)
        self.assertIn("width:100.0%", page)
        self.assertIn("width:40.0%", page)

    def test_times_have_three_digits_or_more(self):
        self.assertEqual([results.ms_text(x) for x in (0.0312, 7.5, 285.4)], ["0.0312", "7.50", "285"])


@unittest.skipIf(MISSING, MISSING)
class Agreement(unittest.TestCase):
    def test_equal_answers_agree_and_others_do_not(self):
        reference = numpy.linspace(-5, 5, 50)
        self.assertIsNone(agreement.judge(reference * (1 + 1e-6), reference, False)[1])
        self.assertIsNotNone(agreement.judge(reference[::-1], reference, False)[1])
        self.assertIsNotNone(agreement.judge(reference[:-1], reference, False)[1])
        self.assertIsNotNone(agreement.judge(reference * numpy.nan, reference, False)[1])

    def test_8_bit_answers_may_be_off_but_not_unrelated(self):
        reference = numpy.random.default_rng(1).normal(size=1000)
        noise = numpy.random.default_rng(2).normal(size=1000)
        said, problem = agreement.judge(reference + 0.01 * noise, reference, True)
        self.assertIsNone(problem)
        self.assertAlmostEqual(said["db"], 40, delta=0.5)
        self.assertIsNotNone(agreement.judge(noise, reference, True)[1])
        self.assertIsNotNone(agreement.judge(reference * numpy.inf, reference, True)[1])

    def test_equal_8_bit_answers_are_infinitely_good(self):
        self.assertEqual(agreement.decibels([1, 2], [1, 2]), float("inf"))


@unittest.skipIf(MISSING, MISSING)
class CaffeToOnnx(unittest.TestCase):
    def test_pooled_sizes_are_caffes(self):
        # 112 by 3x3 of stride 2: 56, the last window hanging over; with padding, none that begins beyond the image.
        self.assertEqual(caffe_to_onnx.pooled_size(112, 3, 2, 0), 56)
        self.assertEqual(caffe_to_onnx.pooled_size(4, 2, 2, 1), 3)
        self.assertEqual(caffe_to_onnx.pooled_size(5, 2, 4, 1), 2)
        self.assertEqual(caffe_to_onnx.pooled_size(3, 2, 4, 1), 1)

    def convert(self, text, blobs, batch=1):
        """A network of this text and, by layer, these arrays."""
        net = caffe_to_onnx.schema_class("NetParameter")
        weights = net()
        for name, arrays in blobs.items():
            layer = weights.layer.add(name=name.encode())
            for array in arrays:
                blob = layer.blobs.add()
                blob.shape.dim.extend(array.shape)
                blob.data.extend(array.reshape(-1).tolist())
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "net.prototxt").write_text(text)
            (folder / "net.caffemodel").write_bytes(weights.SerializeToString())
            return caffe_to_onnx.convert(folder / "net.prototxt", folder / "net.caffemodel", batch)

    @staticmethod
    def layer(name, kind, bottom, top, options=""):
        return f'layer {{ name: "{name}" type: "{kind}" bottom: "{bottom}" top: "{top}" {options} }}\n'

    def network(self, *layers):
        shape = "input_param { shape { dim: 1 dim: 2 dim: 5 dim: 5 } }"
        return f'layer {{ name: "x" type: "Input" top: "x" {shape} }}\n' + "".join(layers)

    def test_batch_norm_and_scale_become_part_of_the_convolution(self):
        random = numpy.random.default_rng(3)
        weights, mean, variance = random.normal(size=(3, 2, 1, 1)), random.normal(size=3), random.uniform(1, 2, 3)
        gamma, beta, factor = random.normal(size=3), random.normal(size=3), numpy.array([2.0])
        text = self.network(
            self.layer("c", "Convolution", "x", "c", "convolution_param { num_output: 3 kernel_size: 1 bias_term: false }"),
            self.layer("n", "BatchNorm", "c", "c"),
            self.layer("s", "Scale", "c", "c", "scale_param { bias_term: true }"),
            self.layer("p", "Softmax", "c", "p"),
        )
        converted = self.convert(text, {"c": [weights], "n": [mean, variance, factor], "s": [gamma, beta]})
        self.assertEqual([node.op_type for node in converted.model.graph.node], ["Conv"])
        x = random.normal(size=(1, 2, 5, 5)).astype("f4")
        answer = onnx.reference.ReferenceEvaluator(converted.model).run(None, {"x": x})[0]
        plain = numpy.einsum("oc,bchw->bohw", weights[:, :, 0, 0], x)
        each = (1, 3, 1, 1)
        normal = (plain - (mean / 2).reshape(each)) / numpy.sqrt((variance / 2).reshape(each) + 1e-5)
        numpy.testing.assert_allclose(answer, normal * gamma.reshape(each) + beta.reshape(each), atol=1e-4)

    def test_what_it_does_not_know_is_refused_by_name(self):
        for layer in (
            self.layer("odd", "Crop", "x", "y"),
            self.layer("odd", "Pooling", "x", "y", "pooling_param { pool: AVE kernel_size: 2 }"),
            self.layer("odd", "Scale", "x", "y"),
        ):
            with self.assertRaisesRegex(caffe_to_onnx.Unsupported, "odd"):
                self.convert(self.network(layer), {"odd": [numpy.ones(2)]})
        with self.assertRaisesRegex(caffe_to_onnx.Unsupported, "softmax"):
            self.convert(self.network(self.layer("r", "ReLU", "x", "y")), {})

    def test_a_blob_shorter_than_its_shape_is_refused(self):
        blob = caffe_to_onnx.schema_class("BlobProto")()
        blob.shape.dim.extend([2, 3])
        blob.data.extend([1.0] * 5)
        with self.assertRaises(caffe_to_onnx.Unsupported):
            caffe_to_onnx.numbers_of(blob)

    @unittest.skipUnless(OCTAVO, "the octavo command was not named")
    def test_its_networks_answer_as_octavo_does(self):
        for name in ("lenet", "squeezenet1.1"):
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                folder = pathlib.Path(folder)
                files = [folder / f"{name}.prototxt", folder / f"{name}.caffemodel"]

                def octavo(*arguments):
                    subprocess.run([OCTAVO, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)

                octavo("zoo", name, "--output", folder)
                converted = caffe_to_onnx.convert(*files, 2)
                inputs = numpy.random.default_rng(4).integers(-128, 128, converted.input_shape).astype("f4")
                agreement.write_pictures(inputs, folder / "pictures")
                out = folder / "answers.npy"
                model = ["--prototxt", files[0], files[1], "--mean", 128]
                octavo("predict", *model, folder / "pictures", "--layer", converted.logits_layer, "-o", out)
                evaluator = onnx.reference.ReferenceEvaluator(converted.model)
                answers = evaluator.run(None, {evaluator.input_names[0]: inputs})[0]
                said, problem = agreement.judge(answers, numpy.load(out), False)
                self.assertIsNone(problem)
                self.assertLess(said["difference"], 1e-4)


if __name__ == "__main__":
    outcome = unittest.main(argv=sys.argv[:1], exit=False).result
    if not outcome.wasSuccessful():
        sys.exit(1)
    if MISSING:
        print(f"skipped: {MISSING}; tools/peers/compare installs what the other tests need")
        sys.exit(77)

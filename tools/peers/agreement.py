# SPDX-License-Identifier: Apache-2.0
"""Whether two engines compute the same network: pictures for both, and how far their answers are apart."""
import pathlib
import struct
import zlib

import numpy

FP32_TOLERANCE = 1e-3  # of the largest answer: sums in another order differ less, another network more
INT8_LEAST_DB = 6.0


def png(pixels):
    """Bytes of a PNG file; pixels: u8, [height][width] or [height][width][3], RGB."""
    height, width = pixels.shape[:2]
    lines = pixels.reshape(height, -1)
    filtered = numpy.hstack([numpy.zeros((height, 1), "u1"), lines]).tobytes()

    def chunk(kind, content):
        checksum = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", checksum)

    colour = 2 if pixels.ndim == 3 else 0
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(filtered)) + chunk(b"IEND", b"")


def write_pictures(inputs, folder, mean=128):
    """Inputs [count][channels][height][width], whole numbers from -mean to 255 - mean, blue first, as PNG files that
    `octavo predict --mean` reads back to the same numbers. In the order of their names."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for number, x in enumerate(inputs):
        pixels = (x + mean).astype("u1")
        rgb = pixels[0] if len(pixels) == 1 else numpy.ascontiguousarray(pixels[::-1].transpose(1, 2, 0))
        (folder / f"{number:03}.png").write_bytes(png(rgb))


def difference(answers, reference):
    """The largest difference as a share of the largest reference; infinite for what is no number or another shape."""
    a, b = (numpy.asarray(each, "f8").reshape(-1) for each in (answers, reference))
    if a.shape != b.shape or not numpy.isfinite(a).all():
        return float("inf")
    return float(numpy.abs(a - b).max() / max(numpy.abs(b).max(), 1e-30))


def decibels(answers, reference):
    """Signal-to-noise, 10 log10(sum reference^2 / sum (reference - answers)^2); minus infinity for what is no number."""
    a, b = (numpy.asarray(each, "f8").reshape(-1) for each in (answers, reference))
    if a.shape != b.shape or not numpy.isfinite(a).all():
        return float("-inf")
    noise = ((a - b) ** 2).sum()
    return float(10 * numpy.log10((b**2).sum() / noise)) if noise else float("inf")


def judge(answers, reference, quantized):
    """(what to report, why it must not be timed or None)."""
    if quantized:
        db = decibels(answers, reference)
        return {"db": db}, None if db >= INT8_LEAST_DB else f"its answers are {db:.1f} dB from the fp32 ones"
    off = difference(answers, reference)
    problem = f"its fp32 answers differ from octavo's by {off:.1e} of the largest"
    return {"difference": off}, None if off <= FP32_TOLERANCE else problem

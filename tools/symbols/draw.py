#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws the pictures that the default network learns from and is tested on: ten symbols in clutter, 32 x 32 RGB.

A picture is a function of (seed, class, number) and of nothing else: the generator is SplitMix64, rotations come from
rational points of the circle, and every floating-point operation is an elementwise IEEE one (no sine, no sum, no dot
product, whose last bit may differ between machines). So the same call gives the same bytes everywhere.

    draw.py --output DIR [--per-class N] [--seed S]     writes DIR/<class>/<number>.png
    draw.py --check DIR  [--per-class N] [--seed S]     says whether those files hold exactly these pictures
"""

import argparse
import pathlib
import struct
import sys
import zlib

try:
    import numpy as np
except ImportError:
    print("draw.py needs NumPy", file=sys.stderr)
    sys.exit(77)  # what test drivers take for "skipped"

SIZE = 32
CLASSES = ["triangle", "square", "pentagon", "disc", "star", "cross", "arrow", "heart", "moon", "bolt"]
TEST_SEED = 2
TEST_PER_CLASS = 50

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15


class Stream:
    """SplitMix64 (Steele, Lea, Flood 2014): the n-th number is a hash of seed + n * golden ratio."""

    def __init__(self, seed):
        self.state = seed & _MASK

    def bits(self):
        self.state = (self.state + _GOLDEN) & _MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return z ^ (z >> 31)

    def uniform(self, low=0.0, high=1.0):
        return low + (high - low) * ((self.bits() >> 11) * 2.0**-53)

    def integer(self, count):
        return (self.bits() >> 33) % count

    def field(self, shape):
        """Uniform numbers in [0, 1), the same ones that as many calls of uniform() would give."""
        count = int(np.prod(shape))
        steps = np.arange(1, count + 1, dtype=np.uint64)
        z = np.uint64(self.state) + steps * np.uint64(_GOLDEN)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
        self.state = (self.state + count * _GOLDEN) & _MASK
        return ((z >> np.uint64(11)).astype(np.float64) * 2.0**-53).reshape(shape)


def _turn(t):
    """(cos, sin) of 2 * atan(t): a rotation without trigonometry. |t| <= 1 covers a half turn."""
    return (1 - t * t) / (1 + t * t), 2 * t / (1 + t * t)


def _arc(center, radius, quarters):
    """Points of a circle, counter-clockwise from the right; 6 to a quarter."""
    points = []
    for step in range(6 * quarters):
        cosine, sine = _turn((step % 6) / 6 * 0.41421356237309503)  # tan(22.5 deg): _turn covers an eighth ...
        cosine, sine = cosine * cosine - sine * sine, 2 * cosine * sine  # ... and doubled, a quarter
        for _ in range(step // 6):
            cosine, sine = -sine, cosine
        points.append((center[0] + radius * cosine, center[1] + radius * sine))
    return points


def _moon():
    # The outer circle, then back along an inner one that is moved to the right; both pass through the two tips.
    outer = [(x, y) for x, y in _arc((0, 0), 0.95, 4) if x < 0.45]
    outer.sort(key=lambda p: (p[1] < 0, -p[0] if p[1] < 0 else p[0]))
    upper = sorted((p for p in outer if p[1] >= 0), key=lambda p: -p[0])
    lower = sorted((p for p in outer if p[1] < 0), key=lambda p: p[0])
    inner = [(x, y) for x, y in _arc((0.55, 0), 0.85, 4) if x < 0.45]
    inner_lower = sorted((p for p in inner if p[1] < 0), key=lambda p: -p[0])
    inner_upper = sorted((p for p in inner if p[1] >= 0), key=lambda p: p[0])
    return upper + lower + inner_lower + inner_upper


# y points down, as in the picture; all fit the unit circle.
OUTLINES = {
    "triangle": [(0.0, -1.0), (0.866, 0.5), (-0.866, 0.5)],
    "square": [(-0.75, -0.75), (0.75, -0.75), (0.75, 0.75), (-0.75, 0.75)],
    "pentagon": [(0.0, -0.95), (0.904, -0.294), (0.558, 0.769), (-0.558, 0.769), (-0.904, -0.294)],
    "disc": _arc((0, 0), 0.88, 4),
    "star": [(0.0, -1.0), (0.265, -0.364), (0.951, -0.309), (0.428, 0.139), (0.588, 0.809), (0.0, 0.45),
             (-0.588, 0.809), (-0.428, 0.139), (-0.951, -0.309), (-0.265, -0.364)],
    "cross": [(-0.3, -0.9), (0.3, -0.9), (0.3, -0.3), (0.9, -0.3), (0.9, 0.3), (0.3, 0.3), (0.3, 0.9), (-0.3, 0.9),
              (-0.3, 0.3), (-0.9, 0.3), (-0.9, -0.3), (-0.3, -0.3)],
    "arrow": [(0.0, -1.0), (0.75, -0.1), (0.28, -0.1), (0.28, 0.9), (-0.28, 0.9), (-0.28, -0.1), (-0.75, -0.1)],
    "heart": [(0.0, -0.42), (0.2, -0.72), (0.5, -0.85), (0.8, -0.7), (0.92, -0.4), (0.85, -0.05), (0.55, 0.4),
              (0.0, 0.95), (-0.55, 0.4), (-0.85, -0.05), (-0.92, -0.4), (-0.8, -0.7), (-0.5, -0.85), (-0.2, -0.72)],
    "moon": _moon(),
    "bolt": [(0.25, -1.0), (-0.6, 0.15), (-0.08, 0.15), (-0.25, 1.0), (0.6, -0.2), (0.08, -0.2)],
}

_COORD = np.arange(SIZE, dtype=np.float64) + 0.5
_X, _Y = np.meshgrid(_COORD, _COORD)


def _distance(points):
    """Signed distance in pixels from each pixel's centre to a closed polygon; negative inside."""
    nearest = np.full((SIZE, SIZE), 1e9)
    inside = np.zeros((SIZE, SIZE), dtype=bool)
    for (ax, ay), (bx, by) in zip(points, points[1:] + points[:1]):
        ex, ey = bx - ax, by - ay
        px, py = _X - ax, _Y - ay
        along = np.clip((px * ex + py * ey) / (ex * ex + ey * ey + 1e-12), 0.0, 1.0)
        dx, dy = px - along * ex, py - along * ey
        nearest = np.minimum(nearest, dx * dx + dy * dy)
        if ay != by:
            inside ^= ((ay > _Y) != (by > _Y)) & (px < ex * py / ey)
    return np.where(inside, -1.0, 1.0) * np.sqrt(nearest)


def _paint(canvas, distance, color, opacity=1.0):
    """Lays a color where distance < 0, its edge antialiased over one pixel."""
    cover = (np.clip(0.5 - distance, 0.0, 1.0) * opacity)[..., None]
    canvas += cover * (np.array(color) - canvas)


def _color(stream):
    return [stream.uniform(10, 245) for _ in range(3)]


def _contrast(a, b):
    return max(abs(x - y) for x, y in zip(a, b))


def _placed(outline, stream, radius, center, most_turn):
    """The outline turned, squeezed, sheared, scaled and moved."""
    cosine, sine = _turn(stream.uniform(-most_turn, most_turn))
    squeeze, shear = stream.uniform(0.75, 1.3), stream.uniform(-0.25, 0.25)
    placed = []
    for x, y in outline:
        x, y = (x + shear * y) * squeeze, y
        placed.append((center[0] + radius * (cosine * x - sine * y), center[1] + radius * (sine * x + cosine * y)))
    return placed


def draw(seed, label, number):
    """The picture: uint8 [32][32][3], RGB."""
    stream = Stream((seed * 1000003 + label) * 1000003 + number)
    stream.state = stream.bits()  # neighbouring keys, unrelated streams

    # Ground: a gradient between two colors.
    ground, other = _color(stream), _color(stream)
    cosine, sine = _turn(stream.uniform(-1, 1))
    ramp = np.clip(0.5 + ((_X - 16) * cosine + (_Y - 16) * sine) / 45.0, 0.0, 1.0)[..., None] * stream.uniform(0, 0.7)
    canvas = np.array(ground) + ramp * (np.array(other) - np.array(ground))

    # Clutter behind: blobs and strokes.
    for _ in range(1 + stream.integer(5)):
        cx, cy = stream.uniform(0, SIZE), stream.uniform(0, SIZE)
        corners = [(cx + stream.uniform(-7, 7), cy + stream.uniform(-7, 7)) for _ in range(3)]
        _paint(canvas, _distance(corners), _color(stream), stream.uniform(0.2, 0.6))

    # The symbol: filled, or its outline.
    radius = stream.uniform(7.0, 13.5)
    center = (stream.uniform(radius * 0.8, SIZE - radius * 0.8), stream.uniform(radius * 0.8, SIZE - radius * 0.8))
    distance = _distance(_placed(OUTLINES[CLASSES[label]], stream, radius, center, 0.35))
    if stream.integer(3) == 0:
        distance = np.abs(distance) - stream.uniform(0.8, 1.8)
    color = _color(stream)
    while _contrast(color, ground) < 70 or _contrast(color, other) < 50:
        color = _color(stream)
    _paint(canvas, distance, color, stream.uniform(0.85, 1.0))

    # Clutter in front: strokes, and now and then a patch that hides a part.
    for _ in range(stream.integer(3)):
        a = (stream.uniform(0, SIZE), stream.uniform(0, SIZE))
        b = (stream.uniform(0, SIZE), stream.uniform(0, SIZE))
        _paint(canvas, _distance([a, b]) - stream.uniform(0.4, 1.0), _color(stream), stream.uniform(0.5, 1.0))
    if stream.integer(4) == 0:
        side = stream.uniform(2.5, 5.0)
        cx, cy = center[0] + stream.uniform(-radius, radius), center[1] + stream.uniform(-radius, radius)
        patch = [(cx - side, cy - side), (cx + side, cy - side), (cx + side, cy + side), (cx - side, cy + side)]
        _paint(canvas, _distance(patch), _color(stream))

    # Exposure, noise (the sum of two uniforms), and 5 bits a channel, which makes the files small.
    canvas = (canvas - 128.0) * stream.uniform(0.6, 1.05) + 128.0 + stream.uniform(-25, 25)
    noise = stream.field((SIZE, SIZE, 3)) + stream.field((SIZE, SIZE, 3)) - 1.0
    canvas = canvas + noise * stream.uniform(2.0, 26.0)
    return (np.clip(np.floor(canvas / 8.0 + 0.5), 0, 31) * 8).astype(np.uint8)


def write_png(path, pixels):
    """An 8-bit RGB PNG; each row with the filter (none, sub, up or average) that leaves the smallest numbers."""
    height, width, _ = pixels.shape
    rows, above = [], np.zeros(width * 3, dtype=np.uint8)
    for row in pixels.reshape(height, width * 3):
        left = np.concatenate([np.zeros(3, dtype=np.uint8), row[:-3]])
        average = ((left.astype(np.uint16) + above) // 2).astype(np.uint8)
        tries = [row, row - left, row - above, row - average]
        best = min(range(4), key=lambda k: int(np.abs(tries[k].view(np.int8).astype(np.int64)).sum()))
        rows.append(bytes([best]) + tries[best].tobytes())
        above = row

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
                     chunk(b"IDAT", zlib.compress(b"".join(rows), 9)) + chunk(b"IEND", b""))


def read_png(path):
    """Reads back what write_png() wrote."""
    data, position, packed = path.read_bytes(), 8, b""
    while position < len(data):
        length, kind = struct.unpack(">I4s", data[position:position + 8])
        body = data[position + 8:position + 8 + length]
        if kind == b"IHDR":
            width, height, depth, color = struct.unpack(">IIBB", body[:10])
            if (depth, color) != (8, 2):
                raise ValueError(f"{path}: not an 8-bit RGB PNG")
        elif kind == b"IDAT":
            packed += body
        position += length + 12
    raw, rows, above = zlib.decompress(packed), [], bytes(width * 3)
    for y in range(height):
        start = y * (width * 3 + 1)
        kind, row = raw[start], bytearray(raw[start + 1:start + 1 + width * 3])
        for i in range(len(row)):
            left, up = (row[i - 3] if i >= 3 else 0), above[i]
            row[i] = (row[i] + (0, left, up, (left + up) // 2)[kind]) & 255
        rows.append(bytes(row))
        above = row
    return np.frombuffer(b"".join(rows), dtype=np.uint8).reshape(height, width, 3)


def dataset(seed, per_class):
    """(pixels uint8 [n][32][32][3], labels int64 [n]), classes interleaved."""
    labels = np.arange(per_class * len(CLASSES)) % len(CLASSES)
    pixels = np.stack([draw(seed, int(label), n // len(CLASSES)) for n, label in enumerate(labels)])
    return pixels, labels


def main():
    parser = argparse.ArgumentParser(description="Draws, or checks, the test pictures of the default network.")
    parser.add_argument("--output", type=pathlib.Path, help="write the pictures here, a folder a class")
    parser.add_argument("--check", type=pathlib.Path, help="compare the pictures here with what the seed draws")
    parser.add_argument("--per-class", type=int, default=TEST_PER_CLASS)
    parser.add_argument("--seed", type=int, default=TEST_SEED)
    options = parser.parse_args()
    if (options.output is None) == (options.check is None):
        parser.error("give one of --output and --check")

    wrong = 0
    for label, name in enumerate(CLASSES):
        folder = (options.output or options.check) / name
        if options.output:
            folder.mkdir(parents=True, exist_ok=True)
        for number in range(options.per_class):
            pixels, path = draw(options.seed, label, number), folder / f"{number:03}.png"
            if options.output:
                write_png(path, pixels)
            elif not path.is_file() or not np.array_equal(read_png(path), pixels):
                print(f"{path}: is not what seed {options.seed} draws", file=sys.stderr)
                wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: Apache-2.0
"""Torch7 files as the package torchfile reads them, and their modules as NumPy computes them, in double precision: a
reader that has nothing of octavo's. Knows what octavo writes of the networks in tests/third_party.json, graphs of
nngraph among it, and says so of any other module."""
import numpy
import torchfile


def load(file):
    return torchfile.load(str(file))


def kind_of(module):
    return module.torch_typename().decode().split(".")[-1]


def field(module, name, default=None):
    value = module[name]
    if value is None and default is None:
        raise KeyError(f"{kind_of(module)} has no {name}")
    return default if value is None else value


def patches(x, kernel, stride, dilation=(1, 1)):
    """[N, C, H, W] as [N, C, rows, columns, h, w]."""
    covered = [d * (k - 1) + 1 for k, d in zip(kernel, dilation)]
    view = numpy.lib.stride_tricks.sliding_window_view(x, covered, axis=(2, 3))
    return view[:, :, :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]


def pair(module, name, default=None):
    return field(module, name + "H", default), field(module, name + "W", default)


def padded(x, before, behind, value=0.0):
    return numpy.pad(x, [(0, 0), (0, 0), *zip(before, behind)], constant_values=value)


def convolution(module, x):
    pad, kernel, stride = pair(module, "pad", 0), pair(module, "k"), pair(module, "d", 1)
    windows = patches(padded(x, pad, pad), kernel, stride, pair(module, "dilation", 1))
    groups, outs = field(module, "groups", 1), field(module, "nOutputPlane")
    weights = field(module, "weight").astype("f8").reshape(groups, outs // groups, -1, *kernel)
    n, _, h, w = windows.shape[:4]
    windows = windows.reshape(n, groups, -1, h, w, *kernel)
    y = numpy.einsum("ngchwyx,gocyx->ngohw", windows, weights, optimize=True).reshape(n, outs, h, w)
    return y if module["bias"] is None else y + module["bias"].reshape(1, -1, 1, 1)


def pooling(module, x, maximum):
    pad, kernel, stride = pair(module, "pad", 0), pair(module, "k"), pair(module, "d", 1)
    behind = list(pad)
    if field(module, "ceil_mode", False):
        for side in range(2):
            size = x.shape[2 + side] + 2 * pad[side] - kernel[side]
            behind[side] += -size % stride[side]
    if maximum:
        return patches(padded(x, pad, behind, -numpy.inf), kernel, stride).max(axis=(4, 5))
    if not field(module, "divide", False):
        raise NotImplementedError("a sum")
    # A window counts as far as it lies in the picture, or in the padded one.
    counted = numpy.ones_like(x)
    if field(module, "count_include_pad", True):
        counted = padded(padded(counted, pad, pad, 1.0), (0, 0), [b - p for b, p in zip(behind, pad)])
    else:
        counted = padded(counted, pad, behind)
    sums, counts = (patches(each, kernel, stride).sum(axis=(4, 5)) for each in (padded(x, pad, behind), counted))
    return sums / counts


def batch_normalization(module, x):
    shape = [1, -1] + [1] * (x.ndim - 2)
    deviation = numpy.sqrt(field(module, "running_var").astype("f8") + field(module, "eps"))
    y = (x - field(module, "running_mean").reshape(shape)) / deviation.reshape(shape)
    for name, apply in (("weight", numpy.multiply), ("bias", numpy.add)):
        if module[name] is not None:
            y = apply(y, module[name].reshape(shape))
    return y


def softmax(x):
    axis = 1 if x.ndim in (2, 4) else 0
    exponentials = numpy.exp(x - x.max(axis=axis, keepdims=True))
    return exponentials / exponentials.sum(axis=axis, keepdims=True)


def transposed(module, x):
    for first, second in field(module, "permutations"):
        x = x.swapaxes(int(first) - 1, int(second) - 1)
    return x


def reshaped(module, x):
    size = [int(each) for each in field(module, "size")]
    keeps_batch = kind_of(module) == "Reshape" and module["batchMode"] is not False
    return x.reshape([len(x), *size] if keeps_batch else size)


def padding(module, x):
    axis, pad = field(module, "dim") - 1, field(module, "pad")
    ends = [(0, 0)] * x.ndim
    ends[axis] = (0, pad) if pad > 0 else (-pad, 0)
    if pad > 0 and field(module, "index", 1) != 1:  # then it counts from the end
        ends[axis] = (pad, 0) if field(module, "index") == x.shape[axis] + 1 else ends[axis]
    return numpy.pad(x, ends, constant_values=field(module, "value", 0))


def spatial_padding(module, x):
    return padded(x, *((field(module, "pad_" + a), field(module, "pad_" + b)) for a, b in ("tl", "br")))


def narrowed(module, x):
    first = field(module, "index") - 1
    return x.take(range(first, first + field(module, "length")), axis=field(module, "dimension") - 1)


def normalized(module, x):
    p = field(module, "p")
    return x / ((numpy.abs(x) ** p).sum(axis=1, keepdims=True) + field(module, "eps")) ** (1 / p)


def lrn(module, x):
    size, squares = field(module, "size"), padded_channels(x * x, field(module, "size") // 2)
    sums = numpy.lib.stride_tricks.sliding_window_view(squares, size, axis=1).sum(axis=-1)
    return x / (field(module, "k") + field(module, "alpha") / size * sums) ** field(module, "beta")


def padded_channels(x, by):
    return numpy.pad(x, [(0, 0), (by, by), (0, 0), (0, 0)])


def summed(module, x):
    axis = field(module, "dimension") - 1
    return x.sum(axis=axis, keepdims=not field(module, "squeeze", True))


def replicated(module, x):
    axis = field(module, "dim", 1) - 1
    return numpy.repeat(numpy.expand_dims(x, axis), field(module, "nfeatures"), axis=axis)


def linear(module, x):
    y = x @ field(module, "weight").astype("f8").T
    return y if module["bias"] is None else y + module["bias"]


MODULES = {
    "Identity": lambda m, x: x,
    "Dropout": lambda m, x: x,
    "Linear": linear,
    "SpatialConvolution": convolution,
    "SpatialConvolutionMM": convolution,
    "SpatialDilatedConvolution": convolution,
    "SpatialMaxPooling": lambda m, x: pooling(m, x, True),
    "SpatialAveragePooling": lambda m, x: pooling(m, x, False),
    "SpatialAdaptiveAveragePooling": lambda m, x: x.mean(axis=(2, 3), keepdims=True),
    "SpatialUpSamplingNearest": lambda m, x: x.repeat(field(m, "scale_factor"), 2).repeat(field(m, "scale_factor"), 3),
    "SpatialBatchNormalization": batch_normalization,
    "BatchNormalization": batch_normalization,
    "SpatialCrossMapLRN": lrn,
    "Normalize": normalized,
    "ReLU": lambda m, x: numpy.maximum(x, 0),
    "ReLU6": lambda m, x: numpy.clip(x, 0, 6),
    "Threshold": lambda m, x: numpy.where(x > field(m, "threshold"), x, field(m, "val")),
    "HardTanh": lambda m, x: numpy.clip(x, field(m, "min_val"), field(m, "max_val")),
    "Tanh": lambda m, x: numpy.tanh(x),
    "Sigmoid": lambda m, x: 1 / (1 + numpy.exp(-x)),
    "Square": lambda m, x: x * x,
    "Power": lambda m, x: x ** field(m, "pow"),
    "SoftMax": lambda m, x: softmax(x),
    "LogSoftMax": lambda m, x: numpy.log(softmax(x)),
    "MulConstant": lambda m, x: x * field(m, "constant_scalar"),
    "AddConstant": lambda m, x: x + field(m, "constant_scalar"),
    "CMul": lambda m, x: x * field(m, "weight"),
    "CAdd": lambda m, x: x + field(m, "bias"),
    "Padding": padding,
    "SpatialZeroPadding": spatial_padding,
    "View": reshaped,
    "Reshape": reshaped,
    "Transpose": transposed,
    "Narrow": narrowed,
    "Sum": summed,
    "Replicate": replicated,
    "CAddTable": lambda m, xs: sum(xs[1:], xs[0]),
    "CMulTable": lambda m, xs: numpy.prod(numpy.broadcast_arrays(*xs), axis=0),
    "JoinTable": lambda m, xs: numpy.concatenate(xs, axis=field(m, "dimension") - 1),
    "ConcatTable": lambda m, x: [run(each, x) for each in field(m, "modules")],
    "ParallelTable": lambda m, xs: [run(each, x) for each, x in zip(field(m, "modules"), xs)],
    "Concat": lambda m, x: numpy.concatenate([run(each, x) for each in field(m, "modules")], field(m, "dimension") - 1),
}


def run_graph(module, x):
    """nngraph's: a node's inputs are what its data's mapindex numbers; a node without a module passes them on."""
    made = {}

    def value_of(data):
        if id(data) not in made:
            made[id(data)] = compute(data)
        return made[id(data)]

    def compute(data):
        parents = data.get(b"mapindex") or {}
        values = [value_of(parents[i]) for i in range(1, len(parents)) if i in parents]
        if not values:
            return x
        inputs = values[0] if len(values) == 1 else values
        if data.get(b"selectindex") is not None:
            return inputs[int(data[b"selectindex"]) - 1]
        inner = data.get(b"module")
        return inputs if inner is None else run(inner, inputs)

    return value_of(field(module, "outnode")[b"data"])


def run(module, x):
    kind = kind_of(module)
    if kind == "Sequential":
        for inner in field(module, "modules"):
            x = run(inner, x)
        return x
    if kind == "gModule":
        return run_graph(module, x)
    if kind not in MODULES:
        raise NotImplementedError(f"the module {kind}")
    return MODULES[kind](module, x)

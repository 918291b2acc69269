#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Trains the default network on drawn pictures and writes tools/symbols: prototxt, caffemodel, labels, test pictures.

Needs numpy and torch 2.13.0 (CPU). One thread, about ten minutes. Octavo itself never needs this script.
"""

import argparse
import pathlib
import time

import numpy as np
import torch
from torch import nn

import caffe_writer as caffe
import draw

TRAIN_SEED = 1
MEAN = 128.0  # what a user of the network takes off the pixels ...
DEVIATION = 128.0  # ... and what the export folds into conv1_1
BLOCKS = [[32, 32], [64, 64], [64]]  # 3x3 convolutions between poolings
HIDDEN = 48
LABELS = sorted(draw.CLASSES)  # folders of pictures are numbered by their sorted names
DROPOUT = 0.2


class Net(nn.Module):
    """VGG in small: 3x3 convolutions with batch normalization, max pooling, two fully connected layers."""

    def __init__(self):
        super().__init__()
        layers, channels, side = [], 3, draw.SIZE
        for block in BLOCKS:
            for width in block:
                layers += [nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU(True)]
                channels = width
            layers.append(nn.MaxPool2d(2))
            side //= 2
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(channels * side * side, HIDDEN, bias=False),
                                        nn.BatchNorm1d(HIDDEN), nn.ReLU(True), nn.Dropout(DROPOUT),
                                        nn.Linear(HIDDEN, len(draw.CLASSES)))

    def forward(self, x):
        return self.classifier(self.features(x))


def to_batch(pixels):
    """Caffe's habit: BGR, mean taken off."""
    bgr = torch.from_numpy(np.ascontiguousarray(pixels[..., ::-1])).permute(0, 3, 1, 2)
    return ((bgr.float() - MEAN) / DEVIATION).contiguous(memory_format=torch.channels_last)


def train(net, pixels, labels, epochs, batch=32):
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=0.02)
    steps = epochs * (len(labels) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1.5e-3, total_steps=steps, pct_start=0.15)
    loss_of = nn.CrossEntropyLoss(label_smoothing=0.05)
    labels, started = torch.from_numpy(labels), time.time()
    for epoch in range(epochs):
        net.train()
        order, total = torch.randperm(len(labels)), 0.0
        for start in range(0, len(labels) - batch + 1, batch):
            picked = order[start:start + batch]
            x = to_batch(pixels[picked.numpy()])
            if torch.rand(()) < 0.5:
                x = x.flip(3)  # every symbol's mirror image is one of its class
            loss = loss_of(net(x), labels[picked])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * batch
        print(f"epoch {epoch + 1}/{epochs}: loss {total / len(labels):.4f}, {time.time() - started:.0f} s", flush=True)


@torch.no_grad()
def count_right(net, pixels, labels):
    net.eval()
    return sum(int((net(to_batch(pixels[i:i + 250])).argmax(1).numpy() == labels[i:i + 250]).sum())
               for i in range(0, len(labels), 250))


def to_caffe(net):
    """The trained network as a NetParameter."""
    def numbers(tensor):
        return tensor.detach().numpy().astype(np.float32)

    def params(field, kind, *fields):
        return [(field, caffe.Message(kind, *fields))]

    layers = []

    def add(name, kind, bottom, top, parameters=(), blobs=()):
        layers.append(caffe.layer(name, kind, bottom, top, parameters, blobs))
        return top

    def add_normalized(kind, name, parameters, weights, norm, bottom):
        """A layer without bias, its batch normalization in Caffe's two layers, and a ReLU, all in place."""
        prefix = {"Convolution": "conv", "InnerProduct": "fc"}[kind]
        top = add(prefix + name, kind, bottom, prefix + name, parameters, [weights])
        add("bn" + name, "BatchNorm", top, top, params(
            "batch_norm_param", "BatchNormParameter", ("use_global_stats", True)),
            [numbers(norm.running_mean), numbers(norm.running_var), np.ones(1, np.float32)])
        add("scale" + name, "Scale", top, top, params("scale_param", "ScaleParameter", ("bias_term", True)),
            [numbers(norm.weight), numbers(norm.bias)])
        return add("relu" + name, "ReLU", top, top)

    shape = caffe.Message("BlobShape", ("dim", [1, 3, draw.SIZE, draw.SIZE]))
    top = add("data", "Input", None, "data", params("input_param", "InputParameter", ("shape", shape)))
    modules = iter(net.features)
    for b, block in enumerate(BLOCKS, 1):
        for k, width in enumerate(block, 1):
            conv, norm, _ = next(modules), next(modules), next(modules)
            weights = numbers(conv.weight) / np.float32(DEVIATION if top == "data" else 1)
            top = add_normalized("Convolution", f"{b}_{k}", params(
                "convolution_param", "ConvolutionParameter", ("num_output", width), ("bias_term", False), ("pad", 1),
                ("kernel_size", 3)), weights, norm, top)
        next(modules)
        top = add(f"pool{b}", "Pooling", top, f"pool{b}", params(
            "pooling_param", "PoolingParameter", ("pool", caffe.Enum("MAX")), ("kernel_size", 2), ("stride", 2)))

    _, hidden, norm, _, _, last = net.classifier
    top = add_normalized("InnerProduct", "4", params(
        "inner_product_param", "InnerProductParameter", ("num_output", HIDDEN), ("bias_term", False)),
        numbers(hidden.weight), norm, top)
    add("drop4", "Dropout", top, top, params("dropout_param", "DropoutParameter", ("dropout_ratio", DROPOUT)))
    order = [draw.CLASSES.index(name) for name in LABELS]
    top = add("fc5", "InnerProduct", top, "fc5", params(
        "inner_product_param", "InnerProductParameter", ("num_output", last.out_features)),
        [numbers(last.weight)[order], numbers(last.bias)[order]])
    add("prob", "Softmax", top, "prob")
    return caffe.Message("NetParameter", ("name", "symbols"), *(("layer", one) for one in layers))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent)
    parser.add_argument("--per-class", type=int, default=4000, help="training pictures of each class")
    parser.add_argument("--epochs", type=int, default=8)
    options = parser.parse_args()

    torch.manual_seed(0)
    torch.set_num_threads(1)
    print(f"drawing {options.per_class * len(draw.CLASSES)} pictures", flush=True)
    pixels, labels = draw.dataset(TRAIN_SEED, options.per_class)
    net = Net().to(memory_format=torch.channels_last)
    train(net, pixels, labels, options.epochs)

    pixels, labels = draw.dataset(draw.TEST_SEED, draw.TEST_PER_CLASS)
    right = count_right(net, pixels, labels)
    print(f"test pictures: {right} of {len(labels)} right")

    message = to_caffe(net)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "deploy.prototxt").write_text(caffe.text(message))
    (options.output / "symbols.caffemodel").write_bytes(caffe.binary(message))
    (options.output / "accuracy.txt").write_text(f"{right} of {len(labels)} test pictures right (PyTorch, fp32)\n")
    (options.output / "labels.txt").write_text("".join(name + "\n" for name in LABELS))
    for label, name in enumerate(draw.CLASSES):
        folder = options.output / "pictures" / name
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(draw.TEST_PER_CLASS):
            draw.write_png(folder / f"{number:03}.png", draw.draw(draw.TEST_SEED, label, number))


if __name__ == "__main__":
    main()

"""What a convolution saves: connections, as each of its outputs sees few inputs, and parameters, as outputs
share them (Goodfellow, Bengio & Courville 2016, Deep Learning, section 9.2)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ..networks.backend import keras
from ..networks.token_convolution import TokenConvolution


class Layer(NamedTuple):
    """A layer with weights, in numbers; biases aside."""

    name: str
    inputs: int
    outputs: int
    connections: int  # from an input to an output: multiplications for a row
    parameters: int

    @property
    def full(self) -> int:
        """Connections, and parameters, if every output saw every input by a weight of its own."""
        return self.inputs * self.outputs

    @property
    def sparsity(self) -> float:
        """How many times fewer connections it has than that."""
        return self.full / self.connections

    @property
    def sharing(self) -> float:
        """How many connections share a parameter."""
        return self.connections / self.parameters


def layers(network: keras.Model, tokens: int) -> list[Layer]:
    """The convolutions and dense layers, from the input on. A network over tokens is counted for a text of
    so many, and without its table of vectors."""
    kinds = (TokenConvolution, keras.layers.Conv2D, keras.layers.Dense)
    return [_counted(layer, tokens) for layer in network.layers if isinstance(layer, kinds)]


def _counted(layer: keras.layers.Layer, tokens: int) -> Layer:
    if isinstance(layer, TokenConvolution):
        # Every token meets each offset of each filter once, in one of the windows that it stands in.
        sizes = list(zip(layer.windows, layer.filters, strict=True))
        banks, pools = len(layer.banks), layer.bias.shape[0] // sum(layer.filters)
        parameters = banks * layer.dimensions * sum(size * count for size, count in sizes)
        windows = pools * sum((tokens + size - 1) * count for size, count in sizes)
        inputs = banks * tokens * layer.dimensions
        return Layer(layer.name, inputs, windows, tokens * parameters, parameters)
    inputs, outputs = layer.input.shape[1:], layer.output.shape[1:]
    parameters = connections = math.prod(layer.kernel.shape)
    if isinstance(layer, keras.layers.Conv2D):
        axes = zip(inputs[:2], outputs[:2], layer.kernel_size, layer.strides, strict=True)
        connections = math.prod(_met(*axis) for axis in axes) * math.prod(layer.kernel.shape[2:])
    return Layer(layer.name, math.prod(inputs), math.prod(outputs), connections, parameters)


def _met(size: int, places: int, kernel: int, stride: int) -> int:
    """How many inputs the kernel meets along one axis in all its places together, without the padding."""
    padding = max(0, (places - 1) * stride + kernel - size) // 2  # before the first; "valid" comes to 0
    met = np.arange(places)[:, None] * stride + np.arange(kernel) - padding
    return int(((met >= 0) & (met < size)).sum())


def parameters(network: keras.Model) -> int:
    """All of a network's, but a table of vectors."""
    tables = [table for layer in network.layers for table in getattr(layer, "tables", [])]
    total: int = network.count_params() - sum(math.prod(table.shape) for table in tables)
    return total


def hidden_sizes(counted: list[Layer]) -> list[int]:
    """What each layer but the first takes in: after pooling, where there is one. A dense network of these
    sizes has as many numbers between its layers as this one."""
    return [layer.inputs for layer in counted[1:]]


def dense_parameters(sizes: list[int]) -> int:
    """Weights and biases of dense layers one after the other: inputs, units of each layer."""
    return sum((inputs + 1) * units for inputs, units in pairwise(sizes))


def dense_connections(sizes: list[int]) -> int:
    """The same without the biases."""
    return sum(inputs * units for inputs, units in pairwise(sizes))


def equal_width(inputs: int, depth: int, classes: int, parameters: int) -> int:
    """How wide `depth` hidden layers of one width may be for a dense network to have no more than so many
    parameters; at least 1."""
    least, beyond = 1, parameters + 2
    while beyond - least > 1:
        middle = (least + beyond) // 2
        fits = dense_parameters([inputs, *[middle] * depth, classes]) <= parameters
        least, beyond = (middle, beyond) if fits else (least, middle)
    return least


class Contestant(NamedTuple):
    """A network beside the others: its numbers, without a table of vectors, and its accuracy, 0..1, on test
    rows moved by 0, 1, 2 ...: none where it is too large to be trained."""

    title: str
    parameters: int
    connections: int
    accuracy: list[float]


def markdown(contestants: Sequence[Contestant], counted: Sequence[Layer], unit: str) -> str:
    """The networks in one table, the first one's layers in another; no wider than 80 columns.

    `unit` is what test rows are moved by.
    """
    most = max(len(one.accuracy) for one in contestants) - 1
    far = sorted({0, most // 4, most // 2, most})
    table = [["network", "parameters", "connections", *(f"+{by}" for by in far)]]
    for one in contestants:
        shares = [f"{100 * one.accuracy[by]:.1f}" if one.accuracy else "-" for by in far]
        table.append([one.title[:20], _number(one.parameters), _number(one.connections), *shares])
    lines = [*_aligned(table), "", f"+n: accuracy in %, the test rows moved by n {unit}", ""]
    table = [["layer", "all to all", "connections", "parameters", "sparsity", "sharing"]]
    table += [
        [
            *(one.name, *map(_number, (one.full, one.connections, one.parameters))),
            *(f"{one.sparsity:,.1f}", f"{one.sharing:,.1f}"),
        ]
        for one in counted
    ]
    lines += [*_aligned(table), "", "sparsity: all to all / connections; sharing: connections / parameters"]
    return "\n".join(lines)


def _aligned(table: Sequence[Sequence[str]]) -> list[str]:
    """Markdown, the first column to the left and the others to the right."""
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    lines = []
    for row in table:
        first, *rest = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        lines.append(f"| {' | '.join([first.strip().ljust(widths[0]), *rest])} |")
    rule = ["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])]
    return [lines[0], f"|{'|'.join(rule)}|", *lines[1:]]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value < 1e9 else f"{value / 1e9:,.1f} G"

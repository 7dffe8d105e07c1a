"""Connections and parameters of a network's layers: the savings of a convolution over a dense layer.

A convolution has sparse connections, as each output sees few inputs, and shares parameters among outputs
(Goodfellow, Bengio & Courville 2016, Deep Learning, section 9.2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ..networks.backend import keras
from ..networks.token_convolution import TokenConvolution

MAX_TITLE_COLUMNS = 20


class LayerCounts(NamedTuple):
    """The numbers of inputs, outputs, connections and parameters of a layer, without biases."""

    name: str
    inputs: int
    outputs: int
    connections: int  # pairs of an input and an output: multiplications for one row
    parameters: int

    @property
    def dense_connections(self) -> int:
        """Connections, and parameters, of a dense layer with the same inputs and outputs."""
        return self.inputs * self.outputs

    @property
    def sparsity(self) -> float:
        """The ratio of the dense layer's connections to this layer's."""
        return self.dense_connections / self.connections

    @property
    def sharing(self) -> float:
        """The number of connections that share a parameter."""
        return self.connections / self.parameters


def count_layers(network: keras.Model, tokens: int) -> list[LayerCounts]:
    """Return the counts of the convolutions and dense layers, in the order from the input.

    A network over tokens is counted for a text of `tokens` tokens, and without its embeddings.
    """
    kinds = (TokenConvolution, keras.layers.Conv2D, keras.layers.Dense)
    return [_count(layer, tokens) for layer in network.layers if isinstance(layer, kinds)]


def _count(layer: keras.layers.Layer, tokens: int) -> LayerCounts:
    if isinstance(layer, TokenConvolution):
        # Each token is multiplied once by each position of each filter, whichever windows contain it.
        sizes = list(zip(layer.windows, layer.filters, strict=True))
        banks, pools = len(layer.banks), layer.bias.shape[0] // sum(layer.filters)
        parameters = banks * layer.dimensions * sum(size * count for size, count in sizes)
        windows = pools * sum((tokens + size - 1) * count for size, count in sizes)
        inputs = banks * tokens * layer.dimensions
        return LayerCounts(layer.name, inputs, windows, tokens * parameters, parameters)
    inputs, outputs = layer.input.shape[1:], layer.output.shape[1:]
    parameters = connections = math.prod(layer.kernel.shape)
    if isinstance(layer, keras.layers.Conv2D):
        axes = zip(inputs[:2], outputs[:2], layer.kernel_size, layer.strides, strict=True)
        connections = math.prod(_axis_connections(*axis) for axis in axes) * math.prod(layer.kernel.shape[2:])
    return LayerCounts(layer.name, math.prod(inputs), math.prod(outputs), connections, parameters)


def _axis_connections(size: int, outputs: int, kernel: int, stride: int) -> int:
    """Return the connections along one axis, not counting those to the padding."""
    padding = max(0, (outputs - 1) * stride + kernel - size) // 2  # before the first input; "valid" gives 0
    inputs = np.arange(outputs)[:, None] * stride + np.arange(kernel) - padding
    return int(((inputs >= 0) & (inputs < size)).sum())


def count_parameters(network: keras.Model) -> int:
    """Return the number of a network's parameters without its embeddings."""
    tables = [table for layer in network.layers for table in getattr(layer, "tables", [])]
    total: int = network.count_params() - sum(math.prod(table.shape) for table in tables)
    return total


def hidden_sizes(layers: list[LayerCounts]) -> list[int]:
    """Return the inputs of each layer but the first, after pooling where there is any.

    A dense network with hidden layers of these sizes has as many activations between its layers.
    """
    return [layer.inputs for layer in layers[1:]]


def dense_parameters(sizes: list[int]) -> int:
    """Return the weights and biases of consecutive dense layers; `sizes` are the inputs, then the units."""
    return sum((inputs + 1) * units for inputs, units in pairwise(sizes))


def dense_connections(sizes: list[int]) -> int:
    """Return the weights of consecutive dense layers, which are their connections."""
    return sum(inputs * units for inputs, units in pairwise(sizes))


def equal_width(inputs: int, depth: int, classes: int, parameters: int) -> int:
    """Return the largest width of `depth` equal hidden layers that keeps a dense network within `parameters`.

    The width is at least 1, even if that has more parameters.
    """
    low, high = 1, parameters + 2  # `low` fits, `high` does not
    while high - low > 1:
        middle = (low + high) // 2
        fits = dense_parameters([inputs, *[middle] * depth, classes]) <= parameters
        low, high = (middle, high) if fits else (low, middle)
    return low


class MeasuredNetwork(NamedTuple):
    """The counts of a network, without embeddings, and its accuracies on test rows shifted by 0, 1, 2 ...

    `accuracy` is in 0..1, and empty if the network is too large to be trained.
    """

    title: str
    parameters: int
    connections: int
    accuracy: list[float]


def markdown(networks: Sequence[MeasuredNetwork], layers: Sequence[LayerCounts], unit: str) -> str:
    """Return a table of the networks and one of the first network's layers, no wider than 80 columns.

    `unit` is that of the shifts.
    """
    last = max(len(network.accuracy) for network in networks) - 1
    distances = sorted({0, last // 4, last // 2, last})
    rows = [["network", "parameters", "connections", *(f"+{distance}" for distance in distances)]]
    for network in networks:
        accuracies = [f"{100 * network.accuracy[by]:.1f}" if network.accuracy else "-" for by in distances]
        counts = map(_number, (network.parameters, network.connections))
        rows.append([network.title[:MAX_TITLE_COLUMNS], *counts, *accuracies])
    lines = [*_aligned(rows), "", f"+n: accuracy in %, test rows shifted by n {unit}", ""]
    rows = [["layer", "if dense", "connections", "parameters", "sparsity", "sharing"]]
    for layer in layers:
        layer_counts = map(_number, (layer.dense_connections, layer.connections, layer.parameters))
        rows.append([layer.name, *layer_counts, f"{layer.sparsity:,.1f}", f"{layer.sharing:,.1f}"])
    return "\n".join(
        [
            *lines,
            *_aligned(rows),
            "",
            "if dense: connections if every output saw every input",
            "sparsity: if dense / connections; sharing: connections / parameters",
        ]
    )


def _aligned(table: Sequence[Sequence[str]]) -> list[str]:
    """Return the rows as Markdown, the first column aligned left and the others right."""
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    lines = []
    for row in table:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append(f"| {' | '.join(cells)} |")
    rule = ["-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])]
    return [lines[0], f"|{'|'.join(rule)}|", *lines[1:]]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value < 1e9 else f"{value / 1e9:,.1f} G"

"""An image classifier as an ONNX graph, in which channels come first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ..networks.backend import keras
from ..networks.layers import ALPHA, BETA, BIAS, RADIUS
from .image_layers import PlainImages
from .onnx_graph import OnnxGraph

ACTIVATIONS = {"relu": "Relu", "linear": "Identity"}
PADDINGS = {"same": "SAME_UPPER", "valid": "VALID"}


def save_images(plain: PlainImages, path: Path) -> None:
    """Write a graph from `images` uint8 [rows, *shape] to `logits` and `probabilities`."""
    graph = _ImageGraph()
    members = []
    for layers in plain.members:
        values = graph.add("Transpose", graph.add("Cast", "images", to=1), perm=[0, 3, 1, 2])
        for layer in layers:
            values = graph.layer(layer, values)
        members.append(values)
    graph.outputs(graph.add("Mean", *members), plain.temperature)
    graph.save(path, "images", np.uint8, ["rows", *plain.shape], plain.classes)


class _ImageGraph(OnnxGraph):
    def layer(self, layer: Any, values: str) -> str:
        """Add what a layer of Keras computes."""
        convert = getattr(self, f"_{type(layer).__name__.lower()}")
        result: str = convert(layer, values)
        return result

    def _rescaling(self, layer: Any, values: str) -> str:
        scaled = self.add("Mul", values, self.constant(float(layer.scale)))
        return self.add("Add", scaled, self.constant(float(layer.offset)))

    def _conv2d(self, layer: Any, values: str) -> str:
        kernel = self.constant(layer.kernel.numpy().transpose(3, 2, 0, 1))
        biases = [self.constant(layer.bias.numpy())] if layer.use_bias else []
        convolved = self.add(
            "Conv", values, kernel, *biases, strides=layer.strides, auto_pad=PADDINGS[layer.padding]
        )
        return self._activated(layer, convolved)

    def _maxpooling2d(self, layer: Any, values: str) -> str:
        padding = PADDINGS[layer.padding]
        return self.add(
            "MaxPool", values, kernel_shape=layer.pool_size, strides=layer.strides, auto_pad=padding
        )

    def _batchnormalization(self, layer: Any, values: str) -> str:
        means = (layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance)
        arrays = [self.constant(variable.numpy()) for variable in means]
        return self.add("BatchNormalization", values, *arrays, epsilon=layer.epsilon)

    def _relu(self, layer: Any, values: str) -> str:
        return self.add("Relu", values)

    def _localresponsenormalization(self, layer: Any, values: str) -> str:
        size = 2 * RADIUS + 1  # by which ONNX divides alpha
        return self.add("LRN", values, size=size, bias=BIAS, alpha=size * ALPHA, beta=BETA)

    def _flatten(self, layer: Any, values: str) -> str:
        return self.add("Flatten", self.add("Transpose", values, perm=[0, 2, 3, 1]))

    def _dense(self, layer: Any, values: str) -> str:
        weights = [self.constant(variable.numpy()) for variable in (layer.kernel, layer.bias)]
        return self._activated(layer, self.add("Gemm", values, *weights))

    def _activated(self, layer: Any, values: str) -> str:
        return self.add(ACTIVATIONS[keras.activations.serialize(layer.activation)], values)

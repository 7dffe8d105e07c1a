"""An image classifier as a Keras model of built-in layers and operations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..networks.backend import keras
from ..networks.layers import ALPHA, BETA, BIAS, RADIUS, LocalResponseNormalization
from .image_layers import PlainImages
from .keras_outputs import with_outputs

ops = keras.ops


def build_images(plain: PlainImages) -> keras.Model:
    """Return a model from images uint8 [rows, *shape] to `logits` and `probabilities`."""
    images = keras.Input(plain.shape, dtype="uint8", name="images")
    logits = [_member(layers, plain.shape, number)(images) for number, layers in enumerate(plain.members, 1)]
    mean = logits[0] if len(logits) == 1 else keras.layers.Average()(logits)
    return with_outputs(images, mean, plain.temperature)


def _member(layers: Sequence[Any], shape: tuple[int, int, int], number: int) -> keras.Model:
    """Return a network of its own, as those that differ in their seed have layers of the same names."""
    values = images = keras.Input(shape, dtype="uint8")
    for layer in layers:
        is_custom = isinstance(layer, LocalResponseNormalization)
        values = _normalized_response(values) if is_custom else layer(values)
    return keras.Model(images, values, name=f"network{number}")


def _normalized_response(activations: Any) -> Any:
    """Return what `LocalResponseNormalization` computes of [rows, height, width, channels]."""
    activations = ops.cast(activations, "float32")
    channels = activations.shape[-1]
    squares = ops.pad(ops.square(activations), [[0, 0], [0, 0], [0, 0], [RADIUS, RADIUS]])
    near: Any = sum(squares[..., start : start + channels] for start in range(2 * RADIUS + 1))
    return activations / ops.power(BIAS + ALPHA * near, BETA)

"""Small image networks of every architecture, of random weights."""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np

from pipeline.models import alexnet, dense, image_cnn
from pipeline.networks.ensemble import average

SHAPE = (12, 10, 3)
AUGMENTED = {"shift": 0.1, "flip": True, "rotation": 10.0}


def _cnn(seed: int = 1, **options: object) -> keras.Model:
    given = {"filters": [4, 5], "dense": [6], "augmentation": AUGMENTED} | options
    return shaken(image_cnn.build(image_cnn.Options.model_validate(given), SHAPE, 3), seed)


def _alexnet() -> keras.Model:
    sizes = {"filters": [8, 6, 6, 6, 6], "kernels": [3, 3, 3, 3, 3], "dense": [6]}
    options = alexnet.Options.model_validate(sizes | {"response_normalization": True})
    return shaken(alexnet.build(options, (24, 24, 1), 3), 1)


def shaken(network: keras.Model, seed: int) -> keras.Model:
    """Return the network with random weights, of which those of a variance are positive."""
    random = np.random.default_rng(seed)
    for variable in network.variables:
        if not variable.dtype.startswith("uint"):  # the state of a generator
            values = random.normal(size=variable.shape) / max(1.0, variable.shape[0] ** 0.5)
            variable.assign(np.abs(values) + 0.5 if "variance" in variable.path else values)
    return network


NETWORKS: dict[str, Callable[[], keras.Model]] = {
    "image_cnn": _cnn,
    "strides without batch normalization": lambda: _cnn(
        stride=2, padding="valid", batch_normalization=False, pooling=1
    ),
    "two networks": lambda: average([_cnn(1), _cnn(2)]),
    "alexnet with response normalization": _alexnet,
    "dense": lambda: shaken(dense.build(dense.Options(hidden=[7]), SHAPE, 3), 1),
}


def images_for(network: keras.Model, count: int = 5) -> np.ndarray:
    random = np.random.default_rng(2)
    return random.integers(0, 256, (count, *network.input_shape[1:]), np.uint8)

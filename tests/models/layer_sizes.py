"""The sizes of a network's layers, for the tests of image networks."""

from __future__ import annotations

import keras


def layer_sizes(network: keras.Model, kinds: tuple[type, ...]) -> list[tuple[int, ...]]:
    return [layer.output.shape[1:] for layer in network.layers if isinstance(layer, kinds)]

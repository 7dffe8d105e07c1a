"""Several networks as one, and the first of them, whose filters can be read."""

from __future__ import annotations

from collections.abc import Sequence

from .backend import keras


def average(networks: Sequence[keras.Model]) -> keras.Model:
    """Return networks that differ in their seed as one: its logits [rows, classes] are the mean of theirs."""
    if len(networks) == 1:
        return networks[0]
    (first,) = networks[0].inputs
    inputs = keras.Input(batch_shape=first.shape, dtype=first.dtype, name=first.name)
    # A network may not hold two of one name; the copy leaves out the optimizer.
    members = [
        keras.Model(network.input, network.output, name=f"member{number}")
        for number, network in enumerate(networks, 1)
    ]
    logits = keras.layers.Average()([member(inputs) for member in members])
    return keras.Model(inputs, logits, name="ensemble")


def first_member(network: keras.Model) -> keras.Model:
    """Return the first network of an ensemble, whose members differ in their seed only; any other itself."""
    return first_layer(network, keras.Model) or network


def first_layer(network: keras.Model, kind: type) -> keras.layers.Layer | None:
    """Return the first layer of a kind, or None if there is none."""
    return next((layer for layer in network.layers if isinstance(layer, kind)), None)

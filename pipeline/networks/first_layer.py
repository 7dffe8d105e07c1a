"""The first layer of a network, whose filters can be read.

Of an ensemble it is that of the first member, as the members differ in their seed only.
"""

from __future__ import annotations

from .backend import keras


def first_member(network: keras.Model) -> keras.Model:
    """Return the first network of an ensemble; any other network itself."""
    return first_layer(network, keras.Model) or network


def first_layer(network: keras.Model, kind: type) -> keras.layers.Layer | None:
    """Return the first layer of a kind, or None if there is none."""
    return next((layer for layer in network.layers if isinstance(layer, kind)), None)

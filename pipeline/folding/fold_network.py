"""The folding of a trained Keras network: see `folded`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..inputs import PADDING
from ..networks.backend import keras, tf
from ..networks.token_convolution import TokenConvolution
from .folded import ConvolutionShape, FoldedModel, FoldedNetwork

BLOCK_WORDS = 8192  # whose products are computed at a time


def fold_networks(networks: list[keras.Model]) -> FoldedModel | None:
    """Fold networks that differ in their seed; return None if one of them cannot be folded."""
    members = [fold_network(network) for network in networks]
    folded = [member for member in members if member is not None]
    return FoldedModel(folded) if len(folded) == len(members) else None


def fold_network(network: keras.Model) -> FoldedNetwork | None:
    """Fold a network; return None unless it is a token convolution, dropout and a dense layer, all finite."""
    unused = keras.layers.InputLayer | keras.layers.Dropout  # in prediction
    layers = [layer for layer in network.layers if not isinstance(layer, unused)]
    if [type(layer) for layer in layers] != [TokenConvolution, keras.layers.Dense]:
        return None
    convolution, dense = layers
    if dense.activation is not keras.activations.linear:
        return None
    banks = len(convolution.banks) if convolution.combination == "concatenated" else 1
    shape = ConvolutionShape(
        windows=list(convolution.windows) * banks,
        filters=list(convolution.filters) * banks,
        activation=convolution.activation,
    )
    table = _table(convolution, len(shape.features))
    variables = (convolution.bias, dense.kernel, dense.bias)
    bias, weights, offset = (np.asarray(variable.value) for variable in variables)
    if not all(np.isfinite(array).all() for array in (table, bias, weights, offset)):
        return None
    scale = np.ones(len(bias), np.float32)
    return FoldedNetwork(shape, table, scale, bias, np.ascontiguousarray(weights.T), offset)


def _table(convolution: TokenConvolution, columns: int) -> NDArray[np.float32]:
    """Return the products of the filters with all words: float32 [vocabulary, columns]."""
    table = np.empty((convolution.vocabulary, columns), np.float32)
    for start in range(0, len(table), BLOCK_WORDS):
        words = tf.range(start, min(start + BLOCK_WORDS, len(table)))
        table[start : start + BLOCK_WORDS] = convolution.products(words).numpy()
    table[PADDING] = 0
    return table

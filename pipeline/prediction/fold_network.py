"""From a Keras network to its folded form: see `folded`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..baselines.tfidf import TfidfModel
from ..inputs import PADDING
from ..networks.backend import keras, tf
from ..networks.token_convolution import TokenConvolution
from .folded import FoldedModel, FoldedNetwork, Shape

BLOCK = 8192  # words whose products are computed at a time


def fold(
    networks: list[keras.Model], ngrams: TfidfModel | None = None, weights: list[float] | None = None
) -> FoldedModel | None:
    """The networks, with an ensemble's n-grams and weights; None where one of them cannot be folded."""
    members = [_fold_one(network) for network in networks]
    folded = [one for one in members if one is not None]
    return FoldedModel(folded, ngrams, weights or []) if len(folded) == len(members) else None


def _fold_one(network: keras.Model) -> FoldedNetwork | None:
    """None unless it is a token convolution, dropout and a dense layer, all numbers finite."""
    layers = [
        one for one in network.layers if not isinstance(one, keras.layers.InputLayer | keras.layers.Dropout)
    ]
    if [type(one) for one in layers] != [TokenConvolution, keras.layers.Dense]:
        return None
    convolution, dense = layers
    if dense.activation is not keras.activations.linear:
        return None
    banks = len(convolution.banks) if convolution.combination == "concatenated" else 1
    shape = Shape(
        windows=list(convolution.windows) * banks,
        filters=list(convolution.filters) * banks,
        activation=convolution.activation,
    )
    table = _table(convolution, len(shape.features))
    bias, weights, offset = (np.asarray(one.value) for one in (convolution.bias, dense.kernel, dense.bias))
    if not all(np.isfinite(one).all() for one in (table, bias, weights, offset)):
        return None
    scale = np.ones(len(bias), np.float32)
    return FoldedNetwork(shape, table, scale, bias, np.ascontiguousarray(weights.T), offset)


def _table(convolution: TokenConvolution, columns: int) -> NDArray[np.float32]:
    """The products with all words: float32 [vocabulary, columns]."""
    table = np.empty((convolution.vocabulary, columns), np.float32)
    for start in range(0, len(table), BLOCK):
        words = tf.range(start, min(start + BLOCK, len(table)))
        table[start : start + BLOCK] = convolution.products(words).numpy()
    table[PADDING] = 0
    return table

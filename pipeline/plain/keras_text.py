"""A text classifier as a Keras model of built-in layers and operations."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..networks.backend import keras
from .keras_outputs import with_outputs
from .text_arrays import PENALTY, Branches, Convolution, NgramTree, PlainText

ops, layers = keras.ops, keras.layers
WITHOUT_CHARACTERS, CHARACTERS = "without_characters", "characters"  # layers: these logits, the words' rows


def build_text(plain: PlainText) -> keras.Model:
    """Return a model from ids int32 [rows, length], padded with 0, to `logits` and `probabilities`."""
    ids = keras.Input((None,), dtype="int32", name="ids")
    given, ids = ids, ops.pad(ids, ((0, 0), (0, 1)))  # a batch of empty texts has no column
    is_token = ops.expand_dims(ops.cast(ops.not_equal(ids, 0), "float32"), 2)
    has_tokens = ops.max(is_token, axis=1, keepdims=True)
    features: list[Any] = []
    for part in plain.convolutions:
        features += _features(part, ids, is_token, has_tokens)
    joined = features[0] if len(features) == 1 else layers.Concatenate()(features)
    logits = _with_weights(layers.Dense(len(plain.bias)), joined, plain.dense, plain.bias)
    if plain.ngrams:
        logits = layers.Add()([logits, _ngrams(plain.ngrams, ids)])
    logits = layers.Identity(name=WITHOUT_CHARACTERS)(logits)
    if plain.characters is not None:
        rows = _table(plain.characters, CHARACTERS)(ids)
        logits = layers.Add()([logits, normalized(ops.sum(rows, axis=1))])
    return with_outputs(given, logits, plain.temperature)


def _features(part: Convolution, ids: Any, is_token: Any, has_tokens: Any) -> list[Any]:
    """Return the maxima of the filters of each window, [rows, filters].

    A window counts if it holds a token or, in a row without tokens, in any case.
    """
    vectors = _table(part.vectors)(ids)
    maxima = []
    for kernel, bias in zip(part.kernels, part.biases, strict=True):
        window = len(kernel)
        around = layers.ZeroPadding1D(window - 1)
        convolution = layers.Conv1D(kernel.shape[2], window, activation=part.activation)
        convolved = _with_weights(convolution, around(vectors), kernel, bias)
        held = layers.MaxPooling1D(window, strides=1)(around(is_token))
        maxima.append(layers.GlobalMaxPooling1D()(convolved - PENALTY * (has_tokens - held)))
    return maxima


def _ngrams(tree: NgramTree, ids: Any) -> Any:
    """Return the sum over a row's n-grams [rows, classes], divided by its length."""
    nodes, following = ids, ids
    total: Any = 0
    for level, table in enumerate(tree.tables):
        if level:
            following = ops.pad(following, [[0, 0], [0, 1]])[:, 1:]
            nodes = _children(tree.branches[level - 1], nodes, following)
        same = ops.equal(ops.expand_dims(nodes, 2), ops.expand_dims(nodes, 1))
        counts = ops.sum(ops.cast(same, "float32"), axis=2, keepdims=True)
        times, values = 1 + ops.log(counts), _table(table)(nodes)
        # Each of c occurrences adds its share of what all of them do.
        added = ops.concatenate([times * values[:, :, :-1], times * times * values[:, :, -1:]], axis=2)
        total = total + ops.sum(added / counts, axis=1)
    return normalized(total)


def _children(branches: Branches, nodes: Any, tokens: Any) -> Any:
    """Return the node of each token [rows, length] below a node, 0 where there is none, by binary search."""
    bounds = _table(np.stack([branches.starts[:-1], branches.starts[1:]], axis=1))(nodes)
    place, end = bounds[:, :, 0], bounds[:, :, 1]
    lasts, most = _table(branches.lasts[:, None]), len(branches.lasts) - 1
    for step in branches.steps:
        further = place + step
        before = ops.logical_and(further < end, lasts(ops.minimum(further, most))[:, :, 0] <= tokens)
        place = ops.where(before, further, place)
    found = ops.logical_and(place < end, ops.equal(lasts(ops.minimum(place, most))[:, :, 0], tokens))
    return ops.where(found, place + 1, 0)


def normalized(sums: Any) -> Any:
    """Return W'x / |x| of W'x and |x|^2, [rows, classes + 1]; a length of 0 is 1."""
    squares = sums[:, -1:]
    return sums[:, :-1] / ops.sqrt(ops.where(squares > 0, squares, 1.0))


def _table(array: NDArray[Any], name: str | None = None) -> keras.layers.Embedding:
    """Return a layer that gives rows of an array [n, columns]."""
    kind = str(array.dtype)
    table = layers.Embedding(*array.shape, "zeros", dtype=kind, trainable=False, name=name)
    table.build()
    table.set_weights([array])
    return table


def _with_weights(layer: keras.layers.Layer, inputs: Any, *weights: NDArray[Any]) -> Any:
    outputs = layer(inputs)
    layer.set_weights([*weights])
    return outputs

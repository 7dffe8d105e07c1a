"""What a trained network's filters have learned: the n-grams they fire on, or what they see in a picture.

Of an ensemble it is the first member that is looked into: the others differ in their seed alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..encoder import Encoder
from ..images.edge_kernels import KERNELS
from ..inputs import PADDING, Sequences
from ..networks import convolution_kernels
from ..networks.backend import keras, tf
from ..networks.batches import SortedBatches
from ..networks.token_convolution import TokenConvolution

MOST = 5  # n-grams that are kept for each filter
ALMOST = 0.7  # of the first class's weight: a second one that has more is named too
OUTSIDE = "·"  # a place of the window before the text's first token, or after its last


class Window(NamedTuple):
    """The window of a row that a filter fires on: from token `start`, which is negative before the text."""

    total: float  # c_t + b, what the activation is applied to
    row: int
    start: int


@dataclass(frozen=True)
class Ngram:
    text: str
    value: float  # the feature: after the activation


@dataclass(frozen=True)
class NgramFilter:
    """A filter over `size` tokens, and the class that it speaks for; `second` is another that it speaks for
    almost as much, "" where there is none.

    `weight` is that of its feature in the class's logit, above the mean of the classes' weights. `push` is
    what its strongest n-gram adds to the logit, above the mean of the classes.
    """

    feature: int  # its number among the features
    size: int
    label: str
    second: str
    weight: float
    push: float
    ngrams: list[Ngram]  # the strongest first; none where nothing in the test part fires it


def ngram_filters(
    network: keras.Model,
    sequences: Sequences,
    texts: Sequence[str],
    encoder: Encoder,
    labels: Sequence[str],
) -> list[NgramFilter]:
    """Every filter over tokens in the network, by number; none where it has no TokenConvolution.

    `texts` are those of the `sequences`, which the `encoder` made of them; `labels` name the classes.
    """
    member = first_member(network)
    layer = _first(member, TokenConvolution)
    if layer is None:
        return []
    weights = member.get_layer("logits").kernel.numpy()  # [features, classes]
    weights = weights - weights.mean(axis=1, keepdims=True)
    sizes = np.resize(np.repeat(layer.windows, layer.filters), len(weights))  # again for each pool
    activation = keras.activations.get(layer.activation)
    found = []
    for feature, windows in enumerate(strongest_windows(layer, sequences)):
        size, (speaks_for, other) = int(sizes[feature]), np.argsort(-weights[feature], kind="stable")[:2]
        values = activation(tf.constant([window.total for window in windows], tf.float32)).numpy().tolist()
        ngrams = [
            Ngram(_text(encoder.tokens(texts[window.row]), window.start, size), value)
            for window, value in zip(windows, values, strict=True)
        ]
        weight = float(weights[feature, speaks_for])
        second = labels[other] if weights[feature, other] > ALMOST * weight else ""
        push = weight * max(values, default=0.0)
        found.append(NgramFilter(feature, size, labels[speaks_for], second, weight, push, ngrams))
    return found


def strongest_windows(layer: TokenConvolution, sequences: Sequences, most: int = MOST) -> list[list[Window]]:
    """For each feature, of the windows that win the maximum over time in their row, the `most` with the
    highest totals, the highest first. Each n-gram counts once, in one of the rows that hold it;
    of several with equal totals, one.

    Where the activation is ReLU, a window whose total is not above 0 does not fire, and is left out.
    Memory holds one batch of rows and what is kept.
    """
    least = 0.0 if layer.activation == "relu" else -np.inf
    sizes = np.repeat(layer.windows, layer.filters)
    kept: list[dict[tuple[int, ...], Window]] = []
    batches = SortedBatches(sequences)
    for rows, (ids, *_) in zip(batches.rows, batches, strict=True):
        totals, starts = _winners(layer, ids)
        kept = kept or [{} for _ in range(totals.shape[1])]
        totals[ids[:, 0] == PADDING] = -np.inf  # a row without tokens holds no n-gram
        for feature, best in enumerate(kept):
            size = sizes[feature % len(sizes)]
            bound = min(best.values()).total if len(best) == most else least
            candidates = np.flatnonzero(totals[:, feature] > bound)
            # Equal n-grams have equal totals within a batch, so that few are looked at one by one.
            values, places = np.unique(totals[candidates, feature], return_index=True)
            for value, row in zip(values[::-1].tolist(), candidates[places[::-1]].tolist(), strict=True):
                if len(best) == most and value <= min(best.values()).total:
                    break
                start = int(starts[row, feature])
                best.setdefault(_ngram(ids[row], start, size), Window(value, int(rows[row]), start))
                if len(best) > most:
                    del best[min(best, key=lambda ngram: best[ngram].total)]
    return [sorted(best.values(), reverse=True) for best in kept]


def first_member(network: keras.Model) -> keras.Model:
    """The first network of an ensemble; any other network itself."""
    return _first(network, keras.Model) or network


def _first(network: keras.Model, kind: type) -> keras.layers.Layer | None:
    return next((layer for layer in network.layers if isinstance(layer, kind)), None)


def _winners(
    layer: TokenConvolution, ids: NDArray[np.int32]
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """max over t of c_t + b, and the t that wins, float32 and int32 [batch, features]."""
    tokens, places = np.unique(np.append(ids, np.int32(PADDING)), return_inverse=True)
    index = (places[:-1] - 1).astype(np.int32).reshape(ids.shape)  # PADDING is the first, and becomes -1
    bank_form = np.array(layer.windows), np.array(layer.filters)
    products = layer.products(tf.constant(tokens[1:])).numpy()
    pools = np.split(products, products.shape[1] // int(bank_form[0] @ bank_form[1]), axis=1)
    found = [convolution_kernels.pool(*bank_form, np.ascontiguousarray(pool), index) for pool in pools]
    pooled, starts = (np.concatenate(parts, axis=1) for parts in zip(*found, strict=True))
    return pooled + layer.bias.numpy(), starts


def _ngram(ids: NDArray[np.int32], start: int, size: int) -> tuple[int, ...]:
    return tuple(int(ids[t]) if 0 <= t < len(ids) else PADDING for t in range(start, start + size))


def _text(tokens: Sequence[str], start: int, size: int) -> str:
    return " ".join(tokens[t] if 0 <= t < len(tokens) else OUTSIDE for t in range(start, start + size))


def first_filters(network: keras.Model) -> NDArray[np.float32] | None:
    """float32 [height, width, channels, filters] of the first convolution over pixels, where there is one."""
    layer = _first(first_member(network), keras.layers.Conv2D)
    return None if layer is None else layer.kernel.numpy()


def feature_maps(network: keras.Model, image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What that layer makes of one image [height, width, channels]: float32 [height, width, filters], without
    the normalization and the rectifier that may follow as layers of their own."""
    member = first_member(network)
    output = next(layer.output for layer in member.layers if isinstance(layer, keras.layers.Conv2D))
    maps: NDArray[np.float32] = keras.Model(member.input, output)(image[None]).numpy()[0]
    return maps.astype(np.float32)


def edge_maps(image: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """What each kernel of the filter bank makes of one image's brightness, 0..1 [height, width], by name:
    float32 [height - 2, width - 2]."""
    brightness = image.astype(np.float32).mean(axis=-1)[None, :, :, None] / 255
    stacked = np.stack(list(KERNELS.values()), axis=-1)[:, :, None]
    maps = tf.nn.conv2d(brightness, stacked, strides=1, padding="VALID").numpy()[0]
    return {name: maps[..., number] for number, name in enumerate(KERNELS)}

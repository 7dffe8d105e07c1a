"""The n-grams that activate the filters over tokens of a trained network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..encoder import Encoder
from ..inputs import BOUNDARY, PADDING, Sequences
from ..networks import convolution_kernels
from ..networks.backend import keras, tf
from ..networks.batches import SortedBatches
from ..networks.ensemble import first_layer, first_member
from ..networks.token_convolution import TokenConvolution

NGRAMS_PER_FILTER = 5
SECOND_CLASS_SHARE = 0.7  # of the first class's weight, above which a second class is reported too
OUTSIDE = "·"  # a position of a window before the text's first token, or after its last


class Window(NamedTuple):
    """The window of a row that gives a filter's maximum; `start` is below `text` if it begins before it."""

    total: float  # of the convolution and the bias, which the activation is applied to
    row: int
    start: int
    text: int  # the first token of the row's text, of several, that it is of


@dataclass(frozen=True)
class Ngram:
    """An n-gram and the value of the feature that it gives, after the activation."""

    text: str
    value: float


@dataclass(frozen=True)
class NgramFilter:
    """A filter over `size` tokens, the class that its feature has the largest weight for, and its n-grams.

    `second` is another class of nearly the same weight, "" if there is none. `weight` is that of the feature
    in the class's logit, and `push` what its strongest n-gram adds to the logit, both relative to the mean
    over classes.
    """

    feature: int  # index among the features
    size: int
    label: str
    second: str
    weight: float
    push: float
    ngrams: list[Ngram]  # the strongest first; empty if no window of the test part activates the filter


def read_filters(
    network: keras.Model,
    sequences: Sequences,
    texts: Sequence[str],
    encoder: Encoder,
    labels: Sequence[str],
) -> list[NgramFilter]:
    """Return all filters over tokens in the order of their features; none without a TokenConvolution.

    `sequences` are the `texts` encoded by `encoder`; `labels` name the classes.
    """
    member = first_member(network)
    layer = first_layer(member, TokenConvolution)
    if layer is None:
        return []
    weights = member.get_layer("logits").kernel.numpy()  # [features, classes]
    weights = weights - weights.mean(axis=1, keepdims=True)
    sizes = np.resize(np.repeat(layer.windows, layer.filters), len(weights))  # repeated for each pool
    activation = keras.activations.get(layer.activation)
    filters = []
    for feature, windows in enumerate(strongest_windows(layer, sequences)):
        size = int(sizes[feature])
        label, second = np.argsort(-weights[feature], kind="stable")[:2]
        values = activation(tf.constant([window.total for window in windows], tf.float32)).numpy().tolist()
        ngrams = [
            Ngram(_text(encoder.pieces(texts[window.row]), window, size), value)
            for window, value in zip(windows, values, strict=True)
        ]
        weight = float(weights[feature, label])
        has_second = weights[feature, second] > SECOND_CLASS_SHARE * weight
        filters.append(
            NgramFilter(
                feature=feature,
                size=size,
                label=labels[label],
                second=labels[second] if has_second else "",
                weight=weight,
                push=weight * max(values, default=0.0),
                ngrams=ngrams,
            )
        )
    return filters


def strongest_windows(
    layer: TokenConvolution, sequences: Sequences, count: int = NGRAMS_PER_FILTER
) -> list[list[Window]]:
    """Return for each feature the `count` windows of the highest totals, the highest first.

    Only windows that win the maximum over time in their row are considered. Each n-gram occurs once, in one
    of the rows that contain it; of several n-grams with equal totals, one is kept. If the activation is ReLU,
    windows whose total is not above 0 are left out, as they do not activate it.

    The memory needed is that of one batch of rows and the windows kept.
    """
    threshold = 0.0 if layer.activation == "relu" else -np.inf
    sizes = np.repeat(layer.windows, layer.filters)
    kept: list[_StrongestNgrams] = []
    batches = SortedBatches(sequences)
    for rows, (ids, *_) in zip(batches.rows, batches, strict=True):
        totals, winners = _winning_windows(layer, ids)
        kept = kept or [_StrongestNgrams(count, threshold) for _ in range(totals.shape[1])]
        totals[(ids == PADDING).all(axis=1)] = -np.inf  # a row without tokens holds no n-gram
        for feature, ngrams in enumerate(kept):
            size = sizes[feature % len(sizes)]
            candidates = np.flatnonzero(totals[:, feature] > ngrams.lowest)
            # Equal n-grams have equal totals within a batch, which leaves few to be looked at one by one.
            values, places = np.unique(totals[candidates, feature], return_index=True)
            for value, row in zip(values[::-1].tolist(), candidates[places[::-1]].tolist(), strict=True):
                if value <= ngrams.lowest:
                    break
                window = Window(value, int(rows[row]), *winners[row, :, feature].tolist())
                ngrams.add(_ngram(ids[row], window, size), window)
    return [ngrams.windows() for ngrams in kept]


class _StrongestNgrams:
    """The n-grams of the highest totals so far, at most `count`, each with one of its windows."""

    def __init__(self, count: int, threshold: float) -> None:
        self._count, self._threshold = count, threshold
        self._windows: dict[tuple[int, ...], Window] = {}

    @property
    def lowest(self) -> float:
        """The total that an n-gram has to exceed to be kept."""
        is_full = len(self._windows) == self._count
        return min(self._windows.values()).total if is_full else self._threshold

    def add(self, ngram: tuple[int, ...], window: Window) -> None:
        """Keep the n-gram, unless it is kept already, in place of the lowest if there is no room."""
        self._windows.setdefault(ngram, window)
        if len(self._windows) > self._count:
            del self._windows[min(self._windows, key=lambda kept: self._windows[kept].total)]

    def windows(self) -> list[Window]:
        """Return the windows, those of the highest totals first."""
        return sorted(self._windows.values(), reverse=True)


def _winning_windows(
    layer: TokenConvolution, ids: NDArray[np.int32]
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    """Return the maximum over t of c_t + b, float32 [batch, features], and the winners as `pool` does.

    `ids` int32 [batch, length].
    """
    tokens, places = np.unique(np.append(ids, np.int32(PADDING)), return_inverse=True)
    index = (places[:-1] - 1).astype(np.int32).reshape(ids.shape)  # PADDING is the lowest id, and becomes -1
    windows, filters = np.array(layer.windows), np.array(layer.filters)
    products = layer.products(tf.constant(tokens[1:])).numpy()
    pools = np.split(products, products.shape[1] // int(windows @ filters), axis=1)
    results = [
        convolution_kernels.pool(windows, filters, np.ascontiguousarray(pool), index) for pool in pools
    ]
    pooled, winners = (np.concatenate(parts, axis=-1) for parts in zip(*results, strict=True))
    return pooled + layer.bias.numpy(), winners


def _ngram(ids: NDArray[np.int32], window: Window, size: int) -> tuple[int, ...]:
    end = _text_end((ids == PADDING).tolist(), window.text)
    places = range(window.start, window.start + size)
    return tuple(int(ids[t]) if window.text <= t < end else PADDING for t in places)


def _text(pieces: Sequence[str], window: Window, size: int) -> str:
    end = _text_end([piece == BOUNDARY for piece in pieces], window.text)
    before = max(0, window.text - window.start)
    inside = "".join(pieces[max(window.start, window.text) : min(window.start + size, end)]).lstrip(" ")
    after = max(0, window.start + size - max(end, window.start))
    return " ".join([*[OUTSIDE] * before, *[inside] * bool(inside), *[OUTSIDE] * after])


def _text_end(is_boundary: list[bool], begin: int) -> int:
    """Return the end of the text that begins there."""
    return is_boundary.index(True, begin) if True in is_boundary[begin:] else len(is_boundary)

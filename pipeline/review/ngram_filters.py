"""The n-grams that activate the filters over tokens of a trained network, read from its folded form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats
from ..encoder import Encoder
from ..folding.folded import FoldedNetwork
from ..inputs import PADDING, Sequences

NGRAMS_PER_FILTER = 5
SECOND_CLASS_SHARE = 0.7  # of the first class's weight, above which a second class is reported too
OUTSIDE = "·"  # a position of a window before the text's first token, or after its last
BLOCK_ROWS = 4096  # whose features are in memory at a time


class Window(NamedTuple):
    """The window of a row that gives a filter's maximum."""

    total: float  # of the convolution and the bias, which the activation is applied to
    row: int
    start: int  # its first place, below `first` if the text begins within it
    first: int  # its first token
    end: int  # the token after the last


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
    network: FoldedNetwork,
    sequences: Sequences,
    texts: Sequence[str],
    encoder: Encoder,
    labels: Sequence[str],
) -> list[NgramFilter]:
    """Return all filters over tokens in the order of their features.

    `sequences` are the `texts` encoded by `encoder`; `labels` name the classes.
    """
    weights = network.weights.T - network.weights.T.mean(axis=1, keepdims=True)  # [features, classes]
    sizes = network.shape.sizes.tolist()
    filters = []
    for feature, windows in enumerate(strongest_windows(network, sequences)):
        label, second = np.argsort(-weights[feature], kind="stable")[:2]
        totals = np.array([window.total for window in windows], np.float32)
        values = network.activated(totals).tolist()
        ngrams = [
            Ngram(_text(encoder.pieces(texts[window.row]), window, sizes[feature]), value)
            for window, value in zip(windows, values, strict=True)
        ]
        weight = float(weights[feature, label])
        has_second = weights[feature, second] > SECOND_CLASS_SHARE * weight
        filters.append(
            NgramFilter(
                feature=feature,
                size=sizes[feature],
                label=labels[label],
                second=labels[second] if has_second else "",
                weight=weight,
                push=weight * max(values, default=0.0),
                ngrams=ngrams,
            )
        )
    return filters


def strongest_windows(
    network: FoldedNetwork, sequences: Sequences, count: int = NGRAMS_PER_FILTER
) -> list[list[Window]]:
    """Return for each feature the `count` windows of the highest totals, the highest first.

    Only windows that win the maximum over time in their row are considered. Each n-gram occurs once, in the
    first of the rows that it wins; of several n-grams with equal totals, one is kept. If the activation is
    ReLU, windows whose total is not above 0 are left out, as they do not activate it.

    The memory needed is that of BLOCK_ROWS rows and the windows kept.
    """
    threshold = 0.0 if network.shape.activation == "relu" else -np.inf
    rows_of: list[dict[float, int]] = [{} for _ in network.bias]  # by the total, which equal n-grams share
    for start in range(0, len(sequences), BLOCK_ROWS):
        block = sequences.select(np.arange(start, min(start + BLOCK_ROWS, len(sequences))))
        totals = network.features(block)
        tokens_before = np.append(0, np.cumsum(block.ids != PADDING))[block.offsets]
        totals[np.diff(tokens_before) == 0] = -np.inf  # a row without tokens holds no n-gram
        for feature, kept in enumerate(rows_of):
            lowest = min(kept) if len(kept) == count else threshold
            for row in _highest(totals[:, feature], lowest, count).tolist():
                kept.setdefault(float(totals[row, feature]), start + row)
            rows_of[feature] = dict(sorted(kept.items(), reverse=True)[:count])
    rows = np.unique([row for kept in rows_of for row in kept.values()]).astype(np.int64)
    windows = np.stack(network.winning_windows(sequences.select(rows)), axis=-1)  # [rows, features, 3]
    places = {row: place for place, row in enumerate(rows.tolist())}
    return [
        [Window(total, row, *windows[places[row], feature].tolist()) for total, row in kept.items()]
        for feature, kept in enumerate(rows_of)
    ]


def _highest(totals: Floats, lowest: float, count: int) -> NDArray[np.int64]:
    """Return the rows of the `count` highest totals that differ and are above the `lowest`."""
    candidates = np.flatnonzero(totals > lowest)
    _, places = np.unique(totals[candidates], return_index=True)
    return candidates[places[-count:]]


def _text(pieces: Sequence[str], window: Window, size: int) -> str:
    before = window.first - window.start
    after = size - before - (window.end - window.first)
    inside = "".join(pieces[window.first : window.end]).lstrip(" ")
    return " ".join([*[OUTSIDE] * before, inside, *[OUTSIDE] * after])

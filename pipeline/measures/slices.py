"""Accuracy by what a row is like: its class, its length, its share of words unknown to the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..inputs import PADDING, UNKNOWN, Sequences
from .metrics import Interval, wilson_interval

SHARE_ENDS = (0.0, 0.10, 0.25)  # shares of a row's running words, each the end of its slice
SHARE_NAMES = ("0 %", "up to 10 %", "10 to 25 %", "above 25 %")
LENGTH_SLICES = 5  # of as many rows each as whole numbers of tokens allow
TITLES = {
    "class": "true class",
    "length": "length (tokens)",
    "unknown_words": "words outside the vocabulary",
    "uncovered_words": "words without a vector",
}


@dataclass(frozen=True)
class SliceAccuracy:
    """Rows of one slice, their accuracy and its 95 % interval, both None without rows."""

    name: str
    rows: int
    accuracy: float | None
    interval: Interval | None

    def to_json(self) -> dict[str, Any]:
        """Return its entry in metrics.json."""
        return {
            "slice": self.name,
            "rows": self.rows,
            "accuracy": self.accuracy,
            "interval": self.interval,
        }


@dataclass(frozen=True)
class Slices:
    """A partition of rows into slices: `numbers` int64 [rows] are indices into `names`."""

    names: Sequence[str]
    numbers: NDArray[np.int64]

    def masks(self, unit: str) -> dict[str, NDArray[np.bool_]]:
        """Return the rows of each slice, bool [rows], by its name followed by the `unit` of that."""
        return {f"{name} {unit}": self.numbers == number for number, name in enumerate(self.names)}

    def accuracy(self, correct: NDArray[np.bool_]) -> list[SliceAccuracy]:
        """Return the accuracy of each slice; `correct` is bool [rows]."""
        rows = np.bincount(self.numbers, minlength=len(self.names)).tolist()
        hits = np.bincount(self.numbers, correct, len(self.names)).astype(int).tolist()
        return [
            SliceAccuracy(name, count, right / count, wilson_interval(right, count))
            if count
            else SliceAccuracy(name, 0, None, None)
            for name, count, right in zip(self.names, rows, hits, strict=True)
        ]


def by_class(labels: NDArray[np.int64], names: Sequence[str]) -> Slices:
    """Return a slice for each class; `labels` int64 [rows] are indices into `names`.

    The accuracy of a class is its recall.
    """
    return Slices(names, labels)


def by_length(lengths: NDArray[np.int64], count: int = LENGTH_SLICES) -> Slices:
    """Return slices by the quantiles of the rows' `lengths` int64 [rows], in tokens.

    There are `count`, or fewer if there are fewer lengths.
    """
    if not len(lengths):
        return Slices([], lengths)
    last = -(-np.arange(1, count + 1) * len(lengths) // count) - 1  # row of each slice, by length
    ends = np.unique(np.sort(lengths)[last])
    starts = [int(lengths.min()), *(int(end) + 1 for end in ends[:-1])]
    names = [
        str(start) if start == end else f"{start} to {end}"
        for start, end in zip(starts, ends.tolist(), strict=True)
    ]
    return Slices(names, np.searchsorted(ends, lengths))


def by_share(part: NDArray[np.int64], lengths: NDArray[np.int64]) -> Slices:
    """Return slices by the share of words in `part` of all, both int64 [rows], which is 0 without words."""
    return Slices(SHARE_NAMES, np.digitize(part / np.maximum(1, lengths), SHARE_ENDS, right=True))


def uncovered(sequences: Sequences, has_vector: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the number of running words without a pretrained vector, int64 [rows].

    `has_vector` is bool [words + 2], by id; the unknown word (id 1) has no vector of its own in any case.
    """
    lacking = (~has_vector[sequences.ids] | (sequences.ids == UNKNOWN)) & (sequences.ids != PADDING)
    return np.diff(np.concatenate([[0], np.cumsum(lacking)])[sequences.offsets])


def summary(title: str, table: Sequence[SliceAccuracy]) -> str:
    """Return the accuracies in lines, without slices that have no row."""
    lines = [f"  {title:<30}{'accuracy':>8}  {'rows':>10}"]
    lines += [f"  {entry.name:<30}{entry.accuracy:8.1%}  {entry.rows:10,}" for entry in table if entry.rows]
    return "\n".join(lines)

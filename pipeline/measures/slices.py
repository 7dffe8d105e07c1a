"""Accuracy by what a row is like: its class, its length, how many of its words are strange to the network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..inputs import UNKNOWN, Sequences
from .metrics import wilson_interval

UP_TO = (0.0, 0.10, 0.25)  # shares of a row's running words, each the end of its bin
SHARES = ("0 %", "up to 10 %", "10 to 25 %", "above 25 %")
LENGTHS = 5  # bins, of as many rows each as whole numbers of tokens allow
TITLES = {
    "class": "true class",
    "length": "length (tokens)",
    "unknown_words": "words outside the vocabulary",
    "uncovered_words": "words without a vector",
}


@dataclass(frozen=True)
class Slices:
    """Rows by bin: `bins` int64 [rows] are indices into `names`."""

    names: Sequence[str]
    bins: NDArray[np.int64]

    def groups(self, what: str) -> dict[str, NDArray[np.bool_]]:
        """The rows of each bin, bool [rows], by its name and `what` it counts."""
        return {f"{name} {what}": self.bins == number for number, name in enumerate(self.names)}

    def accuracy(self, correct: NDArray[np.bool_]) -> list[dict[str, Any]]:
        """For each bin its rows, accuracy and 95 % interval (None without rows); `correct` is bool [rows]."""
        rows = np.bincount(self.bins, minlength=len(self.names)).tolist()
        right = np.bincount(self.bins, correct, len(self.names)).astype(int).tolist()
        return [
            {
                "slice": name,
                "rows": count,
                "accuracy": good / count if count else None,
                "interval": wilson_interval(good, count) if count else None,
            }
            for name, count, good in zip(self.names, rows, right, strict=True)
        ]


def by_class(labels: NDArray[np.int64], names: Sequence[str]) -> Slices:
    """`labels` int64 [rows] are indices into `names`: the accuracy of a class is its recall."""
    return Slices(names, labels)


def by_length(lengths: NDArray[np.int64], parts: int = LENGTHS) -> Slices:
    """By the rows' quantiles; `lengths` int64 [rows] are tokens. Where lengths are few, so are the bins."""
    if not len(lengths):
        return Slices([], lengths)
    last = -(-np.arange(1, parts + 1) * len(lengths) // parts) - 1  # of each bin, by length
    ends = np.unique(np.sort(lengths)[last])
    starts = [int(lengths.min()), *(int(end) + 1 for end in ends[:-1])]
    names = [
        str(start) if start == end else f"{start} to {end}"
        for start, end in zip(starts, ends.tolist(), strict=True)
    ]
    return Slices(names, np.searchsorted(ends, lengths))


def by_share(part: NDArray[np.int64], lengths: NDArray[np.int64]) -> Slices:
    """By the share of a row's words that are in `part`, both int64 [rows]. A row without words has none."""
    return Slices(SHARES, np.digitize(part / np.maximum(1, lengths), UP_TO, right=True))


def uncovered(sequences: Sequences, found: NDArray[np.bool_]) -> NDArray[np.int64]:
    """int64 [rows]: running words without a pretrained vector.

    `found` is bool [words + 2], by id; the unknown word (id 1) has no vector of its own in any case.
    """
    lacking = ~found[sequences.ids] | (sequences.ids == UNKNOWN)
    return np.diff(np.concatenate([[0], np.cumsum(lacking)])[sequences.offsets])


def summary(title: str, table: Sequence[dict[str, Any]]) -> str:
    """A table of accuracies in lines, without the bins that no row falls in."""
    lines = [f"  {title:<30}{'accuracy':>8}  {'rows':>10}"]
    for entry in table:
        if entry["rows"]:
            lines.append(f"  {entry['slice']:<30}{entry['accuracy']:8.1%}  {entry['rows']:10,}")
    return "\n".join(lines)

"""Token sequences, each of its own length."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PADDING = 0
UNKNOWN = 1


@dataclass(frozen=True)
class Sequences:
    """Rows of token ids laid end to end.

    `ids` is int32 [tokens]; row i is `ids[offsets[i]:offsets[i + 1]]`, with `offsets` int64 [rows + 1].
    Id 0 is padding and does not occur in a row; id 1 is any word outside the vocabulary.
    """

    ids: NDArray[np.int32]
    offsets: NDArray[np.int64]

    @classmethod
    def of(cls, rows: list[list[int]]) -> Sequences:
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.cumsum([len(row) for row in rows], out=offsets[1:])
        return cls(np.fromiter((i for row in rows for i in row), np.int32, offsets[-1]), offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        return np.diff(self.offsets)

    @property
    def shape(self) -> tuple[None]:
        """Of a row as `padded` gives it: as long as its batch needs."""
        return (None,)

    def select(self, rows: NDArray[np.integer]) -> Sequences:
        """The given rows, in the given order."""
        lengths = self.lengths[rows]
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(lengths, out=offsets[1:])
        positions = np.arange(offsets[-1]) + np.repeat(self.offsets[rows] - offsets[:-1], lengths)
        return Sequences(self.ids[positions], offsets)

    def padded(self) -> NDArray[np.int32]:
        """int32 [rows, longest row, at least 1], filled with PADDING on the right."""
        lengths = self.lengths
        matrix = np.full((len(self), max(1, int(lengths.max(initial=0)))), PADDING, np.int32)
        matrix[np.arange(matrix.shape[1]) < lengths[:, None]] = self.ids
        return matrix

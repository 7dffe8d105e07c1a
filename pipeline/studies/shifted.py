"""Test rows that are moved, to see whether a network knows what it learned from in another place."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..inputs import UNKNOWN, Sequences

MOST = 8  # pixels, or tokens


def shifts(shape: tuple[int | None, ...]) -> range:
    """How far rows of the shape are moved: 0 to 8, and images by no more than half of the shorter side."""
    halves = [side // 2 for side in shape[:2] if side is not None]
    return range(1 + min([MOST, *halves]))


def shifted_images(pixels: NDArray[np.uint8], far: int) -> Iterator[NDArray[np.uint8]]:
    """Images [rows, height, width, channels] moved by `far` pixels left, right, up and down; at 0 once.

    What comes in from outside repeats the edge: black beside a black ground, and no new edge beside others.
    """
    directions = [(0, far), (0, -far), (far, 0), (-far, 0)] if far else [(0, 0)]
    height, width = pixels.shape[1:3]
    for down, right in directions:
        rows = np.clip(np.arange(height) + down, 0, height - 1)
        columns = np.clip(np.arange(width) + right, 0, width - 1)
        yield pixels[:, rows[:, None], columns]


def shifted_texts(sequences: Sequences, far: int) -> Sequences:
    """The same rows, each behind `far` unknown words."""
    offsets = sequences.offsets + far * np.arange(len(sequences) + 1)
    ids = np.full(offsets[-1], UNKNOWN, np.int32)
    moved = np.repeat(far * np.arange(1, len(sequences) + 1), sequences.lengths)
    ids[np.arange(len(sequences.ids)) + moved] = sequences.ids
    return Sequences(ids, offsets)

"""Test rows that are shifted, to measure whether a network recognizes its features in other positions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..inputs import UNKNOWN, Sequences

MAX_SHIFT = 8  # pixels, or tokens


def shifts(shape: tuple[int | None, ...]) -> range:
    """Return the distances to shift rows of this shape by: 0 to 8, at most half an image's shorter side."""
    halves = [side // 2 for side in shape[:2] if side is not None]
    return range(1 + min([MAX_SHIFT, *halves]))


def shifted_images(pixels: NDArray[np.uint8], distance: int) -> Iterator[NDArray[np.uint8]]:
    """Yield the images shifted by `distance` pixels left, right, up and down; once if the distance is 0.

    `pixels` uint8 [rows, height, width, channels]. The pixels that come in from outside repeat the edge, so
    that a black background stays black and no new edge appears on others.
    """
    offsets = [(0, distance), (0, -distance), (distance, 0), (-distance, 0)] if distance else [(0, 0)]
    height, width = pixels.shape[1:3]
    for down, right in offsets:
        rows = np.clip(np.arange(height) + down, 0, height - 1)
        columns = np.clip(np.arange(width) + right, 0, width - 1)
        yield pixels[:, rows[:, None], columns]


def shifted_texts(sequences: Sequences, distance: int) -> Sequences:
    """Return the same rows, each preceded by `distance` unknown words."""
    offsets = sequences.offsets + distance * np.arange(len(sequences) + 1)
    ids, words = np.full((2, offsets[-1]), UNKNOWN, np.int32)
    added = np.repeat(distance * np.arange(1, len(sequences) + 1), sequences.lengths)
    places = np.arange(len(sequences.ids)) + added
    ids[places], words[places] = sequences.ids, sequences.words
    return Sequences(ids, offsets, words, sequences.unseen)

"""Logistic regression on the pixels of images."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from ..inputs import Images
from .candidate import setting

C_VALUES = (0.01, 0.1, 1.0)  # scikit-learn's C
MAX_ITERATIONS = 100  # of L-BFGS, for each C; with many more, accuracy hardly changes
MAX_SIDE = 32  # pixels; larger images are reduced to that by averaging
MAX_VALUES = 50_000_000  # rows x values of an image that are fitted: all 60,000 rows of MNIST
BLOCK_IMAGES = 512  # full images in memory at a time


@dataclass(frozen=True)
class PixelModel:
    """A model on the values of an image, less `mean` float32 [values]."""

    mean: NDArray[np.float32]
    model: LogisticRegression
    setting: str

    def predict(self, images: Images) -> NDArray[np.int64]:
        """Return the labels, int64 [rows]."""
        predicted = [self.model.predict(values - self.mean) for values in _blocks(images)]
        labels: NDArray[np.int64] = np.concatenate(predicted)
        return labels


def candidates(
    images: Images, labels: NDArray[np.int64], seed: int, balanced: bool, c_values: Sequence[float]
) -> Iterator[PixelModel]:
    """Fit a model for each C, on labels int64 [rows] of two classes or more.

    If `balanced`, every class has the same weight. `seed` draws the rows if there are too many.
    """
    size = values(images.select(np.arange(1))).shape[1]
    rows = np.arange(len(images))
    if len(rows) * size > MAX_VALUES:
        rows = np.sort(np.random.default_rng(seed).choice(rows, MAX_VALUES // size, replace=False))
    training = np.empty((len(rows), size), np.float32)
    start = 0
    for block in _blocks(images.select(rows)):
        training[start : start + len(block)] = block
        start += len(block)
    mean = training.mean(axis=0)
    training -= mean
    for strength in c_values:
        model = LogisticRegression(
            C=strength, max_iter=MAX_ITERATIONS, class_weight="balanced" if balanced else None
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(training, labels[rows])
        text = setting(f"C = {strength:g}", balanced)
        yield PixelModel(mean, model, f"{text}, {len(rows):,} rows of {size:,} values")


def values(images: Images) -> NDArray[np.float32]:
    """Return the pixels, or means of squares of them that fit MAX_SIDE, in 0..1: float32 [rows, values]."""
    pixels = images.padded()
    rows, height, width, channels = pixels.shape
    side = -(-max(height, width) // MAX_SIDE)
    if side > 1:
        high, wide = max(1, height // side), max(1, width // side)
        squares: Any = pixels[:, : high * side, : wide * side]
        squares = squares.reshape(rows, high, min(side, height), wide, min(side, width), channels)
        pixels = squares.mean(axis=(2, 4), dtype=np.float32)
    scaled: NDArray[np.float32] = pixels.reshape(rows, -1).astype(np.float32) / np.float32(255)
    return scaled


def _blocks(images: Images) -> Iterator[NDArray[np.float32]]:
    """Yield the values of all images, BLOCK_IMAGES at a time."""
    for start in range(0, len(images), BLOCK_IMAGES):
        yield values(images.select(np.arange(start, min(start + BLOCK_IMAGES, len(images)))))

"""Logistic regression on pixels: what a linear model makes of images."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from ..inputs import Images

STRENGTHS = (0.01, 0.1, 1.0)  # scikit-learn's C
ITERATIONS = 100  # of L-BFGS, for each C; where they are many more, accuracy hardly moves
LARGEST = 32  # pixels a side: larger images are reduced to that by averaging
MOST_VALUES = 50_000_000  # rows x values of an image that are fitted: all 60,000 rows of MNIST
BLOCK = 512  # images in memory as they are


@dataclass(frozen=True)
class PixelModel:
    """A model on the values of an image, less `mean` float32 [values]."""

    mean: NDArray[np.float32]
    model: LogisticRegression
    setting: str

    def predict(self, images: Images) -> NDArray[np.int64]:
        """int64 [rows]."""
        predicted = [self.model.predict(values - self.mean) for values in _blocks(images)]
        labels: NDArray[np.int64] = np.concatenate(predicted)
        return labels


def candidates(images: Images, labels: NDArray[np.int64], seed: int, balanced: bool) -> Iterator[PixelModel]:
    """A model for each of STRENGTHS, on labels int64 [rows] of two classes or more, each of which weighs the
    same if `balanced`."""
    size = values(images.select(np.arange(1))).shape[1]
    rows = np.arange(len(images))
    if len(rows) * size > MOST_VALUES:
        rows = np.sort(np.random.default_rng(seed).choice(rows, MOST_VALUES // size, replace=False))
    fitted = np.empty((len(rows), size), np.float32)
    start = 0
    for block in _blocks(images.select(rows)):
        fitted[start : start + len(block)] = block
        start += len(block)
    mean = fitted.mean(axis=0)
    fitted -= mean
    for strength in STRENGTHS:
        model = LogisticRegression(
            C=strength, max_iter=ITERATIONS, class_weight="balanced" if balanced else None
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(fitted, labels[rows])
        setting = f"C = {strength:g}{', balanced' * balanced}, {len(rows):,} rows of {size:,} values"
        yield PixelModel(mean, model, setting)


def values(images: Images) -> NDArray[np.float32]:
    """float32 [rows, values] in 0..1: the pixels, or the means of squares of them that fit LARGEST."""
    pixels = images.padded()
    rows, height, width, channels = pixels.shape
    side = -(-max(height, width) // LARGEST)
    if side > 1:
        high, wide = max(1, height // side), max(1, width // side)
        squares: Any = pixels[:, : high * side, : wide * side]
        squares = squares.reshape(rows, high, min(side, height), wide, min(side, width), channels)
        pixels = squares.mean(axis=(2, 4), dtype=np.float32)
    scaled: NDArray[np.float32] = pixels.reshape(rows, -1).astype(np.float32) / np.float32(255)
    return scaled


def _blocks(images: Images) -> Iterator[NDArray[np.float32]]:
    for start in range(0, len(images), BLOCK):
        yield values(images.select(np.arange(start, min(start + BLOCK, len(images)))))

"""Vectors for the words that a file of pretrained vectors lacks, from their spelling and use.

A linear map leads from the corpus's own subword vectors to the pretrained ones. It is fitted on the words
that have both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ..inputs import UNKNOWN
from .matrix import FIRST_WORD, Matrix

MIN_WORDS = 100  # to fit a map on
MIN_EXPLAINED = 0.01  # a map that explains less on words held out is noise
RIDGE_STRENGTHS = [10.0**power for power in range(-3, 4)]  # in units of the mean eigenvalue
FOLDS = 5  # of the known words, one of them held out

Map = Callable[[Matrix], Matrix]


@dataclass(frozen=True)
class Fit:
    """The agreement of a map with the vectors of words held out from fitting it."""

    explained: float  # share of the vectors' variance: 1 is exact, 0 is no better than their mean
    cosine: float


@dataclass(frozen=True)
class Filling:
    """The way in which the words that a file lacks got their vectors."""

    how: Literal["subwords", "uniform"] = "uniform"
    reason: str = ""  # why it is uniform where a map was asked for
    fit: Fit | None = None

    @property
    def summary(self) -> str:
        if self.fit:
            fit = f"held-out words: cosine {self.fit.cosine:.2f}, R² {self.fit.explained:.2f}"
            return f"missing words: mapped from subwords ({fit})"
        return f"missing words: uniform{self.reason and f' ({self.reason})'}"


def fill_missing(
    vectors: Matrix, in_file: NDArray[np.bool_], subwords: Matrix, seed: int
) -> tuple[Matrix, Filling]:
    """Return the vectors with the missing words' rows mapped from their subword vectors, and the way.

    `vectors` is float32 [words + 2, dimensions], `in_file` bool [words], `subwords` float32 [words + 2, any],
    words by count, the highest first. The unknown word, being rare, gets the mean of the vectors of the
    rarest tenth. If there are too few words to fit a map on, or it explains nothing of the words held out,
    the vectors stay as they are.
    """
    known = np.flatnonzero(in_file) + FIRST_WORD
    if len(known) < MIN_WORDS:
        return vectors, Filling(reason=f"a map needs {MIN_WORDS} words with a vector, here are {len(known)}")
    linear, fit = fit_map(subwords[known], vectors[known], seed)
    if fit.explained < MIN_EXPLAINED:
        return vectors, Filling(reason="subwords tell nothing of the vectors")
    missing = np.flatnonzero(~in_file) + FIRST_WORD
    result = vectors.copy()
    # A ridge's vectors are near the mean. Scaled to the variance of the known ones, they classify no better.
    result[missing] = linear(subwords[missing])
    rarest_tenth = result[-max(1, len(in_file) // 10) :]
    result[UNKNOWN] = rarest_tenth.mean(axis=0)
    return result, Filling("subwords", fit=fit)


def fit_map(source: Matrix, target: Matrix, seed: int) -> tuple[Map, Fit]:
    """Return the ridge regression from `source` [words, any] to `target` [words, dimensions], and its fit.

    A fifth of the words is held out to choose the ridge's strength; the map is then fitted on all.
    """
    # All words weigh the same. Weighted by their counts, the map explains less of held-out words, above all
    # of rare ones, which the missing words resemble.
    order = np.random.default_rng(seed).permutation(len(source))
    held_out, fitted = np.split(order, [len(order) // FOLDS])
    truth = target[held_out].astype(np.float64)
    centre = target[fitted].mean(axis=0, dtype=np.float64)
    variance = np.square(truth - centre).sum()
    best_fit, best_strength = Fit(-np.inf, 0.0), RIDGE_STRENGTHS[-1]
    ridges = _fit_ridges(source[fitted], target[fitted], RIDGE_STRENGTHS)
    for strength, ridge in zip(RIDGE_STRENGTHS, ridges, strict=True):
        guess = ridge(source[held_out]).astype(np.float64)
        explained = 1 - float(np.square(truth - guess).sum() / max(variance, np.finfo(float).tiny))
        if explained > best_fit.explained:
            best_fit, best_strength = Fit(explained, _mean_cosine(truth, guess)), strength
    return _fit_ridges(source, target, [best_strength])[0], best_fit


def _fit_ridges(source: Matrix, target: Matrix, strengths: list[float]) -> list[Map]:
    """Return a map for each strength, all from one eigendecomposition; the intercept is not penalised."""
    source_mean = source.mean(axis=0, dtype=np.float64)
    target_mean = target.mean(axis=0, dtype=np.float64)
    centred = source - source_mean
    values, basis = np.linalg.eigh(centred.T @ centred)
    values = np.maximum(values, 0)
    unit = max(float(values.mean()), np.finfo(float).tiny)
    projected = basis.T @ (centred.T @ (target - target_mean))

    def ridge(strength: float) -> Map:
        weights = basis @ (projected / (values + strength * unit)[:, None])
        return lambda rows: ((rows - source_mean) @ weights + target_mean).astype(np.float32)

    return [ridge(strength) for strength in strengths]


def _mean_cosine(truth: NDArray[np.float64], guess: NDArray[np.float64]) -> float:
    norms = np.linalg.norm(truth, axis=1) * np.linalg.norm(guess, axis=1)
    return float(np.mean((truth * guess).sum(axis=1) / np.maximum(norms, np.finfo(float).tiny)))

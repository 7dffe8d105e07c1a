"""Calibrated probabilities: of the rows that are labelled with 80 %, about 80 % should be right.

Temperature scaling and the expected calibration error of Guo et al. (2017), arXiv 1706.04599.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

BINS = 15
DRAWS = 500
WIDEST = 3.0  # |log temperature|: from 1/20 to 20
DIVERGED = 10.0  # times the loss of guessing, which is log(classes)


def softmax(logits: NDArray[np.float32], temperature: float = 1.0) -> NDArray[np.float32]:
    """Logits [rows, classes] -> probabilities of the same shape. A higher temperature is a flatter row."""
    exponentials = np.exp((logits - logits.max(axis=1, keepdims=True)) / temperature)
    probabilities: NDArray[np.float32] = exponentials / exponentials.sum(axis=1, keepdims=True)
    return probabilities


def fit_temperature(logits: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> float:
    """The T for which softmax(logits / T) gives `labels` [rows] the smallest negative log-likelihood.

    Guo et al.'s, with log T ~ N(0, 1) as a prior that weighs nothing beside a hundred rows. Without it,
    T would be 0 where every row is right and without bound where one is wrong; with it, no rows give 1.
    """
    # Here, as `predict` has no use for the time that its import takes.
    from scipy.optimize import minimize_scalar
    from scipy.special import logsumexp

    logits = logits.astype(np.float64)
    margins = logits - logits[np.arange(len(labels)), labels][:, None]  # over the right class

    def loss(log_temperature: float) -> float:
        likelihoods = -logsumexp(margins / np.exp(log_temperature), axis=1)
        return float(log_temperature**2 / 2 - likelihoods.sum())

    return float(np.exp(minimize_scalar(loss, bounds=(-WIDEST, WIDEST), method="bounded").x))


def caution(
    logits: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], temperature: float
) -> str | None:
    """What to say of a network whose training diverged, to numbers that are large and yet finite; else None.

    It is far worse than guessing on these `logits` [rows, classes] and `labels` [rows], at any temperature.
    """
    from scipy.special import log_softmax

    logs = log_softmax(logits.astype(np.float64), axis=1)
    loss = -float(logs[np.arange(len(labels)), labels].mean()) if len(labels) else 0.0
    if np.log(temperature) < WIDEST - 0.01 or loss <= DIVERGED * np.log(logits.shape[1]):
        return None
    return f"it diverged (validation loss {loss:.2g}); lower train.learning_rate"


class Reliability(NamedTuple):
    """By bin of the most probable class's probability, [bins] each; an empty bin's means are 0."""

    rows: NDArray[np.int64]
    confidence: NDArray[np.float64]  # the mean of that probability
    accuracy: NDArray[np.float64]

    @property
    def error(self) -> float:
        """The expected calibration error: the mean over rows of |accuracy - confidence| of their bins."""
        gaps = np.abs(self.accuracy - self.confidence)
        return float(self.rows @ gaps / max(1, self.rows.sum()))


def reliability(
    probabilities: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], bins: int = BINS
) -> Reliability:
    """`probabilities` [rows, classes] beside the true `labels` [rows], in `bins` of equal width over 0..1.

    A bin holds its upper bound and not its lower, as in the paper.
    """
    confidence, numbers = _binned(probabilities, bins)
    rows = np.bincount(numbers, minlength=bins)
    right = np.bincount(numbers, probabilities.argmax(axis=1) == labels, bins)
    filled = np.maximum(1, rows)
    return Reliability(rows, np.bincount(numbers, confidence, bins) / filled, right / filled)


def error_by_chance(
    probabilities: NDArray[np.floating[Any]], seed: int, draws: int = DRAWS, bins: int = BINS
) -> tuple[float, float]:
    """Where 95 % of the expected calibration errors lie of a perfectly calibrated classifier that is as sure
    of as many rows: `probabilities` [rows, classes].

    The error is a mean of distances, which chance alone keeps above 0, the further the fewer rows a bin
    has. So it says little without this range, which is drawn (consistency resampling, Broecker & Smith 2007):
    each row is right with the very probability of its label. A draw at a time, as memory need not hold all.
    """
    confidence, numbers = _binned(probabilities, bins)
    expected = np.bincount(numbers, confidence, bins)
    random = np.random.default_rng(seed)
    right = (np.bincount(numbers, random.random(len(numbers)) < confidence, bins) for _ in range(draws))
    errors = [np.abs(drawn - expected).sum() / max(1, len(numbers)) for drawn in right]
    low, high = np.percentile(errors, [2.5, 97.5])
    return float(low), float(high)


def _binned(
    probabilities: NDArray[np.floating[Any]], bins: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The most probable class's probability, and the bin that it falls in, [rows] each."""
    confidence = probabilities.max(axis=1).astype(np.float64)
    inner = np.linspace(0, 1, bins + 1)[1:-1]
    return confidence, np.digitize(confidence, inner, right=True)

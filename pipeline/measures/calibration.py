"""Calibrated probabilities: of the rows predicted with probability 0.8, about 80 % should be correct.

Temperature scaling and the expected calibration error of Guo et al. (2017), arXiv 1706.04599.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import Diverged
from .softmax import log_softmax

BINS = 15
DRAWS = 500
MAX_LOG_TEMPERATURE = 3.0  # either way: temperatures from 1/20 to 20
DIVERGED_LOSS = 10.0  # times the loss of guessing, which is log(classes)


def check_outputs(outputs: NDArray[np.floating[Any]]) -> None:
    """Raise Diverged if a network's logits or probabilities are not finite: any measure of them is void."""
    if not np.isfinite(outputs).all():
        raise Diverged("the network's outputs are not finite: lower train.learning_rate")


def fit_temperature(
    logits: NDArray[np.floating[Any]],
    labels: NDArray[np.integer[Any]],
    weights: NDArray[np.float32] | None = None,
) -> float:
    """Return the T for which softmax(logits / T) gives `labels` [rows] the smallest negative log-likelihood.

    Guo et al.'s, with log T ~ N(0, 1) as a prior that is negligible beyond about a hundred rows. Without it,
    T would be 0 where every row is right and without bound where one is wrong; with it, no rows give 1.
    `weights` [rows] multiply the log-likelihoods of the rows, by default by 1.

    Raises Diverged if the logits are not finite.
    """
    from scipy.optimize import minimize_scalar  # imported late: prediction must not wait for it
    from scipy.special import logsumexp

    check_outputs(logits)
    logits = logits.astype(np.float64)
    counts = np.ones(len(labels)) if weights is None else weights.astype(np.float64)
    margins = logits - logits[np.arange(len(labels)), labels][:, None]  # over the right class

    def loss(log_temperature: float) -> float:
        likelihoods = -logsumexp(margins / np.exp(log_temperature), axis=1)
        return float(log_temperature**2 / 2 - counts @ likelihoods)

    bounds = (-MAX_LOG_TEMPERATURE, MAX_LOG_TEMPERATURE)
    return float(np.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def divergence(
    logits: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], temperature: float
) -> str | None:
    """Return a caution if the training diverged to large yet finite numbers, else None.

    Then the network is far worse than guessing on these `logits` [rows, classes] and `labels` [rows] at any
    temperature. Raises Diverged if the logits are not finite.
    """
    check_outputs(logits)
    logarithms = log_softmax(logits.astype(np.float64))
    loss = -float(logarithms[np.arange(len(labels)), labels].mean()) if len(labels) else 0.0
    at_limit = np.log(temperature) >= MAX_LOG_TEMPERATURE - 0.01
    if at_limit and loss > DIVERGED_LOSS * np.log(logits.shape[1]):
        return f"it diverged (validation loss {loss:.2g}); lower train.learning_rate"
    return None


class Reliability(NamedTuple):
    """Rows by bin of the most probable class's probability, [bins] each; an empty bin's means are 0."""

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
    """Return confidence and accuracy of `probabilities` [rows, classes] in `bins` of equal width over 0..1.

    `labels` [rows] are the true ones. A bin holds its upper bound and not its lower, as in the paper.
    """
    confidence, numbers = _binned(probabilities, bins)
    rows = np.bincount(numbers, minlength=bins)
    correct = np.bincount(numbers, probabilities.argmax(axis=1) == labels, bins)
    filled = np.maximum(1, rows)
    return Reliability(rows, np.bincount(numbers, confidence, bins) / filled, correct / filled)


def error_by_chance(
    probabilities: NDArray[np.floating[Any]], seed: int, draws: int = DRAWS, bins: int = BINS
) -> tuple[float, float]:
    """Return the 95 % range of the calibration error of a perfectly calibrated classifier.

    It has the same `probabilities` [rows, classes], and each row is right with the probability of its label.
    The error is a mean of distances, which chance alone keeps above 0, the further the fewer rows a bin has,
    so it says little without this range. Consistency resampling (Broecker & Smith 2007), one draw at a time
    to bound memory.
    """
    confidence, numbers = _binned(probabilities, bins)
    expected = np.bincount(numbers, confidence, bins)
    random = np.random.default_rng(seed)
    correct = (np.bincount(numbers, random.random(len(numbers)) < confidence, bins) for _ in range(draws))
    errors = [np.abs(drawn - expected).sum() / max(1, len(numbers)) for drawn in correct]
    low, high = np.percentile(errors, [2.5, 97.5])
    return float(low), float(high)


def _binned(
    probabilities: NDArray[np.floating[Any]], bins: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the most probable class's probability, and the bin that it falls in, [rows] each.

    Raises Diverged if a probability is not finite: it would fall in no bin, or in a wrong one.
    """
    check_outputs(probabilities)
    confidence = probabilities.max(axis=1).astype(np.float64)
    inner = np.linspace(0, 1, bins + 1)[1:-1]
    return confidence, np.digitize(confidence, inner, right=True)

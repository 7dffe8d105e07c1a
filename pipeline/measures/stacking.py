"""The weights with which the opinions of several models are added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .calibration import check_outputs
from .softmax import log_softmax

Labels = NDArray[np.integer[Any]]


def stack(
    members: Sequence[NDArray[np.floating[Any]]],
    labels: Labels,
    row_weights: NDArray[np.float32] | None = None,
) -> list[float]:
    """Return the weights w_i > 0 with which softmax(sum of w_i z_i) makes `labels` most likely.

    `members` are the logits z_i, each [rows, classes], of rows that no member was trained on, though its
    epoch or its C may have been chosen by them. Of probabilities, z_i = log p_i up to a constant for each
    row, this is logarithmic pooling (Genest & Zidek 1986), stacked (Wolpert 1992); other scores serve as
    well. Gamma priors with equal weights as their mode count about as much as one row. Without them, the
    weights of members that are always right would have no bound, and those of members that are wrong on a
    few rows would all be 0, which gives every row the first label. The loss is strictly convex in the
    weights, so that there is one optimum. `row_weights` [rows] multiply the log-likelihoods of the rows, by
    default by 1. Raises Diverged if the logits are not finite.
    """
    from scipy.optimize import minimize

    logits = np.stack(members).astype(np.float64)  # [members, rows, classes]
    check_outputs(logits)
    truth = logits[:, np.arange(len(labels)), labels]
    equal = 1 / len(members)
    counts = np.ones(len(labels)) if row_weights is None else row_weights.astype(np.float64)

    def loss(logarithms: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = np.exp(logarithms)
        pooled = log_softmax(np.tensordot(weights, logits, 1))
        likelihood = counts @ pooled[np.arange(len(labels)), labels]
        slope = truth @ counts - np.einsum("mrc,rc->m", logits, counts[:, None] * np.exp(pooled))
        prior = weights.sum() - equal * logarithms.sum()
        return float(prior - likelihood), weights * (1 - slope) - equal

    optimum = minimize(loss, np.full(len(members), np.log(equal)), jac=True, method="L-BFGS-B")
    weights: list[float] = np.exp(optimum.x).tolist()
    return weights


def cross_fit(members: Sequence[NDArray[np.floating[Any]]], labels: Labels) -> NDArray[np.float64]:
    """Return the pooled logits of the rows, each by weights that `stack` fitted on the other half of them.

    [rows, classes]. Pooled by weights that were fitted on the rows themselves, they would look better than
    on others.
    """
    logits = np.stack(members).astype(np.float64)
    halves = np.array_split(np.random.default_rng(len(labels)).permutation(len(labels)), 2)
    pooled = np.empty(logits.shape[1:])
    for rows, others in (halves, halves[::-1]):
        weights = stack(list(logits[:, others]), labels[others])
        pooled[rows] = np.tensordot(weights, logits[:, rows], 1)
    return pooled

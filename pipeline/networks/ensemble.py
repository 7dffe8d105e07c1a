"""Several networks, and a linear model on n-grams, as one network: their log-probabilities are added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..baselines.tfidf import TfidfModel
from ..inputs import Inputs
from ..measures.calibration import check_outputs
from ..measures.softmax import log_softmax
from .backend import keras
from .keras_network import KerasNetwork
from .layers import NgramLogits

Labels = NDArray[np.integer[Any]]


def pool(
    networks: Sequence[keras.Model], linear: TfidfModel | None, inputs: Inputs, labels: Labels
) -> tuple[keras.Model, dict[str, float]]:
    """Return the networks, and the linear model if there is one, as one network, and their weights.

    Its logits [rows, classes] are the weighted sum of log-probabilities. The weights are fitted on rows that
    no member was trained on, though its epoch or its C may have been chosen by them; networks that only
    differ in their seed share one weight. Raises Diverged if a network's logits are not finite.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # `stack` says what is wrong
        members = [log_softmax(KerasNetwork(network).logits(inputs)) for network in networks]
        opinions = {"networks": np.mean(members, axis=0)}
    if linear is not None:
        opinions["n-grams"] = log_softmax(linear.logits(inputs.as_sequences()))
    weights = dict(zip(opinions, stack(list(opinions.values()), labels), strict=True))
    return _combine(networks, linear, list(weights.values())), weights


def stack(opinions: Sequence[NDArray[np.floating[Any]]], labels: Labels) -> list[float]:
    """Return the weights w_i > 0 with which softmax(sum of w_i log p_i) makes `labels` most likely.

    `opinions` are the log p_i, each [rows, classes]. Logarithmic pooling (Genest & Zidek 1986), stacked
    (Wolpert 1992). Gamma priors with equal weights as their mode count about as much as one row. Without
    them, the weights of members that are always right would have no bound, and those of members that are
    wrong on a few rows would all be 0, which gives every row the first label. The loss is strictly convex in
    the weights, so that there is one optimum. Raises Diverged if the opinions are not finite.
    """
    from scipy.optimize import minimize

    members = np.stack(opinions).astype(np.float64)  # [members, rows, classes]
    check_outputs(members)
    truth = members[:, np.arange(len(labels)), labels]
    equal = 1 / len(opinions)

    def loss(logarithms: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = np.exp(logarithms)
        pooled = log_softmax(np.tensordot(weights, members, 1))
        likelihood = pooled[np.arange(len(labels)), labels].sum()
        slope = truth.sum(axis=1) - np.einsum("mrc,rc->m", members, np.exp(pooled))
        prior = weights.sum() - equal * logarithms.sum()
        return float(prior - likelihood), weights * (1 - slope) - equal

    optimum = minimize(loss, np.full(len(opinions), np.log(equal)), jac=True, method="L-BFGS-B")
    weights: list[float] = np.exp(optimum.x).tolist()
    return weights


def _combine(
    networks: Sequence[keras.Model], linear: TfidfModel | None, weights: Sequence[float]
) -> keras.Model:
    (first,) = networks[0].inputs
    inputs = keras.Input(batch_shape=first.shape, dtype=first.dtype, name=first.name)
    members = []
    for number, network in enumerate(networks, 1):
        # A network may not hold two of one name; the copy leaves out the optimizer.
        member = keras.Model(network.input, network.output, name=f"member{number}")
        members.append(keras.ops.log_softmax(member(inputs)))
    logits = sum(members[1:], members[0]) * (weights[0] / len(members))
    if linear is not None:
        layer = NgramLogits(*linear.weights.shape, name="ngrams")
        opinion = keras.ops.log_softmax(layer(inputs))
        layer.set_model(linear)
        logits = logits + weights[1] * opinion
    return keras.Model(inputs, logits, name="ensemble")


def cross_fit(opinions: Sequence[NDArray[np.floating[Any]]], labels: Labels) -> NDArray[np.float64]:
    """Return the pooled logits of the rows, each by weights that `stack` fitted on the other half of them.

    [rows, classes]. Pooled by weights that were fitted on the rows themselves, they would look better than
    on others.
    """
    members = np.stack(opinions).astype(np.float64)
    halves = np.array_split(np.random.default_rng(len(labels)).permutation(len(labels)), 2)
    pooled = np.empty(members.shape[1:])
    for rows, others in (halves, halves[::-1]):
        weights = stack(list(members[:, others]), labels[others])
        pooled[rows] = np.tensordot(weights, members[:, rows], 1)
    return pooled

"""Several networks, and a linear model on n-grams, as one network: their log-probabilities are added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..baselines.tfidf import TfidfModel
from ..inputs import Inputs
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
    differ in their seed share one weight.
    """
    members = [log_softmax(KerasNetwork(network).logits(inputs)) for network in networks]
    opinions = {"networks": np.mean(members, axis=0)}
    if linear is not None:
        opinions["n-grams"] = log_softmax(linear.logits(inputs.as_sequences()))
    weights = dict(zip(opinions, stack(list(opinions.values()), labels), strict=True))
    return _combine(networks, linear, list(weights.values())), weights


def stack(opinions: Sequence[NDArray[np.floating[Any]]], labels: Labels) -> list[float]:
    """Return the weights w_i >= 0 with which softmax(sum of w_i log p_i) makes `labels` most likely.

    `opinions` are the log p_i, each [rows, classes]. Logarithmic pooling (Genest & Zidek 1986), stacked
    (Wolpert 1992). Gaussian priors around equal weights count as much as one row: without them, the weights
    of members that are always right would have no bound.
    """
    from scipy.optimize import minimize

    members = np.stack(opinions).astype(np.float64)  # [members, rows, classes]
    truth = members[:, np.arange(len(labels)), labels]
    equal = 1 / len(opinions)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        pooled = log_softmax(np.tensordot(weights, members, 1))
        likelihood = pooled[np.arange(len(labels)), labels].sum()
        slope = truth.sum(axis=1) - np.einsum("mrc,rc->m", members, np.exp(pooled))
        deviation = weights - equal
        return float(deviation @ deviation / 2 - likelihood), deviation - slope

    optimum = minimize(loss, np.full(len(opinions), equal), jac=True, bounds=[(0, None)] * len(opinions))
    weights: list[float] = optimum.x.tolist()
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

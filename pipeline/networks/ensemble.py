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
    """The networks, and the linear model where there is one, weighed on rows that none was trained on
    (they may have chosen its epoch or its C).

    Returns one network, whose logits [rows, classes] are the weighted sum of log-probabilities, and the
    weights: networks that differ in their seed alone share theirs.
    """
    each = [log_softmax(KerasNetwork(one).logits(inputs)) for one in networks]
    opinions = {"networks": np.mean(each, axis=0)}
    if linear is not None:
        opinions["n-grams"] = log_softmax(linear.logits(inputs.as_sequences()))
    weights = dict(zip(opinions, stack(list(opinions.values()), labels), strict=True))
    return _combine(networks, linear, list(weights.values())), weights


def stack(opinions: Sequence[NDArray[np.floating[Any]]], labels: Labels) -> list[float]:
    """The weights w_i, each 0 or more, for which softmax(sum of w_i log p_i) gives `labels` the highest
    likelihood. `opinions` are the log p_i, each [rows, classes].

    Logarithmic pooling (Genest & Zidek 1986), stacked (Wolpert 1992). Gaussian priors around equal weights
    weigh as one row: without them, members that are always right would have weights without bound.
    """
    from scipy.optimize import minimize

    members = np.stack(opinions).astype(np.float64)  # [members, rows, classes]
    truth = members[:, np.arange(len(labels)), labels]
    equal = 1 / len(opinions)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        pooled = log_softmax(np.tensordot(weights, members, 1))
        likelihood = pooled[np.arange(len(labels)), labels].sum()
        slope = truth.sum(axis=1) - np.einsum("mrc,rc->m", members, np.exp(pooled))
        away = weights - equal
        return float(away @ away / 2 - likelihood), away - slope

    found = minimize(loss, np.full(len(opinions), equal), jac=True, bounds=[(0, None)] * len(opinions))
    weights: list[float] = found.x.tolist()
    return weights


def _combine(
    networks: Sequence[keras.Model], linear: TfidfModel | None, weights: Sequence[float]
) -> keras.Model:
    (like,) = networks[0].inputs
    inputs = keras.Input(batch_shape=like.shape, dtype=like.dtype, name=like.name)
    members = []
    for number, network in enumerate(networks, 1):
        # A network may hold no two of one name, and is kept without what it was trained with.
        member = keras.Model(network.input, network.output, name=f"member{number}")
        members.append(keras.ops.log_softmax(member(inputs)))
    logits = sum(members[1:], members[0]) * (weights[0] / len(members))
    if linear is not None:
        layer = NgramLogits(*linear.weights.shape, name="ngrams")
        opinion = keras.ops.log_softmax(layer(inputs))
        layer.set_model(linear)
        logits = logits + weights[1] * opinion
    return keras.Model(inputs, logits, name="ensemble")

"""A classifier's networks and its linear models on n-grams: their logits, weighted and added."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats, check_array
from ..errors import InputError
from ..folding.folded import FoldedModel
from ..inputs import Inputs
from ..linear.members import MODELS, LinearModel
from ..options import Ngrams

NETWORKS = "networks"  # the name of the first member


class Predictor(Protocol):
    """Networks, or all members of an ensemble."""

    def logits(self, inputs: Any, /) -> Floats:
        """Return float32 [rows, labels], before the temperature."""


@dataclass(frozen=True, eq=False)
class Pool:
    """logits = w_0 x the mean of the networks' + the sum of w_i x those of linear model i.

    `weights` are w_0 and the w_i in the order of `linear`. Parts that do not fit one another are an
    InputError.
    """

    networks: Predictor
    linear: Mapping[Ngrams, LinearModel]
    weights: Sequence[float]

    def __post_init__(self) -> None:
        _check_weights(self.weights, len(self.linear))

    def logits(self, inputs: Inputs) -> Floats:
        """Return float32 [rows, classes]; a row's bits depend on nothing but its tokens or pixels."""
        logits: Floats = np.float32(self.weights[0]) * self.networks.logits(inputs)
        for weight, model in zip(self.weights[1:], self.linear.values(), strict=True):
            logits += np.float32(weight) * model.logits(inputs.as_sequences())
        return logits

    def opinions(self, inputs: Inputs) -> Iterator[tuple[str, float, Floats]]:
        """Yield the name, the weight and the logits of each member, which are float32 [rows, classes]."""
        yield NETWORKS, self.weights[0], self.networks.logits(inputs)
        for weight, (name, model) in zip(self.weights[1:], self.linear.items(), strict=True):
            yield name, weight, model.logits(inputs.as_sequences())

    def rounded(self) -> Pool:
        """Return the pool with folded networks in 16-bit integers; other networks stay as they are."""
        networks = self.networks
        return replace(self, networks=networks.rounded()) if isinstance(networks, FoldedModel) else self

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return all arrays but those of the networks: see `linear_members`."""
        arrays = {
            f"{name}.{key}": array
            for name, model in self.linear.items()
            for key, array in model.arrays().items()
        }
        of_linear = dict(zip(self.linear, self.weights[1:], strict=True))
        weights = [self.weights[0], *(of_linear[name] for name in MODELS if name in of_linear)]
        return arrays | {"weights": np.array(weights, np.float64)}


def linear_members(
    arrays: Mapping[str, NDArray[Any]], classes: int
) -> tuple[dict[Ngrams, LinearModel], list[float]]:
    """Return the linear models and the weights that `Pool.arrays` gave.

    Raises InputError where they do not fit one another or the number of classes.
    """
    check_array("weights", arrays["weights"], np.float64, (None,))
    linear: dict[Ngrams, LinearModel] = {}
    for name, model in MODELS.items():
        prefix = f"{name}."
        own = {key.removeprefix(prefix): array for key, array in arrays.items() if key.startswith(prefix)}
        if own:
            linear[name] = model.from_arrays(own)
            if linear[name].classes != classes:
                raise InputError(
                    f"{name} are of {linear[name].classes} classes, expected {classes}, as labels"
                )
    weights: list[float] = arrays["weights"].tolist()
    _check_weights(weights, len(linear))
    return linear, weights


def _check_weights(weights: Sequence[float], linear: int) -> None:
    if len(weights) != 1 + linear:
        raise InputError(f"it has {len(weights)} weights, expected {1 + linear}")
    greatest = float(np.finfo(np.float32).max)
    if not all(0 <= weight <= greatest for weight in weights):
        raise InputError("its members have weights that are negative or not finite")


@dataclass(frozen=True)
class Rounding:
    """The effect of rounding the networks' tables to 16 bits, on some rows."""

    exact_bytes: int
    rounded_bytes: int
    largest_error: float  # of a logit
    same_labels: float  # share of the rows

    @property
    def summary(self) -> str:
        return (
            f"folded to {self.rounded_bytes / 1e6:,.1f} MB (float32: {self.exact_bytes / 1e6:,.1f}), logits "
            f"within {self.largest_error:.1g}, {self.same_labels:.2%} same labels"
        )

    @property
    def metrics(self) -> dict[str, float]:
        return {
            "folded.float32_bytes": self.exact_bytes,
            "folded.int16_bytes": self.rounded_bytes,
            "folded.int16_error": self.largest_error,
            "folded.int16_same_labels": self.same_labels,
        }


def measure_rounding(pool: Pool, inputs: Inputs) -> Rounding | None:
    """Compare a pool with its rounded form on `inputs`, one row or more; None if it is not folded."""
    rounded = pool.rounded()
    if not isinstance(pool.networks, FoldedModel) or not isinstance(rounded.networks, FoldedModel):
        return None
    exact, near = pool.logits(inputs), rounded.logits(inputs)
    same_labels = float((exact.argmax(axis=1) == near.argmax(axis=1)).mean())
    error = float(np.abs(exact - near).max())
    return Rounding(pool.networks.bytes, rounded.networks.bytes, error, same_labels)

"""The values that a search may choose from: for each option a set or a range."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..options import Train


@dataclass(frozen=True)
class Choice:
    """One of these values, of any type."""

    values: tuple[Any, ...]

    def including(self, value: Any) -> Choice:
        return self if value in self.values else Choice((*self.values, value))


@dataclass(frozen=True)
class Range:
    """From low to high, both included; whole numbers if both are, evenly by logarithm if `log`."""

    low: float
    high: float
    log: bool = False

    @property
    def whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)

    def including(self, value: float) -> Range:
        return replace(self, low=min(self.low, value), high=max(self.high, value))

    def rounded(self, value: float) -> float:
        """Return the value as a person would write it: two digits by logarithm, else two decimals."""
        short = float(f"{value:.2g}") if self.log else round(value, 2)
        return int(short) if self.whole else short


Space = Mapping[str, Choice | Range]


def augmentation_space() -> Space:
    """Return how far a training image may be moved, whatever the network."""
    return {"augmentation.shift": Range(0.0, 0.2), "augmentation.flip": Choice((False, True))}


def training_space(train: Train) -> Space:
    """Return the options of the trainer to search, whatever the network."""
    rates = {"adadelta": Range(0.1, 3.0, log=True), "adam": Range(1e-4, 1e-2, log=True)}
    return {"batch_size": Choice((25, 50, 100)), "learning_rate": rates[train.optimizer]}

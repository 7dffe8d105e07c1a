"""How many rows can be labelled if a share of the labels must be right: selective prediction.

The coverage is the share of rows that are labelled, the accuracy that of the labels that are right, and both
follow from the probability that a label needs (El-Yaniv & Wiener 2010; Geifman & El-Yaniv 2017, arXiv
1705.08500).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..arrays import Flags, Floats, Sizes
from . import abstention
from .abstention import Outcomes
from .metrics import Interval, wilson_interval

PRECISIONS = (0.9, 0.95, 0.98, 0.99)  # that the report tells of
HEADLINE = 0.95  # the one that the summary tells of
POINTS = 50  # of the curve


@dataclass(frozen=True)
class Labelled:
    """Rows whose probability is `threshold` or more: their share of all, and the accuracy of their labels.

    The `interval` is Wilson's. Accuracy and interval are None where no row has that probability.
    """

    threshold: float
    rows: int
    coverage: float
    accuracy: float | None
    interval: Interval | None

    @classmethod
    def of_rows(cls, correct: Flags, labelled: Flags, threshold: float) -> Labelled:
        """Count the `labelled` rows, bool [rows] like `correct`."""
        rows, right = int(labelled.sum()), int((correct & labelled).sum())
        share = rows / max(1, len(correct))
        if not rows:
            return cls(threshold, 0, share, None, None)
        return cls(threshold, rows, share, right / rows, wilson_interval(right, rows))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Target:
    """A target precision, and the test rows from its threshold on, if the validation part shows one."""

    precision: float
    labelled: Labelled | None

    def to_json(self) -> dict[str, Any]:
        return {"precision": self.precision} | (self.labelled.to_json() if self.labelled else {})


@dataclass(frozen=True)
class Selective:
    """The coverage-accuracy curve of the test part, the surest rows first, and the target precisions there.

    `risk` is the mean share of wrong labels over all rows' probabilities as the threshold: the area under the
    risk-coverage curve.
    """

    curve: list[Labelled]
    risk: float
    targets: list[Target]

    @property
    def headline(self) -> Target | None:
        """The target of 95 %; None for a classifier that does not know its validation part."""
        return next((target for target in self.targets if target.precision == HEADLINE), None)

    def to_json(self) -> dict[str, Any]:
        """Return its entries in metrics.json."""
        kept = self.headline.labelled if self.headline else None
        headline = (
            {"coverage_at_95": kept.coverage, "accuracy_at_95": kept.accuracy}
            | ({"accuracy_at_95_interval": kept.interval} if kept.interval else {})
            if kept
            else {}
        )
        return {
            "risk_coverage_area": self.risk,
            **headline,
            "targets": [target.to_json() for target in self.targets],
            "coverage_curve": [point.to_json() for point in self.curve],
        }


def selective(test: Outcomes, validation: Outcomes | None) -> Selective:
    """Measure the coverage and the accuracy of the `test` part's labels.

    The thresholds of the target precisions are chosen on the `validation` part; there are none without it.
    """
    targets = [_target(test, validation, precision) for precision in PRECISIONS] if validation else []
    return Selective(_curve(test), _risk(test), targets)


def summary(target: Target) -> str:
    """Return a line on what the target precision came to, within 79 columns."""
    word = f"ABSTAIN=precision:{target.precision:g}"
    if not target.labelled:
        return f"  {word} labels none: the validation part does not show it"
    found = target.labelled
    if found.accuracy is None or found.interval is None:
        return f"  {word} labels no test row"
    low, high = found.interval
    return (
        f"  {word} labels {found.coverage:.1%}, {found.accuracy:.1%} of these right [{low:.1%}, {high:.1%}]"
    )


def _target(test: Outcomes, validation: Outcomes, precision: float) -> Target:
    threshold = abstention.threshold(validation, precision)
    if threshold is None:
        return Target(precision, None)
    return Target(precision, Labelled.of_rows(test.correct, test.probability >= threshold, threshold))


def _curve(test: Outcomes) -> list[Labelled]:
    """Return at most POINTS points; the last has all rows."""
    descending = np.sort(test.probability)[::-1]
    ends = -(-np.arange(1, POINTS + 1) * len(descending) // POINTS)
    thresholds = np.unique(descending[ends - 1])[::-1].tolist() if len(descending) else []
    return [Labelled.of_rows(test.correct, test.probability >= value, value) for value in thresholds]


def _risk(test: Outcomes) -> float:
    order = np.argsort(-test.probability, kind="stable")
    descending: Floats = test.probability[order]
    labelled: Sizes = np.searchsorted(-descending, -descending, side="right")
    wrong = np.cumsum(~test.correct[order])[labelled - 1]
    return float((wrong / labelled).mean()) if len(labelled) else 0.0

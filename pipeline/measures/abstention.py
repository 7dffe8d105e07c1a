"""From which probability on a label may be given so that a wanted share of the labels is right.

The threshold is chosen on rows that the classifier was not trained on, by tests that allow for the choice:
fixed-sequence testing (Bauer 1991), as in Learn then Test (Angelopoulos et al. 2021, arXiv 2110.01052).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arrays import Flags, Floats, Ids, check_array
from ..errors import InputError

RISK = 0.05  # of a threshold from which on fewer labels are right than was asked for
STEPS = 20  # thresholds that are tested: at every twentieth of the rows


class Outcomes(NamedTuple):
    """How rows came out, [rows] each: the float32 `probability` of the int32 `predicted` label; if right."""

    probability: Floats
    predicted: Ids
    correct: Flags

    @classmethod
    def of_rows(cls, probabilities: Floats, predicted: NDArray[Any], labels: NDArray[Any]) -> Outcomes:
        """Compare the `predicted` labels with the true ones, [rows]; `probabilities` are [rows, classes]."""
        probability = probabilities[np.arange(len(predicted)), predicted]
        return cls(probability, predicted.astype(np.int32), predicted == labels)

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], classes: int) -> Outcomes:
        """Return what `_asdict` gave. Raises KeyError or InputError for arrays that are no outcomes."""
        outcomes = cls(*(arrays[name] for name in cls._fields))
        rows = outcomes.probability.size
        for name, dtype in (("probability", np.float32), ("predicted", np.int32), ("correct", np.bool_)):
            check_array(name, arrays[name], dtype, (rows,))
        if not ((outcomes.probability >= 0) & (outcomes.probability <= 1)).all():
            raise InputError("a probability is not from 0 to 1, as expected")
        if not ((outcomes.predicted >= 0) & (outcomes.predicted < classes)).all():
            raise InputError(f"a predicted label is none of the {classes} labels, as expected")
        if not np.isin(outcomes.correct.view(np.uint8), (0, 1)).all():
            raise InputError("whether a label is correct is neither 0 nor 1, as expected")
        return outcomes

    def select(self, selected: Flags) -> Outcomes:
        """Return some of the rows, bool [rows]."""
        return Outcomes(self.probability[selected], self.predicted[selected], self.correct[selected])

    def labelled(self, thresholds: Floats) -> Flags:
        """Return the rows whose probability reaches their label's of `thresholds` [classes], bool [rows]."""
        return self.probability >= thresholds[self.predicted]


def threshold(outcomes: Outcomes, precision: float) -> float | None:
    """Return the lowest probability from which on the share `precision` of labels is right, or more.

    With a confidence of 95 %: of such choices on other rows, one in twenty may fall short. The hypothesis
    that labels from a probability on are less precise is tested by the binomial distribution, which rejects
    it where the lower bound of Clopper & Pearson (1934) is not below `precision`. Some of the surest rows are
    tested first, see `_first_rows`, and then a twentieth of all more each time until a test fails. In this
    fixed order each test may spend the whole risk of 5 %. None if the first one fails.
    """
    rows = len(outcomes.probability)
    if not rows:
        return None
    order = np.argsort(-outcomes.probability, kind="stable")
    descending, right = outcomes.probability[order], np.cumsum(outcomes.correct[order])
    ends = -(-np.arange(1, STEPS + 1) * rows // STEPS)
    candidates = np.unique(descending[ends - 1])[::-1]
    labelled = np.searchsorted(-descending, -candidates, side="right")  # with all rows of equal probability
    lowest, first = None, _first_rows(rows, precision)
    for candidate, count in zip(candidates.tolist(), labelled.tolist(), strict=True):
        if count >= first:
            if _tail(int(right[count - 1]), count, precision) > RISK:
                break
            lowest = candidate
    return lowest


def _tail(least: int, trials: int, probability: float) -> float:
    """Return the binomial probability of `least` successes or more.

    Summed from all successes down, each term from the one before. SciPy has it, too, and takes more room than
    all that labelling needs.
    """
    successes = np.arange(trials, least, -1)
    ratios = (
        np.log(successes) - np.log(trials - successes + 1) + math.log1p(-probability) - math.log(probability)
    )
    logarithms = trials * math.log(probability) + np.cumsum(np.append(0.0, ratios))
    return float(np.exp(np.logaddexp.reduce(logarithms)))


def _first_rows(rows: int, precision: float) -> int:
    """Return how many of the rows are tested first: at least as many as show the precision if all are right.

    Up to a fifth of the rows, three times as many, so that the search does not end by a single wrong one.
    """
    least = math.ceil(math.log(RISK) / math.log(precision))
    return max(least, min(3 * least, rows // 5))


def class_thresholds(outcomes: Outcomes, precision: float, classes: int) -> Floats:
    """Return the `threshold` of the rows of each predicted label, float32 [classes]; infinite without one.

    The confidence holds for each class, and not for all of them together.
    """
    found = (threshold(outcomes.select(outcomes.predicted == label), precision) for label in range(classes))
    return np.array([np.inf if value is None else value for value in found], np.float32)


def highest_precision(outcomes: Outcomes) -> float:
    """Return the highest precision that has a `threshold`, in whole percent; 0 if none has."""
    return next((percent / 100 for percent in range(99, 0, -1) if threshold(outcomes, percent / 100)), 0.0)

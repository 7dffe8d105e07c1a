"""The difference that decides who is the champion, and what it has to exceed.

It is that of the score by which the new run was chosen, accuracy or macro-F1. One row more will not do: of
equally good runs, some has more rows right on this test part by luck, and a champion that gives way to each
of them shows more than it has: after 20 such runs 2.7 points on 300 rows and 1.0 on 2,000. So the difference
must exceed one standard error, sqrt(fixed + broken) rows. That leaves 2.1 and 0.8 points and a third of the
promotions; a run that is 2 points better than a champion without luck is promoted in 49 % of cases on 300
rows (83 % if one row sufficed) and 93 % on 2,000 (99 %). The limit does not rise with the number of runs that
were compared: the champion's own luck raises it already, and what luck gives is counted and told.
Simulated by `tests/benchmarks/gate_ratchet.py`.
"""

from __future__ import annotations

import math
from functools import cache

from scipy.integrate import quad
from scipy.stats import norm

from ..measures.f1_difference import F1Difference
from ..measures.metrics import Interval
from ..measures.paired import PairedDifference
from ..options import CRITERIA, Criterion, Section

REQUIRED_STANDARD_ERRORS = 1.0
ROUNDING = 1e-9  # below which two scores are equal


class Decision(Section):
    """The deciding difference on so many rows, new minus old, with its 95 % interval; shares are in 0..1.

    `standard_error` is the standard deviation of the difference if the two were equally good. `looks` counts
    the runs that were compared on the test part, this one included.
    """

    criterion: Criterion
    rows: int
    difference: float
    low: float
    high: float
    standard_error: float
    looks: int

    @property
    def score(self) -> str:
        """The name of the deciding score."""
        return CRITERIA[self.criterion]

    @property
    def required(self) -> float:
        """What the difference has to exceed for a promotion."""
        return REQUIRED_STANDARD_ERRORS * self.standard_error

    @property
    def luck(self) -> float:
        """The expected advantage, over one of them, of the best of `looks` runs that are equally good.

        Each of N runs scores its true value and a normal deviation of s / sqrt(2), with s the standard error
        of the difference of two: the best is expected to have m_N s / sqrt(2) more, see `expected_maximum`.
        """
        return expected_maximum(self.looks) * self.standard_error / math.sqrt(2)

    @property
    def is_enough(self) -> bool:
        return self.difference > self.required + ROUNDING

    @property
    def is_significant_gain(self) -> bool:
        """True if the whole interval is above 0."""
        return self.low > 0


def by_accuracy(paired: PairedDifference, looks: int) -> Decision:
    return Decision(
        criterion="accuracy",
        rows=paired.rows,
        difference=paired.difference,
        low=paired.low,
        high=paired.high,
        standard_error=paired.standard_error,
        looks=looks,
    )


def by_macro_f1(f1: F1Difference, interval: Interval, rows: int, looks: int) -> Decision:
    """Return the decision by macro-F1; `interval` is that of the difference."""
    return Decision(
        criterion="macro_f1",
        rows=rows,
        difference=f1.difference,
        low=interval[0],
        high=interval[1],
        standard_error=f1.standard_error,
        looks=looks,
    )


@cache
def expected_maximum(count: int) -> float:
    """Return the expectation m_N of the largest of so many standard normal values: 0, 0.56, 0.85, ..."""
    return float(quad(lambda x: 1 - norm.cdf(x) ** count - norm.cdf(-x) ** count, 0, math.inf)[0])

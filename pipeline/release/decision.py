"""The difference that decides who is the champion, and what it has to exceed.

It is that of the score by which the new run was chosen, accuracy or macro-F1. One row more will not do: of
equally good runs, some has more rows right on this test part by luck, and the more of them challenge a
champion, the surer one does. One standard error, sqrt(fixed + broken) rows, lets one equal in six pass, and
20 of them depose 65 % of champions. So that one in six, 16 %, is all that the challengers of one champion on
one test part have together: the first may spend 1/2 of it, the second 1/6, the k-th 1 / (k (k + 1)), which
add up to 1 however many there will be (alpha spending: Foster & Stine 2008, JRSS B 70; Tian & Ramdas 2021,
Stat. Methods Med. Res. 30). By the union bound, the chance that any equal of the champion takes its place is
at most 16 %, whatever their scores have in common. A run that is promoted begins a count of its own, and so
do new test rows.

By simulation, 20 equals depose 10 to 11 % of champions, and the last champion shows 0.5 points more than it
has on 300 rows, 0.2 on 2,000 (by one standard error 2.1 and 0.8). A first challenger that is 2 points better
is promoted in 31 % of cases on 300 rows (45 %) and 84 % on 2,000 (93 %); after 20 others, on 2,000, in 11 %
(71 %): a test part that so many have tried can tell no more. Simulated by `tests/benchmarks/gate_ratchet.py`.
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

LEVEL = float(norm.sf(1.0))  # of all challengers of one champion on one test part: 0.16, one standard error
ROUNDING = 1e-9  # below which two scores are equal


class Decision(Section):
    """The deciding difference on so many rows, new minus old, with its 95 % interval; shares are in 0..1.

    `standard_error` is the standard deviation of the difference if the two were equally good. `looks` counts
    the runs that were compared on the test part, this one included; `challenger` is the number of this one
    among those that were compared there with the same champion, from 1 on.
    """

    criterion: Criterion
    rows: int
    difference: float
    low: float
    high: float
    standard_error: float
    looks: int
    challenger: int

    @property
    def score(self) -> str:
        """The name of the deciding score."""
        return CRITERIA[self.criterion]

    @property
    def required(self) -> float:
        """What the difference has to exceed for a promotion."""
        return required_standard_errors(self.challenger) * self.standard_error

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


def required_standard_errors(challenger: int) -> float:
    """Return what the k-th challenger has to lead by: 1.41, 1.94, 2.22, ... standard errors."""
    return float(norm.isf(LEVEL / (challenger * (challenger + 1))))


def by_accuracy(paired: PairedDifference, looks: int, challenger: int) -> Decision:
    return Decision(
        criterion="accuracy",
        rows=paired.rows,
        difference=paired.difference,
        low=paired.low,
        high=paired.high,
        standard_error=paired.standard_error,
        looks=looks,
        challenger=challenger,
    )


def by_macro_f1(f1: F1Difference, interval: Interval, rows: int, looks: int, challenger: int) -> Decision:
    """Return the decision by macro-F1; `interval` is that of the difference."""
    return Decision(
        criterion="macro_f1",
        rows=rows,
        difference=f1.difference,
        low=interval[0],
        high=interval[1],
        standard_error=f1.standard_error,
        looks=looks,
        challenger=challenger,
    )


@cache
def expected_maximum(count: int) -> float:
    """Return the expectation m_N of the largest of so many standard normal values: 0, 0.56, 0.85, ..."""
    return float(quad(lambda x: 1 - norm.cdf(x) ** count - norm.cdf(-x) ** count, 0, math.inf)[0])

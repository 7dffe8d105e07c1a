"""Two classifiers on the same rows: which rows change sides, and whether that is more than chance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import bdtr, betainc, betaincinv

from ..options import Section
from .f1_difference import F1Difference

Correct = NDArray[np.bool_]  # [rows]: which rows a classifier has right
SIGNIFICANCE_LEVEL = 0.05  # of two-sided tests, which agree with intervals of 95 %
QUANTILES = (np.arange(1000) + 0.5) / 1000  # over which `interval` integrates a distribution


class PairedDifference(Section):
    """Rows that only the new classifier has right (fixed) or only the old one (broken), of `rows`.

    The difference of accuracies is new minus old, with its 95 % interval and McNemar's exact two-sided p.
    """

    rows: int
    fixed: int
    broken: int
    difference: float
    low: float
    high: float
    p: float

    @property
    def is_significant(self) -> bool:
        """True if p is below 0.05, which is exactly where the interval excludes 0."""
        return self.p < SIGNIFICANCE_LEVEL

    @property
    def standard_error(self) -> float:
        """The standard deviation of the difference if a coin had fixed or broken each changed row."""
        return math.sqrt(self.fixed + self.broken) / self.rows

    def __str__(self) -> str:
        low, high = 100 * self.low, 100 * self.high
        return (
            f"{self.fixed:,} rows fixed, {self.broken:,} broken: {100 * self.difference:+.1f} points "
            f"[{low:+.1f}, {high:+.1f}], {'a' if self.is_significant else 'no'} significant difference: "
            f"McNemar's p {format_p(self.p)}"
        )


def compare_paired(new: Correct, old: Correct) -> PairedDifference:
    """Compare two classifiers by the rows that each has right, bool [rows]."""
    fixed, broken = int((new & ~old).sum()), int((old & ~new).sum())
    low, high = interval(fixed, broken, len(new))
    return PairedDifference(
        rows=len(new),
        fixed=fixed,
        broken=broken,
        difference=(fixed - broken) / len(new),
        low=low,
        high=high,
        p=mcnemar(fixed, broken),
    )


def mcnemar(fixed: int, broken: int) -> float:
    """Return the exact two-sided p of McNemar's test (1947), 1 if no row changes.

    If both classifiers were equally good, each row that changes sides would be fixed or broken by the toss of
    a coin.
    """
    return min(1.0, 2 * one_sided_p(min(fixed, broken), max(fixed, broken)))


def interval(fixed: int, broken: int, rows: int) -> tuple[float, float]:
    """Return the 95 % interval of (fixed - broken) / rows that agrees with `mcnemar` (Fay & Lumbard 2021).

    It holds 0 exactly where p is 0.05 or more, and has a width also where few rows change, or none. The
    difference is theta (2 beta - 1): of the share theta of rows that change, the share beta is fixed. Both
    have exact bounds (Clopper & Pearson 1934) at every level, which make two distributions: of theta,
    Beta(changed, rows - changed + 1) of the lower bounds and Beta(changed + 1, rows - changed) of the upper
    ones; of beta likewise, fixed of changed. The low end is the 2.5 % quantile of the product, with the lower
    distribution of beta, and of theta the one that gives less; the high end is the low one with the two
    classifiers exchanged.
    """
    return _low(fixed, broken, rows), -_low(broken, fixed, rows)


def _low(fixed: int, broken: int, rows: int) -> float:
    """Return the low end of `interval`."""
    tail, changed = SIGNIFICANCE_LEVEL / 2, fixed + broken
    upper = (changed + 1, rows - changed)
    if not fixed:  # beta may be 0
        return -float(betaincinv(*upper, 1 - tail)) if changed < rows else -1.0
    if betainc(fixed, broken + 1, 0.5) < tail:  # the difference is above 0, so less theta gives less
        theta = betaincinv(changed, rows - changed + 1, QUANTILES)
    else:
        theta = betaincinv(*upper, QUANTILES) if changed < rows else np.ones(1)

    def excess(difference: float) -> float:
        """Return the probability below the difference minus the tail."""
        beta = np.clip((difference / theta + 1) / 2, 0, 1)
        return float(betainc(fixed, broken + 1, beta).mean()) - tail

    return float(brentq(excess, -1, 1))


def one_sided_p(fixed: int, broken: int) -> float:
    """Return how often a coin breaks as many of the changed rows, or more."""
    return float(bdtr(fixed, fixed + broken, 0.5))


def holm(p: Sequence[float]) -> list[float]:
    """Return each p adjusted for all of them (Holm 1979).

    The chance that any one of them is falsely below 0.05 is then at most 0.05.
    """
    order = np.argsort(p, kind="stable")
    steps = np.minimum(1, (len(p) - np.arange(len(p))) * np.array(p, float)[order])
    adjusted = np.empty(len(p))
    adjusted[order] = np.maximum.accumulate(steps)
    values: list[float] = adjusted.tolist()
    return values


class SliceDifference(Section):
    """Two classifiers on some of the rows, such as those of a class."""

    title: str
    of_class: bool
    rows: int
    new: float  # accuracies, or F1: see `by_f1`
    old: float
    right: int  # rows that the old classifier has right
    lost: int  # of them net: broken less fixed
    alone: float  # one-sided p of this slice
    p: float  # the same, adjusted for all slices, see `holm`


def compare_slices(
    classes: dict[str, Correct], groups: dict[str, Correct], new: Correct, old: Correct
) -> list[SliceDifference]:
    """Compare two classifiers on the rows bool [rows] of each class and each other group, by its title.

    Those without rows are left out.
    """
    masks = {title: mask for title, mask in (classes | groups).items() if mask.any()}
    changes = [(int((new & ~old)[mask].sum()), int((old & ~new)[mask].sum())) for mask in masks.values()]
    alone = [one_sided_p(fixed, broken) for fixed, broken in changes]
    return [
        SliceDifference(
            title=title,
            of_class=title in classes,
            rows=int(mask.sum()),
            new=float(new[mask].mean()),
            old=float(old[mask].mean()),
            right=int(old[mask].sum()),
            lost=broken - fixed,
            alone=p,
            p=adjusted,
        )
        for (title, mask), (fixed, broken), p, adjusted in zip(
            masks.items(), changes, alone, holm(alone), strict=True
        )
    ]


def by_f1(slices: Sequence[SliceDifference], f1: Mapping[str, F1Difference]) -> list[SliceDifference]:
    """Return the slices compared by F1, given by title, in place of accuracy."""
    adjusted = holm([f1[part.title].one_sided_p for part in slices])
    return [
        part.model_copy(
            update={
                "new": f1[part.title].new,
                "old": f1[part.title].old,
                "alone": f1[part.title].one_sided_p,
                "p": p,
            }
        )
        for part, p in zip(slices, adjusted, strict=True)
    ]


def format_p(p: float) -> str:
    """Return p with its sign, such as `= 0.03`."""
    return f"= {p:.2g}" if p >= 1e-4 else "< 0.0001"

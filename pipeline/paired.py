"""Two classifiers on the same rows: which rows change sides, and whether that is more than chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from pipeline.metrics import difference_interval
from pipeline.options import Section

Right = NDArray[np.bool_]


class Paired(Section):
    """Rows that the new classifier alone has right (fixed) or wrong (broken), of `rows`; the difference of
    accuracies, new minus old, with its 95 % interval, and McNemar's two-sided p."""

    rows: int
    fixed: int
    broken: int
    difference: float
    low: float
    high: float
    p: float

    def __str__(self) -> str:
        low, high = 100 * self.low, 100 * self.high
        return (
            f"{self.fixed:,} rows fixed, {self.broken:,} broken: {100 * self.difference:+.1f} points "
            f"[{low:+.1f}, {high:+.1f}], McNemar's p {shown_p(self.p)}"
        )


def paired(new: Right, old: Right, seed: int) -> Paired:
    """`new` and `old` bool [rows]: which rows each has right."""
    fixed, broken = int((new & ~old).sum()), int((old & ~new).sum())
    low, high = difference_interval(new, old, seed)
    return Paired(
        rows=len(new),
        fixed=fixed,
        broken=broken,
        difference=(fixed - broken) / len(new),
        low=low,
        high=high,
        p=mcnemar(fixed, broken),
    )


def mcnemar(fixed: int, broken: int) -> float:
    """The exact two-sided p of McNemar's test (1947): if both were equally good, each of the rows that change
    sides would be fixed or broken by the toss of a coin."""
    return min(1.0, 2 * float(stats.binom.cdf(min(fixed, broken), fixed + broken, 0.5)))


def worse(fixed: int, broken: int) -> float:
    """The one-sided p: how often a coin breaks so many of the changed rows, or more."""
    return float(stats.binom.cdf(fixed, fixed + broken, 0.5))


def holm(p: Sequence[float]) -> list[float]:
    """Each p as it counts among all of them (Holm 1979): the chance that any one is falsely below 0.05 is
    then at most 0.05."""
    order = np.argsort(p, kind="stable")
    steps = np.minimum(1, (len(p) - np.arange(len(p))) * np.array(p, float)[order])
    adjusted = np.empty(len(p))
    adjusted[order] = np.maximum.accumulate(steps)
    found: list[float] = adjusted.tolist()
    return found


class Slice(Section):
    """Some of the rows, such as those of a class; `p` is the one-sided p that the new classifier is worse on
    them, as it counts among all slices."""

    title: str
    rows: int
    new: float  # accuracies
    old: float
    p: float


def slices(groups: dict[str, Right], new: Right, old: Right) -> list[Slice]:
    """Each group bool [rows]: its rows. Empty ones are left out."""
    filled = {title: rows for title, rows in groups.items() if rows.any()}
    p = [worse(int((new & ~old)[rows].sum()), int((old & ~new)[rows].sum())) for rows in filled.values()]
    return [
        Slice(
            title=title,
            rows=int(rows.sum()),
            new=float(new[rows].mean()),
            old=float(old[rows].mean()),
            p=one,
        )
        for (title, rows), one in zip(filled.items(), holm(p), strict=True)
    ]


def shown_p(p: float) -> str:
    """With its sign: `= 0.03`."""
    return f"= {p:.2g}" if p >= 1e-4 else "< 0.0001"

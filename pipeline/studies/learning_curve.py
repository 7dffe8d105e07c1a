"""A learning curve: the model and its opponents on growing shares of the labelled rows, and what it tells.

Each size is run several times. A run, called a draw, has its own subset of the rows and its own seed of the
network; at all rows the seed alone differs. The subsets of a draw lie within each other, and all runs are
tested on the same rows, so that sizes are compared in pairs.

All intervals are of 95 % and cover the test rows, the draw of the subset and the seed (`t_tests.over_rows`).
The rows that subsets are drawn from are taken as given: an interval says what fewer of these labels would
have given, not what other labels would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby, pairwise
from typing import Any

import numpy as np
from scipy import stats

from ..arrays import Doubles, Labels
from ..measures.comparison import MAJORITY
from ..measures.metrics import Interval
from ..measures.paired import SIGNIFICANCE_LEVEL, holm, interval
from ..measures.row_values import row_values
from ..options import CRITERIA, Criterion
from ..terminal import shorten
from . import t_tests
from .cross_validation import shown
from .t_tests import Difference

LITTLE = 0.01  # of accuracy or macro-F1: a gain that is surely below is called little
OPEN = "Whether twice the labels would help is open"
TITLE_COLUMNS = 33


@dataclass(frozen=True)
class Score:
    """The mean score over the draws of one size, in 0..1, its interval, and the score of each draw."""

    mean: float
    low: float
    high: float
    draws: list[float]

    @property
    def ends(self) -> str:
        """The ends of the interval in %, as they are printed."""
        return f"{100 * self.low:.1f}-{100 * self.high:.1f}"


@dataclass(frozen=True)
class ContestantCurve:
    """One classifier at every size, the smallest first.

    `gains` holds what each size brings beyond the one before; `leads` the network's score minus its own at
    each size, and nothing for the network itself.
    """

    key: str
    title: str
    scores: list[Score]
    gains: list[Difference]
    leads: list[Difference]


@dataclass(frozen=True)
class LearningCurve:
    """All contestants, the network first, at `rows` labelled rows, which are `shares` of them all.

    A labelled row is one of the training or of the validation part: both shrink, as both were labelled.
    """

    criterion: Criterion
    shares: list[float]
    rows: list[int]
    test_rows: int
    contestants: list[ContestantCurve]

    def to_json(self) -> dict[str, Any]:
        """Return the entries of curve.json."""
        return asdict(self)


def contestant_curves(
    truth: Labels, predicted: Mapping[str, Sequence[Labels]], titles: Mapping[str, str], criterion: Criterion
) -> list[ContestantCurve]:
    """Return the curve of each contestant.

    `truth` is int64 [rows]. `predicted` holds for each contestant, the network first, int64 [draws, rows] of
    every size.
    """
    values = {
        key: [np.array([row_values(truth, labels, criterion) for labels in draws]) for draws in sizes]
        for key, sizes in predicted.items()
    }
    network = next(iter(values.values()))
    return [
        ContestantCurve(
            key,
            titles[key],
            [score(of_size) for of_size in sizes],
            [_difference(larger - smaller) for smaller, larger in pairwise(sizes)],
            [_difference(of_network - own) for of_network, own in zip(network, sizes, strict=True)]
            if sizes is not network
            else [],
        )
        for key, sizes in values.items()
    ]


def _difference(differences: Doubles) -> Difference:
    """Return `t_tests.over_rows`, with the exact interval where no row differs, which has no spread."""
    if differences.any():
        return t_tests.over_rows(differences)
    return Difference(0.0, *interval(0, 0, differences.shape[1]), 1.0)


def score(values: Doubles) -> Score:
    """Return the mean of `row_values`, float64 [draws, rows], with its interval.

    The interval is Wilson's (1927) for an effective number of rows: so many, drawn independently, as would
    make the interval of `t_tests.over_rows`, but no more than there are (Korn & Graubard 1998, Survey
    Methodology 24, equation 4, who put it into Clopper and Pearson's). Unlike that interval it stays in 0..1,
    and has a width where every row is right.
    """
    rows = values.shape[1]
    spread = t_tests.over_rows(values)
    share, reach = min(1.0, max(0.0, spread.mean)), spread.mean - spread.low
    normal = float(stats.norm.ppf(1 - SIGNIFICANCE_LEVEL / 2))
    alike = share * (1 - share) * (normal / reach) ** 2 if reach > 0 else rows
    low, high = _wilson(share, min(rows, alike) if alike > 0 else rows, normal)
    return Score(share, low, high, values.mean(axis=1).tolist())


def _wilson(share: float, rows: float, normal: float) -> Interval:
    """Return Wilson's interval for a number of rows that need not be whole."""
    shrink = 1 + normal**2 / rows
    centre = (share + normal**2 / (2 * rows)) / shrink
    reach = normal / shrink * np.sqrt(share * (1 - share) / rows + normal**2 / (4 * rows**2))
    low, high = float(centre - reach), float(centre + reach)
    return max(0.0, min(share, low)), min(1.0, max(share, high))  # whatever rounding does


def verdict(curve: LearningCurve) -> str:
    """Return whether more labels would help, and which contestant is ahead at which size."""
    return f"{outlook(curve)} {leaders(curve)}"


def outlook(curve: LearningCurve) -> str:
    """Return what the last doubling of the labels brought, and what that says of the next.

    Nothing is extrapolated: a curve through four points says little about a fifth. But the error of
    classifiers falls as a power of the number of rows, once they are better than chance (Hestness et al.
    2017, Deep learning scaling is predictable, empirically, section 2), so that each doubling brings less
    than the one before.
    """
    network = curve.contestants[0]
    gain, half, full = network.gains[-1], curve.rows[-2], curve.rows[-1]
    if any(entry.key == MAJORITY and entry.leads[-1].low <= 0 for entry in curve.contestants):
        answer = f"{OPEN}, as {shown(network.title)} is not significantly better than the majority class"
    elif gain.high < LITTLE:
        answer = f"Twice the labels would bring little, less than {100 * LITTLE:.0f} point"
    elif gain.low > 0:
        answer = "Twice the labels would help"
    else:
        answer = OPEN
    earlier = growing = ""
    if len(network.gains) > 1:
        before = network.gains[-2].mean
        earlier = f", the one before {100 * before:+.1f}"
        if gain.low > 0 and gain.mean >= before:
            growing = ", though the gains have not begun to shrink"
    unit = "points" if curve.criterion == "accuracy" else "points of macro-F1"
    sentences = (
        f"{answer}: the last doubling, from {half:,} to {full:,} labelled rows, brought "
        f"{shown(network.title)} {_with_unit(gain, unit)}{earlier}. The next usually brings at most as "
        f"much{growing}."
    )
    best = max(curve.contestants, key=lambda contestant: contestant.scores[-1].mean)
    if best is not network:
        sentences += f" {best.title}, which is highest with all of them, gained {best.gains[-1]}."
    return sentences


def _with_unit(gain: Difference, unit: str) -> str:
    points, interval = str(gain).split(" ", 1)
    return f"{points} {unit} {interval}"


def leaders(curve: LearningCurve) -> str:
    """Return who is significantly ahead at which size.

    The network is if it is better than every opponent, an opponent if it is the best and better than the
    network, with p adjusted for the number of opponents (Holm 1979).
    """
    network = shown(curve.contestants[0].title)
    ahead = [_ahead(curve, size) for size in range(len(curve.rows))]
    if len(set(ahead)) == 1:
        if ahead[0] is None:
            return f"At no size is {network} significantly better than all opponents, or worse than the best."
        rivals = "every opponent" if ahead[0] == network else network
        return f"{ahead[0]} is significantly better than {rivals} at each size."
    spans, start = [], 0
    for title, sizes in groupby(ahead):
        end = start + len(list(sizes)) - 1
        spans.append(f"{title or 'neither'} {_span(curve.rows, start, end)}")
        start = end + 1
    return f"Significantly better, of {network} and its best opponent: {', '.join(spans)}."


def _ahead(curve: LearningCurve, size: int) -> str | None:
    network, *opponents = curve.contestants
    leads = [opponent.leads[size] for opponent in opponents]
    significant = np.array(holm([lead.p for lead in leads])) < SIGNIFICANCE_LEVEL
    best = int(np.argmax([opponent.scores[size].mean for opponent in opponents]))
    if significant.all() and all(lead.mean > 0 for lead in leads):
        return shown(network.title)
    return opponents[best].title if significant[best] and leads[best].mean < 0 else None


def _span(rows: Sequence[int], start: int, end: int) -> str:
    if start == 0:
        return f"up to {rows[end]:,} rows"
    if end == len(rows) - 1:
        return f"from {rows[start]:,} on"
    return f"at {rows[start]:,}" if start == end else f"from {rows[start]:,} to {rows[end]:,}"


def table(curve: LearningCurve) -> str:
    """Return each contestant's mean and interval at every size, in lines of at most 79 columns."""

    def line(title: str, cells: Sequence[str]) -> str:
        return f"  {title:<{TITLE_COLUMNS}}" + "".join(f"{cell:>11}" for cell in cells)

    lines = [
        line("share of the labelled rows", [f"{100 * share:.0f} %" for share in curve.shares]),
        line("labelled rows", [f"{rows:,}" for rows in curve.rows]),
        line(f"{CRITERIA[curve.criterion]}, %, and its interval", []).rstrip(),
    ]
    for contestant in curve.contestants:
        title = shorten(contestant.title, TITLE_COLUMNS)
        lines.append(line(title, [f"{100 * score.mean:.1f}" for score in contestant.scores]))
        lines.append(line("", [score.ends for score in contestant.scores]))
    return "\n".join(lines)

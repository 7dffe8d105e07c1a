"""A comparison of labelled rows with those that the classifier was made for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field

from ..arrays import Doubles, Labels
from ..encoder import TokenCounts
from ..options import Real, Section
from ..terminal import shorten

WARNING_DISTANCE = 0.03  # of the tokens, or of the rows: less is no reason to warn, however certain it is
CHANCE = 1 / 1000  # of a warning about rows that are drawn as the reference's were
DRAWS = 999  # of a permutation test
MAX_ROWS = 10**8  # that NumPy draws from; of more rows, one in so many counts
UNKNOWN_BINS = 21  # shares of unknown tokens from 0 to 1, in steps of 1/20
ROUNDING = 1e-6  # by which statistics that are equal may differ
LABEL_CHARACTERS = 20  # of a label: two of them, with their shares, fit in a line
ShareOrAll = Annotated[Real, Field(ge=0, le=1)]
Rows = Annotated[int, Field(ge=0, lt=2**53)]
Statistic = Callable[[Labels, Doubles], Doubles]  # of counts [..., cells] and those expected [cells]
Histogram = Annotated[list[Rows], Field(min_length=UNKNOWN_BINS, max_length=UNKNOWN_BINS)]


class Reference(Section):
    """The validation part, which the network was not trained on.

    `outside` is the share of its tokens that are outside the vocabulary, `classes` are the shares of its rows
    by predicted class, in 0..1. `rows` is their number, and `rows_by_unknown` is as `histogram` returns it,
    None for images. Models saved before these two were kept have None for both: what chance explains is
    unknown, and nothing is warned of.
    """

    outside: ShareOrAll
    classes: list[ShareOrAll]
    rows: Rows | None = None
    rows_by_unknown: Histogram | None = None

    @classmethod
    def from_counts(cls, classes: Labels, tokens: TokenCounts | None) -> Reference:
        """Describe rows by those of each predicted class, int64 [classes], and their tokens, if any."""
        rows = int(classes.sum())
        return cls(
            outside=float(tokens.unknown.sum() / max(1, tokens.total.sum())) if tokens else 0.0,
            classes=(classes / max(1, rows)).tolist(),
            rows=rows,
            rows_by_unknown=histogram(tokens).tolist() if tokens else None,
        )


def histogram(tokens: TokenCounts) -> Labels:
    """Return the numbers of rows by their share of unknown tokens, int64 [UNKNOWN_BINS]."""
    bins = (UNKNOWN_BINS - 1) * tokens.unknown // np.maximum(1, tokens.total)
    return np.bincount(bins, minlength=UNKNOWN_BINS)


def drift_lines(
    reference: Reference,
    labels: list[str],
    classes: Labels,
    tokens: int,
    unknown: int,
    rows_by_unknown: Labels,
) -> list[str]:
    """Return the two shares next to the reference's, and a warning for each that is far off.

    `classes` int64 [classes] are rows by predicted label, `rows_by_unknown` is their `histogram`. The share
    of unknown tokens is far off if it rose, and the labels if their total variation distance is, by more than
    WARNING_DISTANCE, and if the rows also differ more than by chance: in their classes by Pearson's
    chi-squared statistic, in unknown words by the mean share of a row, whose tokens are not independent.
    """
    rows = int(classes.sum())
    if not rows:
        return []
    unknown_share = unknown / max(1, tokens)
    shares = classes / rows
    usual = np.array(reference.classes)
    distance = float(np.abs(shares - usual).sum() / 2)
    # Those that changed the most, and of equal ones the most frequent.
    changed = np.lexsort((-shares, -np.abs(shares - usual).round(9)))[:2]
    lines = []
    if tokens:  # images have none
        lines.append(f"  unknown words {unknown_share:.1%} (of the validation part {reference.outside:.1%})")
    shown = [f"{shorten(labels[c], LABEL_CHARACTERS)} {shares[c]:.0%} ({usual[c]:.0%})" for c in changed]
    lines.append(f"  labels {', '.join(shown)}")
    has_more_unknown = unknown_share - reference.outside > WARNING_DISTANCE
    usual_words = reference.rows_by_unknown
    if has_more_unknown and usual_words and _exceeds_chance(rows_by_unknown, usual_words, _fall_of_mean):
        lines.append("  warning: more unknown words than in training: another kind of text?")
    usual_rows = np.rint(usual * min(reference.rows or 0, MAX_ROWS))
    if distance > WARNING_DISTANCE and _exceeds_chance(classes, usual_rows, _chi_squared):
        lines.append(
            f"  warning: the labels' shares moved by {distance:.0%} of the rows, more than by chance"
        )
    return lines


def _exceeds_chance(rows: Labels, reference: ArrayLike, statistic: Statistic) -> bool:
    """Return whether the counts of rows [cells] and the reference's differ more than by CHANCE.

    If they do not, the reference's rows are drawn from all of them without replacement. The permutation test
    (Fisher 1935) compares them with DRAWS such draws, so it holds however few rows or rare classes there are,
    and takes the chance of both sides into account.
    """
    usual = _thinned(np.array(reference, np.int64))
    total = _thinned(rows) + usual
    random = np.random.default_rng(total)  # as one seed for all files would make some of CHANCE's size
    drawn = random.multivariate_hypergeometric(total, usual.sum(), DRAWS, "marginals")
    expected = total * (usual.sum() / total.sum())
    found, by_chance = (statistic(counts, expected) for counts in (usual, drawn))
    return bool(1 + (by_chance > found - ROUNDING).sum() <= CHANCE * (1 + DRAWS))


def _thinned(rows: Labels) -> Labels:
    thinned: Labels = rows // (1 + rows.sum() // MAX_ROWS)
    return thinned


def _chi_squared(rows: Labels, expected: Doubles) -> Doubles:
    found: Doubles = ((rows - expected) ** 2 / np.maximum(expected, np.finfo(float).tiny)).sum(axis=-1)
    return found


def _fall_of_mean(rows: Labels, expected: Doubles) -> Doubles:
    found: Doubles = (expected - rows) @ np.arange(len(expected))
    return found

"""The limits that a classifier has to keep to become the champion.

The score that the run was chosen by decides, accuracy or macro-F1 (`decision`); the other must not fall
grossly. Slices are compared by accuracy or, where macro-F1 decides, by F1: what rare classes gain costs
frequent ones rows.

A slice fails if its one-sided p, Holm-corrected over all slices, is below 0.05. A small slice cannot
fail: among 158 slices, one of 11 rows never reaches that p (158 / 2^11 = 0.08). So a class also fails if it
loses more than half of the rows that the champion has right, once that is MIN_CLASS_LOSS rows. Losses in
still smaller classes show in macro-F1 alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..measures.paired import SIGNIFICANCE_LEVEL, SliceDifference, format_p
from ..options import CRITERIA, Criterion, Section
from .decision import Decision, required_standard_errors

SCORE_TOLERANCE = 0.02  # by which the other score may be lower and the expected calibration error higher
MIN_RELATIVE_SPEED = 0.5  # of the champion's rows per second
MAX_RELATIVE_SIZE = 4.0  # of the champion's bytes
MIN_ROWS = 200  # or half of the test part, where that is less
MIN_ROWS_OF_SMALL_TEST = 50  # in any case: ten points of fewer rows are five rows, which chance may well fix
MIN_CLASS_LOSS = 5  # rows, net
NAMED_SLICES = 5  # of those that fail


class Performance(Section):
    """The figures of one classifier on the rows compared; shares are in 0..1."""

    title: str
    accuracy: float
    macro_f1: float
    calibration_error: float
    rows_per_second: float
    bytes: int

    def score(self, criterion: Criterion) -> float:
        """Return accuracy or macro-F1."""
        return self.accuracy if criterion == "accuracy" else self.macro_f1


class Check(Section):
    """A limit in words, what was measured, and whether the limit is kept."""

    what: str
    limit: str
    found: str
    passed: bool


def checks_of_first_champion(decision: Decision) -> list[Check]:
    """Return the checks of a classifier without a predecessor, compared with the majority class."""
    return [
        Check(
            what=decision.score,
            limit="significantly better than the majority class",
            found=_points(decision),
            passed=decision.is_significant_gain,
        )
    ]


def check_not_compared(reason: str) -> Check:
    """Return the failed check of a champion that could not be compared, which only force replaces."""
    return Check(what="champion", limit="compared on the same rows", found=reason, passed=False)


def checks_against_champion(
    new: Performance,
    champion: Performance,
    decision: Decision,
    slices: Sequence[SliceDifference],
    left_out: int,
) -> list[Check]:
    """Return all checks of a classifier against the champion, on the rows that neither was trained on.

    `left_out` counts the test rows that one of the two was trained on. Chance alone moves macro-F1 and the
    calibration error by about half of 1 / sqrt(rows), so that much is tolerated where it exceeds
    SCORE_TOLERANCE.
    """
    tolerance = max(SCORE_TOLERANCE, decision.rows**-0.5)
    return [
        check_rows(decision.rows, left_out),
        check_deciding_score(new, champion, decision),
        check_other_score(new, champion, decision.criterion, tolerance),
        check_classes(slices),
        check_slices(slices),
        check_calibration(new, champion, tolerance),
        check_speed(new, champion),
        check_size(new, champion),
    ]


def check_rows(rows: int, left_out: int) -> Check:
    """Return the check that enough rows were compared."""
    required = max(MIN_ROWS_OF_SMALL_TEST, min(MIN_ROWS, (rows + left_out) / 2))
    return Check(
        what="rows",
        limit=f"at least {required:,.0f} that neither was trained on",
        found=f"{rows:,}; {left_out:,} left out" if left_out else f"{rows:,}",
        passed=rows >= required,
    )


def check_deciding_score(new: Performance, champion: Performance, decision: Decision) -> Check:
    """Return the check that the score is higher by more than luck gives this and all other challengers.

    A first challenger need not be significantly better: where a tenth of 1,000 rows change, that would take
    2.2 points, and champions would stay for want of rows rather than of better models.
    """
    factor = required_standard_errors(decision.challenger)
    scores = _shares(new.score(decision.criterion), champion.score(decision.criterion))
    return Check(
        what=decision.score,
        limit=f"higher by more than {factor:.2f} standard errors, {100 * decision.required:.1f} points",
        found=f"{scores}, {_points(decision)}",
        passed=decision.is_enough,
    )


def check_other_score(
    new: Performance, champion: Performance, criterion: Criterion, tolerance: float
) -> Check:
    """Return the check that the score which does not decide is not lower by more than the tolerance."""
    other: Criterion = "macro_f1" if criterion == "accuracy" else "accuracy"
    return Check(
        what=CRITERIA[other],
        limit=f"not lower by more than {100 * tolerance:.1f} points",
        found=_shares(new.score(other), champion.score(other)),
        passed=new.score(other) >= champion.score(other) - tolerance,
    )


def check_classes(slices: Sequence[SliceDifference]) -> Check:
    """Return the check that no class loses more than half of what the champion has right.

    The largest loss is named even if it is within the limit. By simulation, fewer than 1 % of equally good
    classifiers fail here if they differ on a tenth of the rows, 6 to 15 % if on a fifth (150 classes of 11
    rows).
    """
    losing = sorted((part for part in slices if part.of_class and part.lost > 0), key=_loss, reverse=True)
    halved = [part for part in losing if part.lost >= MIN_CLASS_LOSS and 2 * part.lost > part.right]
    named = losing[:1] + [part for part in halved if part is not losing[0]]
    return Check(
        what="classes",
        limit=f"none loses more than half of what it had right, and {MIN_CLASS_LOSS} rows or more",
        found="largest loss: " + (_listed([_describe_loss(part) for part in named]) or "none"),
        passed=not halved,
    )


def check_slices(slices: Sequence[SliceDifference]) -> Check:
    """Return the check that no slice is significantly worse."""
    worse = [part for part in slices if part.p < SIGNIFICANCE_LEVEL]
    described = [f"{part.title} {_shares(part.new, part.old)}, p {format_p(part.p)}" for part in worse]
    return Check(
        what="slices",
        limit=f"none worse at p < {SIGNIFICANCE_LEVEL}, corrected for all {len(slices)}",
        found=_listed(described) or "none",
        passed=not worse,
    )


def check_calibration(new: Performance, champion: Performance, tolerance: float) -> Check:
    """Return the check that the calibration error is not higher by more than the tolerance."""
    return Check(
        what="calibration",
        limit=f"error not higher by more than {100 * tolerance:.1f} points",
        found=_shares(new.calibration_error, champion.calibration_error),
        passed=new.calibration_error <= champion.calibration_error + tolerance,
    )


def check_speed(new: Performance, champion: Performance) -> Check:
    """Return the check that prediction is not much slower."""
    return Check(
        what="speed",
        limit=f"at least {MIN_RELATIVE_SPEED:.0%} of the champion's rows per second",
        found=f"{new.rows_per_second:,.0f}, champion {champion.rows_per_second:,.0f}",
        passed=new.rows_per_second >= MIN_RELATIVE_SPEED * champion.rows_per_second,
    )


def check_size(new: Performance, champion: Performance) -> Check:
    """Return the check that the model's files are not much larger."""
    return Check(
        what="size",
        limit=f"at most {MAX_RELATIVE_SIZE:.0f} times the champion's",
        found=f"{new.bytes / 1e6:,.1f} MB, champion {champion.bytes / 1e6:,.1f} MB",
        passed=new.bytes <= MAX_RELATIVE_SIZE * champion.bytes,
    )


def _loss(part: SliceDifference) -> tuple[int, float]:
    """Return the sort key of a loss: rows first, then the share of the class."""
    return part.lost, part.lost / part.rows


def _describe_loss(part: SliceDifference) -> str:
    return (
        f"{part.title}, {part.lost:,} net of {part.rows:,} rows ({part.right:,} were right), "
        f"one-sided p {format_p(part.alone)} uncorrected"
    )


def _points(decision: Decision) -> str:
    difference, low, high = (100 * value for value in (decision.difference, decision.low, decision.high))
    return f"{difference:+.1f} points [{low:+.1f}, {high:+.1f}]"


def _shares(new: float, champion: float) -> str:
    return f"{new:.1%}, champion {champion:.1%}"


def _listed(items: Sequence[str]) -> str:
    more = f"; and {len(items) - NAMED_SLICES:,} more" if len(items) > NAMED_SLICES else ""
    return "; ".join(items[:NAMED_SLICES]) + more

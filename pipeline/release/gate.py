"""Whether a classifier may take the champion's place: the limits, what was found, and the decision.

What the slices cannot see: a slice counts as worse where a coin would hardly break so many of its changed
rows, and the more slices, the surer each has to be. Of 150 classes and eight more slices, none of 11 rows or
fewer can ever be refused so, as 158 / 2^11 is 0.08. Therefore no class may lose more than half of what it had
right, once that is LOST rows. What is lost of a class of fewer rows shows in macro-F1 alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill

from ..measures.paired import CHANCE, Paired, Slice, shown_p
from ..options import Section

TOLERANCE = 0.02  # macro-F1 may be so much lower, and the expected calibration error so much higher
SPEED = 0.5  # of the champion's rows a second, at least
SIZE = 4.0  # times the champion's bytes, at most
WIDTH = 79
ROWS = 200  # or half of the test part, where that is less
LEAST = 50  # in any case: of fewer, ten points are five rows or fewer, which a coin may well fix
LOST = 5  # rows of a class, net
NAMED = 5  # of the slices that are worse


class Side(Section):
    """One of the two on the rows compared; shares are in 0..1."""

    title: str
    accuracy: float
    macro_f1: float
    calibration_error: float
    rows_per_second: float
    bytes: int


class Check(Section):
    """A limit in words, what was found beside it, and whether it is kept."""

    what: str
    limit: str
    found: str
    passed: bool


class Comparison(Section):
    """All that `register` found; without a champion to compare with it is beside the majority class."""

    corpus: str
    run: str
    champion: str | None  # its version, also where the two could not be compared
    left_out: int  # test rows that one of the two was trained on
    new: Side
    old: Side | None  # None where there is no champion, or none that could be compared
    paired: Paired
    slices: list[Slice]
    checks: list[Check]
    forced: str  # the reason why it is promoted in spite of a check

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)


def first(paired: Paired) -> list[Check]:
    """Of a classifier that has no champion before it, beside the majority class."""
    return [
        Check(
            what="accuracy",
            limit="really better than the majority class",
            found=f"p {shown_p(paired.p)}",
            passed=paired.difference > 0 and paired.is_real,
        )
    ]


def not_compared(reason: str) -> Check:
    """With a champion that could not be asked: it falls by force alone."""
    return Check(what="champion", limit="compared on the same rows", found=reason, passed=False)


def against(new: Side, old: Side, paired: Paired, slices: Sequence[Slice], left_out: int) -> list[Check]:
    """Of a classifier beside the champion, on the rows that neither was trained on.

    The accuracy must be higher: a champion that people have come to know does not give way to its equal. It
    need not be really higher: where a tenth of 1,000 rows change, that would take 2.2 points, and champions
    would stay for want of rows, not of better models. `Paired` says whether it is.

    Chance alone moves macro-F1 and the calibration error by about half of 1 / sqrt(rows), so that much is
    tolerated where it is more than TOLERANCE.

    By simulation, of two equally good classifiers that differ on a tenth of the rows, fewer than 1 % are
    refused for a class among 150 of 11 rows each; of those that differ on a fifth, 6 to 15 %.
    """
    tolerance = max(TOLERANCE, paired.rows**-0.5)
    least = max(LEAST, min(ROWS, (paired.rows + left_out) / 2))
    worse = [
        f"{one.title} {one.new:.1%} after {one.old:.1%}, p {shown_p(one.p)}"
        for one in slices
        if one.p < CHANCE
    ]
    losing = sorted((one for one in slices if one.of_class and one.lost > 0), key=_loss, reverse=True)
    halved = [one for one in losing if one.lost >= LOST and 2 * one.lost > one.right]
    named = losing[:1] + [one for one in halved if one is not losing[0]]
    return [
        Check(
            what="rows",
            limit=f"at least {least:,.0f} that neither was trained on",
            found=f"{paired.rows:,}" + (f"; {left_out:,} left out" if left_out else ""),
            passed=paired.rows >= least,
        ),
        Check(
            what="accuracy",
            limit="higher",
            found=f"{new.accuracy:.1%} after {old.accuracy:.1%}",
            passed=paired.difference > 0,
        ),
        Check(
            what="macro-F1",
            limit=f"not lower by more than {100 * tolerance:.1f} points",
            found=f"{new.macro_f1:.1%} after {old.macro_f1:.1%}",
            passed=new.macro_f1 >= old.macro_f1 - tolerance,
        ),
        Check(
            what="classes",
            limit=f"none loses more than half of what it had right, and {LOST} rows or more",
            found="largest loss: " + (_listed([_told(one) for one in named]) or "none"),
            passed=not halved,
        ),
        Check(
            what="slices",
            limit=f"none worse at p < {CHANCE}, of all {len(slices)} together",
            found=_listed(worse) or "none",
            passed=not worse,
        ),
        Check(
            what="calibration",
            limit=f"error not higher by more than {100 * tolerance:.1f} points",
            found=f"{new.calibration_error:.1%} after {old.calibration_error:.1%}",
            passed=new.calibration_error <= old.calibration_error + tolerance,
        ),
        Check(
            what="speed",
            limit=f"at least {SPEED:.0%} of the champion's rows a second",
            found=f"{new.rows_per_second:,.0f} after {old.rows_per_second:,.0f}",
            passed=new.rows_per_second >= SPEED * old.rows_per_second,
        ),
        Check(
            what="size",
            limit=f"at most {SIZE:.0f} times the champion's",
            found=f"{new.bytes / 1e6:,.1f} MB after {old.bytes / 1e6:,.1f}",
            passed=new.bytes <= SIZE * old.bytes,
        ),
    ]


def markdown(result: Comparison) -> str:
    """The comparison as a page."""
    lines = [f"# {_title(result)}", "", f"{_rows(result)}.", "", str(result.paired), ""]
    lines += ["| | limit | found | kept |", "| --- | --- | --- | --- |"]
    lines += [
        f"| {one.what} | {one.limit} | {_cell(one.found)} | {'yes' if one.passed else '**no**'} |"
        for one in result.checks
    ]
    if result.forced:
        lines += ["", f"Promoted in spite of this: {result.forced}"]
    if result.slices:
        lines += ["", "Where the one-sided p, as it counts among all slices, is small, the new one is worse."]
        lines += ["", "| | rows | new, % | champion, % | lost net | one-sided p |"]
        lines += ["| --- | --- | --- | --- | --- | --- |"]
        lines += [
            f"| {_cell(one.title)} | {one.rows:,} | {100 * one.new:.1f} | {100 * one.old:.1f} "
            f"| {one.lost:,} | {one.p:.2g} |"
            for one in result.slices
        ]
    return "\n".join(lines) + "\n"


def summary(result: Comparison) -> str:
    """The comparison in lines of 79 columns at most."""
    lines = [f"register: {_title(result)}", f"  {_rows(result)}", f"  {result.paired}"]
    for one in result.checks:
        lines.append(f"  {'kept' if one.passed else 'NOT KEPT':<8}  {one.what}: {one.limit}; {one.found}")
    if result.forced:
        lines.append(f"  promoted in spite of this: {result.forced}")
    return "\n".join(fill(line, WIDTH, subsequent_indent=" " * 12) for line in lines)


def _loss(one: Slice) -> tuple[int, float]:
    """The more rows, the worse; of as many, the larger part of the class."""
    return one.lost, one.lost / one.rows


def _told(one: Slice) -> str:
    return (
        f"{one.title}, {one.lost:,} net of {one.rows:,} rows ({one.right:,} were right), "
        f"one-sided p {shown_p(one.alone)} by itself"
    )


def _listed(found: Sequence[str]) -> str:
    more = f"; and {len(found) - NAMED:,} more" if len(found) > NAMED else ""
    return "; ".join(found[:NAMED]) + more


def _title(result: Comparison) -> str:
    if result.old is None:
        return f"{result.corpus}, {result.new.title} beside the majority class"
    return (
        f"{result.corpus}, {result.new.title} beside {result.old.title}, champion version {result.champion}"
    )


def _rows(result: Comparison) -> str:
    rows = f"{result.paired.rows:,} test rows"
    if not result.left_out:
        return rows
    return f"{rows}; {result.left_out:,} more were left out, as one of the two was trained on them"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")

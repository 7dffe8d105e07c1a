"""The gate's decision on one run: as JSON, as a Markdown page, and as lines for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import fill

from ..measures.paired import PairedDifference, SliceDifference
from ..options import Section
from ..terminal import TERMINAL_WIDTH
from .decision import LEVEL, Decision, required_standard_errors
from .gate import Check, Performance

LUCK_FORMULA = (
    "By luck alone, the best of N equally good runs is expected to be m_N s / sqrt(2) above another of them. "
    "m_N is the expected maximum of N standard normal values; s is the standard error of a difference, of "
    "accuracies the root of the rows that change sides, over all rows."
)


class GateReport(Section):
    """A run compared with the champion, or with the majority class if there is no champion to compare."""

    corpus: str
    run: str
    champion: str | None  # its version, also where the two could not be compared
    test_digest: str  # of the run's test part, whose rows are counted by it
    left_out: int  # test rows that one of the two was trained on
    new: Performance
    old: Performance | None  # None where there is no champion, or none that could be compared
    decision: Decision
    paired: PairedDifference
    slices: list[SliceDifference]
    checks: list[Check]
    forced: str  # the reason why it is promoted in spite of a failed check

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)

    @property
    def luck(self) -> float | None:
        """See `Decision.luck`; None where the old labels are the majority class's, which no run resembles."""
        return self.decision.luck if self.old else None

    @property
    def luck_told(self) -> str:
        """Sentences on how many runs were compared on these test rows, and what that asks of this one."""
        looks, decision = self.decision.looks, self.decision
        counted = (
            "No other run is on record as compared on these test rows"
            if looks == 1
            else f"{looks:,} runs, this one included, have been compared on these test rows"
        )
        if self.old is None:
            return f"{counted}."
        if looks > 1:
            points = f"{100 * decision.luck:.1f} points of {decision.score}"
            counted += f": by luck alone, the best of so many equals is {points} above another"
        own, first = (required_standard_errors(number) for number in (decision.challenger, 1))
        eased = f", where the first had to by {first:.2f}" if decision.challenger > 1 else ""
        return (
            f"{counted}. It is number {decision.challenger:,} to challenge version {self.champion} here, and "
            f"has to lead by {own:.2f} standard errors{eased}: however many challenge it, the chance that "
            f"one which is no better takes its place by luck stays below {LEVEL:.0%}. New test rows begin "
            "the count anew."
        )

    def tags(self) -> dict[str, str]:
        """Return what the run's page and the version's tell of the looks at these test rows."""
        tags = {
            "looks": str(self.decision.looks),
            "criterion": self.decision.criterion,
            "test_rows": self.test_digest,
        }
        if self.luck is None:
            return tags
        return tags | {"luck": f"{self.luck:.4f}", "challenger": str(self.decision.challenger)}


def markdown(report: GateReport) -> str:
    """Return the report as a page."""
    return "\n".join(_markdown_lines(report)) + "\n"


def _markdown_lines(report: GateReport) -> Iterator[str]:
    yield from (f"# {_title(report)}", "", f"{_rows(report)}.", "", str(report.paired), "")
    yield from (_criterion(report), "", f"{report.luck_told} {LUCK_FORMULA}", "")
    yield from ("| | limit | found | passed |", "| --- | --- | --- | --- |")
    for check in report.checks:
        passed = "yes" if check.passed else "**no**"
        yield f"| {check.what} | {check.limit} | {_cell(check.found)} | {passed} |"
    if report.forced:
        yield from ("", f"Promoted in spite of this: {report.forced}")
    if report.slices:
        yield from (
            "",
            f"{_slice_score(report)} The one-sided p, corrected for all slices, is small where the new "
            "classifier is worse.",
        )
        yield from ("", "| | rows | new, % | champion, % | lost net | one-sided p |")
        yield "| --- | --- | --- | --- | --- | --- |"
    for part in report.slices:
        scores = f"{100 * part.new:.1f} | {100 * part.old:.1f}"
        yield f"| {_cell(part.title)} | {part.rows:,} | {scores} | {part.lost:,} | {part.p:.2g} |"


def summary(report: GateReport) -> str:
    """Return the report in lines that fit the terminal."""
    lines = [f"register: {_title(report)}", f"  {_rows(report)}", f"  {report.paired}"]
    lines += [f"  {_criterion(report)}", f"  {report.luck_told}"]
    for check in report.checks:
        verdict = "passed" if check.passed else "FAILED"
        lines.append(f"  {verdict}  {check.what}: {check.limit}; {check.found}")
    if report.forced:
        lines.append(f"  promoted in spite of this: {report.forced}")
    return "\n".join(fill(line, TERMINAL_WIDTH, subsequent_indent=" " * 10) for line in lines)


def _title(report: GateReport) -> str:
    if report.old is None:
        return f"{report.corpus}, {report.new.title} compared with the majority class"
    champion = f"{report.old.title}, champion version {report.champion}"
    return f"{report.corpus}, {report.new.title} compared with {champion}"


def _rows(report: GateReport) -> str:
    rows = f"{report.paired.rows:,} test rows"
    if not report.left_out:
        return rows
    return f"{rows}; {report.left_out:,} more were left out, as one of the two was trained on them"


def _criterion(report: GateReport) -> str:
    return (
        f"{report.decision.score} decides, as this run was chosen by it, whatever the champion was chosen by"
        if report.old
        else f"{report.decision.score} decides, as this run was chosen by it"
    )


def _slice_score(report: GateReport) -> str:
    if report.decision.criterion == "accuracy":
        return "The accuracy of each slice."
    return "F1 of each class, macro-F1 of the other slices."


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")

"""The gate's decision on one run: as JSON, as a Markdown page, and as lines for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import fill

from ..measures.paired import PairedDifference, SliceDifference
from ..options import Section
from ..terminal import TERMINAL_WIDTH
from .gate import Check, Performance


class GateReport(Section):
    """A run compared with the champion, or with the majority class if there is no champion to compare."""

    corpus: str
    run: str
    champion: str | None  # its version, also where the two could not be compared
    left_out: int  # test rows that one of the two was trained on
    new: Performance
    old: Performance | None  # None where there is no champion, or none that could be compared
    paired: PairedDifference
    slices: list[SliceDifference]
    checks: list[Check]
    forced: str  # the reason why it is promoted in spite of a failed check

    @property
    def passed(self) -> bool:
        return all(check.passed for check in self.checks)


def markdown(report: GateReport) -> str:
    """Return the report as a page."""
    return "\n".join(_markdown_lines(report)) + "\n"


def _markdown_lines(report: GateReport) -> Iterator[str]:
    yield from (f"# {_title(report)}", "", f"{_rows(report)}.", "", str(report.paired), "")
    yield from ("| | limit | found | passed |", "| --- | --- | --- | --- |")
    for check in report.checks:
        passed = "yes" if check.passed else "**no**"
        yield f"| {check.what} | {check.limit} | {_cell(check.found)} | {passed} |"
    if report.forced:
        yield from ("", f"Promoted in spite of this: {report.forced}")
    if report.slices:
        yield from (
            "",
            "The one-sided p, corrected for all slices, is small where the new classifier is worse.",
        )
        yield from ("", "| | rows | new, % | champion, % | lost net | one-sided p |")
        yield "| --- | --- | --- | --- | --- | --- |"
    for part in report.slices:
        accuracies = f"{100 * part.new:.1f} | {100 * part.old:.1f}"
        yield f"| {_cell(part.title)} | {part.rows:,} | {accuracies} | {part.lost:,} | {part.p:.2g} |"


def summary(report: GateReport) -> str:
    """Return the report in lines that fit the terminal."""
    lines = [f"register: {_title(report)}", f"  {_rows(report)}", f"  {report.paired}"]
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


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")

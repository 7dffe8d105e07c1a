"""What MLflow's pages of a registered model and of its versions say of the champion, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from ..artifacts import MODEL_CARD
from ..card.markdown import inline
from ..environment.program import command_text
from .gate_report import GateReport

HEADING = "## Champions"
MAX_CHARACTERS = 5000  # MLflow's limit of a description


@dataclass(frozen=True)
class Act:
    """What a person did, and when."""

    user: str  # "" if the machine does not say
    time: datetime

    @classmethod
    def of(cls, user: str) -> Act:
        return cls(user, datetime.now(UTC))

    def __str__(self) -> str:
        return f"{self.time:%Y-%m-%d %H:%M} UTC" + (f" by {inline(self.user)}" if self.user else "")


def candidate_page(report: GateReport, approval_tag: str) -> str:
    """Return the description of a version that passed the gate and awaits approval."""
    return "\n".join([
        f"{_subject(report)} It passed the gate and awaits approval: give this version the tag "
        f"`{approval_tag}` with your name, and run `{command_text('register', {})}` again.",
        "",
        *_facts(report),
        "",
    ])  # fmt: skip


def champion_page(report: GateReport, promoted: Act, approved_by: str) -> str:
    """Return the description of a version that becomes the champion."""
    approval = [f"- **Approved by:** {inline(approved_by)}"] if approved_by else []
    facts = [f"- **Champion since** {promoted}", *approval, *_facts(report)]
    return "\n".join([_subject(report), "", *facts, ""])


def promoted_event(report: GateReport, version: str, promoted: Act, approved_by: str) -> str:
    """Return the line on a promotion in the registered model's description."""
    approval = f", approved by {inline(approved_by)}" if approved_by else ""
    return (
        f"{promoted}{approval}: version {version} ({inline(report.new.title)}) in place of "
        f"{_opponent(report)}: {_difference(report)} on {_rows(report)}"
    )


def rolled_back_event(version: str, replaced: str, act: Act) -> str:
    """Return the line on a rollback."""
    return f"{act}: version {version} again, by a rollback from version {replaced}"


def with_event(description: str, event: str) -> str:
    """Return a description with one more event, the newest first.

    What somebody wrote above the heading stays; the oldest events make room.
    """
    own, _, events = description.partition(HEADING)
    above = f"{own.rstrip()}\n\n" if own.strip() else ""
    lines = [f"- {event}", *(line for line in events.splitlines() if line.strip())]
    while len(page := f"{above}{HEADING}\n\n" + "\n".join(lines) + "\n") > MAX_CHARACTERS and lines:
        lines.pop()
    return page if lines else description


def _subject(report: GateReport) -> str:
    return (
        f"**{inline(report.new.title)}**, a classifier of the corpus {inline(report.corpus)}. `{MODEL_CARD}` "
        "among its files says what it is for, what was measured, and its limits; "
        f"`registration/comparison.md` of run `{report.run}` has all checks."
    )


def _facts(report: GateReport) -> Iterator[str]:
    yield f"- **In place of:** {_opponent(report)}"
    yield f"- **Compared on:** {_rows(report)}"
    yield f"- **Decided by:** {_difference(report)}"
    if report.old:
        yield f"- **Luck:** {report.luck_told}"
    if report.forced:
        failed = ", ".join(check.what for check in report.checks if not check.passed)
        yield f"- **In spite of failed checks** ({failed}): {inline(report.forced, 400)}"


def _opponent(report: GateReport) -> str:
    if report.champion is None:
        return "none, compared with the majority class"
    if report.old is None:
        return f"version {report.champion}, which could not be compared, but with the majority class"
    return f"version {report.champion} ({inline(report.old.title)})"


def _rows(report: GateReport) -> str:
    left_out = f", {report.left_out:,} more left out" if report.left_out else ""
    return (
        f"{report.decision.rows:,} test rows of {inline(report.corpus)}{left_out} (digest of the test part "
        f"`{report.test_digest}`)"
    )


def _difference(report: GateReport) -> str:
    decision = report.decision
    difference, low, high = (100 * value for value in (decision.difference, decision.low, decision.high))
    return f"{decision.score} {difference:+.1f} points, 95 % interval {low:+.1f} to {high:+.1f}"

"""The lines and tables that report on a search."""

from __future__ import annotations

import json
from typing import Any

from ..terminal import TERMINAL_WIDTH, shorten, wrapped
from .search import Search, Trial
from .settings import Settings

FEW_ROWS = 1000  # below which one row is visible in a percentage of one decimal

TABLE_HEADING = "  trial  validation  epochs  seconds"


def heading(title: str, corpus: str, rows: int) -> str:
    """Return the lines above the trials: what they train, and those of the table."""
    return "\n".join([wrapped(f"tune: {title} on {corpus}, {rows:,} rows to choose by", ""), TABLE_HEADING])


def trial_line(trial: Trial, start: Settings) -> str:
    """Return a trial on one line, with as many of its settings that differ from the `start` as fit."""
    score = "-" if trial.score is None else f"{trial.score:.2%}"
    line = f"  {trial.number:5}  {score:>10}  {len(trial.scores):6}  {trial.seconds:7.1f}  "
    if trial.ending == "failed":
        return line + shorten(f"failed: {trial.fault}", TERMINAL_WIDTH - len(line))
    notes: list[str] = [trial.ending] if trial.ending != "finished" else []
    notes += _changes(trial.settings, start) if trial.number else ["as it is"]
    count, omitted = len(notes), ""
    while len(line + ", ".join(notes[:count]) + omitted) > TERMINAL_WIDTH:
        count -= 1
        omitted = f", +{len(notes) - count}"
    return line + ", ".join(notes[:count]) + omitted


def trials_table(search: Search, criterion: str) -> tuple[list[str], list[list[str | int | float]]]:
    """Return the header and the rows of trials.csv."""
    header = ["trial", f"validation_{criterion}", "epochs", "seconds", "ending", *search.start, "fault"]
    rows: list[list[str | int | float]] = []
    for trial in search.trials:
        score = "" if trial.score is None else trial.score
        settings = [_value(value) for value in trial.settings.values()]
        seconds = round(trial.seconds, 1)
        rows.append([trial.number, score, len(trial.scores), seconds, trial.ending, *settings, trial.fault])
    return header, rows


def winner_lines(search: Search, best: Trial, verdict: str, rows: int, interrupted: bool) -> list[str]:
    """Return what the search found: the best trial, its settings, the verdict on it and what qualifies that.

    The best trial's score is not set against the start's: it is the best of many, and the start's is one.
    """
    prefix = "interrupted; " if interrupted else ""
    sentences = [
        f"{prefix}best of {len(search.trials)}: trial {best.number}",
        ", ".join(_changes(best.settings, search.start)),
        f"{verdict}.",
        caution(rows),
    ]
    return [wrapped(sentence) for sentence in sentences if sentence]


def caution(rows: int) -> str:
    """Return what qualifies scores on the validation `rows` that a winner was chosen by."""
    worth = f", one of which is {100 / rows:.1f} points of accuracy" if rows < FEW_ROWS else ""
    return (
        f"Trials and epochs were chosen by these same {rows:,} rows{worth}: scores and difference are "
        "optimistic, and the test part shows what to expect."
    )


def _changes(settings: Settings, start: Settings) -> list[str]:
    return [
        f"{key.partition('.')[2]} {_value(value)}" for key, value in settings.items() if value != start[key]
    ]


def _value(value: Any) -> str:
    return "-".join(map(str, value)) if isinstance(value, list) else json.dumps(value).strip('"')

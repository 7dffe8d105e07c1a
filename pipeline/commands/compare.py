"""Set two runs side by side: the options that differ, the metrics, and the rows on which they disagree.

Reads the runs from MLflow; with OUTPUT writes all rows on which they disagree as CSV.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from ..artifacts import RunFolder, tracked_run
from ..config import words
from ..config.command_line import Words
from ..errors import InputError
from ..files import write_csv
from ..reading import read_table
from ..release import run_diff
from ..release.find import RunRecord, artifact, find_run, stored_id
from ..terminal import say


def run(given: Words) -> None:
    first, second = (_find(name) for name in _two_names(given[words.RUNS]))
    say(run_diff.heading(first.name, second.name))
    say(run_diff.parameters(first.parameters, second.parameters))
    say(run_diff.metrics(first.metrics, second.metrics))
    a, b = _predictions(first), _predictions(second)
    differing = run_diff.disagreements(a, b)
    if differing is None:
        say(f"  other test rows ({len(a):,} and {len(b):,}): their predictions cannot be compared")
        return
    say(run_diff.rows(a, b, differing))
    if output := given[words.ROWS_OUTPUT]:
        write_csv(Path(output), differing.columns.tolist(), differing.itertuples(index=False))
        say(f"  all {len(differing):,} rows: {output}")


def _two_names(text: str) -> list[str]:
    try:
        names = shlex.split(text)
    except ValueError as error:
        raise InputError(f"RUNS={text}: {error}") from error
    if len(names) != 2:
        raise InputError(
            f'RUNS={text}: expected two runs, as in RUNS="3f2a 91bc"; a name with a blank in single quotes'
        )
    return names


def _find(name: str) -> RunRecord:
    """Return a run by id, beginning of an id, name, or folder in data/build."""
    folder = RunFolder(Path(name))
    try:
        return find_run(stored_id(tracked_run(folder)) if folder.run.exists() else name)
    except InputError as error:
        raise InputError(f"RUNS: {error}") from error


def _predictions(run: RunRecord) -> pd.DataFrame:
    with TemporaryDirectory() as scratch:
        name = RunFolder(Path()).predictions.name
        return read_table(artifact(run.id, name, Path(scratch)))

"""Set two runs side by side: the options that differ, the metrics, and the rows on which they disagree.

Reads the runs from MLflow; with OUTPUT writes all rows on which they disagree as CSV.
"""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from ..artifacts import RunFolder
from ..errors import InputError
from ..files import read_json, read_table, write_csv
from ..release import run_diff
from ..tracking.find import RunRecord, artifact, find, in_store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--runs", required=True, help="two, by id, its beginning, name or folder")
    parser.add_argument("--output", default="", help="a CSV of the rows on which they disagree")


def run(arguments: argparse.Namespace) -> None:
    first, second = (_found(called) for called in _two(arguments.runs))
    print(run_diff.heading(first.name, second.name))
    print(run_diff.parameters(first.parameters, second.parameters))
    print(run_diff.metrics(first.metrics, second.metrics))
    one, other = _predictions(first), _predictions(second)
    differing = run_diff.disagreements(one, other)
    if differing is None:
        print(f"  other test rows ({len(one):,} and {len(other):,}): their predictions cannot be compared")
        return
    print(run_diff.rows(one, other, differing))
    if arguments.output:
        write_csv(Path(arguments.output), differing.columns.tolist(), differing.itertuples(index=False))
        print(f"  all {len(differing):,} rows: {arguments.output}")


def _two(text: str) -> list[str]:
    try:
        called = shlex.split(text)
    except ValueError as error:
        raise InputError(f"RUNS={text}: {error}") from error
    if len(called) != 2:
        raise InputError(
            f'RUNS={text}: expected two runs, as in RUNS="3f2a 91bc"; a name with a blank in single quotes'
        )
    return called


def _found(called: str) -> RunRecord:
    """A folder of data/build stands for its run."""
    folder = RunFolder(Path(called))
    return find(in_store(read_json(folder.run)["mlflow_run"]) if folder.run.exists() else called)


def _predictions(record: RunRecord) -> pd.DataFrame:
    with TemporaryDirectory() as scratch:
        name = RunFolder(Path()).predictions.name
        return read_table(artifact(record.id, name, Path(scratch)))

"""The runs that a study compares: their seeds, the opponents in each, and the make of all, side by side."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from ..artifacts import RunFolder
from ..baselines.catalogue import BASELINES
from ..errors import InputError
from ..options import CRITERIA, BaselineName, Configuration, Criterion
from ..reading import read_json
from ..terminal import say
from .inner_make import Goal, make_side_by_side

MAX_SEEDS = 2**32
# Runs have one thread each: two networks at once are done sooner than one on two threads.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"}


def seeds(first: int, count: int) -> range:
    """Return consecutive seeds. Raises InputError where there are not as many."""
    if first + count > MAX_SEEDS:
        raise InputError(f"seed: {first} leaves no room for {count} seeds below 2^32")
    return range(first, first + count)


def opponents(configuration: Configuration) -> tuple[list[BaselineName], list[str]]:
    """Return the baselines for such inputs, and the titles of those whose library is not installed."""
    kind = configuration.source.input
    fitting = {name: baseline for name, baseline in BASELINES.items() if baseline.fits(kind)}
    available = [name for name, baseline in fitting.items() if baseline.available()]
    return available, [baseline.title for baseline in fitting.values() if not baseline.available()]


def make_runs(runs: Sequence[RunFolder], jobs: int) -> None:
    """Make the result of each run, so many at once, and print its score by the criterion as it comes.

    The stages' own lines are held back. Raises as `make_side_by_side` does.
    """
    remedy = "; JOBS=1 needs less, as one training at a time runs" if jobs > 1 else ""
    goals = [Goal(run, (run.metrics,), ONE_THREAD) for run in runs]
    for goal in make_side_by_side(goals, jobs, remedy=remedy, output=subprocess.DEVNULL):
        path = Path(goal.targets[0])
        metrics = read_json(path)
        criterion: Criterion = metrics["criterion"]
        say(f"  {path.parents[1].name}: {CRITERIA[criterion]} {metrics[criterion]:.4f}")

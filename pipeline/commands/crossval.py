"""Compare a model with its opponents on the same folds, or seeds where the test part is official.

Writes the options of all folds, has make build them side by side, and prints the comparison; what is there
already stays. A fold's own lines are held back but for its score.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

from ..config import words
from ..config.command_line import Words
from ..environment.cores import cores
from ..graph.folds import FoldPlan, configure_folds
from ..graph.inner_make import Goal, make, make_side_by_side
from ..graph.request import TrainingRequest
from ..options import CRITERIA, Criterion
from ..reading import read_json
from ..terminal import say

# Folds run on one thread each: two networks at once are done sooner than one on two threads.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1"}


def run(given: Words) -> None:
    plan = configure_folds(TrainingRequest.from_words(given), given[words.FOLDS], given[words.REPEATS])
    jobs = given[words.JOBS] or cores()
    make(Goal(plan.all_rows, (plan.all_rows.rows, *(cut.folds for cut in plan.cuts))), jobs)
    first = plan.runs[0].corpus
    make(Goal(first, (first.rows,)))  # alone, so that what is wrong with every fold is said once
    _make_folds(plan, jobs)
    make(Goal(plan.crossval, (plan.crossval.result,), ONE_THREAD))
    say(f"{plan.crossval.summary.read_text('utf-8')}{plan.crossval.path}")


def _make_folds(plan: FoldPlan, jobs: int) -> None:
    """Make the result of each fold, and print its score by the criterion as soon as it is there."""
    remedy = "; JOBS=1 needs less, as one fold at a time runs" if jobs > 1 else ""
    goals = [Goal(run, (run.metrics,), ONE_THREAD) for run in plan.runs]
    for goal in make_side_by_side(goals, jobs, remedy=remedy, output=subprocess.DEVNULL):
        path = Path(goal.targets[0])
        metrics = read_json(path)
        criterion: Criterion = metrics["criterion"]
        say(f"  {path.parents[1].name}: {CRITERIA[criterion]} {metrics[criterion]:.4f}")

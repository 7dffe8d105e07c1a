"""Compare a model with its opponents on the same folds, or seeds where the test part is official.

Writes the options of all folds, has make build them side by side, and prints the comparison; what is there
already stays. A fold's own lines are held back but for its score.
"""

from __future__ import annotations

from ..config import words
from ..config.command_line import Words
from ..environment.cores import cores
from ..graph.folds import configure_folds
from ..graph.inner_make import Goal, make
from ..graph.request import TrainingRequest
from ..graph.study_runs import ONE_THREAD, make_runs
from ..terminal import say


def run(given: Words) -> None:
    plan = configure_folds(TrainingRequest.from_words(given), given[words.FOLDS], given[words.REPEATS])
    jobs = given[words.JOBS] or cores()
    make(Goal(plan.all_rows, (plan.all_rows.rows, *(cut.folds for cut in plan.cuts))), jobs)
    first = plan.runs[0].corpus
    make(Goal(first, (first.rows,)))  # alone, so that what is wrong with every fold is said once
    make_runs(plan.runs, jobs)
    make(Goal(plan.crossval, (plan.crossval.result,), ONE_THREAD))
    say(f"{plan.crossval.summary.read_text('utf-8')}{plan.crossval.path}")

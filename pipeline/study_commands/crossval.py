"""Compare a model with its opponents on the same folds, or seeds where the test part is official.

Writes the options of all folds, has make build them side by side, and prints the comparison; what is there
already stays. A fold's own lines are held back but for its score. Where several processes do so over one data
folder, on as many machines, each makes the folds that no other makes.
"""

from __future__ import annotations

from ..config import words
from ..config.command_line import Words
from ..environment.cores import ONE_THREAD, cores
from ..graph.folds import configure_folds
from ..graph.inner_make import Goal
from ..graph.request import TrainingRequest
from ..sharing.shared_make import make_alone, make_runs, make_unless_taken
from ..terminal import say


def run(given: Words) -> None:
    plan = configure_folds(TrainingRequest.from_words(given), given[words.FOLDS], given[words.REPEATS])
    jobs = given[words.JOBS] or cores()
    all_rows = (plan.all_rows.rows, *(cut.folds for cut in plan.cuts))
    make_alone(Goal(plan.all_rows, all_rows), "the rows", jobs)
    first = plan.runs[0].corpus
    make_unless_taken(Goal(first, (first.rows,)))  # so that what is wrong with every fold is said once
    make_runs(plan.runs, jobs)
    make_alone(Goal(plan.crossval, (plan.crossval.result,), ONE_THREAD), "the comparison")
    say(f"{plan.crossval.summary.read_text('utf-8')}{plan.crossval.path}")

"""Show whether more labels would help: a model and its opponents on growing shares of the labelled rows.

Has make prepare all rows, writes the options of the shares that are not too small, has make build their runs
side by side, and prints what the curve tells; what is there already stays. Several processes share the runs
as those of a cross-validation.
"""

from __future__ import annotations

from ..artifacts import CorpusFolder
from ..config import words
from ..config.command_line import Words
from ..corpus.subset import SHARES, fitting_shares
from ..environment.cores import ONE_THREAD, cores
from ..graph.curve import configure_curve, configure_sizes
from ..graph.inner_make import Goal
from ..graph.request import TrainingRequest
from ..reading import read_json
from ..sharing.shared_make import make_alone, make_runs
from ..terminal import say, wrapped


def run(given: Words) -> None:
    plan = configure_curve(TrainingRequest.from_words(given))
    make_alone(Goal(plan.all_rows, (plan.all_rows.rows,)), "the rows")
    runs = configure_sizes(plan, _shares(plan.all_rows))
    make_runs(runs, given[words.JOBS] or cores())
    make_alone(Goal(plan.curve, (plan.curve.result,), ONE_THREAD), "the comparison")
    say(f"{plan.curve.summary.read_text('utf-8')}{plan.curve.path}")


def _shares(corpus: CorpusFolder) -> list[float]:
    """Return the shares that are not too small for the corpus, and say it where some are."""
    rows, classes = read_json(corpus.report)["rows"]["train"], len(read_json(corpus.labels))
    shares = fitting_shares(rows, classes)
    if shares[0] != SHARES[0]:
        too_small = f"{100 * SHARES[0]:.0f} % of {rows:,} training rows are too few for {classes:,} classes"
        say(wrapped(f"curve: {too_small}: it starts at {100 * shares[0]:.0f} %", ""))
    return shares

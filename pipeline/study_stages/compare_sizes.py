"""Compare a model and its opponents over the shares of the labelled rows that were run.

Reads each run's rows.parquet, baseline_<criterion>.parquet, train.json, predictions.parquet and run.json;
writes curve.json, curve.png and summary.txt for the terminal, and puts all runs below one parent run in
MLflow.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..artifacts import CurveFolder, RunFolder, read_test_labels, tracked_run
from ..config.stage_options import CurveOptions, Request, TrainOptions, read_stage
from ..files import atomic_write, write_json, write_text
from ..measures.comparison import few_rows, unknown_labels
from ..reading import read_json, read_table
from ..studies import figures
from ..studies.cross_validation import contestant_titles
from ..studies.learning_curve import LearningCurve, contestant_curves, table, verdict
from ..terminal import wrapped
from ..tracking.run import Run, description, new_run

COVERED = (
    "The intervals cover other test rows, other draws of the smaller shares and other seeds of the network, "
    "but not other rows to draw from."
)


def run(path: Path) -> None:
    folder = CurveFolder(path)
    options = read_stage(folder.options, CurveOptions)
    draws = [[RunFolder(Path(path)) for path in paths] for paths in options.runs]
    curve, first = _curve(options, draws), draws[0][0]
    tags = {"corpus": options.corpus, "mlflow.source.name": "make curve"}
    with new_run(f"{options.corpus} curve", options.model_dump(exclude={"runs"}), tags) as parent:
        parent.describe(description(read_stage(first.request, Request).command, verdict(curve)))
        parent.adopt([tracked_run(run) for runs in draws for run in runs])
        _log_scores(parent, curve)
        with atomic_write(folder.figure) as partial:
            subject = f"{options.corpus}, {curve.test_rows:,} test rows"
            figures.learning_curves(curve, subject).write_png(partial)
        unknown = read_json(first.metrics)["unknown_label_rows"]  # the test rows are the same in all
        write_text(folder.summary, _summary(options, curve, len(draws), unknown))
        write_json(folder.result, curve.to_json())
        for file in (folder.figure, folder.summary, folder.result):
            parent.log_file(file)


def _curve(options: CurveOptions, draws: list[list[RunFolder]]) -> LearningCurve:
    criterion = read_stage(draws[0][0].train_options, TrainOptions).train.criterion
    read = [[read_test_labels(run, criterion) for run in runs] for runs in draws]
    truth, keys = read[0][0][0], list(read[0][0][1])
    by_size = list(zip(*read, strict=True))
    predicted = {key: [np.stack([labels[key] for _, labels in size]) for size in by_size] for key in keys}
    return LearningCurve(
        criterion=criterion,
        shares=options.shares,
        rows=[round(np.mean([_labelled_rows(run) for run in size])) for size in zip(*draws, strict=True)],
        test_rows=len(truth),
        contestants=contestant_curves(truth, predicted, contestant_titles(options.model), criterion),
    )


def _labelled_rows(run: RunFolder) -> int:
    return int(read_table(run.corpus.rows, ["part"])["part"].isin(["train", "validation"]).sum())


def _log_scores(parent: Run, curve: LearningCurve) -> None:
    """Log the mean scores over the rows as steps, so that MLflow draws the curves, too."""
    for place, rows in enumerate(curve.rows):
        scores = {entry.key: entry.scores[place].mean for entry in curve.contestants}
        parent.log_metrics({f"{key}.{curve.criterion}": score for key, score in scores.items()}, rows)


def _summary(options: CurveOptions, curve: LearningCurve, draws: int, unknown: int) -> str:
    name = f"{options.corpus} {options.model}"
    lines = [
        wrapped(f"curve: {name}, {draws} draws of each size, {curve.test_rows:,} test rows", ""),
        table(curve),
        wrapped(verdict(curve)),
        wrapped(COVERED),
        *([wrapped(unknown_labels(unknown, curve.test_rows))] if unknown else []),
        *(wrapped(caution) for caution in few_rows(curve.test_rows)),
        *(f"  {title} was left out: its library is not installed." for title in options.left_out),
    ]
    return "\n".join(lines) + "\n"

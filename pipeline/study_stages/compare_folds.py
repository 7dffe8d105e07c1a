"""Compare a model with its opponents over the folds (or seeds) that were run.

Reads each fold's rows.parquet, baseline_<criterion>.parquet and .json, train.json, predictions.parquet,
metrics.json and run.json; writes crossval.json, summary.txt for the terminal, and puts the folds' runs below
one parent run in MLflow.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..artifacts import CrossvalFolder, RunFolder, read_all_labels, read_test_labels, tracked_run
from ..config.stage_options import CrossvalOptions, Request, TrainOptions, read_stage
from ..corpus.data_report import mean_copies
from ..files import sha256, sha256_of, write_json, write_text
from ..measures.comparison import few_rows, unknown_labels
from ..options import Criterion
from ..reading import read_json
from ..review.assessment import mean_without_copies
from ..studies.cross_validation import (
    ContestantResult,
    ContestantScores,
    CrossValidation,
    FoldPredictions,
    contestant_results,
    contestant_titles,
    table,
    verdict,
)
from ..terminal import wrapped
from ..tracking.run import description, new_run

IN_TIME_ORDER = (
    "The folds are in time order, each trained on all rows before it: the first ones are trained on few, and "
    "the p-values, which take all training parts to be of one size, are approximate."
)


def run(path: Path) -> None:
    folder = CrossvalFolder(path)
    options = read_stage(folder.options, CrossvalOptions)
    runs = [RunFolder(Path(path)) for path in options.runs]
    names = read_all_labels(runs[0].corpus)
    folds = [_fold_predictions(run) for run in runs]

    contestants = contestant_results(folds, contestant_titles(options.model), names, options.folds)
    result = _result(options, runs, contestants, test_rows=len(folds[0].truth))

    name = f"{options.corpus} {options.model}, {len(runs)} {'folds' if options.folds > 1 else 'seeds'}"
    tags = {"corpus": options.corpus, "mlflow.source.name": "make crossval"}
    with new_run(name, options.model_dump(exclude={"runs"}), tags) as parent:
        parent.describe(description(read_stage(runs[0].request, Request).command, result.verdict))
        parent.adopt([tracked_run(run) for run in runs])
        parent.log_metrics({f"mean.{entry.key}": entry.mean("accuracy") for entry in contestants})
        parent.log_metrics({f"mean.{entry.key}.macro_f1": entry.mean("macro_f1") for entry in contestants})
        test_rows = sum(len(fold.truth) for fold in folds) // options.repeats
        summary = [
            wrapped(f"crossval: {name}", ""),
            table(contestants, result.criterion),
            *(wrapped(note) for note in [result.verdict, *_notes(options, runs, result, test_rows)] if note),
        ]
        write_text(folder.summary, "\n".join(summary) + "\n")
        write_json(folder.result, result.model_dump())
        parent.log_file(folder.result)


def _fold_predictions(run: RunFolder) -> FoldPredictions:
    criterion = _criterion(run)
    truth, predicted = read_test_labels(run, criterion)
    choices = read_json(run.corpus.baseline_choices(criterion))
    return FoldPredictions(
        truth, predicted, {key: choices[key]["validation_score"] for key in predicted if key != "network"}
    )


def _result(
    options: CrossvalOptions, runs: list[RunFolder], contestants: list[ContestantResult], test_rows: int
) -> CrossValidation:
    criterion = _criterion(runs[0])
    metrics = [read_json(run.metrics) for run in runs]
    return CrossValidation(
        corpus=options.corpus,
        model=options.model,
        folds=options.folds,
        runs=len(runs),
        test_rows=test_rows,
        rows=_digest(runs, options.seed),
        criterion=criterion,
        published=options.published,
        contestants={entry.title: ContestantScores.from_result(entry) for entry in contestants},
        verdict=verdict(contestants, criterion),
        calibration_error_before=[fold["calibration_error_before"] for fold in metrics],
        calibration_error=[fold["calibration_error"] for fold in metrics],
    )


def _notes(
    options: CrossvalOptions, runs: list[RunFolder], result: CrossValidation, test_rows: int
) -> list[str]:
    """Return what is to be added: calibration, near copies, few test rows, missing opponents; some are ""."""
    after, before = np.mean(result.calibration_error), np.mean(result.calibration_error_before)
    near_copies = mean_copies([read_json(run.corpus.report) for run in runs], options.folds)
    unknown = read_json(runs[0].metrics)["unknown_label_rows"]  # of the given test part that all share
    return [
        f"calibration error {after:.1%}; {before:.1%} without the temperature",
        near_copies,
        unknown_labels(unknown, result.test_rows) if unknown else "",
        mean_without_copies([read_json(run.metrics) for run in runs]),
        IN_TIME_ORDER if "time" in read_json(runs[0].corpus.report)["split"] else "",
        *few_rows(test_rows),
        *(f"{title} was left out: its library is not installed." for title in options.left_out),
    ]


def _digest(runs: list[RunFolder], seed: int) -> str:
    """Return a digest of what the opponents depend on, apart from the criterion that chooses them.

    It covers all rows, their parts, the tokenization (of texts) and the first seed.
    """
    files = [path for run in runs for path in (run.corpus.rows, run.corpus.tokenize_options)]
    return sha256_of([str(seed), *(sha256(path) for path in files if path.exists())])


def _criterion(run: RunFolder) -> Criterion:
    return read_stage(run.train_options, TrainOptions).train.criterion

"""Score the network on the test part, beside the baseline and the majority class, and report on the run.

Reads model/, history.json, run.json, vectors.npz and coverage.json (of texts alone), and the corpus's
rows.parquet, data_report.json, sequences.npz (or images.npy) and baseline_<criterion>.parquet; writes
predictions.parquet, row_keys.npz, mistakes.csv and metrics.json, and finishes the run in MLflow. Of a run
that is no fold of a cross-validation, also filters.json, suspect_labels.csv, the figures and report.html.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..artifacts import RunFolder, read_inputs
from ..baselines.catalogue import BASELINES
from ..config.loading import read_stage
from ..corpus.equality import contents, digests
from ..corpus.split import PARTS
from ..files import (
    atomic_write,
    read_arrays,
    read_json,
    read_table,
    write_arrays,
    write_csv,
    write_json,
    write_table,
    write_text,
)
from ..measures import slices
from ..measures.comparison import Titles, headline, network_title, summary
from ..options import BaselineName
from ..prediction.classifier import Classifier, load_network
from ..review import assessment
from ..review.assessment import Scored
from ..tracking.run import Run, description, resumed_run
from ..verb_options import PrepareOptions, Request, TrainOptions

REVIEWED = 500  # rows of a table in MLflow


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="data/build/<corpus>/<model>")


def run(arguments: argparse.Namespace) -> None:
    folder = RunFolder(arguments.folder)
    trained = read_json(folder.run)
    with resumed_run(trained["mlflow_run"]) as tracked:
        measures, result = _evaluate(folder, trained["train_seconds"], tracked)
        tracked.log_text(folder.metrics.name, json.dumps(result, indent=1))
    write_json(folder.metrics, result)  # once all is written and recorded: Make takes it for the end
    _say(folder, measures)


def _evaluate(
    folder: RunFolder, train_seconds: float, tracked: Run
) -> tuple[assessment.Measures, dict[str, Any]]:
    options = read_stage(folder.train_options, TrainOptions)
    rows, inputs = read_table(folder.corpus.rows), read_inputs(folder.corpus)
    history = read_json(folder.history)
    classifier = Classifier.load(folder.model)

    test = Scored.of(classifier, rows, inputs, rows["part"] == "test")
    measures = assessment.measures(test, *_opponents(folder), _found(folder), options.seed)
    result = measures.to_json() | {"train_seconds": train_seconds, "epochs": len(history)}
    labelled = assessment.predictions(test)
    mistakes = assessment.mistakes(labelled)
    write_table(folder.predictions, labelled)
    write_arrays(folder.row_keys, **{part: digests(contents(rows[rows["part"] == part])) for part in PARTS})
    _write_rows(folder.mistakes, mistakes)

    request = read_stage(folder.request, Request)
    tracked.log_metrics({f"test.{key}": value for key, value in _numbers(result).items()})
    tracked.describe(description(request.command, headline(measures.comparison, _titles(folder))))
    for path in (folder.history, folder.coverage, folder.mistakes, folder.corpus.report, folder.predictions):
        if path.exists():  # images have no vectors, and no coverage of them
            tracked.log_file(path)
    if _is_reviewed(folder):
        tracked.log_model(folder.path)
        held_out = Scored.of(classifier, rows, inputs, rows["part"] != "train")
        suspects = assessment.suspect_labels(held_out, rows, inputs, options.seed)
        _review(folder, test, measures, result, mistakes, suspects, tracked)
    return measures, result


def _is_reviewed(folder: RunFolder) -> bool:
    """Nobody reviews a fold or ships its model, and there are many."""
    return read_stage(folder.corpus.prepare_options, PrepareOptions).fold is None


def _review(
    folder: RunFolder,
    test: Scored,
    measures: assessment.Measures,
    result: dict[str, Any],
    mistakes: pd.DataFrame,
    suspects: pd.DataFrame,
    tracked: Run,
) -> None:
    """Writes filters.json, suspect_labels.csv, the figures and report.html, and logs them and the tables."""
    from ..review import run_figures  # here, as a fold does without: they take seconds to start
    from ..review.page import Report

    title, trained = _title(folder), read_json(folder.run)
    options = read_stage(folder.train_options, TrainOptions)
    members, criterion = options.ensemble.members, options.train.criterion
    learned = run_figures.learned(load_network(folder.model), test, title)
    drawn = run_figures.measured(test, measures, read_json(folder.history), criterion, _titles(folder), title)
    drawn |= learned.figures | run_figures.wrong_pictures(test, mistakes, title)
    for name, figure in drawn.items():
        with atomic_write(folder.figure(name)) as partial:
            figure.savefig(partial)
        tracked.log_file(folder.figure(name))
    wrong = assessment.with_evidence(mistakes.head(REVIEWED), test)
    tracked.log_table("confidently_wrong", wrong)
    tracked.log_table("suspect_labels", suspects.head(REVIEWED))
    page = Report(
        title=title,
        titles=_titles(folder),
        members=members,
        labels=test.classifier.labels,
        measures=measures,
        epochs=result["epochs"],
        figures={name: folder.figure(name).read_bytes() for name in drawn},
        wrong=wrong,
        suspects=suspects,
        data=read_json(folder.corpus.report),
        options=_options(folder),
        run=trained | read_json(folder.request),
    )
    write_json(folder.filters, learned.filters)
    _write_rows(folder.suspect_labels, suspects)
    write_text(folder.report, page.html())
    for path in (folder.filters, folder.suspect_labels, folder.report):
        tracked.log_file(path)


def _title(folder: RunFolder) -> str:
    return f"{folder.corpus.path.name}, {folder.path.name}"


def _baseline(folder: RunFolder) -> BaselineName:
    of_texts = read_stage(folder.corpus.prepare_options, PrepareOptions).source.input == "tokens"
    return "linear" if of_texts else "pixels"


def _titles(folder: RunFolder) -> Titles:
    members = read_stage(folder.train_options, TrainOptions).ensemble.members
    ngrams = "n-grams" in read_json(folder.run)["weights"]
    return Titles(network_title(members, ngrams), BASELINES[_baseline(folder)].title)


def _opponents(folder: RunFolder) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the labels of the baseline and of the majority class, int64 [test rows] each."""
    criterion = read_stage(folder.train_options, TrainOptions).train.criterion
    table = read_table(folder.corpus.baseline(criterion))
    return table[_baseline(folder)].to_numpy(np.int64), table["majority"].to_numpy(np.int64)


def _found(folder: RunFolder) -> NDArray[np.bool_] | None:
    """Which words have a pretrained vector, by id; None where no file of vectors was read."""
    if not folder.coverage.exists() or not read_json(folder.coverage):
        return None
    return read_arrays(folder.vectors)["found"]


def _options(folder: RunFolder) -> dict[str, Any]:
    """Those of all stages."""
    options: dict[str, Any] = {}
    for path in folder.all_options:
        if path.exists():  # images are neither tokenized nor embedded
            options |= read_json(path)
    return options


def _numbers(result: dict[str, Any]) -> dict[str, float]:
    """What can be plotted; an interval as two numbers, beside that which it belongs to."""
    numbers = {key: value for key, value in result.items() if isinstance(value, (int, float))}
    for key in [key for key in result if key.endswith("_interval")]:
        value = key.removesuffix("_interval")
        numbers[f"{value}.low"], numbers[f"{value}.high"] = result[key]
    return {key: round(value, 5) for key, value in numbers.items()}


def _write_rows(path: Path, table: pd.DataFrame) -> None:
    write_csv(path, table.columns.tolist(), table.itertuples(index=False))


def _say(folder: RunFolder, measures: assessment.Measures) -> None:
    print(f"evaluate: {_title(folder)}, {measures.comparison.test_rows:,} test rows")
    print(summary(measures.comparison, _titles(folder)))
    print(
        f"  calibration error {measures.calibration_error:.1%}, at temperature {measures.temperature:.2f};"
        f" {measures.calibration_error_before:.1%} without it"
    )
    low, high = measures.calibration_error_by_chance
    print(f"  (by chance, a perfectly calibrated classifier has {low:.1%} to {high:.1%})")
    if table := measures.slices.get("uncovered_words"):
        print(slices.summary(slices.TITLES["uncovered_words"], table))
    if _is_reviewed(folder):
        print(f"  {folder.report.name} tells it with figures, wrong rows and suspect labels")

"""Score the network on the test part, beside the baseline and the majority class.

Reads model/, history.json, run.json, vectors.npz, coverage.json, and the corpus's rows.parquet,
sequences.npz and baseline.parquet; writes predictions.parquet, mistakes.csv, the figures and
metrics.json, and finishes the run in MLflow.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline import calibration, figures, metrics, slices
from pipeline.artifacts import (
    RunFolder,
    read_arrays,
    read_json,
    read_sequences,
    read_table,
    whole,
    write_csv,
    write_json,
    write_table,
)
from pipeline.classifier import Classifier
from pipeline.config import read_stage
from pipeline.options import PrepareOptions, TrainOptions
from pipeline.tracking import resumed_run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="data/build/<corpus>/<model>")


def run(arguments: argparse.Namespace) -> None:
    folder = RunFolder(arguments.folder)
    options = read_stage(folder.train_options, TrainOptions)
    fold = read_stage(folder.corpus.prepare_options, PrepareOptions).fold
    rows, baseline = read_table(folder.corpus.rows), read_table(folder.corpus.baseline)
    history, tracked = read_json(folder.history), read_json(folder.run)
    classifier = Classifier.load(folder.model)

    test = rows[rows["part"] == "test"]
    sequences = read_sequences(folder.corpus.sequences).select(test.index.to_numpy())
    logits = classifier.logits(sequences)
    probabilities = calibration.softmax(logits, classifier.temperature)
    truth = test["label"].to_numpy(np.int64)
    predictions = {
        "network": logits.argmax(axis=1),
        "baseline": baseline["linear"].to_numpy(np.int64),
        "majority": baseline["majority"].to_numpy(np.int64),
    }
    result = metrics.compare(truth, predictions, classifier.labels, options.seed)
    found = read_arrays(folder.vectors)["found"]
    sliced = slices.by_uncovered_share(sequences, found, predictions["network"] == truth)
    result |= {"train_seconds": tracked["train_seconds"], "epochs": len(history), "slices": sliced}
    before = calibration.reliability(calibration.softmax(logits), truth)
    after = calibration.reliability(probabilities, truth)
    result |= {"temperature": classifier.temperature}
    result |= {"calibration_error_before": before.error, "calibration_error": after.error}
    title = f"{folder.corpus.path.name}, {folder.path.name}"

    labelled = _predictions(test, predictions["network"], probabilities, classifier.labels)
    mistakes = _mistakes(labelled)
    write_table(folder.predictions, labelled)
    write_csv(folder.mistakes, mistakes.columns.tolist(), mistakes.itertuples(index=False))
    matrix = metrics.confusion(truth, predictions["network"], len(classifier.labels))
    drawn = {
        folder.learning_curves: figures.learning_curves(history, title, options.train.criterion),
        folder.confusion_matrix: figures.confusion_matrix(matrix, classifier.labels, f"{title}: test part"),
        folder.class_scores: figures.class_scores(result["classes"], f"{title}: test part"),
        folder.calibration: figures.calibration(before, after, f"{title}: test part"),
    }
    for path, figure in drawn.items():
        with whole(path) as partial:
            figure.savefig(partial, dpi=130)
    with resumed_run(tracked["mlflow_run"]) as mlflow_run:
        mlflow_run.log_metrics({f"test.{key}": value for key, value in _numbers(result).items()})
        for path in [*drawn, folder.history, folder.coverage, folder.mistakes, folder.corpus.report]:
            mlflow_run.log(path)
        if fold is None:  # nobody ships the model of a fold, and there are many
            mlflow_run.log(folder.model, "model")
        write_json(folder.metrics, result)
        mlflow_run.log(folder.metrics)
    print(f"evaluate: {title}, {len(test):,} test rows\n{metrics.summary(result)}")
    print(
        f"  calibration error {after.error:.1%}, at temperature {classifier.temperature:.2f};"
        f" {before.error:.1%} without it"
    )
    if read_json(folder.coverage):  # a file of vectors was read
        print(slices.summary(sliced))
    print(f"  {folder.mistakes.name} lists the {len(mistakes):,} mistakes, the most confident first")


def _numbers(result: dict[str, Any]) -> dict[str, float]:
    return {key: value for key, value in result.items() if isinstance(value, (int, float))}


def _predictions(
    test: pd.DataFrame, predicted: NDArray[np.int64], probabilities: NDArray[np.float32], names: list[str]
) -> pd.DataFrame:
    """The test rows with what was predicted, in their order."""
    labels = np.array(names, object)
    return test[["file", "line", "text"]].assign(
        label=labels[test["label"]],
        predicted_label=labels[predicted],
        probability=probabilities.max(axis=1).round(4),
    )


def _mistakes(predictions: pd.DataFrame) -> pd.DataFrame:
    """The wrong ones, the most confident first."""
    wrong = predictions[predictions["label"] != predictions["predicted_label"]]
    return wrong.sort_values("probability", ascending=False, kind="stable")

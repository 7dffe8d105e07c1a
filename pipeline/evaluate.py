"""Score the network on the test part, beside the baseline and the majority class.

Reads model/, history.json, run.json, vectors.npz and coverage.json (of texts alone), and the corpus's
rows.parquet, sequences.npz (or images.npy) and baseline.parquet; writes predictions.parquet, row_keys.npz,
mistakes.csv, filters.json, the figures and metrics.json, and finishes the run in MLflow.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline import calibration, figures, filter_figures, filters, metrics, mlflow_model, slices
from pipeline.artifacts import (
    RunFolder,
    read_arrays,
    read_inputs,
    read_json,
    read_table,
    whole,
    write_arrays,
    write_csv,
    write_json,
    write_table,
)
from pipeline.baselines import BASELINES
from pipeline.classifier import Classifier, load_network
from pipeline.config import read_stage
from pipeline.data_report import equal_by
from pipeline.figures import Figure
from pipeline.images import Images
from pipeline.options import BaselineName, PrepareOptions, TrainOptions
from pipeline.sequences import Sequences
from pipeline.split import PARTS, keys
from pipeline.text import TextEncoder
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
    inputs = read_inputs(folder.corpus).select(test.index.to_numpy())
    logits = classifier.logits(inputs)
    probabilities = classifier.softmax(logits)
    truth = test["label"].to_numpy(np.int64)
    linear: BaselineName = "pixels" if isinstance(inputs, Images) else "linear"
    predictions = {
        "network": logits.argmax(axis=1),
        "baseline": baseline[linear].to_numpy(np.int64),
        "majority": baseline["majority"].to_numpy(np.int64),
    }
    result = metrics.compare(truth, predictions, classifier.labels, options.seed)
    result |= {"train_seconds": tracked["train_seconds"], "epochs": len(history)}
    if isinstance(inputs, Sequences):
        found = read_arrays(folder.vectors)["found"]
        result["slices"] = slices.by_uncovered_share(inputs, found, predictions["network"] == truth)
    before = calibration.reliability(calibration.softmax(logits), truth)
    after = calibration.reliability(probabilities, truth)
    result |= {"temperature": classifier.temperature}
    result |= {"calibration_error_before": before.error, "calibration_error": after.error}
    title = f"{folder.corpus.path.name}, {folder.path.name}"

    labelled = _predictions(test, predictions["network"], probabilities, classifier.labels)
    mistakes = _mistakes(labelled)
    write_table(folder.predictions, labelled)
    write_arrays(folder.row_keys, **{part: keys(equal_by(rows[rows["part"] == part])) for part in PARTS})
    write_csv(folder.mistakes, mistakes.columns.tolist(), mistakes.itertuples(index=False))
    matrix = metrics.confusion(truth, predictions["network"], len(classifier.labels))
    drawn = {
        folder.learning_curves: figures.learning_curves(history, title, options.train.criterion),
        folder.confusion_matrix: figures.confusion_matrix(matrix, classifier.labels, f"{title}: test part"),
        folder.class_scores: figures.class_scores(result["classes"], f"{title}: test part"),
        folder.calibration: figures.calibration(before, after, f"{title}: test part"),
    }
    drawn |= _learned_filters(folder, classifier, inputs, test, title)
    for path, figure in drawn.items():
        with whole(path) as partial:
            figure.savefig(partial, dpi=130)
    with resumed_run(tracked["mlflow_run"]) as mlflow_run:
        mlflow_run.log_metrics({f"test.{key}": value for key, value in _numbers(result).items()})
        written = [folder.history, folder.filters, folder.coverage, folder.mistakes, folder.corpus.report]
        mlflow_run.log(folder.predictions)
        for path in [*drawn, *written]:
            if path.exists():  # images have no vectors, and no coverage of them
                mlflow_run.log(path)
        if fold is None:  # nobody ships the model of a fold, and there are many
            mlflow_model.log(mlflow_run.id, folder)
        write_json(folder.metrics, result)
        mlflow_run.log(folder.metrics)
    print(f"evaluate: {title}, {len(test):,} test rows\n{metrics.summary(result, BASELINES[linear].title)}")
    print(
        f"  calibration error {after.error:.1%}, at temperature {classifier.temperature:.2f};"
        f" {before.error:.1%} without it"
    )
    if "slices" in result and read_json(folder.coverage):  # a file of vectors was read
        print(slices.summary(result["slices"]))
    print(f"  {folder.mistakes.name} lists the {len(mistakes):,} mistakes, the most confident first")


def _learned_filters(
    folder: RunFolder, classifier: Classifier, inputs: Sequences | Images, test: pd.DataFrame, title: str
) -> dict[Path, Figure]:
    """Writes filters.json, and returns its figures: none of a network without a convolution."""
    network = load_network(folder.model)
    if isinstance(inputs, Images):
        return _learned_pictures(folder, network, classifier.labels, inputs, test, title)
    assert isinstance(classifier.encoder, TextEncoder)
    found = filters.ngram_filters(network, inputs, list(test["text"]), classifier.encoder, classifier.labels)
    write_json(folder.filters, [asdict(one) for one in found])
    if not found:
        return {}
    return {folder.filters_figure: filter_figures.ngram_filters(found, classifier.labels, title)}


def _learned_pictures(
    folder: RunFolder, network: Any, labels: list[str], inputs: Images, test: pd.DataFrame, title: str
) -> dict[Path, Figure]:
    first = filters.first_filters(network)
    write_json(folder.filters, [] if first is None else first.transpose(3, 0, 1, 2).round(5).tolist())
    if first is None:
        return {}
    (picture,) = inputs.select(np.zeros(1, np.int64)).padded()
    maps = filters.feature_maps(network, picture)
    example = f"{title}: the first of the test part, {labels[test['label'].iloc[0]]}"
    return {
        folder.filters_figure: filter_figures.filter_tiles(first, title),
        folder.feature_maps: filter_figures.feature_maps(picture, filters.edge_maps(picture), maps, example),
    }


def _numbers(result: dict[str, Any]) -> dict[str, float]:
    return {key: value for key, value in result.items() if isinstance(value, (int, float))}


def _predictions(
    test: pd.DataFrame, predicted: NDArray[np.int64], probabilities: NDArray[np.float32], names: list[str]
) -> pd.DataFrame:
    """The test rows with what was predicted, in their order."""
    labels = np.array(names, object)
    return test[[name for name in ("file", "line", "text") if name in test]].assign(
        label=labels[test["label"]],
        predicted_label=labels[predicted],
        probability=probabilities.max(axis=1).round(4),
    )


def _mistakes(predictions: pd.DataFrame) -> pd.DataFrame:
    """The wrong ones, the most confident first."""
    wrong = predictions[predictions["label"] != predictions["predicted_label"]]
    return wrong.sort_values("probability", ascending=False, kind="stable")

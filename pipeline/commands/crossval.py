"""Compare a model with its opponents over the folds (or seeds) that were run.

Reads each fold's rows.parquet, baseline_<criterion>.parquet, train.json, predictions.parquet, metrics.json
and run.json; writes crossval.json, summary.txt for the terminal, and puts the folds' runs below one parent
run in MLflow.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from textwrap import fill

import numpy as np
import pandas as pd

from ..artifacts import CrossvalFolder, RunFolder
from ..baselines.catalogue import BASELINES
from ..config.loading import read_stage
from ..corpus.data_report import mean_copies
from ..files import atomic_write, read_json, read_table, sha256, sha256_of, write_json
from ..measures.comparison import few_rows
from ..options import Criterion
from ..studies import cross_validation
from ..tracking.run import description, new_run
from ..verb_options import CrossvalOptions, Request, TrainOptions


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="data/build/<corpus>/crossval/<model>")


def run(arguments: argparse.Namespace) -> None:
    folder = CrossvalFolder(arguments.folder)
    options = read_stage(folder.options, CrossvalOptions)
    runs = [RunFolder(Path(path)) for path in options.runs]
    names = read_json(runs[0].corpus.labels)
    predictions = [_predictions(run, names) for run in runs]

    truth = [one.pop("truth").to_numpy(np.int64) for one in predictions]
    labels = {str(key): [one[key].to_numpy(np.int64) for one in predictions] for key in predictions[0]}
    found = {key: cross_validation.scored(truth, each, names) for key, each in labels.items()}
    difference = {
        key: cross_validation.compared(truth, labels["network"], each, options.folds)
        for key, each in labels.items()
        if key != "network"
    }
    titles = {"network": options.model} | {name: one.title for name, one in BASELINES.items()}
    scored = {titles[key]: one for key, one in found.items()}
    differing = {titles[key]: one for key, one in difference.items()}
    verdict = cross_validation.verdict(scored, differing, _criterion(runs[0]))
    measured = [read_json(run.metrics) for run in runs]
    before = [one["calibration_error_before"] for one in measured]
    after = [one["calibration_error"] for one in measured]
    result = cross_validation.Result(
        corpus=options.corpus,
        model=options.model,
        folds=options.folds,
        runs=len(runs),
        test_rows=len(predictions[0]),
        rows=_digest(runs, options.seed),
        criterion=_criterion(runs[0]),
        published=options.published,
        contestants=cross_validation.contestants(scored, differing),
        verdict=verdict,
        calibration_error_before=before,
        calibration_error=after,
    )
    tracked = [read_json(run.run)["mlflow_run"] for run in runs]
    name = f"{options.corpus} {options.model}, {len(runs)} {'folds' if options.folds > 1 else 'seeds'}"
    tags = {"corpus": options.corpus, "mlflow.source.name": "make crossval"}
    with new_run(name, options.model_dump(exclude={"runs"}), tags) as parent:
        parent.describe(description(read_stage(runs[0].request, Request).command, verdict))
        parent.adopt(tracked)
        parent.log_metrics({f"mean.{key}": float(one["accuracy"].mean()) for key, one in found.items()})
        lines = [
            fill(f"crossval: {name}", 79, subsequent_indent="  "),
            cross_validation.table(scored, differing),
        ]
        lines.append(fill(verdict, 79, initial_indent="  ", subsequent_indent="  "))
        lines.append(
            f"  calibration error {np.mean(after):.1%}; {np.mean(before):.1%} without the temperature"
        )
        said = mean_copies([read_json(run.corpus.report) for run in runs], options.folds)
        lines += [fill(said, 79, initial_indent="  ", subsequent_indent="  ")] if said else []
        lines += [f"  {one}" for one in few_rows(sum(map(len, predictions)) // options.repeats)]
        lines += [f"  {title} was left out: its library is not installed." for title in options.left_out]
        with atomic_write(folder.summary) as partial:
            partial.write_text("\n".join(lines) + "\n", "utf-8")
        write_json(folder.result, result.model_dump())
        parent.log_file(folder.result)


def _digest(runs: list[RunFolder], seed: int) -> str:
    """Of all rows, their parts, how they are tokenized (images are not) and the first seed: what the
    opponents depend on, but for the criterion that chooses them."""
    files = [path for run in runs for path in (run.corpus.rows, run.corpus.tokenize_options)]
    return sha256_of([str(seed), *(sha256(path) for path in files if path.exists())])


def _criterion(run: RunFolder) -> Criterion:
    return read_stage(run.train_options, TrainOptions).train.criterion


def _predictions(run: RunFolder, names: list[str]) -> pd.DataFrame:
    """Columns truth, network and one for each opponent: labels, int64 [test rows]."""
    rows, baseline = read_table(run.corpus.rows), read_table(run.corpus.baseline(_criterion(run)))
    truth = rows["label"][rows["part"] == "test"].to_numpy(np.int64)
    codes = {name: code for code, name in enumerate(names)}
    network = read_table(run.predictions)["predicted_label"].map(codes).to_numpy(np.int64)
    return baseline.drop(columns="row").assign(truth=truth, network=network)[
        ["truth", "network", *baseline.columns[1:]]
    ]

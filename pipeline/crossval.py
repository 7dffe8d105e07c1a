"""Compare a model with its opponents over the folds (or seeds) that were run.

Reads each fold's rows.parquet, baseline.parquet, predictions.parquet and run.json; writes crossval.json,
summary.txt for the terminal, and puts the folds' runs below one parent run in MLflow.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from textwrap import fill

import numpy as np
import pandas as pd

from pipeline import comparison
from pipeline.artifacts import CrossvalFolder, RunFolder, read_json, read_table, whole, write_json
from pipeline.baselines import BASELINES
from pipeline.config import read_stage
from pipeline.metrics import scores
from pipeline.options import CrossvalOptions
from pipeline.tracking import new_run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="data/build/<corpus>/crossval/<model>")


def run(arguments: argparse.Namespace) -> None:
    folder = CrossvalFolder(arguments.folder)
    options = read_stage(folder.options, CrossvalOptions)
    runs = [RunFolder(Path(path)) for path in options.runs]
    names = read_json(runs[0].corpus.labels)
    predictions = [_predictions(run, names) for run in runs]

    found = {key: _scores(predictions, key, names) for key in predictions[0].columns[1:]}
    difference = {key: _difference(predictions, key, options.folds) for key in found if key != "network"}
    titles = {"network": options.model} | {key: BASELINES[key].title for key in difference}
    scored = {titles[key]: one for key, one in found.items()}
    differing = {titles[key]: one for key, one in difference.items()}
    verdict = comparison.verdict(scored, differing)
    result = {
        "corpus": options.corpus,
        "model": options.model,
        "folds": options.folds,
        "runs": len(runs),
        "test_rows": len(predictions[0]),
        "published": options.published,
        "contestants": comparison.as_json(scored, differing),
        "verdict": verdict,
    }
    tracked = [read_json(run.run)["mlflow_run"] for run in runs]
    name = f"{options.corpus} {options.model}, {len(runs)} {'folds' if options.folds > 1 else 'seeds'}"
    with new_run(name, options.model_dump(exclude={"runs"}), {"corpus": options.corpus}) as parent:
        parent.adopt(tracked)
        parent.log_metrics({f"mean.{key}": float(one["accuracy"].mean()) for key, one in found.items()})
        lines = [f"crossval: {name}", comparison.table(scored, differing)]
        lines.append(fill(verdict, 79, initial_indent="  ", subsequent_indent="  "))
        with whole(folder.summary) as partial:
            partial.write_text("\n".join(lines) + "\n", "utf-8")
        write_json(folder.result, result)
        parent.log(folder.result)


def _predictions(run: RunFolder, names: list[str]) -> pd.DataFrame:
    """Columns truth, network and one for each opponent: labels, int64 [test rows]."""
    rows, baseline = read_table(run.corpus.rows), read_table(run.corpus.baseline)
    truth = rows["label"][rows["part"] == "test"].to_numpy(np.int64)
    codes = {name: code for code, name in enumerate(names)}
    network = read_table(run.predictions)["predicted_label"].map(codes).to_numpy(np.int64)
    return baseline.drop(columns="row").assign(truth=truth, network=network)[
        ["truth", "network", *baseline.columns[1:]]
    ]


def _scores(predictions: list[pd.DataFrame], key: str, names: list[str]) -> dict[str, np.ndarray]:
    each = [scores(one["truth"].to_numpy(), one[key].to_numpy(), names) for one in predictions]
    return {kind: np.array([one[kind] for one in each]) for kind in ("accuracy", "macro_f1")}


def _difference(predictions: list[pd.DataFrame], key: str, folds: int) -> comparison.Difference:
    """Of the network and an opponent."""
    gained: list[np.ndarray] = [
        (one["network"] == one["truth"]).to_numpy(float) - (one[key] == one["truth"]).to_numpy(float)
        for one in predictions
    ]
    if folds > 1:
        return comparison.over_folds(np.array([one.mean() for one in gained]), folds)
    return comparison.over_rows(np.mean(gained, axis=0))

"""Fit the baselines on the training part, choose each by a criterion, and label the test part.

Reads baseline.json, and rows.parquet and sequences.npz (or images.npy) of the corpus. Writes
baseline_<criterion>.parquet (the test rows' numbers, and a column of predicted labels for each baseline) and,
for texts, ngrams_<criterion>.npz: TF-IDF + logistic regression, which an ensemble may include.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ..artifacts import CorpusFolder, read_inputs
from ..baselines.catalogue import BASELINES, fit
from ..baselines.tfidf import TfidfModel
from ..config.stage_options import BaselineOptions, read_stage
from ..corpus.split import PARTS
from ..files import write_changed_arrays, write_table
from ..options import CRITERIA, Criterion
from ..reading import read_json, read_table
from ..terminal import say


def run(path: Path, criterion: Criterion = "accuracy") -> None:
    folder = CorpusFolder(path)
    options = read_stage(folder.baseline_options, BaselineOptions)
    rows, inputs = read_table(folder.rows), read_inputs(folder)
    labels = rows["label"].to_numpy(np.int64)
    part = {name: np.flatnonzero(rows["part"] == name) for name in PARTS}
    training = inputs.select(part["train"]), labels[part["train"]]
    validation = inputs.select(part["validation"]), labels[part["validation"]]
    test = inputs.select(part["test"])
    classes = len(read_json(folder.labels))
    predictions = {"row": part["test"]}
    fitted_on, chosen_on = len(training[0]), len(validation[0])
    lines = [f"baseline: fitted on {fitted_on:,} rows, chosen on {chosen_on:,} by {CRITERIA[criterion]}"]
    for name in options.baselines:
        fitted = fit(name, training, validation, classes, criterion, options.seed)
        predictions[name] = fitted.predict(test)
        lines.append(f"  {BASELINES[name].title}: {fitted.setting}")
        if name == "linear":
            learned = fitted if isinstance(fitted, TfidfModel) else None
            model = learned or TfidfModel.from_counts(training[1], classes)
            write_changed_arrays(folder.ngrams(criterion), **model.arrays())
    say("\n".join(lines))  # in one piece: embed prints at the same time
    write_table(folder.baseline(criterion), pd.DataFrame(predictions))

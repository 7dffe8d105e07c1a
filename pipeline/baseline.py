"""Fit the baseline on the training part and label the test part.

Reads rows.parquet and sequences.npz of the corpus; writes baseline.parquet: the predicted label of each
test row by TF-IDF + logistic regression, and by the majority class.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.artifacts import CorpusFolder, read_sequences, read_table, write_table
from pipeline.linear import LinearClassifier, majority
from pipeline.split import PARTS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="data/build/<corpus>")


def run(arguments: argparse.Namespace) -> None:
    folder = CorpusFolder(arguments.folder)
    rows, sequences = read_table(folder.rows), read_sequences(folder.sequences)
    labels = rows["label"].to_numpy(np.int64)
    part = {name: np.flatnonzero(rows["part"] == name) for name in PARTS}
    training, validation, test = (sequences.select(chosen) for chosen in part.values())
    linear = LinearClassifier().fit(training, labels[part["train"]], validation, labels[part["validation"]])
    print(f"baseline: TF-IDF + logistic regression, C = {linear.strength:g} by the validation part")
    predictions = {
        "row": part["test"],
        "linear": linear.predict(test),
        "majority": np.full(len(test), majority(labels[part["train"]])),
    }
    write_table(folder.baseline, pd.DataFrame(predictions))

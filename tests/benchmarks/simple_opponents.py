"""The network's simple opponents on random splits of a CSV: accuracy, macro-F1, seconds, memory.

    .venv/bin/python -m tests.benchmarks.simple_opponents CSV [TEST_CSV] [--seeds 3] [--only svm nbsvm]

The columns are `text` and `label`. A tenth of the rows is the validation part, and without TEST_CSV another
is the test part. Every opponent has the tokens of `make train`, in the setting with most validation rows
right.
The seconds, of CPU time, are those of fitting all settings and of labelling the test part; the memory is the
peak of the process so far.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from pipeline.baselines.candidate import Texts
from pipeline.baselines.catalogue import BASELINES, choose, fit
from pipeline.measures.metrics import scores
from pipeline.options import Tokenize
from pipeline.terminal import say
from pipeline.text.encoder import TextEncoder


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("csv")
    parser.add_argument("test", nargs="?")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=[])
    given = parser.parse_args()
    table, official = read(given.csv), read(given.test) if given.test else None
    say(f"{'':<30}{'validation':>11}{'accuracy':>10}{'macro-F1':>10}{'seconds':>9}{'MB':>7}  setting")
    for seed in range(1, given.seeds + 1):
        rest, test = (table, official) if official is not None else parts(table, seed)
        compare(*parts(rest, seed), test, given.only, seed)


def read(path: str) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)[["text", "label"]]


def parts(table: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    rest, tenth = train_test_split(table, test_size=0.1, random_state=seed, stratify=table["label"])
    return rest, tenth


def compare(
    training: pd.DataFrame, validation: pd.DataFrame, test: pd.DataFrame, only: list[str], seed: int
) -> None:
    names = sorted(training["label"].unique())
    encoder = TextEncoder.learn(list(training["text"]), Tokenize())
    texts = [
        Texts(pd.Series(list(part["text"])), encoder.encode(part["text"]))
        for part in (training, validation, test)
    ]
    labels = [
        part["label"].map({name: code for code, name in enumerate(names)}).to_numpy(np.int64)
        for part in (training, validation, test)
    ]
    for name, baseline in BASELINES.items():
        if not (baseline.fits("tokens") and baseline.available() and name in (only or BASELINES)):
            continue
        rows = texts if baseline.takes == "texts" else [part.tokens for part in texts]
        start = time.process_time()
        training, validation = ((rows[part], labels[part]) for part in (0, 1))
        chosen = choose(name, [(training, validation)], len(names), "accuracy", seed)
        fitted = fit(chosen, training, len(names), seed)
        found = scores(labels[2], fitted.predict(rows[2]), names)
        seconds = time.process_time() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        say(
            f"{baseline.title:<30}{chosen.score:>11.1%}{found.accuracy:>10.1%}{found.macro_f1:>10.1%}"
            f"{seconds:>9.1f}{peak:>7.0f}  {fitted.setting}"
        )


if __name__ == "__main__":
    main()

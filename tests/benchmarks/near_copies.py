"""What near copies do to a measured accuracy, how many a split finds, and how long that takes.

    .venv/bin/python -m tests.benchmarks.near_copies [ROWS=100000]

300 templates in 10 variants each, which differ in a number and in a name, have labels by the toss of a coin
for each template: nothing about a text tells the label of another template, so 50 % is all that can be right.
TF-IDF + logistic regression is tested on a split in which equal texts share a part, and on that of
`make train`, in which near copies do. Then ROWS, half of them of templates, are searched for near copies.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from pipeline.corpus.copies import Copies
from pipeline.corpus.equality import group_numbers
from pipeline.corpus.parts import split_rows
from pipeline.corpus.split import PARTS, split
from pipeline.options import Source, Split

TEMPLATES, VARIANTS, SEEDS = 300, 10, 20
VOCABULARY = [
    f"{first}{second}{third}" for first in "bdfgklmnp" for second in "aeiou" for third in "bdfgklmnp"
]
NAMES = [f"{word.capitalize()}son" for word in VOCABULARY]
SHARES = {"validation": 0.1, "test": 0.1}


def templates(count: int, variants: int, seed: int) -> pd.DataFrame:
    """Return rows with text, label and template: 8 to 14 words, a number and a name."""
    random = np.random.default_rng(seed)
    rows = []
    for template in range(count):
        words = random.choice(VOCABULARY, random.integers(8, 15)).tolist()
        label = "ab"[random.integers(2)]
        places = random.choice(len(words), 2, replace=False)
        for _ in range(variants):
            filled = [*words]
            filled[places[0]] = str(random.integers(10_000))
            filled[places[1]] = str(random.choice(NAMES))
            rows.append((" ".join(filled), label, template))
    return pd.DataFrame(rows, columns=["text", "label", "template"])


def accuracy(rows: pd.DataFrame, part: np.ndarray) -> float:
    model = make_pipeline(TfidfVectorizer(), LogisticRegression())
    training, test = rows[part == "train"], rows[part == "test"]
    model.fit(training["text"], training["label"])
    return float(model.score(test["text"], test["label"]))


def with_labels(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(part="train").astype({"label": pd.CategoricalDtype(["a", "b"])})


def main() -> None:
    given = dict(argument.split("=") for argument in sys.argv[1:])
    before, after, shares = [], [], []
    for seed in range(1, SEEDS + 1):
        rows = templates(TEMPLATES, VARIANTS, seed)
        labels = (rows["label"] == "b").to_numpy(np.int64)
        by_text = np.array(PARTS, object)[split(group_numbers(rows["text"]), labels, seed, **SHARES)]
        before.append(accuracy(rows, by_text))
        labelled = with_labels(rows)
        source = Source.model_validate({"train": "templates.csv"})
        parts, told = split_rows(labelled, Copies(labelled), source, Split(**SHARES), seed)
        after.append(accuracy(rows, parts["part"].astype(str).to_numpy()))
        shares.append(told["near_copies"]["kept_together"] / len(rows))
    print(
        f"{TEMPLATES} templates in {VARIANTS} variants, labels by a coin, {SEEDS} seeds: accuracy of TF-IDF"
    )
    print(f"  equal texts share a part   {np.mean(before):.1%}")
    print(f"  near copies do, too        {np.mean(after):.1%}")
    print(f"  rows that were found to have near copies, and kept together: {np.mean(shares):.1%}")

    count = int(given.get("ROWS", 100_000))
    few = templates(count // 20, 10, 0)  # half of the rows
    others = templates(count - len(few), 1, 1)
    rows = with_labels(pd.concat([few, others], ignore_index=True))
    began = time.process_time()
    _, near = Copies(rows).units(np.ones(len(rows), bool))
    seconds = time.process_time() - began
    assert near is not None
    print(
        f"{len(rows):,} rows, half of them of templates: {near.rows / len(rows):.1%} found in {seconds:.1f} s"
    )


if __name__ == "__main__":
    main()

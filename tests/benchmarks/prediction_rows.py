"""`python -m tests.benchmarks.prediction_rows RUN FOLDER LONG SIZES...`: the CSVs that are labelled.

From the corpus of data/build/<corpus>/<model>: FOLDER/test.csv, its test part with the `truth`, and
FOLDER/<size>.csv for each size, its texts repeated to so many rows with a running `id`. With LONG each text
is made of rows up to LENGTH words, unless the corpus's own are that long. Prints how many words a text has.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv

from pipeline.artifacts import RunFolder
from pipeline.reading import read_json, read_table

LENGTH = 230  # words of a review of IMDB
DISTINCT = 20_000  # long texts; then they repeat
PIECE = 100_000  # rows written at a time


def joined(texts: list[str], distinct: int) -> Iterator[str]:
    """Long texts out of short ones, in ever new order."""
    random = np.random.default_rng(1)
    words: list[str] = []
    while distinct:
        for row in random.permutation(len(texts)):
            words += texts[row].split()
            if len(words) >= LENGTH:
                yield " ".join(words)
                words, distinct = [], distinct - 1
                if not distinct:
                    return


def write(texts: pa.Array, size: int, path: Path) -> None:
    schema = pa.schema([("id", pa.int64()), ("text", pa.string())])
    with csv.CSVWriter(path, schema) as writer:
        for start in range(0, size, PIECE):
            ids = np.arange(start, min(start + PIECE, size))
            writer.write_batch(pa.record_batch([pa.array(ids), texts.take(ids % len(texts))], schema=schema))


def main(run: str, folder: str, long: str, *sizes: str) -> None:
    corpus = RunFolder(Path(run)).corpus
    rows, names = read_table(corpus.rows), read_json(corpus.labels)
    test = rows[rows["part"] == "test"]
    truth = [names[label] for label in test["label"]]
    table = {"id": range(len(test)), "text": list(test["text"]), "truth": truth}
    csv.write_csv(pa.table(table), Path(folder, "test.csv"))
    texts = list(rows["text"])
    if long and np.mean([len(text.split()) for text in texts]) < LENGTH / 2:
        texts = list(joined(texts, min(DISTINCT, max(map(int, sizes)))))
    for size in sizes:
        write(pa.array(texts), int(size), Path(folder, f"{size}.csv"))
    print(f"{np.mean([len(text.split()) for text in texts]):.0f}")


if __name__ == "__main__":
    main(*sys.argv[1:])

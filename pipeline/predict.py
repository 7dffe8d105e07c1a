"""Label a CSV.

Reads any CSV with the column of the text, a chunk at a time, and a trained model/; writes the same rows
with `predicted_label` and `probability`, and the rows that cannot be read to <output>.rejects.csv.
"""

from __future__ import annotations

import argparse
import os
import shlex
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tqdm import tqdm

from pipeline import config
from pipeline.artifacts import RunFolder, whole
from pipeline.classifier import Classifier
from pipeline.csv_file import BadRow, CsvFile, CsvWriter, Row
from pipeline.errors import InputError

CHUNK = 16_384  # rows in memory at a time
ADDED = ["predicted_label", "probability"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--input", required=True, help="the CSV to label, plain or gzip")
    parser.add_argument("--output", default="", help="default: <input>.predictions.csv")
    parser.add_argument("--corpus", required=True, help="what the model was trained on")
    parser.add_argument("--model", required=True, help="a name in conf/models")
    parser.add_argument("--text", default="", help="the column of the text; default: as in training")
    parser.add_argument("--encoding", default="utf-8", help="of the CSV, such as windows-1252")


def run(arguments: argparse.Namespace) -> None:
    if not arguments.input:
        raise InputError("predict needs the CSV to label, as in: make predict INPUT=new.csv")
    source = Path(arguments.input)
    output = Path(arguments.output or f"{source}.predictions.csv").resolve()
    rejects = Path(f"{output}.rejects.csv")
    with CsvFile(source, arguments.encoding) as rows:
        _check(source, rows.header, output, rejects)
        classifier = _classifier(arguments.corpus, arguments.model)
        column = rows.column(arguments.text or classifier.column, "TEXT")
        with (
            whole(rejects) as partial_rejects,
            whole(output) as partial,
            CsvWriter(partial, rows.delimiter) as labelled,
            CsvWriter(partial_rejects) as rejected,
        ):
            counts = _label(rows, column, classifier, labelled, rejected)
    print(f"predict: {counts.labelled:,} rows labelled, {counts.rate:,.0f} a second: {output}")
    if counts.empty:
        print(f"  texts without any token, labelled as such: {counts.empty:,}")
    if counts.rejected:
        print(f"  rows that could not be read: {counts.rejected:,}, listed in {rejects}")
    else:
        rejects.unlink()


@dataclass
class _Counts:
    labelled: int = 0
    empty: int = 0
    rejected: int = 0
    seconds: float = 0

    @property
    def rate(self) -> float:
        """Rows a second, without the start of TensorFlow."""
        return self.labelled / self.seconds if self.seconds else 0


def _check(source: Path, header: list[str], output: Path, rejects: Path) -> None:
    """Raise InputError where the output would hide or overwrite something."""
    if taken := [name for name in ADDED if name in header]:
        raise InputError(f"{source} already has a column {taken[0]!r}: rename or remove it")
    for path in (output, rejects):
        if path == source.resolve():
            raise InputError(f"{path} is the input itself: name another file with OUTPUT=")
        if path.exists() and not path.is_file():
            raise InputError(f"{path} is not a file: name another with OUTPUT=")
    if not os.access(output.parent, os.W_OK):
        raise InputError(f"{output.parent} does not exist or cannot be written: name another with OUTPUT=")


def _classifier(corpus: str, model: str) -> Classifier:
    folder = RunFolder(config.run_folder(corpus, model))
    if not folder.model.exists():
        config.check_corpus(corpus)
        config.check_model(model)
        command = f"make train CORPUS={shlex.quote(corpus)} MODEL={model}"
        raise InputError(f"there is no trained model in {folder.model}: run `{command}` first")
    return Classifier.load(folder.model)


def _label(
    rows: CsvFile, column: int, classifier: Classifier, labelled: CsvWriter, rejected: CsvWriter
) -> _Counts:
    labelled.row(rows.header + ADDED)
    rejected.row(BadRow._fields)
    counts = _Counts()
    bar = tqdm(total=rows.bytes_total, unit="B", unit_scale=True, disable=None, ncols=79, desc="predict")
    with bar:
        classifier.start()
        began = time.perf_counter()
        for chunk in _chunks(rows):
            good = [row.values for row in chunk if isinstance(row, Row)]
            sequences = classifier.encoder.encode(values[column] for values in good)
            labels, probabilities = classifier.label(sequences)
            labelled.rows(
                [*values, label, f"{probability:.4f}"]
                for values, label, probability in zip(good, labels, probabilities, strict=True)
            )
            bad = [row for row in chunk if isinstance(row, BadRow)]
            rejected.rows(bad)
            counts.labelled += len(good)
            counts.rejected += len(bad)
            counts.empty += int((sequences.lengths == 0).sum())
            bar.update(rows.bytes_read - bar.n)
        counts.seconds = time.perf_counter() - began
    return counts


def _chunks(rows: CsvFile) -> Iterator[list[Row | BadRow]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk

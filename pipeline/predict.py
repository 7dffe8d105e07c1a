"""Label a CSV.

Reads any CSV with the column of the text, a chunk at a time, and a trained model/; writes the same rows
with `predicted_label` and `probability`, and the rows that cannot be read to <output>.rejects.csv.
"""

from __future__ import annotations

import argparse
import os
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
    output = Path(arguments.output or f"{source}.predictions.csv")
    rejects = Path(f"{output}.rejects.csv")
    folder = RunFolder(config.run_folder(arguments.corpus, arguments.model))
    if not folder.model.exists():
        raise InputError(
            f"there is no trained model in {folder.model}: "
            f"run `make train CORPUS={arguments.corpus} MODEL={arguments.model}` first"
        )
    classifier = Classifier.load(folder.model)
    began = time.perf_counter()
    with CsvFile(source, arguments.encoding) as rows:
        column = rows.column(arguments.text or classifier.column)
        _refuse(source, output, rows.header)
        with (
            whole(rejects) as partial_rejects,
            whole(output) as partial,
            CsvWriter(partial, rows.delimiter) as labelled,
            CsvWriter(partial_rejects) as rejected,
        ):
            counts = _label(rows, column, classifier, labelled, rejected)
    print(_summary(counts, output, time.perf_counter() - began))
    if counts.rejected:
        print(f"  {counts.rejected:,} rows could not be read: see {rejects}")
    else:
        rejects.unlink()


@dataclass
class _Counts:
    labelled: int = 0
    empty: int = 0
    rejected: int = 0


def _refuse(source: Path, output: Path, header: list[str]) -> None:
    if taken := [name for name in ADDED if name in header]:
        raise InputError(f"{source} already has a column {taken[0]!r}: rename or remove it")
    if output.is_dir() or output.resolve() == source.resolve():
        what = "is a folder" if output.is_dir() else "is the input itself"
        raise InputError(f"{output} {what}: name another file with OUTPUT=")
    if not os.access(output.resolve().parent, os.W_OK):
        raise InputError(
            f"{output}: its folder does not exist or cannot be written: name another with OUTPUT="
        )


def _label(
    rows: CsvFile, column: int, classifier: Classifier, labelled: CsvWriter, rejected: CsvWriter
) -> _Counts:
    labelled.row(rows.header + ADDED)
    rejected.row(BadRow._fields)
    counts = _Counts()
    with tqdm(
        total=rows.bytes_total, unit="B", unit_scale=True, disable=None, ncols=79, desc="predict"
    ) as bar:
        for chunk in _chunks(rows):
            good = [row.values for row in chunk if isinstance(row, Row)]
            texts = [values[column] for values in good]
            labels, probabilities = classifier.predict(texts)
            labelled.rows(
                [*values, label, f"{probability:.4f}"]
                for values, label, probability in zip(good, labels, probabilities, strict=True)
            )
            bad = [row for row in chunk if isinstance(row, BadRow)]
            rejected.rows(bad)
            counts.labelled += len(good)
            counts.rejected += len(bad)
            counts.empty += sum(not text.strip() for text in texts)
            bar.update(rows.bytes_read - bar.n)
    return counts


def _chunks(rows: CsvFile) -> Iterator[list[Row | BadRow]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk


def _summary(counts: _Counts, output: Path, seconds: float) -> str:
    rate = counts.labelled / max(seconds, 1e-9)
    lines = [f"predict: {counts.labelled:,} rows labelled, {rate:,.0f} rows/s: {output}"]
    if counts.empty:
        lines.append(f"  {counts.empty:,} texts are empty: their label is what the network says of no words")
    return "\n".join(lines)

"""The opponents' commands, CSV to CSV; all columns are kept, and `predicted_label` and `probability` added.

`python -m tests.benchmarks.labellers NAME FOLDER --fit data/build/<corpus>/<model>` fits one into FOLDER.
`python -m tests.benchmarks.labellers NAME FOLDER --input CSV --output CSV [--cores 2]` labels its column
`text`: a chunk at a time by pandas in one process, or, with cores, by pyarrow around so many processes.
"""

from __future__ import annotations

import argparse
import multiprocessing
from collections import deque
from pathlib import Path

from tests.benchmarks.opponents import FITS, LOADS, Label, task

CHUNK = 50_000  # rows that pandas reads at a time
BLOCK = 2 << 20  # bytes that pyarrow reads at a time
LOADED: list[Label] = []  # in a worker: what it was forked with


def by_pandas(source: str, target: str) -> None:
    import pandas as pd

    with pd.read_csv(source, chunksize=CHUNK, keep_default_na=False) as chunks:
        for number, chunk in enumerate(chunks):
            chunk["predicted_label"], chunk["probability"] = LOADED[0](chunk["text"].tolist())
            chunk.to_csv(target, mode="a" if number else "w", header=not number, index=False)


def by_pyarrow(source: str, target: str, cores: int) -> None:
    """Reading, labelling and writing at the same time, with few chunks waiting."""
    workers = multiprocessing.get_context("fork").Pool(cores)  # forked before pyarrow starts its threads
    import pyarrow as pa
    from pyarrow import csv

    reader = csv.open_csv(
        source,
        csv.ReadOptions(block_size=BLOCK),
        csv.ParseOptions(newlines_in_values=True),
        csv.ConvertOptions(column_types={"text": pa.string()}),
    )
    added = [pa.field("predicted_label", pa.string()), pa.field("probability", pa.float64())]
    schema = pa.schema([*reader.schema, *added])
    waiting: deque = deque()
    with workers, csv.CSVWriter(target, schema) as writer:

        def write_first() -> None:
            batch, answer = waiting.popleft()
            labels, probabilities = answer.get()
            columns = [*batch.columns, pa.array(labels), pa.array(probabilities)]
            writer.write_batch(pa.record_batch(columns, schema=schema))

        for batch in reader:
            waiting.append((batch, workers.apply_async(_label, (batch["text"].to_pylist(),))))
            if len(waiting) > 2 * cores:
                write_first()
        while waiting:
            write_first()


def _label(texts: list[str]) -> tuple[list[str], list[float]]:
    return LOADED[0](texts)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("name", choices=FITS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("words", nargs="+", help="FIT=run, or INPUT=, OUTPUT= and for several CORES=")
    given = parser.parse_args()
    words = dict(word.split("=", 1) for word in given.words)
    if "FIT" in words:
        from pipeline.files import atomic_folder  # here, as it imports much

        with atomic_folder(given.folder) as partial:
            FITS[given.name](task(Path(words["FIT"])), partial)
        return
    LOADED.append(LOADS[given.name](given.folder))
    if "CORES" in words:
        by_pyarrow(words["INPUT"], words["OUTPUT"], int(words["CORES"]))
    else:
        by_pandas(words["INPUT"], words["OUTPUT"])


if __name__ == "__main__":
    main()

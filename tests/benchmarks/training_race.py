"""A race from a CSV to scores: `make train` as a user gives it, and opponents on the same rows, in turn."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import csv
from tqdm import tqdm

from pipeline.artifacts import CorpusFolder, RunFolder, data_folder
from pipeline.reading import read_json
from tests.benchmarks.stage_costs import Measured, Unfinished, measure
from tests.project import Project

OURS = "convtext"
PATIENCE, RATIO = 90.0, 10  # an opponent may take so many seconds, or so many times as long as ours
MEMORY = 0.8  # of the machine's, that an opponent may take
PROJECT = Project(Path(__file__).resolve().parents[2])
SCHEMA = pa.schema([("text", pa.string()), ("label", pa.string())])


class Run(NamedTuple):
    """One training of ours, or of an opponent."""

    measured: Measured
    accuracy: float  # of the test rows, %


class Rows(NamedTuple):
    """The rows of all parts, as our first run has prepared them."""

    rows: int
    test_rows: int
    classes: int
    length: float  # words between blanks, in the mean


class Race:
    """All runs on one corpus; `command` is the words of `train`, and `folder` a place for files.

    An opponent that fails, or takes too long or too much memory, leaves the race.
    """

    def __init__(self, command: list[str], opponents: list[str], folder: Path) -> None:
        self._command, self._opponents, self._folder = command, opponents, folder
        self.rows = Rows(0, 0, 0, 0.0)
        self.runs: dict[str, list[Run]] = {}  # by title, ours first
        self.left_out: dict[str, str] = {}  # title -> why

    def run(self, rounds: int, title: str) -> None:
        """Have all take turns; `title` is that of the bar. Raises Unfinished where ours fails."""
        names = [OURS, *self._opponents] * rounds
        for name in tqdm(names, title, leave=False, disable=None):
            if name == OURS:
                self._train()
            elif name not in self.left_out:
                self._oppose(name)

    def _train(self) -> None:
        with trained(self._command, self._folder) as (measured, folder):
            if not folder.corpus.sequences.exists():
                sys.exit(f"{folder.corpus.path.name} has no texts, which this benchmark is of")
            if not self.runs:
                self.rows = write_parts(folder.corpus, self._folder)
            accuracy = 100 * read_json(folder.metrics)["accuracy"]
        self.runs.setdefault(OURS, []).append(Run(measured, accuracy))

    def _oppose(self, name: str) -> None:
        parts = [str(self._folder / f"{part}.csv") for part in ("train", "test")]
        command = [sys.executable, "-m", "tests.benchmarks.training_opponents", name, *parts]
        seconds = max(PATIENCE, RATIO * self.runs[OURS][0].measured.whole.seconds)
        os.sync()
        try:
            measured = measure(command, None, seconds, MEMORY * memory_mb())
        except Unfinished as reason:
            self.left_out[name] = str(reason)
            self.runs.pop(name, None)
            return
        self.runs.setdefault(name, []).append(Run(measured, float(measured.output)))


@contextmanager
def trained(command: list[str], place: Path) -> Iterator[tuple[Measured, RunFolder]]:
    """Run `train` in a fresh data folder, which is there until the block ends; what is downloaded is kept."""
    with TemporaryDirectory(dir=place) as name:
        downloads = data_folder().resolve() / "raw"
        downloads.mkdir(parents=True, exist_ok=True)
        Path(name, "raw").symlink_to(downloads)
        os.sync()  # what the one before wrote is not to be this one's burden
        program = [sys.executable, "-m", "pipeline", "train", *command]
        measured = measure(program, PROJECT.environment(Path(name)))
        yield measured, RunFolder(Path(measured.output.splitlines()[-1]))


def write_parts(corpus: CorpusFolder, folder: Path) -> Rows:
    """Write train.csv, of training and validation part, and test.csv, with columns `text` and `label`."""
    names = read_json(corpus.labels)
    labels = pa.array(names + read_json(corpus.unknown_labels))
    count = test_count = blanks = 0
    with (
        pq.ParquetFile(corpus.rows) as file,
        csv.CSVWriter(folder / "train.csv", SCHEMA) as training,
        csv.CSVWriter(folder / "test.csv", SCHEMA) as test,
    ):
        for batch in file.iter_batches(columns=["text", "label", "part"]):
            texts = batch["text"].cast(pa.string())
            rows = pa.record_batch([texts, labels.take(batch["label"])], schema=SCHEMA)
            is_test = pc.equal(batch["part"].cast(pa.string()), "test")
            training.write_batch(rows.filter(pc.invert(is_test)))
            test.write_batch(rows.filter(is_test))
            count += len(rows)
            test_count += pc.sum(is_test).as_py()
            blanks += pc.sum(pc.count_substring(texts, " ")).as_py()
    return Rows(count, test_count, len(names), 1 + blanks / count)


def memory_mb() -> float:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**20

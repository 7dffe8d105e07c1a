"""A table with what a classifier says of its rows: labelled by several threads, written in order."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from tqdm import tqdm

from ..csv_line import csv_line
from ..errors import InputError
from ..files import atomic_write
from ..tables import columns as cells
from ..tables.blocks import Place
from ..tables.faults import BadRow
from . import drift
from .formats import Batch, BlockTable, ParquetTable, packed
from .labeller import Labeller, Tally
from .resumable import Resumable

Table = BlockTable | ParquetTable


class _Done(NamedTuple):
    batch: Batch
    result: Any  # bytes of CSV, or a pyarrow table
    tally: Tally


class LabelledTable:
    """The rows of a table, labelled by several threads and written in their order."""

    def __init__(self, table: Table, labeller: Labeller, threads: int) -> None:
        self._table = table
        self._labeller = labeller
        self._threads = threads
        self._tally = Tally(np.zeros(len(labeller.classifier.labels), np.int64))
        self._before = 0  # rows that an interrupted run had labelled
        self._seconds = 0.0
        self._rejects: Path | None = None

    def to_csv(self, output: Path, recipe: dict[str, Any] | None) -> None:
        pack = packed if output.suffix == ".gz" else bytes
        rejects = Path(f"{output}.rejects.csv")
        with Resumable([output, rejects], recipe) as files:
            place = None
            if files.state:
                place = Place(*files.state["place"])
                self._tally = Tally.of(files.state["tally"])
                self._before = self._tally.rows
                print(f"predict: going on behind row {self._before:,}", file=sys.stderr)
            else:
                files.write([pack(self._head()), csv_line(BadRow._fields, ",")], None)
            for done in self._label(lambda batch, columns: pack(self._table.lines(batch, columns)), place):
                files.write([done.result, self._rejected(done.batch.bad)], self._state(done.batch))
            files.finish([True, self._tally.rejected > 0])
        self._rejects = rejects if self._tally.rejected else None

    def to_parquet(self, output: Path) -> None:
        import pyarrow.parquet as pq

        rejects = Path(f"{output}.rejects.csv")
        bad: list[BadRow] = []
        with ExitStack() as stack:
            partial, writer = stack.enter_context(atomic_write(output)), None
            for done in self._label(self._table.arrow, None):
                bad += done.batch.bad
                if writer is None:
                    writer = stack.enter_context(pq.ParquetWriter(partial, done.result.schema))
                writer.write_table(done.result)
            if writer is None:
                raise InputError("there are no rows to write as Parquet: name a .csv with OUTPUT=")
        rejects.unlink(missing_ok=True)
        if bad:
            with atomic_write(rejects) as partial:
                partial.write_bytes(csv_line(BadRow._fields, ",") + self._rejected(bad))
            self._rejects = rejects

    def to_stream(self, stream: IO[bytes]) -> None:
        """What cannot be read is told at once, as there is no file beside the stream."""
        try:
            self._stream(stream)
        except BaseException as error:
            error.add_note("standard output ends where it was")
            raise

    def _stream(self, stream: IO[bytes]) -> None:
        stream.write(self._head())
        for done in self._label(self._table.lines, None):
            stream.write(done.result)
            for row in done.batch.bad:
                print(f"convtext: line {row.first_line} was left out: {row.reason}", file=sys.stderr)
        stream.flush()

    def _label(self, written: Any, place: Place | None) -> Iterator[_Done]:
        """`written` gives of a batch and its columns what is to be written; it runs in the threads too."""

        def label(batch: Batch) -> _Done:
            columns, tally, problems = self._labeller.label(batch.data, batch.texts)
            if problems:
                batch = self._table.without(batch, problems)
            tally.rejected = len(batch.bad)
            return _Done(batch, written(batch, columns), tally)

        waiting: deque[Future[_Done]] = deque()
        batches = self._table.batches(place)
        _ = self._labeller.classifier.predictor  # loaded before the clock starts, and by one thread
        began = time.perf_counter()
        with _bar(self._table.bytes_total) as bar, ThreadPoolExecutor(self._threads) as threads:
            try:
                for batch in batches:
                    waiting.append(threads.submit(label, batch))
                    if len(waiting) > 2 * self._threads:
                        yield self._counted(waiting.popleft(), bar, began)
                while waiting:
                    yield self._counted(waiting.popleft(), bar, began)
            finally:
                for future in waiting:
                    future.cancel()
        self._seconds = time.perf_counter() - began

    def _counted(self, future: Future[_Done], bar: Any, began: float) -> _Done:
        done = future.result()
        self._tally.add(done.tally)
        rate = (self._tally.rows - self._before) / (time.perf_counter() - began)
        bar.set_postfix_str(f"{rate:,.0f} rows/s", refresh=False)
        bar.update(done.batch.read - bar.n)
        return done

    def _head(self) -> bytes:
        return csv_line(self._shown(self._table.header + self._labeller.names), self._table.delimiter)

    def _rejected(self, bad: list[BadRow]) -> bytes:
        return b"".join(csv_line(self._shown([str(value) for value in row]), ",") for row in bad)

    def _shown(self, values: list[str]) -> list[str]:
        return cells.escaped(values) if self._table.harmless else values

    def _state(self, batch: Batch) -> dict[str, Any]:
        return {"place": batch.place, "tally": self._tally.as_json()}

    def summary(self, output: Path | None) -> str:
        """What was done, in lines; `output` is None for standard output."""
        tally, classifier = self._tally, self._labeller.classifier
        rate = (tally.rows - self._before) / self._seconds if self._seconds else 0
        said = [f"predict: {tally.rows:,} rows labelled, {rate:,.0f} a second: {output or 'standard output'}"]
        if tally.empty:
            said.append(f"  texts without any token, labelled as such: {tally.empty:,}")
        if tally.cut:
            said.append(f"  texts longer than the model reads, cut: {tally.cut:,}")
        if tally.abstained:
            said.append(f"  rows left without a label (ABSTAIN): {tally.abstained:,}")
        if tally.rejected:
            said.append(f"  rows that could not be read: {tally.rejected:,}")
            said += [f"  they are listed in {self._rejects}"] if self._rejects else []
        if reference := classifier.reference:
            said += drift.note(reference, classifier.labels, tally.classes, tally.tokens, tally.outside)
        return "\n".join(said)


def _bar(total: int) -> Any:
    form = "{desc} {percentage:3.0f}% |{bar}| {postfix}, {remaining} left" if total else "{desc} {postfix}"
    return tqdm(total=total or None, disable=None, ncols=79, desc="predict", bar_format=form, leave=False)

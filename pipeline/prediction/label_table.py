"""A table of rows, labelled by several threads and written in the order of the rows."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, nullcontext
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from ..csv_line import csv_line
from ..delimited.faults import BadRow
from ..delimited.records import Place
from ..errors import InputError
from ..files import atomic_write
from ..stores.remote_file import Location, RemoteFile
from ..stores.upload import uploaded
from ..tables import columns as cells
from ..tables.columns import Column
from ..tables.formats import Form, form_of, gzip_member
from ..tables.rejects import Rejects
from ..tables.table import Batch, Table
from ..terminal import say
from .labeller import LabelCounts, Labeller
from .resumable import Resumable

if TYPE_CHECKING:
    import pyarrow as pa

    from ..progress import Bar

REJECTS = ".rejects.csv"  # behind the output's name
Output = TypeVar("Output")  # bytes of CSV, or a pyarrow table
File = TypeVar("File", bound=Location)


class _LabelledBatch(NamedTuple, Generic[Output]):
    batch: Batch
    output: Output
    counts: LabelCounts


class LabelledTable:
    """The rows of a table with the columns of a labeller, to be written once."""

    def __init__(self, table: Table, labeller: Labeller, threads: int) -> None:
        self._table = table
        self._labeller = labeller
        self._threads = threads
        self._counts = LabelCounts.zero(len(labeller.classifier.labels))
        self._continued_after = 0  # rows that an interrupted run had labelled
        self._seconds = 0.0
        self._rejects = Rejects()

    def write(self, output: Location, recipe: dict[str, Any] | None) -> None:
        """Write the file in the form that its name says, and <output>.rejects.csv.

        Lines are continued where an earlier run of the same `recipe` stopped, see `Resumable`, but for those
        of a file in a store, which is written here first.
        """
        if isinstance(output, RemoteFile):
            with uploaded(output, [REJECTS]) as path:
                self.write(path, None)
            return
        form = form_of(output)
        if form == "parquet":
            self._to_parquet(output)
        elif form == "xlsx":
            self._to_workbook(output)
        else:
            self._to_lines(output, form, recipe)

    def _to_lines(self, output: Path, form: Form, recipe: dict[str, Any] | None) -> None:
        """Write lines of text, packed if the name ends in .gz."""
        pack = gzip_member if output.suffix.lower() == ".gz" else bytes
        rejects = rejects_path(output)
        is_json = form == "jsonl"
        convert = self._table.to_json if is_json else self._table.to_csv

        def lines(batch: Batch, columns: Sequence[Column]) -> bytes:
            return pack(convert(batch, columns))

        with Resumable([output, rejects], recipe) as files:
            place = None
            if files.state:
                place = Place(*files.state["place"])
                self._counts = LabelCounts.from_json(files.state["counts"])
                self._rejects = Rejects.from_json(files.state["rejects"])
                self._continued_after = self._counts.rows
                say(f"predict: going on after row {self._continued_after:,}", sys.stderr)
            else:
                header = b"" if is_json else pack(self._table.csv_header(self._labeller.names))
                files.write([header, csv_line(BadRow._fields)], None)
            for labelled in self._label(lines, place):
                state = {
                    "place": labelled.batch.place,
                    "counts": self._counts.to_json(),
                    "rejects": self._rejects.to_json(),
                }
                files.write([labelled.output, self._reject_lines(labelled.batch.bad)], state)
            files.finish([True, self._rejects.total > 0])

    def _to_workbook(self, output: Path) -> None:
        """Write a sheet. Raises InputError for more than a sheet holds."""
        from ..tables.xlsx import WorkbookWriter

        names = [*self._table.header, *self._labeller.names]
        harmless = self._table.harmless
        bad: list[BadRow] = []
        with atomic_write(output) as partial, WorkbookWriter("predictions") as writer:
            writer.append(cells.escape_values(names) if harmless else names)
            labelled: _LabelledBatch[list[list[Any]]]
            for labelled in self._label(self._table.to_cells, None):
                bad += labelled.batch.bad
                for row in labelled.output:
                    writer.append(cells.escape_values(row) if harmless else row)
            writer.save(partial)
        self._write_rejects(output, bad)

    def _to_parquet(self, output: Path) -> None:
        """Write a Parquet file. Raises InputError if there are no rows."""
        import pyarrow.parquet as pq

        bad: list[BadRow] = []
        with ExitStack() as stack:
            partial, writer = stack.enter_context(atomic_write(output)), None
            labelled: _LabelledBatch[pa.Table]
            for labelled in self._label(self._table.to_arrow, None):
                bad += labelled.batch.bad
                if writer is None:
                    writer = stack.enter_context(pq.ParquetWriter(partial, labelled.output.schema))
                writer.write_table(labelled.output)
            if writer is None:
                raise InputError("there are no rows to write as Parquet: write a .csv", option="output")
        self._write_rejects(output, bad)

    def _write_rejects(self, output: Path, bad: list[BadRow]) -> None:
        rejects = rejects_path(output)
        rejects.unlink(missing_ok=True)
        if bad:
            with atomic_write(rejects) as partial:
                partial.write_bytes(csv_line(BadRow._fields) + self._reject_lines(bad))

    def to_stream(self, stream: IO[bytes]) -> None:
        """Write a CSV, and name rows that cannot be read on standard error as they come."""
        try:
            stream.write(self._table.csv_header(self._labeller.names))
            for labelled in self._label(self._table.to_csv, None):
                stream.write(labelled.output)
                for row in labelled.batch.bad:
                    say(f"convtext: line {row.first_line} was left out: {row.reason}", sys.stderr)
            stream.flush()
        except BaseException as error:
            error.add_note("standard output ends where it was")
            raise

    def _label(
        self, convert: Callable[[Batch, Sequence[Column]], Output], place: Place | None
    ) -> Iterator[_LabelledBatch[Output]]:
        """Yield the table's batches, from `place` on, in their order; the threads run `convert` too."""

        def label(batch: Batch) -> _LabelledBatch[Output]:
            columns, counts, problems = self._labeller.label(batch.data, batch.texts)
            if problems:
                batch = self._table.without(batch, problems)
            return _LabelledBatch(batch, convert(batch, columns), counts)

        waiting: deque[Future[_LabelledBatch[Output]]] = deque()
        batches = self._table.batches(place)
        self._labeller.classifier.load_predictor()  # by one thread, and before the clock starts
        began = time.perf_counter()
        with _progress_bar(self._table.bytes_total) as bar, ThreadPoolExecutor(self._threads) as threads:
            try:
                for batch in batches:
                    waiting.append(threads.submit(label, batch))
                    if len(waiting) > 2 * self._threads:
                        yield self._count(waiting.popleft().result(), bar, began)
                while waiting:
                    yield self._count(waiting.popleft().result(), bar, began)
            finally:
                for future in waiting:
                    future.cancel()
        self._seconds = time.perf_counter() - began

    def _count(
        self, labelled: _LabelledBatch[Output], bar: Bar | None, began: float
    ) -> _LabelledBatch[Output]:
        """Add a batch to the counts and to the progress bar."""
        self._counts.add(labelled.counts)
        for row in labelled.batch.bad:
            self._rejects.add(row.reason, row.first_line, row.lines)
        if bar is not None:
            rate = (self._counts.rows - self._continued_after) / (time.perf_counter() - began)
            bar.set_postfix_str(f"{rate:,.0f} rows/s", refresh=False)
            bar.update(labelled.batch.read - bar.n)
        return labelled

    def _reject_lines(self, bad: list[BadRow]) -> bytes:
        lines = [[str(value) for value in row] for row in bad]
        return b"".join(map(csv_line, map(cells.escape_values, lines) if self._table.harmless else lines))

    def check_rejects(self, allowed: float, output: Location | None) -> None:
        """Raise InputError if more than a share of the rows could not be read; what is written stays.

        `output` is what was written, None for standard output.
        Of images, among which are missing and other files, it is enough that one could be read.
        """
        if self._labeller.classifier.encoder.kind == "text" or not self._counts.rows:
            rows = self._counts.rows + self._rejects.total
            self._rejects.check_unreadable(rows, allowed, self._table.name, self._listed(output))

    def summary(self, output: Location | None) -> str:
        """Return a few lines on what was written; `output` is None for standard output."""
        counts = self._counts
        rate = (counts.rows - self._continued_after) / self._seconds if self._seconds else 0
        target = output or "standard output"
        lines = [f"predict: {counts.rows:,} rows labelled, {rate:,.0f} a second: {target}"]
        lines += self._labeller.lines_on_rows(counts)
        if self._rejects.total:
            lines.append(f"  rows that could not be read: {self._rejects.total:,}")
            lines += self._rejects.lines()
        if listed := self._listed(output):
            lines.append(f"  they are listed in {listed}")
        lines += self._labeller.lines_on_drift(counts)
        return "\n".join(lines)

    def _listed(self, output: Location | None) -> Location | None:
        """Return the list of the rows that could not be read, None if there is none."""
        return rejects_path(output) if output and self._rejects.total else None


def rejects_path(output: File) -> File:
    """Return the name of the list of rows that could not be read."""
    return type(output)(f"{output}{REJECTS}")


def _progress_bar(total: int) -> AbstractContextManager[Bar | None]:
    if not sys.stderr.isatty():
        return nullcontext()
    from ..progress import Bar  # here, for tqdm

    form = "{desc} {percentage:3.0f}% |{bar}| {postfix}, {remaining} left" if total else "{desc} {postfix}"
    return Bar("predict", total or None, bar_format=form)

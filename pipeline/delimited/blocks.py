"""Strict reading of CSV in blocks of bytes: where each record is, and where its text is in it.

Every physical line is part of a record, part of a bad row with its reason, or blank. Memory is bounded by the
block and by the longest record allowed, whatever the number of lines and the size of the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np

from ..arrays import Offsets
from ..csv_line import DELIMITERS
from ..errors import InputError
from . import faults, header
from .faults import BadRow
from .opening import READ_ERRORS, open_csv, read_error
from .records import FIELD_LIMIT, Block, Place, field_values
from .scan import State, scan
from .scanner import Rules
from .stream import Utf8Stream

BLOCK_BYTES = 1 << 20

_BOM = "\ufeff".encode()
_NO_LIMIT = 1 << 62


class CsvBlocks:
    r"""A CSV file with a header, plain or gzip, or standard input, open for one pass over its records.

    Opening sets `header`, `delimiter` (comma; tab or semicolon if the header has those and no comma) and
    `bytes_total` (0 for standard input). A good record is as wide as the header. Lines end with \n, \r\n
    or a lone \r, and are numbered from 1; empty ones are skipped.

    After a quote that is never closed, reading resumes at the second line of the record. The number of bytes
    that may be read twice in this way is limited to those already read plus 32 fields of the maximal length.
    Once it is used up, all lines searched for the closing quote are one bad row. The time therefore stays
    linear even in a file that consists of such quotes.

    Raises InputError on opening for a path, an encoding or a header that cannot be read, and between blocks
    for damaged gzip data, a failing disk, and bytes from which a decoder cannot recover (UTF-16, UTF-32).
    """

    def __init__(
        self,
        path: Path | None,
        encoding: str = "utf-8",
        field_limit: int = FIELD_LIMIT,
        block_size: int = BLOCK_BYTES,
    ) -> None:
        self.path = path
        self._name = str(path or "standard input")
        self.encoding = encoding
        self.header: list[str] = []
        self.delimiter = DELIMITERS[0]
        self.bytes_total = 0
        self._field_limit = field_limit
        self._record_limit = 4 * field_limit  # doubled quotes, and room for the other columns
        self._reasons = faults.scan_reasons(field_limit, self._record_limit)
        self._block_size = block_size
        self._place = Place(0, 0, 32 * field_limit, False)  # where the stream's data begin
        self._needs_data = True  # the data end within a record

    def __enter__(self) -> CsvBlocks:
        with ExitStack() as stack, self._input_errors():
            self._file = stack.enter_context(open_csv(self.path, self.encoding))
            self.bytes_total = self._file.size
            self._stream = Utf8Stream(self._file, self._block_size)
            self._skip_to_header()
            self.delimiter = header.find_delimiter(self._stream, self._record_limit)
            self.header = self._read_header()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    @property
    def bytes_read(self) -> int:
        """Bytes of the file (of its compressed form, for gzip) consumed so far, out of `bytes_total`."""
        return self._file.raw.tell()

    def column(self, name: str, option: str) -> int:
        """Return the position of a column.

        Raises InputError with the names that exist, and the option that chooses another, if it is missing.
        """
        where = f"{self._name}, line {self._header_line}"
        return header.find_column(self.header, name, where, option)

    def blocks(self, column: int, place: Place | None = None) -> Iterator[Block]:
        """Yield the records after the header with the texts of that column; to be called once.

        With a place, continue where an earlier pass over the same bytes stopped.
        """
        if place:
            with self._input_errors():
                is_inside = self._stream.seek(place.offset)
            if not is_inside:
                raise InputError(
                    f"{self._name} ends before byte {place.offset:,}, where an earlier pass stopped: "
                    "give the same file, or start anew"
                )
            self._place, self._needs_data = place, not self._stream.data
        while (block := self._next_block(column)) is not None:
            yield block

    def values(self, block: Block) -> list[list[str]]:
        """Return the fields of each record."""
        return field_values(block, self.delimiter, self._field_limit)

    def _skip_to_header(self) -> None:
        """Skip byte order marks and empty lines."""
        self._stream.fill()
        self._needs_data = False
        # The codec utf-8-sig removes one mark itself; the others leave one in the text.
        for _ in range(2 if self._file.codec == "utf-8-sig" else 1):
            if self._stream.data.startswith(_BOM):
                self._stream.drop(len(_BOM))
        if self._next_block(0, max_records=0) is None:
            raise InputError(f"{self._name} is empty: a header line and rows were expected")
        self._header_line = self._place.line + 1

    def _read_header(self) -> list[str]:
        block = self._next_block(0, max_records=1)
        assert block
        if block.bad:
            raise header.refuse_header(block.bad[0], self._name)
        (names,) = self.values(block)
        header.check_names(names, f"{self._name}, line {block.lines[0, 0]}")
        return names

    def _next_block(self, column: int, max_records: int = _NO_LIMIT) -> Block | None:
        """Return a block of at most that many records, good and bad; None at the end of the file."""
        stream = self._stream
        while True:
            if self._needs_data:
                with self._input_errors():
                    stream.fill()
            data = np.frombuffer(stream.data, np.uint8)
            # A place that was stored as JSON may hold a number instead of True or False.
            state = State(self._place.line, self._place.spare, bool(self._place.skipping))
            result = scan(data, self._rules(column), state, max_records)
            block = Block(data, result.records, result.texts, result.doubled, result.lines, [], self._place)
            block = self._with_bad_rows(block, result.faults)
            stream.drop(result.consumed)
            self._place, self._needs_data = Place(stream.offset, *result.state), result.needs_data
            if len(result.records) or len(result.faults) or not result.needs_data:
                return block._replace(place=self._place)
            if stream.final:
                return None

    def _rules(self, column: int) -> Rules:
        return Rules(
            np.uint8(ord(self.delimiter)),
            len(self.header),
            column,
            self._field_limit,
            self._record_limit,
            self._stream.final,
        )

    def _with_bad_rows(self, block: Block, bad_records: Offsets) -> Block:
        """Return the block with its bad rows, among them records with a NUL or an undecodable byte."""
        forbidden = self._stream.surrogates
        if b"\0" in self._stream.data:
            # Stable, as the sort that makes use of runs; `union1d` takes a second for a megabyte of NULs.
            forbidden = np.sort(np.concatenate([forbidden, np.flatnonzero(block.data == 0)]), kind="stable")
        if len(forbidden):
            # A record is clean if as many forbidden bytes precede its end as its start.
            clean = np.equal(*np.searchsorted(forbidden, block.records.T))
            # The scanner knows no such fault: its number stays 0.
            dirty = np.zeros((len(clean) - int(clean.sum()), 6), np.int64)
            dirty[:, :2], dirty[:, 2:4] = block.records[~clean], block.lines[~clean]
            bad_records = np.concatenate([bad_records, dirty])
            block = block._replace(
                records=block.records[clean],
                texts=block.texts[clean],
                doubled=block.doubled[clean],
                lines=block.lines[clean],
            )
        bad_records = bad_records[bad_records[:, 0].argsort()]
        return block._replace(bad=[self._bad_row(*record) for record in bad_records.tolist()])

    def _bad_row(
        self, start: int, end: int, first_line: int, last_line: int, fault: int, width: int
    ) -> BadRow:
        text = self._stream.data[start:end].decode("utf-8", "surrogatepass")
        reason = (
            self._reasons.get(fault)
            or faults.undecodable_reason(text, first_line, self.encoding, self._file.codec)
            or faults.misfit_reason(text, width, len(self.header))
        )
        return BadRow(first_line, last_line, reason, faults.excerpt(text))

    @contextmanager
    def _input_errors(self) -> Iterator[None]:
        """Turn what reading and decoding raise into InputError."""
        try:
            yield
        except READ_ERRORS as error:
            raise read_error(error, self._name, self._place.line, self.encoding) from error

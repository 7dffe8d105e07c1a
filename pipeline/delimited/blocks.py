"""Strict reading of CSV in blocks of bytes: where each record is, and where its text is in it.

Every physical line is part of a record, part of a bad row with its reason, or blank. Memory is bounded by the
block and by the longest record allowed, whatever the number of lines and the size of the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import numpy as np

from ..arrays import Offsets
from ..csv_line import CSV
from ..errors import InputError
from ..stores.remote_file import Location
from . import faults, header
from .faults import BadRow
from .layout import SAMPLE_BYTES, Layout, count_nameless, find_shape, quote_byte, read_lead, sample
from .opening import READ_ERRORS, open_csv, read_error
from .records import FIELD_LIMIT, Block, Place, field_values, fill_up
from .scan import State, scan
from .scanner import Rules
from .stream import Utf8Stream

BLOCK_BYTES = 1 << 20

_BOM = "\ufeff".encode()
_NO_LIMIT = 1 << 62


class CsvBlocks:
    r"""A delimited file with a header, plain or gzip, or standard input, open for one pass over its records.

    Opening sets `lead`, `header`, `dialect`, `extra` and `bytes_total` (0 for standard input); see `Layout`
    for what may be told of the file, and what it shows itself. A good record is as wide as the header, or has
    `extra` empty fields more, as most rows then have, or is filled up where it lacks fields of the last
    columns and these have no name. Lines end with \n, \r\n or a lone \r, and are numbered
    from 1; empty ones are skipped.

    After a quote that is never closed, reading resumes at the second line of the record. The number of bytes
    that may be read twice in this way is limited to those already read plus 32 fields of the maximal length.
    Once it is used up, all lines searched for the closing quote are one bad row. The time therefore stays
    linear even in a file that consists of such quotes.

    Raises InputError on opening for a path, an encoding or a header that cannot be read, and between blocks
    for damaged gzip data, a failing disk, and bytes from which a decoder cannot recover (UTF-16, UTF-32).
    """

    def __init__(
        self,
        path: Location | None,
        layout: Layout | None = None,
        field_limit: int = FIELD_LIMIT,
        block_size: int = BLOCK_BYTES,
    ) -> None:
        self.path = path
        self.name = str(path or "standard input")
        self.header: list[str] = []
        self.dialect, self.extra = CSV, 0
        self.bytes_total = 0
        self._layout = layout or Layout()
        self._encoding = self._layout.encoding
        self.lead: list[str] = []  # the lines that were passed over above the header
        self._field_limit = field_limit
        self._record_limit = 4 * field_limit  # doubled quotes, and room for the other columns
        self._reasons = faults.scan_reasons(field_limit, self._record_limit)
        self._block_size = block_size
        self._place = Place(0, 0, 32 * field_limit, False)  # where the stream's data begin
        self._needs_data = True  # the data end within a record

    def __enter__(self) -> CsvBlocks:
        with ExitStack() as stack, self._input_errors():
            self._file = stack.enter_context(open_csv(self.path, self._encoding))
            if self._file.is_marked:
                self._encoding = self._file.codec
            self.bytes_total = self._file.size
            self._stream = Utf8Stream(self._file, self._block_size)
            told = self._skip_to_header()
            self._sample = sample(self._stream)
            self.dialect, self.extra = find_shape(self._sample, self._layout, told, self._rules(0))
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

        Raises InputError if several have the name; if none has, with what there is, what else may be wrong
        with the header, and the option that mends it.
        """
        top = header.Top(self.name, self._header_line, self.header, self._sample, self.dialect)
        return header.find_column(top, name, option)

    def written(self, text: bytes) -> bytes:
        """Return what is to be written, in UTF-8, in the encoding that the file's byte order mark says."""
        is_other = self._file.is_marked and not self._file.is_utf_8
        return text.decode().encode(self._file.codec) if is_other else text

    @property
    def mark(self) -> bytes:
        """The byte order mark with which the file begins, in UTF-8, if it has one."""
        return _BOM if self._file.is_marked else b""

    def blocks(self, column: int, place: Place | None = None) -> Iterator[Block]:
        """Yield the records after the header with the texts of that column; to be called once.

        With a place, continue where an earlier pass over the same bytes stopped.
        """
        if place:
            with self._input_errors():
                is_inside = self._stream.seek(place.offset)
            if not is_inside:
                raise InputError(
                    f"{self.name} ends before byte {place.offset:,}, where an earlier pass stopped: "
                    "give the same file, or start anew"
                )
            self._place, self._needs_data = place, not self._stream.data
        while (block := self._next_block(column)) is not None:
            yield block

    def values(self, block: Block) -> Iterator[list[str]]:
        """Yield the fields of each record."""
        return field_values(block, self.dialect, self._field_limit)

    def _skip_to_header(self) -> str:
        """Skip byte order marks, lines above the header and empty lines; return the separator told there."""
        self._stream.fill()
        self._needs_data = False
        self._stream.look_ahead(SAMPLE_BYTES)
        while self._stream.data.startswith(_BOM):
            self._stream.drop(len(_BOM))
        lead = read_lead(self._stream, self._layout.skip, self._record_limit)
        if lead.size > self._record_limit:
            raise InputError(
                f"{self.name}: more than {self._record_limit:,} characters above the header",
                option="source.skip",
            )
        self.lead = [text.encode("utf-8", "backslashreplace").decode() for text in lead.texts]
        self._stream.drop(lead.size)
        self._place = self._place._replace(offset=self._stream.offset, line=len(lead.texts))
        if self._next_block(0, max_records=0) is None:
            behind = f" behind line {len(lead.texts)}" if lead.texts else ""
            raise InputError(f"{self.name} is empty{behind}: a header line and rows were expected")
        self._header_line = self._place.line + 1
        return lead.separator

    def _read_header(self) -> list[str]:
        block = self._next_block(0, max_records=1)
        assert block
        if block.bad:
            raise header.refuse_header(block.bad[0], self.name)
        (names,) = self.values(block)
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
            block = self._with_bad_rows(block, result.missing, result.faults)
            stream.drop(result.consumed)
            self._place, self._needs_data = Place(stream.offset, *result.state), result.needs_data
            if len(result.records) or len(result.faults) or not result.needs_data:
                return block._replace(place=self._place)
            if stream.final:
                return None

    def _rules(self, column: int) -> Rules:
        return Rules(
            np.uint8(ord(self.dialect.delimiter)),
            quote_byte(self._layout.quotes),
            len(self.header),
            self.extra,
            count_nameless(self.header),
            column,
            self._field_limit,
            self._record_limit,
            self._stream.final,
        )

    def _with_bad_rows(self, block: Block, missing: Offsets, bad_records: Offsets) -> Block:
        """Return the block with its bad rows, among them records with a NUL or an undecodable byte.

        The others get the fields that are `missing`.
        """
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
            missing = missing[clean]
        bad_records = bad_records[bad_records[:, 0].argsort()]
        bad = [self._bad_row(*record) for record in bad_records.tolist()]
        return fill_up(block._replace(bad=bad), missing, self.dialect)

    def _bad_row(
        self, start: int, end: int, first_line: int, last_line: int, fault: int, width: int
    ) -> BadRow:
        text = self._stream.data[start:end].decode("utf-8", "surrogatepass")
        reason = (
            self._reasons.get(fault)
            or faults.undecodable_reason(text, first_line, self._encoding, self._file.codec)
            or faults.misfit_reason(text, width, len(self.header))
        )
        return BadRow(first_line, last_line, reason, faults.excerpt(text))

    @contextmanager
    def _input_errors(self) -> Iterator[None]:
        """Turn what reading and decoding raise into InputError."""
        try:
            yield
        except READ_ERRORS as error:
            raise read_error(error, self.name, self._place.line, self._encoding) from error

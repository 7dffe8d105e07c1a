"""Strict CSV in blocks of bytes, at the speed of memory: where each record stands, and its text in it.

Every physical line ends up in a record, in a bad row with its reason, or is blank. Memory is bounded
whatever the file: by the block and by the longest record allowed, not by its lines or its size.
"""

from __future__ import annotations

import csv
import difflib
import gzip
import re
import threading
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..csv_line import DELIMITERS
from ..errors import InputError
from . import faults as csv_faults
from . import scanner
from .faults import BadRow
from .opening import open_csv
from .stream import Utf8Stream

FIELD_LIMIT = 1_000_000  # characters
BLOCK = 1 << 20  # bytes

_SHOWN_NAMES = 20
_HEADER_LINES = 100
_BOM = "\ufeff".encode()
_QUOTED_FIELD = re.compile(rb'(?<![^,;\t])"[^"]*+(?:""[^"]*+)*+"')
_OPEN_QUOTE = re.compile(rb'(?<![^,;\t])"')
_LINE_END = re.compile(rb"\r\n?|\n")
_NO_LIMIT = 1 << 62
_LIMIT = threading.Lock()
_Array = NDArray[np.int64]


class Place(NamedTuple):
    """Where a pass over the file can go on: between two records, or inside a line far too long."""

    offset: int  # bytes of the unpacked file if it is UTF-8, else of its text in UTF-8
    line: int  # the last line before it
    spare: int  # bytes that may be read again after quotes that are never closed
    skipping: bool  # whether the rest of a line is to be passed over


class Block(NamedTuple):
    """Records of a file, n of them, and what stands between them that is none."""

    data: NDArray[np.uint8]  # UTF-8
    records: _Array  # [n, 2]: start and end in data of each record, without its line end
    texts: _Array  # [n, 2]: start and end of the column's field, inside its quotes
    doubled: NDArray[np.bool_]  # [n]: whether there are doubled quotes in that field
    lines: _Array  # [n, 2]: the first and last physical line (from 1) of each record
    bad: list[BadRow]  # in file order
    place: Place  # where the next block begins


class CsvBlocks:
    """A CSV file with a header, plain or gzip, or standard input, open for one pass over its records.

    Opening sets `header`, `delimiter` (comma; tab or semicolon if the header has those and no comma) and
    `bytes_total` (0 for standard input). A good record is as wide as the header. Lines end with \\n, \\r\\n
    or a lone \\r, and are numbered from 1; empty ones are skipped.

    After a quote that is never closed, reading resumes at the second line of the record. What may be read
    twice in that way is limited to what was read and some fields more; once that is used up, the lines
    looked at are one bad row, so that the time stays linear in a file made of such quotes.

    Raises InputError on opening for a path, an encoding or a header that cannot be read, and between blocks
    for damaged gzip data, a failing disk, and bytes that end an encoding without recovery (UTF-16, UTF-32).
    """

    def __init__(
        self,
        path: Path | None,
        encoding: str = "utf-8",
        field_limit: int = FIELD_LIMIT,
        block_size: int = BLOCK,
    ) -> None:
        self.path = path
        self._name = str(path or "standard input")
        self.encoding = encoding
        self.header: list[str] = []
        self.delimiter = DELIMITERS[0]
        self.bytes_total = 0
        self._field_limit = field_limit
        self._record_limit = 4 * field_limit  # doubled quotes, and room for the other columns
        self._refusals = csv_faults.refusals(field_limit, self._record_limit)
        self._block_size = block_size
        self._place = Place(0, 0, 32 * field_limit, False)  # where the stream's data begin
        self._starved = True  # whether they end within a record

    def __enter__(self) -> CsvBlocks:
        with ExitStack() as stack, self._faults_named():
            self._file = stack.enter_context(open_csv(self.path, self.encoding))
            self.bytes_total = self._file.size
            self._stream = Utf8Stream(self._file, self._block_size)
            self._find_delimiter()
            self.header = self._names()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    @property
    def bytes_read(self) -> int:
        """Bytes of the file (of its compressed form, for gzip) consumed so far, out of `bytes_total`."""
        return self._file.raw.tell()

    def column(self, name: str, option: str) -> int:
        """The position of a column. Raises InputError, with the names there are and the option that names
        another, if it is missing."""
        if name in self.header:
            return self.header.index(name)
        lowered = {known.lower(): known for known in self.header}
        nearest = difflib.get_close_matches(name.lower(), lowered, n=1)
        hint = f", did you mean '{lowered[nearest[0]]}'?" if nearest else ""
        known = ", ".join(f"'{known[:80]}'" for known in self.header[:_SHOWN_NAMES])
        more = len(self.header) - _SHOWN_NAMES
        raise InputError(
            f"{self._name}, line {self._header_line}: there is no column '{name}' among {known}"
            f"{f' and {more} more' if more > 0 else ''}{hint}",
            option=option,
        )

    def blocks(self, column: int, place: Place | None = None) -> Iterator[Block]:
        """The records after the header, or from a place where an earlier pass over the same bytes stopped,
        with the texts of that column; to be asked for once."""
        if place:
            with self._faults_named():
                there = self._stream.go_to(place.offset)
            if not there:
                raise InputError(
                    f"{self._name} ends before byte {place.offset:,}, where an earlier pass stopped: "
                    "give the same file, or start anew"
                )
            self._place, self._starved = place, not self._stream.data
        while (block := self._next(column)) is not None:
            yield block

    # The header

    def _find_delimiter(self) -> None:
        """Pass over what stands before the header, and look for delimiters outside its quoted names."""
        self._stream.fill()
        self._starved = False
        for _ in range(1 + (self._file.codec == "utf-8-sig")):  # that codec takes one of its own
            if self._stream.data.startswith(_BOM):
                self._stream.leave(len(_BOM))
        if self._next(0, most=0) is None:
            raise InputError(f"{self._name} is empty: a header line and rows were expected")
        self._header_line = self._place.line + 1
        end = 0
        for _ in range(_HEADER_LINES):  # a name in quotes may run over lines
            end = self._line_end(end)
            bare = _QUOTED_FIELD.sub(b"", self._stream.data[:end])
            if not _OPEN_QUOTE.search(bare) or end >= self._record_limit:
                break
        if b"," not in bare:
            self.delimiter = max(DELIMITERS, key=lambda delimiter: bare.count(delimiter.encode()))

    def _line_end(self, start: int) -> int:
        """The end in the data of the line that starts there, or of as much of it as a record may have."""
        stream = self._stream
        while not (end := _LINE_END.search(stream.data, start)):
            if stream.final or len(stream.data) >= self._record_limit:
                return len(stream.data)
            stream.fill()
        return end.end()

    def _names(self) -> list[str]:
        header = self._next(0, most=1)
        assert header
        if header.bad:
            bad = header.bad[0]
            has_nul = "NUL" in bad.reason
            hint = "; is the file binary, or in UTF-16?" if has_nul else ""
            raise InputError(
                f"{self._name}, line {bad.first_line}: in the header, {bad.reason}{hint}",
                option="source.encoding" if has_nul else bad.option,
            )
        (names,) = self.values(header)
        name, count = Counter(names).most_common(1)[0]
        if count > 1:
            raise InputError(
                f"{self._name}, line {header.lines[0, 0]}: {count} columns are named '{name}': "
                "give each its own name"
            )
        return names

    def values(self, block: Block) -> list[list[str]]:
        """Each record's fields."""
        return fields(block, self.delimiter, self._field_limit)

    # Reading

    def _next(self, column: int, most: int = _NO_LIMIT) -> Block | None:
        """A block of so many records, good and bad, or of all that the data hold; None at the end."""
        stream = self._stream
        while True:
            if self._starved:
                with self._faults_named():
                    stream.fill()
            data = np.frombuffer(stream.data, np.uint8)
            records, texts, lines, doubled, faults, stop = scanner.scan(
                data,
                stream.final,
                np.uint8(ord(self.delimiter)),
                len(self.header),
                column,
                self._field_limit,
                self._record_limit,
                most,
                self._place.line,
                self._place.spare,
                bool(self._place.skipping),  # JSON or the caller may have made it a number
            )
            block = self._block(Block(data, records, texts, doubled, lines, [], self._place), faults)
            consumed, line, spare, skipping, self._starved = stop
            stream.leave(consumed)
            self._place = Place(stream.offset, line, spare, skipping)
            if len(records) or len(faults) or not self._starved:
                return block._replace(place=self._place)
            if stream.final:
                return None

    def _block(self, found: Block, faults: _Array) -> Block:
        """What was found, where a record with a NUL or a byte that cannot be decoded is bad."""
        condemned = self._stream.strays
        if b"\0" in self._stream.data:
            condemned = np.union1d(condemned, np.flatnonzero(found.data == 0))
        if len(condemned):
            clean = np.equal(*np.searchsorted(condemned, found.records.T))
            dirty = np.zeros((len(clean) - int(clean.sum()), 6), np.int64)  # no fault that the scanner knows
            dirty[:, :2], dirty[:, 2:4] = found.records[~clean], found.lines[~clean]
            faults = np.concatenate([faults, dirty])
            found = found._replace(
                records=found.records[clean],
                texts=found.texts[clean],
                doubled=found.doubled[clean],
                lines=found.lines[clean],
            )
        faults = faults[faults[:, 0].argsort()]
        return found._replace(bad=[self._bad_row(*fault) for fault in faults.tolist()])

    def _bad_row(self, start: int, end: int, first: int, last: int, fault: int, width: int) -> BadRow:
        text = self._stream.data[start:end].decode("utf-8", "surrogatepass")
        reason = (
            self._refusals.get(fault)
            or csv_faults.undecodable(text, first, self.encoding, self._file.codec)
            or csv_faults.unfit(text, width, len(self.header))
        )
        return BadRow(first, last, reason, csv_faults.shown(text))

    @contextmanager
    def _faults_named(self) -> Iterator[None]:
        """Turn what reading can raise into InputError."""
        try:
            yield
        except UnicodeError as error:
            raise InputError(
                f"{self._name}, after line {self._place.line}: not {self.encoding} ({error})",
                option="source.encoding",
            ) from error
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise InputError(
                f"{self._name}, after line {self._place.line}: damaged or no gzip data ({error}): "
                "copy the file again; drop .gz from its name if it is not packed"
            ) from error
        except OSError as error:
            raise InputError(
                f"{self._name}: cannot be read ({error.strerror or error}): "
                "check the file and its permissions"
            ) from error


def fields(block: Block, delimiter: str, limit: int = FIELD_LIMIT) -> list[list[str]]:
    """Those of each record of a block; `limit` is their greatest length in characters."""
    data = block.data.tobytes()
    records = (data[start:end].decode() for start, end in block.records.tolist())
    # The limit is one for the whole process: other readers of CSV find theirs as they left it.
    with _LIMIT:
        before = csv.field_size_limit(limit)
        try:
            return list(csv.reader(records, delimiter=delimiter, strict=True))
        finally:
            csv.field_size_limit(before)

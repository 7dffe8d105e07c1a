"""Strict CSV, streamed: every physical line ends up in a row, in a bad row with its reason, or is blank.

Memory is bounded whatever the file: by the longest record allowed, not by its lines or its size.
"""

from __future__ import annotations

import csv
import difflib
import gzip
import os
import re
import zlib
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from pipeline.csv_opening import open_csv
from pipeline.errors import InputError

FIELD_LIMIT = 1_000_000  # characters
DELIMITERS = ",\t;"

_NOT_DOUBLED = "a quote inside a quoted field is not doubled"
_SHOWN_CHARACTERS = 500
_SHOWN_NAMES = 20
_HEADER_LINES = 100
_QUOTED_FIELD = re.compile(r'(?<![^,;\t])"[^"]*+(?:""[^"]*+)*+"')
_OPEN_QUOTE = re.compile(r'(?<![^,;\t])"')


class Row(NamedTuple):
    """A record as wide as the header, and the physical lines (from 1) that it stands on."""

    first_line: int
    last_line: int
    values: list[str]


class BadRow(NamedTuple):
    """Lines that are no record: why, and their text as it stands in the file, cut to a sane length."""

    first_line: int
    last_line: int
    reason: str
    text: str


class CsvFile:
    """A CSV file with a header, plain or gzip, open for one pass over its rows.

    Opening sets `header`, `delimiter` (comma; tab or semicolon if the header has those and no comma) and
    `bytes_total`; iterating yields `Row` and `BadRow`, and goes on after a bad one. Lines end with \\n,
    \\r\\n or a lone \\r, and are numbered from 1; empty ones are skipped.

    After a quote that is never closed, reading resumes at the second line of the record. What may be read
    twice in that way is limited to the size of the file and some fields more; once that is used up, the
    lines looked at are one bad row, so that the time stays linear in a file made of such quotes.

    Raises InputError on opening for a path, an encoding or a header that cannot be read, and while iterating
    for damaged gzip data, a failing disk, and bytes that end an encoding without recovery (UTF-16, UTF-32).
    """

    def __init__(self, path: Path, encoding: str = "utf-8", field_limit: int = FIELD_LIMIT) -> None:
        self.path = path
        self.encoding = encoding
        self.header: list[str] = []
        self.delimiter = DELIMITERS[0]
        self.bytes_total = 0
        self._field_limit = field_limit
        self._record_limit = 4 * field_limit  # doubled quotes, and room for the other columns
        self._record: list[str] = []  # the physical lines of the record being read
        self._again: deque[str] = deque()  # lines to be read again, before the file's next one
        self._reread = 0  # characters that were read again so far
        self._line = 0  # the last line of the last record

    def __enter__(self) -> CsvFile:
        with ExitStack() as stack, self._faults_named():
            self._raw, self._text, self._codec = stack.enter_context(open_csv(self.path, self.encoding))
            self.bytes_total = os.fstat(self._raw.fileno()).st_size
            self._find_delimiter()
            self._rows = self._records()
            self.header = self._names()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._rows.close()
        self._stack.close()

    def __iter__(self) -> Iterator[Row | BadRow]:
        return self._rows

    @property
    def bytes_read(self) -> int:
        """Bytes of the file (of its compressed form, for gzip) consumed so far, out of `bytes_total`."""
        return self._raw.tell()

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
            f"{self.path}, line {self._header_line}: there is no column '{name}' among {known}"
            f"{f' and {more} more' if more > 0 else ''}: name one with {option}={hint}"
        )

    # The header

    def _find_delimiter(self) -> None:
        """Read up to the header's end, and look for delimiters outside its quoted names."""
        limit, lines = self._record_limit, self._again
        line = self._text.readline(limit).removeprefix("\ufeff")
        while line and not line.strip("\r\n"):
            self._line += 1
            line = self._text.readline(limit)
        if not line:
            raise InputError(f"{self.path} is empty: a header line and rows were expected")
        self._header_line = self._line + 1
        lines.append(line)
        while _OPEN_QUOTE.search(bare := _QUOTED_FIELD.sub("", "".join(lines))):
            if len(lines) == _HEADER_LINES or sum(map(len, lines)) >= limit:
                break
            if not (line := self._text.readline(limit)):
                break
            lines.append(line)
        if "," not in bare:
            self.delimiter = max(DELIMITERS, key=bare.count)

    def _names(self) -> list[str]:
        header = next(self._rows)
        if isinstance(header, BadRow):
            hint = "; is the file binary, or UTF-16 (ENCODING=utf-16)?" if "NUL" in header.reason else ""
            raise InputError(f"{self.path}, line {header.first_line}: in the header, {header.reason}{hint}")
        name, count = Counter(header.values).most_common(1)[0]
        if count > 1:
            raise InputError(
                f"{self.path}, line {header.first_line}: {count} columns are named '{name}': "
                "give each its own name"
            )
        return header.values

    # Reading

    def _records(self) -> Generator[Row | BadRow, None, None]:
        record, width = self._record, 0
        with self._faults_named():
            reader = self._reader()
            while True:
                record.clear()
                fault: Exception | None = None
                # The limit is one for the whole process: other readers of CSV find theirs as they left it.
                limit = csv.field_size_limit(self._field_limit)
                try:
                    values = next(reader, None)
                except (csv.Error, _RecordTooLongError) as error:
                    fault = error
                finally:
                    csv.field_size_limit(limit)
                if fault:
                    yield self._recovered(fault)
                    reader = self._reader()
                    continue
                if values is None:
                    return
                first, self._line = self._line + 1, self._line + len(record)
                if not values:
                    continue
                width = width or len(values)
                text = record[0] if len(record) == 1 else "".join(record)
                if len(values) == width and "\0" not in text and (text.isascii() or not _stray_byte(text)):
                    yield Row(first, self._line, values)
                else:
                    reason = self._undecodable(first) or _unfit(text, len(values), width)
                    yield BadRow(first, self._line, reason, _shown(text))

    def _reader(self) -> Iterator[list[str]]:
        return csv.reader(self._lines(), delimiter=self.delimiter, strict=True)

    def _lines(self) -> Iterator[str]:
        """Physical lines, each noted in `_record` as the csv module takes it."""
        record, limit, size = self._record, self._record_limit, 0
        again = (self._again.popleft() for _ in range(len(self._again)))
        for line in chain(again, iter(partial(self._text.readline, limit), "")):
            size = size + len(line) if record else len(line)
            record.append(line)
            if size >= limit:
                raise _RecordTooLongError
            yield line

    def _skip_to_line_end(self, piece: str) -> None:
        limit = self._record_limit
        while piece and piece[-1] not in "\r\n":
            piece = self._text.readline(limit)
        if len(piece) == limit and piece[-1] == "\r":  # the limit may have come between \r and \n
            following = self._text.readline(limit)
            if following.strip("\n"):
                self._again.append(following)

    def _recovered(self, fault: Exception) -> BadRow:
        """The bad row for a record refused; where a quote ran away, all but its first line is read again."""
        record, first = self._record, self._line + 1
        reason = self._refusal(str(fault), len(record))
        text = "".join(record)
        ran_away = len(record) > 1 and reason != _NOT_DOUBLED
        if ran_away and self._reread + len(text) <= self.bytes_read + 32 * self._field_limit:
            self._reread += len(text)
            self._again.extendleft(reversed(record[1:]))
            text = record[0]
            self._line = first
        else:
            self._skip_to_line_end(record[-1])
            self._line += len(record)
        return BadRow(first, self._line, reason, _shown(text))

    def _refusal(self, message: str, lines: int) -> str:
        if "expected after" in message:
            return _NOT_DOUBLED
        if "end of data" in message:
            return "a quote is opened and not closed before the end of the file"
        if lines > 1:
            return f"a quote is opened and not closed within {self._field_limit:,} characters"
        if not message:
            return f"a line of {self._record_limit:,} characters or more"
        return f"a field of more than {self._field_limit:,} characters"

    def _undecodable(self, first: int) -> str | None:
        for number, line in enumerate(self._record, first):
            if stray := _stray_byte(line):
                at, byte = stray
                # Encoding what stands before it counts bytes, not characters.
                position = len(line[:at].encode(self._codec.removesuffix("-sig"), "replace")) + 1
                return (
                    f"byte 0x{byte:02x} at position {position} of line {number} is not {self.encoding} "
                    "(set ENCODING= if the file is in another encoding)"
                )
        return None

    @contextmanager
    def _faults_named(self) -> Iterator[None]:
        """Turn what reading can raise into InputError."""
        try:
            yield
        except UnicodeError as error:
            raise InputError(
                f"{self.path}, after line {self._line}: not {self.encoding} ({error}): "
                "set ENCODING= to the file's encoding"
            ) from error
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise InputError(
                f"{self.path}, after line {self._line}: damaged or no gzip data ({error}): "
                "copy the file again; drop .gz from its name if it is not packed"
            ) from error
        except OSError as error:
            raise InputError(
                f"{self.path}: cannot be read ({error.strerror or error}): check the file and its permissions"
            ) from error


class CsvWriter:
    """Write rows that `CsvFile` reads back equal: UTF-8, \\n line ends, gzip if the name ends with .gz."""

    def __init__(self, path: Path, delimiter: str = ",") -> None:
        self._path = path
        # In some versions csv quotes only those line ends that its own terminator holds. Given all that
        # a reader might take for structure, it quotes each of them; `write` puts \n in its place.
        self._end = "\r\n" + DELIMITERS.replace(delimiter, "")
        self._rows = csv.writer(self, delimiter=delimiter, lineterminator=self._end)

    def __enter__(self) -> CsvWriter:
        file = gzip.open if self._path.suffix == ".gz" else open
        self._text = file(self._path, "wt", encoding="utf-8", newline="")
        return self

    def __exit__(self, *exception: object) -> None:
        self._text.close()

    def row(self, values: Iterable[str | int | float]) -> None:
        self._rows.writerow(values)

    def rows(self, rows: Iterable[Iterable[str | int | float]]) -> None:
        self._rows.writerows(rows)

    def write(self, line: str) -> None:
        """Take a line from csv."""
        self._text.write(line.removesuffix(self._end) + "\n")


class _RecordTooLongError(Exception):
    """A record, or its first line, above the memory that one may take."""


def _unfit(text: str, width: int, expected: int) -> str:
    if "\0" in text:
        return "a NUL character"
    return f"{width} field{'s' * (width != 1)} where the header has {expected}"


def _stray_byte(line: str) -> tuple[int, int] | None:
    """Where in a line the first byte stands that could not be decoded, and its value."""
    try:
        line.encode()  # refuses the surrogates that stand for such bytes
    except UnicodeEncodeError as error:
        return error.start, ord(line[error.start]) & 0xFF
    return None


def _shown(text: str) -> str:
    cut = text.rstrip("\r\n")[: _SHOWN_CHARACTERS + 1]
    cut = cut if len(cut) <= _SHOWN_CHARACTERS else cut[:_SHOWN_CHARACTERS] + "…"
    return cut.encode("utf-8", "backslashreplace").decode()

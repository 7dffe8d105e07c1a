"""A table of JSON objects, one on each line."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from ..csv_line import Dialect
from ..delimited import faults
from ..delimited.faults import BadRow
from ..delimited.opening import READ_ERRORS, CsvSource, open_csv, read_error
from ..delimited.records import FIELD_LIMIT, Place
from ..delimited.stream import Utf8Stream
from ..errors import InputError
from ..stores.remote_file import Location
from . import columns as cells
from .columns import Column
from .row_table import Row, RowTable, fault_of
from .table import Batch

BLOCK_BYTES = 1 << 20
LINE_LIMIT = 4 * FIELD_LIMIT  # bytes, as of a line of CSV
SAMPLE_LINES = 1000  # whose keys are the columns
MAX_KEYS = 10_000  # of all objects together

_LONG_LINE = f"a line of more than {LINE_LIMIT:,} bytes"
_BOM = b"\xef\xbb\xbf"


class _Lines(NamedTuple):
    first: int  # the number of the first line
    lines: list[bytes]  # in UTF-8, where a byte that cannot be decoded is half a surrogate pair
    bad: list[BadRow]
    place: Place
    read: int


class JsonlTable(RowTable):
    """Objects of JSON; their keys are the columns, in the order in which the first lines have them.

    A key that an object lacks has no text there. Opening raises InputError for a file that cannot be read,
    and for one that has no object in its first lines.
    """

    def __init__(
        self, path: Location, encoding: str, harmless: bool, dialect: Dialect, every_key: bool
    ) -> None:
        """Search all lines for keys if `every_key`, for a form whose rows have equal columns."""
        super().__init__(str(path), harmless, dialect, 0)
        self._path, self._encoding = path, encoding
        self.header = self._keys(None if every_key else SAMPLE_LINES)

    def batches(self, place: Place | None = None) -> Iterator[Batch]:
        for block in self._blocks(place):
            rows, bad = [], block.bad
            for number, line in enumerate(block.lines, block.first):
                found = self._row(number, line)
                if isinstance(found, Row):
                    rows.append(found)
                elif found:
                    bad.append(found)
            yield self.batch(rows, bad, block.place, block.read)

    def to_json(self, batch: Batch, columns: Sequence[Column]) -> bytes:
        """Return the lines as they stand, with the cells of the columns before their last bracket."""
        names = [json.dumps(column.name, ensure_ascii=False) for column in columns]
        lines = []
        for row, *added in zip(batch.rows, *(column.values() for column in columns), strict=True):
            line, record = row.source
            if taken := [column.name for column in columns if column.name in record]:
                where = f"{self.name}, line {row.number}"
                raise InputError(f"{where}: there is a key '{taken[0]}' already: rename or remove it")
            pairs = zip(names, added, strict=True)
            more = ", ".join(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in pairs)
            lines.append(f"{line[:-1].rstrip()}{', ' if record else ''}{more}}}\n")
        return "".join(lines).encode()

    def to_cells(self, batch: Batch, columns: Sequence[Column]) -> list[list[Any]]:
        rows = ([_plain(row.source[1].get(key)) for key in self.header] for row in batch.rows)
        return cells.append_values(rows, columns)

    def _row(self, number: int, line: bytes) -> Row | BadRow | None:
        """Return the row of a line, or why there is none; None of an empty line."""
        text = line.decode("utf-8", "surrogatepass").strip()
        if not text:
            return None
        record, reason = self._parsed(number, text)
        if record is None:
            return BadRow(number, number, reason, faults.excerpt(text))
        nested = [self.header[place] for place in self.asked if _is_nested(record.get(self.header[place]))]
        if nested:
            reason = f"a list or an object where a text was expected in '{nested[0]}'"
            return BadRow(number, number, reason, faults.excerpt(text))
        return Row(number, [_text(record.get(key)) for key in self.header], (text, record))

    def _parsed(self, number: int, text: str) -> tuple[dict[str, Any] | None, str]:
        """Return the object of a line, or None and the reason."""
        if reason := faults.undecodable_reason(text, number, self._encoding, self._codec):
            return None, reason
        try:
            record = _DECODER.decode(text)
        except _RepeatedKeyError as error:
            return None, f"a key twice in an object, in '{error}'"
        except RecursionError:
            return None, "lists or objects within others, too many to be read"
        except json.JSONDecodeError as error:
            return None, f"no JSON: {error.msg.lower()}, in '{text[max(0, error.pos - 20) : error.pos + 20]}'"
        except ValueError:
            return None, "a number of too many digits"
        if not isinstance(record, dict):
            return None, "no JSON object, such as {...}"
        fault = fault_of([*record, *map(_text, record.values())]) if "\\u" in text or "\0" in text else ""
        return (None, fault) if fault else (record, "")

    def _keys(self, limit: int | None) -> list[str]:
        """Return the keys of the first lines that are objects, so many or all."""
        keys: dict[str, None] = {}
        objects, first_bad = 0, ""
        for number, line in islice(self._numbered(), limit):
            if text := line.decode("utf-8", "surrogatepass").strip():
                record, reason = self._parsed(number, text)
                if record is None:
                    first_bad = first_bad or f", line {number}: {reason}"
                else:
                    objects += 1
                    keys |= dict.fromkeys(record)
            if len(keys) > MAX_KEYS:
                raise InputError(f"{self.name}: objects with more than {MAX_KEYS:,} different keys")
        if not objects:
            expected = "an object of JSON on each line was expected"
            raise InputError(f"{self.name}{first_bad or ' is empty'}: {expected}")
        return list(keys)

    def _numbered(self) -> Iterator[tuple[int, bytes]]:
        for block in self._blocks(None):
            yield from enumerate(block.lines, block.first)

    def _blocks(self, place: Place | None) -> Iterator[_Lines]:
        """Yield whole lines, some BLOCK_BYTES of them at a time, from the place on."""
        number = place.line if place else 0
        try:
            with open_csv(self._path, self._encoding) as file:
                self.bytes_total = file.size
                self._codec = file.codec
                for block in _whole_lines(file, place):
                    number = block.place.line
                    yield block
        except READ_ERRORS as error:
            raise read_error(error, self.name, number, self._encoding) from error


def _whole_lines(file: CsvSource, place: Place | None) -> Iterator[_Lines]:
    stream = Utf8Stream(file, BLOCK_BYTES)
    number, skipping = (place.line, bool(place.skipping)) if place else (0, False)
    if place:
        stream.seek(place.offset)
    while stream.data or not stream.final:
        if not stream.final:
            stream.fill()
        while number == 0 and stream.data.startswith(_BOM):
            stream.drop(len(_BOM))
        end = len(stream.data) if stream.final else stream.data.rfind(b"\n") + 1
        if not end and len(stream.data) <= LINE_LIMIT:
            continue
        if not end:
            bad = [] if skipping else [BadRow(number + 1, number + 1, _LONG_LINE, _start(stream.data))]
            skipping = True
            stream.drop(len(stream.data))
            yield _Lines(number + 1, [], bad, Place(stream.offset, number, 0, True), file.raw.tell())
            continue
        lines = bytes(stream.data[:end]).removesuffix(b"\n").split(b"\n")
        stream.drop(end)
        first, bad = number + 1, list[BadRow]()
        number += len(lines)
        if skipping:  # the rest of a line that is too long
            lines[0], skipping = b"", False
        for place_of_line, line in enumerate(lines):
            if len(line) > LINE_LIMIT:
                bad.append(BadRow(first + place_of_line, first + place_of_line, _LONG_LINE, _start(line)))
                lines[place_of_line] = b""
        yield _Lines(first, lines, bad, Place(stream.offset, number, 0, False), file.raw.tell())


def _start(line: bytes | bytearray) -> str:
    return faults.excerpt(line[:4096].decode("utf-8", "replace"))


class _RepeatedKeyError(Exception):
    """An object has a key twice: which value is meant?"""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        raise _RepeatedKeyError(
            next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        )
    return record


_DECODER = json.JSONDecoder(object_pairs_hook=_object)  # `json.loads` would make one for each line


def _is_nested(value: Any) -> bool:
    return isinstance(value, (dict, list))


def _text(value: Any) -> str:
    """Return a value as text: a string as it is, all else as JSON has it, but 5.0 as 5, and NaN as none."""
    if isinstance(value, str):
        return value
    if value is None or (isinstance(value, float) and math.isnan(value)):  # as pandas writes what is missing
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    return json.dumps(value, ensure_ascii=False)


def _plain(value: Any) -> Any:
    """Return a value as a sheet takes it: a list or an object as text."""
    return _text(value) if _is_nested(value) else value

"""The layout of a delimited file: what is told of it, and what it shows in its first lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple

import numpy as np

from ..arrays import Bytes
from ..csv_line import SEPARATORS, Dialect, check_separator, separator_character
from .scan import State, scan
from .scanner import WRONG_WIDTH, Rules
from .stream import Utf8Stream

SAMPLE_BYTES, SAMPLE_RECORDS = 1 << 16, 101  # the header and a hundred rows

_NO_QUOTE = 0xFF  # a byte that no UTF-8 has
_ANY_WIDTH = 1 << 62  # of which no record is: each tells its own
_SEPARATOR_LINE = re.compile(rb'"?sep=([^\r\n])"?(?:\r\n?|\n|\Z)', re.IGNORECASE)
_OPENED = re.compile(rb'[,;\t|]"')
_LINE_END = re.compile(rb"\r\n?|\n")


class Layout(NamedTuple):
    """What is told of a delimited file, or of a workbook."""

    encoding: str = "utf-8"  # unless a byte order mark says otherwise
    separator: str = ""  # see `csv_line.check_separator`; "" where the first lines show it
    quotes: bool = True  # False where a quote is a character like others
    skip: int = 0  # lines above the header
    sheet: str = ""  # of a workbook, its name or number; "" for the first with a value


class Lead(NamedTuple):
    """The lines above a header."""

    size: int  # bytes
    texts: list[str]  # without their ends
    separator: str  # as a line `sep=;` has it, which Excel writes and reads; "" without one


def read_lead(stream: Utf8Stream, skip: int, limit: int) -> Lead:
    """Return the lines above the header: so many, and the line with a separator that may be first.

    They are fewer where the text ends, and where they are of more than `limit` bytes.
    """
    told = _told_separator(stream)
    lines, end = list[str](), 0
    while len(lines) < max(skip, bool(told)) and end <= limit:
        while not (line_end := _LINE_END.search(stream.data, end)) and len(stream.data) <= limit:
            if not stream.look_ahead(len(stream.data)):
                break
        start, end = end, line_end.end() if line_end else len(stream.data)
        if start == end:
            break
        lines.append(stream.data[start:end].rstrip(b"\r\n").decode("utf-8", "surrogatepass"))
    return Lead(end, lines, told)


def _told_separator(stream: Utf8Stream) -> str:
    line = _SEPARATOR_LINE.match(stream.data)
    try:
        return check_separator(line[1].decode()) if line else ""
    except ValueError:  # among them bytes of a longer character
        return ""


class Shape(NamedTuple):
    """What the header and the rows below it show."""

    dialect: Dialect
    extra: int  # empty fields that most rows have beyond the header


def find_shape(lines: bytes, layout: Layout, told: str, rules: Rules) -> Shape:
    """Return the shape of a file that begins with these lines, the header and rows below it.

    The separator is the one that `layout` gives, or `told`, or the one of `SEPARATORS` by which most rows
    have as many fields as the header, and the most of them; a comma where the header has but one field. It is
    none that cuts what stands in quotes in the header.
    """
    data = np.frombuffer(lines, np.uint8)
    given = layout.separator or told
    fits = {
        delimiter: _fit(data, rules._replace(delimiter=np.uint8(ord(delimiter)), final=True))
        for delimiter in ([separator_character(given)] if given else SEPARATORS.values())
    }
    best = max(fits, key=lambda delimiter: fits[delimiter].score)
    return Shape(Dialect(best, layout.quotes), fits[best].extra)


def sample(stream: Utf8Stream) -> bytes:
    """Return the whole lines among the first SAMPLE_BYTES, the same whatever the stream's blocks are."""
    stream.look_ahead(SAMPLE_BYTES)
    data = bytes(stream.data[:SAMPLE_BYTES])
    if stream.final and len(stream.data) <= SAMPLE_BYTES:
        return data
    return data[: max(data.rfind(b"\n"), data.rfind(b"\r")) + 1] or data


def count_nameless(header: Sequence[str]) -> int:
    """Return how many of the last columns have no name."""
    return sum(1 for _ in takewhile(lambda name: not name.strip(), reversed(header)))


def quote_byte(quotes: bool) -> np.uint8:
    """Return the byte that the scanner takes for a quote."""
    return np.uint8(ord('"') if quotes else _NO_QUOTE)


class _Fit(NamedTuple):
    score: float  # from 0; -1 where the header has a single field, or quotes around pieces of its fields
    extra: int


def _fit(data: Bytes, rules: Rules) -> _Fit:
    """Return how well a delimiter fits the data."""
    found = scan(data, rules._replace(width=_ANY_WIDTH), State(0, 0, False), SAMPLE_RECORDS)
    if not len(found.faults) or found.faults[0, 4] != WRONG_WIDTH:
        return _Fit(-1, 0)
    start, end = found.faults[0, :2].tolist()
    if rules.quote != _NO_QUOTE and _cuts_quotes(data[start:end].tobytes(), bytes([rules.delimiter])):
        return _Fit(-1, 0)
    width, *widths = found.faults[found.faults[:, 4] == WRONG_WIDTH, 5].tolist()
    extra = max(0, Counter(widths).most_common(1)[0][0] - width) if widths else 0
    (names,) = Dialect(chr(rules.delimiter), rules.quote != _NO_QUOTE).rows(
        [data[start:end].tobytes().decode("utf-8", "replace")], strict=False
    )
    rules = rules._replace(width=width, extra=extra, nameless=count_nameless(names))
    found = scan(data, rules, State(0, 0, False), SAMPLE_RECORDS)
    good, bad = len(found.records) - 1, len(found.faults)
    # Of two that fit, such as the semicolon and the comma of numbers, the one with more fields is meant.
    score = (good / (good + bad) if good + bad else 1) * (1 - 1 / width)
    return _Fit(score if width > 1 else -1, extra if good > bad else 0)


def _cuts_quotes(header: bytes, delimiter: bytes) -> bool:
    """Return whether a field without quotes holds a separator before a quote, as by commas in `id;"a,b"`."""
    field = rb'(?:^|%b)(?:"(?:[^"]|"")*"|([^%b]*))' % (re.escape(delimiter), re.escape(delimiter))
    return any(_OPENED.search(bare) for bare in re.findall(field, header))


def sample_lines(data: bytes) -> Iterator[str]:
    """Yield the lines of a sample, without their ends."""
    return (line.decode("utf-8", "replace") for line in _LINE_END.split(data))

"""The scan of a stretch of CSV: its records and faults, and what is remembered for the next stretch."""

from __future__ import annotations

from typing import NamedTuple

from ..arrays import Bytes, Flags, Offsets
from .kernels import find_marks
from .scanner import Rules, scan_marks


class State(NamedTuple):
    """What the scanner remembers between two stretches of data."""

    line: int  # the last physical line before the data
    spare: int  # how many bytes may be read again, as of the start of the data
    skipping: bool  # True if the data begin inside a line to be skipped


class Scan(NamedTuple):
    """The n records of a stretch of data, its m faults, and where the scanner stopped."""

    records: Offsets  # [n, 2]: start and end in the data, without the line end
    texts: Offsets  # [n, 2]: start and end of the text's field, inside its quotes
    lines: Offsets  # [n, 2]: the first and the last physical line
    doubled: Flags  # [n]: True if the text contains doubled quotes
    missing: Offsets  # [n]: how many of the last fields each lacks
    faults: Offsets  # [m, 6]: start, end, first line, last line, status, number of fields
    consumed: int  # bytes
    state: State  # after those bytes
    needs_data: bool  # True if the scanner stopped for want of data


def scan(data: Bytes, rules: Rules, state: State, max_records: int) -> Scan:
    """Return the records of the data, at most `max_records` good and bad ones."""
    # The kernel has plain tuples: numba does not notice when a class in this file changes.
    marks = find_marks(data, rules.delimiter, rules.quote)
    arrays, consumed, end_state, needs_data = scan_marks(data, marks, tuple(rules), tuple(state), max_records)
    records, texts, lines, doubled, missing, faults = arrays
    return Scan(records, texts, lines, doubled, missing, faults, consumed, State(*end_state), needs_data)

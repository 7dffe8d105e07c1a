"""The scanner of CSV, compiled by numba: which bytes are records, which their text, and which are at fault.

The grammar is that of `csv.reader(strict=True)`: a quote opens only at the start of a field, is doubled
inside, and is a character like others in a field without quotes; \\n, \\r\\n and a lone \\r end a line. The
data are UTF-8, where a byte that is no continuation begins a character; limits are in characters.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..numba_jit import kernel

Bytes = NDArray[np.uint8]
Places = NDArray[np.int64]

GOOD, WRONG_WIDTH, NOT_DOUBLED, OPEN, RUNAWAY, LONG_FIELD, LONG_LINE, _MORE = range(8)

_LF, _CR, _QUOTE = np.uint8(10), np.uint8(13), np.uint8(34)
_BYTE_NUMBERS = np.uint64(0x0001020304050607)


@kernel
def scan(
    data: Bytes,
    final: bool,  # no data follow these
    delimiter: np.uint8,
    width: int,  # fields in a good record; 0 takes any
    column: int,  # the field that is the text
    field_limit: int,
    record_limit: int,
    most: int,  # records to look for
    line: int,  # the last line before the data
    spare: int,  # how many bytes may be read again, as of the data's start
    skipping: bool,  # whether the data begin inside a line to be skipped
) -> tuple[Places, Places, Places, NDArray[np.bool_], Places, tuple[int, int, int, bool, bool]]:
    """The records of `data`, as `csv_blocks.Block` has them; those at fault, int64 [n, 6]: start, end, first
    line, last line, fault, number of fields; and where it stopped: bytes consumed, last line, bytes that may
    be read again as of there, whether that is inside a line to be skipped, whether more data are needed."""
    at = _specials(data, delimiter)
    n = len(data)
    records = np.empty((len(at) + 1, 2), np.int64)
    texts, lines = np.empty_like(records), np.empty_like(records)
    doubled = np.empty(len(records), np.bool_)
    faults = np.empty((len(records), 6), np.int64)
    good = bad = i = p = 0  # p is the number of the first special byte from i on
    if skipping:
        p = _first_line_end(data, at, 0)
        i = at[p] if p < len(at) else n
        after = _after_line_end(data, i, final)
        if after > i:
            i, p, skipping = after, p + after - i, False
    starved = True
    while i < n and not skipping:
        if data[i] == _LF or data[i] == _CR:
            after = _after_line_end(data, i, final)
            if after == i:
                break
            i, p, line = after, p + after - i, line + 1
            continue
        if good + bad == most:
            starved = False
            break
        status, end, after, after_p, count, fields, text, text_end, text_doubled, second, second_p = _record(
            data, final, at, i, p, delimiter, column, field_limit, record_limit
        )
        if status == _MORE:
            break
        if status == GOOD and (fields == width or width == 0):
            records[good, 0], records[good, 1] = i, end
            texts[good, 0], texts[good, 1] = text, text_end
            lines[good, 0], lines[good, 1] = line + 1, line + count
            doubled[good] = text_doubled
            good += 1
        else:
            fault = WRONG_WIDTH if status == GOOD else status
            if count > 1 and fault in (LONG_FIELD, LONG_LINE):
                fault = RUNAWAY
            if count > 1 and fault in (RUNAWAY, OPEN) and end - i <= spare + end:
                # All but the first line is read again: it was swallowed by a quote that is never closed.
                spare -= end - i
                end, after, after_p, count = second, second, second_p, 1
            faults[bad, 0], faults[bad, 1], faults[bad, 2] = i, end, line + 1
            faults[bad, 3], faults[bad, 4], faults[bad, 5] = line + count, fault, fields
            bad += 1
        line += count
        skipping = after < 0
        # A \r at the end may be half of a line end.
        i, p = (n - (data[n - 1] == _CR), len(at)) if skipping else (after, after_p)
    stop = (i, line, spare + i, skipping, starved)
    return records[:good], texts[:good], lines[:good], doubled[:good], faults[:bad], stop


@kernel
def _record(
    data: Bytes,
    final: bool,
    at: Places,
    i: int,
    p: int,
    delimiter: np.uint8,
    column: int,
    field_limit: int,
    record_limit: int,
) -> tuple[int, int, int, int, int, int, int, int, bool, int, int]:
    """The record that begins at i, the special byte number p or the one before it: its status and end, where
    the next begins (-1 if that is beyond the data) as place and number, the lines that it stands on, its
    fields, the text's start, end and whether it has doubled quotes, and the start of the second line."""
    n, m, start = len(data), len(at), i
    fields = breaks = second = second_p = size = 0
    text = text_end = sized = line_start = i
    text_doubled = False
    status = GOOD
    while status == GOOD:
        quoted = i < n and data[i] == _QUOTE
        length = pairs = 0  # characters of the field that were counted, and doubled quotes among them
        begin = end = counted = i + quoted
        if quoted:
            closed, p = False, p + 1
            while p < m and status == GOOD:
                end, p = at[p], p + 1
                if data[end] == _QUOTE:
                    if end + 1 == n and not final:
                        break
                    if end + 1 == n or data[end + 1] != _QUOTE:
                        closed, i = True, end + 1
                        break
                    pairs, p = pairs + 1, p + 1
                elif data[end] != delimiter:
                    i = _after_line_end(data, end, final)
                    if i == end:
                        break
                    p, breaks, line_start = p + i - end - 1, breaks + 1, i
                    if breaks == 1:
                        second, second_p = i, p
                    if i - start >= record_limit:
                        size, sized = size + _characters(data, sized, i), i
                        if size >= record_limit:
                            end = _after_characters(data, start, record_limit)
                            return LONG_LINE, end, i, p, breaks, 0, 0, 0, False, second, second_p
                    if i - begin > field_limit:
                        length, counted = length + _characters(data, counted, i), i
                        if length - pairs > field_limit:
                            return LONG_FIELD, i, i, p, breaks, 0, 0, 0, False, second, second_p
            if not closed:
                status, end, i = OPEN if final else _MORE, n, n
            elif i < n and data[i] != delimiter and data[i] != _LF and data[i] != _CR:
                status = NOT_DOUBLED
        else:
            while p < m and data[at[p]] == _QUOTE:
                p += 1
            if p == m and not final:
                status = _MORE
            end = i = at[p] if p < m else n
        if status != _MORE and end - begin > field_limit:
            length += _characters(data, counted, end)
            if length - pairs > field_limit:
                status = LONG_FIELD
        if fields == column:
            text, text_end, text_doubled = begin, end, pairs > 0
        fields += 1
        if status == GOOD and i < n and data[i] == delimiter:
            i, p = i + 1, p + 1
        else:
            break
    # Whatever the fault, the record goes on to the end of its line, and may turn out too long.
    if status in (LONG_FIELD, NOT_DOUBLED):
        p = _first_line_end(data, at, p)
        i = at[p] if p < m else n
    end, after, count = i, _after_line_end(data, i, final), breaks + 1
    if status == OPEN and line_start == n:
        count = breaks
    if status == _MORE or (after == i and not final):
        status, after = _MORE, n
    if after - start >= record_limit and size + _characters(data, sized, after) >= record_limit:
        after = after if status != _MORE else -1
        status, end = LONG_LINE, _after_characters(data, start, record_limit)
    return status, end, after, p + after - i, count, fields, text, text_end, text_doubled, second, second_p


@kernel
def _specials(data: Bytes, delimiter: np.uint8) -> Places:
    """Where quotes, delimiters and line ends stand. The others, the most, are passed over by the vector."""
    marks = np.zeros((len(data) + 7) // 8 * 8, np.uint8)
    n = 0
    for i in range(len(data)):
        c = data[i]
        marks[i] = (c == _QUOTE) | (c == delimiter) | (c == _LF) | (c == _CR)
        n += marks[i]
    at = np.empty(n, np.int64)
    n = 0
    words = marks.view(np.uint64)
    for number in range(len(words)):
        word = words[number]
        while word:
            lowest = word & (~word + np.uint64(1))
            # The product's top byte is that of _BYTE_NUMBERS which the lowest mark shifts there.
            at[n] = 8 * number + np.int64((lowest * _BYTE_NUMBERS) >> np.uint64(56))
            n += 1
            word ^= lowest
    return at


@kernel
def _first_line_end(data: Bytes, at: Places, p: int) -> int:
    """The number of the first special byte from number p on that ends a line, or how many there are."""
    while p < len(at) and data[at[p]] != _LF and data[at[p]] != _CR:
        p += 1
    return p


@kernel
def _after_line_end(data: Bytes, i: int, final: bool) -> int:
    """The place after the line end at i; i itself at the data's end, or where a \\n may follow a \\r."""
    if i == len(data) or data[i] == _LF:
        return min(i + 1, len(data))
    if i + 1 == len(data):
        return i + 1 if final else i
    return i + 2 if data[i + 1] == _LF else i + 1


@kernel
def _characters(data: Bytes, start: int, end: int) -> int:
    count = 0
    for i in range(start, end):
        count += (data[i] & 0xC0) != 0x80
    return count


@kernel
def _after_characters(data: Bytes, start: int, count: int) -> int:
    """The place after so many characters from start on, which are there."""
    i = start
    while i < len(data) and (count > 0 or (data[i] & 0xC0) == 0x80):
        count -= (data[i] & 0xC0) != 0x80
        i += 1
    return i

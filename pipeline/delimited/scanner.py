r"""The scanner of CSV, compiled by numba: which bytes are records, where their texts are, which are at fault.

The grammar is that of `csv.reader(strict=True)`: a quote opens only at the start of a field, is doubled
inside, and is a character like others in a field without quotes; \n, \r\n and a lone \r end a line. The data
are UTF-8, where every byte but a continuation byte begins a character; limits are in characters.

The machine looks only at the marks: quotes, delimiters and line ends. It reads one record after another, and
a record field by field, in one of two states:

- a bare field ends before the next delimiter or line end;
- a quoted field ends at the first quote that is not doubled. Delimiters and line ends before it are text; at
  each line end, the field and the record are checked against their limits.

In `1,"a ""b"", c"\n`, the bare field `1` ends at the first comma; the quoted one passes over two doubled
quotes and a comma, and ends at the quote before the line end, which ends the record. A record ends GOOD, with
the status of its first fault, or _UNFINISHED where the data end too early to tell. A fault extends to the end
of its line. A record may have empty fields beyond its width, if it has as many as most others of the file: it
ends before them. (Any number would hide a delimiter without quotes where the last columns are empty.) It may
lack fields of the last columns if these have no name, as Excel leaves off the delimiters of empty cells.

Where quotes are characters like others, the quote is a byte that no UTF-8 has. Helpers stay in this file:
numba's cache does not notice a change in another one.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..arrays import Bytes, Offsets
from ..compilation.kernel import kernel_part, prebuilt_kernel

GOOD, WRONG_WIDTH, NOT_DOUBLED, NOT_CLOSED, RUNAWAY, LONG_FIELD, LONG_LINE, _UNFINISHED = range(8)

_LINE_FEED, _CARRIAGE_RETURN, _BLANK = np.uint8(10), np.uint8(13), np.uint8(32)


class Rules(NamedTuple):
    """The shape of a good record, and whether the data are the last ones of the file."""

    delimiter: np.uint8
    quote: np.uint8
    width: int  # fields; 0 takes any number
    extra: int  # empty fields that may follow these, all or none
    nameless: int  # of the fields, the last ones that may be missing
    column: int  # the position of the field that is the text
    field_limit: int  # a field has at most so many characters
    record_limit: int  # a record, with its line end, has fewer characters
    final: bool  # no data follow


class _Record(NamedTuple):
    status: int
    end: int  # without the line end
    next_place: int  # where the next record begins; -1 if the line goes on beyond the data
    next_mark: int
    lines: int
    fields: int
    text: int
    text_end: int
    text_doubled: bool
    second_line: int  # where it begins, for a record of several lines
    second_mark: int


@prebuilt_kernel("u1[::1], i8[::1], Tuple((u1, u1, i8, i8, i8, i8, i8, i8, b1)), Tuple((i8, i8, b1)), i8")
def scan_marks(  # noqa: C901
    data: Bytes, marks: Offsets, rule_values: Any, state: Any, max_records: int
) -> Any:
    """Return the records and the faults of the data, and the state after them; see `Scan`."""
    rules, size = Rules(*rule_values), len(data)
    records = np.empty((len(marks) + 1, 2), np.int64)
    texts, lines = np.empty_like(records), np.empty_like(records)
    doubled, missing = np.empty(len(records), np.bool_), np.empty(len(records), np.int64)
    faults = np.empty((len(records), 6), np.int64)
    good = bad = place = mark = 0  # `mark` is the number of the first mark at or after `place`
    line, spare, skipping = state
    if skipping:
        mark = _find_line_end(data, marks, 0)
        place = marks[mark] if mark < len(marks) else size
        after = _after_line_end(data, place, rules.final)
        if after > place:
            place, mark, skipping = after, mark + after - place, False
    needs_data = True
    while place < size and not skipping:
        if data[place] in (_LINE_FEED, _CARRIAGE_RETURN):  # an empty line
            after = _after_line_end(data, place, rules.final)
            if after == place:
                break
            place, mark, line = after, mark + after - place, line + 1
            continue
        if good + bad == max_records:
            needs_data = False
            break
        record = _read_record(data, marks, place, mark, rules)
        if record.status == _UNFINISHED:
            break
        if record.status == GOOD:
            records[good, 0], records[good, 1] = place, record.end
            texts[good, 0], texts[good, 1] = record.text, record.text_end
            lines[good, 0], lines[good, 1] = line + 1, line + record.lines
            doubled[good] = record.text_doubled
            missing[good] = max(0, rules.width - record.fields)
            good += 1
        else:
            length = record.end - place
            is_swallowed = record.status in (RUNAWAY, NOT_CLOSED)
            if record.lines > 1 and is_swallowed and length <= spare + record.end:
                spare, record = spare - length, _first_line(record)
            faults[bad, 0], faults[bad, 1], faults[bad, 2] = place, record.end, line + 1
            faults[bad, 3], faults[bad, 4], faults[bad, 5] = line + record.lines, record.status, record.fields
            bad += 1
        line, place, mark = line + record.lines, record.next_place, record.next_mark
        skipping = place < 0
        if skipping:  # a \r at the end may be half of a line end
            place, mark = size - (data[size - 1] == _CARRIAGE_RETURN), len(marks)
    arrays = (records[:good], texts[:good], lines[:good], doubled[:good], missing[:good], faults[:bad])
    return arrays, place, (line, spare + place, skipping), needs_data


@kernel_part
def _first_line(record: _Record) -> _Record:
    """Return the fault cut to its first line: a quote never closed swallowed the others, to be read again."""
    status, end, mark = record.status, record.second_line, record.second_mark
    return _Record(status, end, end, mark, 1, record.fields, 0, 0, False, end, mark)


# One function: calls for each field count references to the arrays, which cost a tenth of the speed.
@kernel_part
def _read_record(  # noqa: C901, PLR0915
    data: Bytes, marks: Offsets, start: int, mark: int, rules: Rules
) -> _Record:
    """Return the record that begins at `start`, where `mark` is the next mark."""
    place, fields, line_ends, second_line, second_mark = start, 0, 0, 0, 0
    text = text_end = counted = last_line = columns_end = start
    text_doubled, status, characters = False, GOOD, 0  # those of the record up to `counted`
    while True:
        # The content begins inside the quotes. Its characters are counted once its bytes exceed the limit.
        quoted = place < len(data) and data[place] == rules.quote
        content = end = field_counted = place + quoted
        field_characters = pairs = 0
        if quoted:
            closed, mark = False, mark + 1
            while mark < len(marks):
                end, mark = marks[mark], mark + 1
                if data[end] == rules.quote:
                    if end + 1 == len(data) and not rules.final:
                        break
                    if end + 1 == len(data) or data[end + 1] != rules.quote:
                        closed, place = True, end + 1
                        break
                    pairs, mark = pairs + 1, mark + 1
                elif data[end] != rules.delimiter:
                    place = _after_line_end(data, end, rules.final)
                    if place == end:
                        break
                    mark, line_ends, last_line = mark + place - end - 1, line_ends + 1, place
                    if line_ends == 1:
                        second_line, second_mark = place, mark
                    if place - start >= rules.record_limit:
                        characters, counted = characters + _characters(data, counted, place), place
                        if characters >= rules.record_limit:
                            status, end = LONG_LINE, _after_characters(data, start, rules.record_limit)
                            break
                    if place - content > rules.field_limit:
                        field_characters += _characters(data, field_counted, place)
                        field_counted = place
                        if field_characters - pairs > rules.field_limit:
                            status, end = LONG_FIELD, place
                            break
            if status != GOOD:  # a limit is exceeded at a line end: the record ends there
                fault = RUNAWAY if line_ends > 1 else status
                return _Record(fault, end, place, mark, line_ends, 0, 0, 0, False, second_line, second_mark)
            if not closed:
                status, end, place = NOT_CLOSED if rules.final else _UNFINISHED, len(data), len(data)
            elif not _is_field_end(data, place, rules.delimiter):
                status = NOT_DOUBLED
        else:
            while mark < len(marks) and data[marks[mark]] == rules.quote:
                mark += 1
            if mark == len(marks) and not rules.final:
                status = _UNFINISHED
            end = place = marks[mark] if mark < len(marks) else len(data)
        if status != _UNFINISHED and end - content > rules.field_limit:
            field_characters += _characters(data, field_counted, end)
            if field_characters - pairs > rules.field_limit:
                status = LONG_FIELD
        if fields == rules.column:
            text, text_end, text_doubled = content, end, pairs > 0
        fields += 1
        if fields == rules.width:
            columns_end = place
        if status != GOOD or place == len(data) or data[place] != rules.delimiter:
            break
        place, mark = place + 1, mark + 1
    lines = line_ends if status == NOT_CLOSED and last_line == len(data) else line_ends + 1
    status, end, after, mark = _end_record(
        data, marks, start, place, mark, status, lines, fields, counted, characters, rules
    )
    is_extended = status == WRONG_WIDTH and rules.extra > 0 and fields == rules.width + rules.extra
    if is_extended and _holds_nothing(data, columns_end, end, rules):
        status, end = GOOD, columns_end
    if status == WRONG_WIDTH and rules.width - rules.nameless <= fields < rules.width:
        status = GOOD
    return _Record(
        status, end, after, mark, lines, fields, text, text_end, text_doubled, second_line, second_mark
    )


@kernel_part
def _end_record(
    data: Bytes, marks: Offsets, start: int, place: int, mark: int, status: int, lines: int, fields: int,
    counted: int, characters: int, rules: Rules,
) -> tuple[int, int, int, int]:  # fmt: skip
    """Return the record's final status, its end, and where the next one begins: place and mark.

    Whatever the fault, the record goes on to the end of its line, and may turn out too long.
    """
    if status in (LONG_FIELD, NOT_DOUBLED):
        mark = _find_line_end(data, marks, mark)
        place = marks[mark] if mark < len(marks) else len(data)
    end, after = place, _after_line_end(data, place, rules.final)
    if status == _UNFINISHED or (after == place and not rules.final):
        status, after = _UNFINISHED, len(data)
    next_mark, limit = mark + after - place, rules.record_limit
    if after - start >= limit and characters + _characters(data, counted, after) >= limit:
        after = -1 if status == _UNFINISHED else after
        status, end = LONG_LINE, _after_characters(data, start, limit)
    if lines > 1 and status in (LONG_FIELD, LONG_LINE):
        status = RUNAWAY
    if status == GOOD and rules.width != 0 and rules.width != fields:
        status = WRONG_WIDTH
    return status, end, after, next_mark


@kernel_part
def _holds_nothing(data: Bytes, place: int, end: int, rules: Rules) -> bool:
    """Return True if the fields from the delimiter at `place` on are empty or blank, in quotes or not."""
    while place < end and data[place] == rules.delimiter:
        quoted = place + 1 < end and data[place + 1] == rules.quote
        place += 1 + quoted
        while place < end and data[place] == _BLANK and rules.delimiter != _BLANK:
            place += 1
        if quoted:
            if place == end or data[place] != rules.quote:
                return False
            place += 1
    return place == end


@kernel_part
def _is_field_end(data: Bytes, place: int, delimiter: np.uint8) -> bool:
    return place == len(data) or data[place] in (delimiter, _LINE_FEED, _CARRIAGE_RETURN)


@kernel_part
def _find_line_end(data: Bytes, marks: Offsets, mark: int) -> int:
    """Return the number of the first mark from `mark` on that is a line end, or the number of marks."""
    while mark < len(marks) and data[marks[mark]] not in (_LINE_FEED, _CARRIAGE_RETURN):
        mark += 1
    return mark


@kernel_part
def _after_line_end(data: Bytes, place: int, final: bool) -> int:
    r"""Return the place after the line end; the same one at the end of the data, or if \n may follow \r."""
    if place == len(data) or data[place] == _LINE_FEED:
        return min(place + 1, len(data))
    if place + 1 == len(data):
        return place + 1 if final else place
    return place + 2 if data[place + 1] == _LINE_FEED else place + 1


@kernel_part
def _characters(data: Bytes, start: int, end: int) -> int:
    count = 0
    for place in range(start, end):
        count += (data[place] & 0xC0) != 0x80
    return count


@kernel_part
def _after_characters(data: Bytes, start: int, count: int) -> int:
    """Return the place after that many characters from `start`; there must be so many."""
    place = start
    while place < len(data) and (count > 0 or (data[place] & 0xC0) == 0x80):
        count -= (data[place] & 0xC0) != 0x80
        place += 1
    return place

"""The header of a delimited file: the search for a column, and what may be wrong where it is missing."""

from __future__ import annotations

import csv
import difflib
import re
from typing import NamedTuple

from ..csv_line import SEPARATORS, Dialect
from ..errors import InputError
from .faults import BadRow
from .layout import sample_lines

_MAX_SHOWN_NAMES = 20
_MAX_NAME_CHARACTERS = 80
_MAX_TITLE_LINES = 20
_ALIKE = 4  # lines of as many fields as one another, by which a table is known
_MAX_NAME_WORDS = 6
_JSON = re.compile(rb"\s*(\[\s*)?\{\s*\"")  # an object, or a list of objects
_NUMBER = re.compile(r"[+-]?\d[\d.,:/-]*")  # or a date, or a time


class Top(NamedTuple):
    """The first lines of a file from the header on."""

    file: str  # its name
    line: int  # the header's number
    header: list[str]
    sample: bytes  # whole lines; the header is the first
    dialect: Dialect


def refuse_header(row: BadRow, file_name: str) -> InputError:
    """Return the error for a header that is no record."""
    has_nul = "NUL" in row.reason
    hint = "; is the file binary, or in UTF-16?" if has_nul else ""
    return InputError(
        f"{file_name}, line {row.first_line}: in the header, {row.reason}{hint}",
        option="source.encoding" if has_nul else row.option,
    )


def find_column(top: Top, name: str, option: str) -> int:
    """Return the position of a column.

    Raises InputError if several have the name; if none has, with the names that exist, and what is likely: a
    similar name, another separator, titles above the header, or no header at all. `option` chooses another.
    """
    where = f"{top.file}, line {top.line}"
    if (count := top.header.count(name)) > 1:
        raise InputError(f"{where}: {count} columns are named '{name}': give each its own name")
    if count == 1:
        return top.header.index(name)
    shown = ", ".join(f"'{known[:_MAX_NAME_CHARACTERS]}'" for known in top.header[:_MAX_SHOWN_NAMES])
    hidden = len(top.header) - _MAX_SHOWN_NAMES
    more = f" and {hidden} more" if hidden > 0 else ""
    hint, option = _hint(top, name, option)
    raise InputError(f"{where}: there is no column '{name}' among {shown}{more}{hint}", option=option)


def _hint(top: Top, name: str, option: str) -> tuple[str, str]:
    """Return what is likely to be wrong where a column is missing, and the option that mends it."""
    if _JSON.match(top.sample):
        return "; this looks like JSON: write an object a line, into a file whose name ends in .jsonl", ""
    if titles := _count_titles(top, name):
        line, skipped = top.line + titles, top.line + titles - 1
        what = f"{skipped} line" if skipped == 1 else f"{skipped} lines"
        return f"; the header seems to be line {line}, below titles: skip {what}", "source.skip"
    by_lower_case = {known.lower(): known for known in top.header}
    is_in_only = (
        len(top.header) == 1 and name.lower() in (only := top.header[0].lower()) and only != name.lower()
    )
    pieces = (re.split(r"[,;\t|]", cell) for cell in top.header)
    if is_in_only or any(len(piece) > 1 and name in piece for piece in pieces):
        return "; are its columns separated by another character?", "source.separator"
    if similar := difflib.get_close_matches(name.lower(), by_lower_case, n=1):
        return f", did you mean '{by_lower_case[similar[0]]}'?", option
    if cell := _data_cell(top):
        return (
            f"; this line looks like data, as '{cell[:_MAX_NAME_CHARACTERS]}' does, and not like names of "
            "columns: write a line with their names above it",
            "",
        )
    return "", option


def _count_titles(top: Top, name: str) -> int:
    """Return how many lines from the top on stand above a line that is likely to be the header, 0 for none.

    That line alone has the name as a field; or the top one has a single field, and from that line on a few
    lines have equally many, and several.
    """
    lines = list(sample_lines(top.sample))[: 5 * _MAX_TITLE_LINES]
    for delimiter in SEPARATORS.values():
        fields = [[cell.strip(' "') for cell in _cells(line, delimiter)] for line in lines]
        having = [number for number, cells in enumerate(fields) if name in cells and len(cells) > 1]
        if len(having) == 1 and having[0] < _MAX_TITLE_LINES:
            return having[0]
    if len(top.header) > 1:
        return 0
    for delimiter in SEPARATORS.values():
        counts = [line.count(delimiter) for line in lines]
        for number in range(1, min(_MAX_TITLE_LINES, len(counts) - _ALIKE)):
            if counts[number] and len({*counts[number : number + _ALIKE]}) == 1:
                return number
    return 0


def _cells(line: str, delimiter: str) -> list[str]:
    """Return the cells of a line; a delimiter in quotes ends none."""
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:  # a cell is longer than `csv` takes
        return line.split(delimiter)


def _data_cell(top: Top) -> str:
    """Return a name of the header that is likely to be no name: a value below it, a number or a sentence."""
    lines = list(sample_lines(top.sample))[1:]
    rows = list(top.dialect.rows(lines, strict=False))
    for position, cell in enumerate(top.header):
        if cell and any(len(row) > position and row[position] == cell for row in rows):
            return cell
    unlike = (cell for cell in top.header if _NUMBER.fullmatch(cell) or len(cell.split()) > _MAX_NAME_WORDS)
    return next(unlike, "")

"""The header of a CSV file: its delimiter, the names of its columns, and the search for one of them."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Sequence

from ..csv_line import DELIMITERS
from ..errors import InputError
from .faults import BadRow
from .stream import Utf8Stream

_MAX_SHOWN_NAMES = 20
_MAX_NAME_CHARACTERS = 80
_MAX_HEADER_LINES = 100
_QUOTED_FIELD = re.compile(rb'(?<![^,;\t])"[^"]*+(?:""[^"]*+)*+"')
_OPEN_QUOTE = re.compile(rb'(?<![^,;\t])"')
_LINE_END = re.compile(rb"\r\n?|\n")


def find_delimiter(stream: Utf8Stream, record_limit: int) -> str:
    """Return the delimiter of the header at which the stream stands: a comma unless it has others alone.

    Delimiters inside quoted names do not count.
    """
    end = 0
    for _ in range(_MAX_HEADER_LINES):  # a quoted name may contain line ends
        end = _find_line_end(stream, end, record_limit)
        unquoted = _QUOTED_FIELD.sub(b"", stream.data[:end])
        if not _OPEN_QUOTE.search(unquoted) or end >= record_limit:
            break
    if b"," in unquoted:
        return ","
    return max(DELIMITERS, key=lambda delimiter: unquoted.count(delimiter.encode()))


def _find_line_end(stream: Utf8Stream, start: int, record_limit: int) -> int:
    """Return the end of the line that starts there in the data, or of as much as a record may have."""
    while not (line_end := _LINE_END.search(stream.data, start)):
        if stream.final or len(stream.data) >= record_limit:
            return len(stream.data)
        stream.fill()
    return line_end.end()


def check_names(names: Sequence[str], where: str) -> None:
    """Raise InputError if two columns have the same name; `where` is the file and the line."""
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise InputError(f"{where}: {count} columns are named '{name}': give each its own name")


def refuse_header(row: BadRow, file_name: str) -> InputError:
    """Return the error for a header that is no record."""
    has_nul = "NUL" in row.reason
    hint = "; is the file binary, or in UTF-16?" if has_nul else ""
    return InputError(
        f"{file_name}, line {row.first_line}: in the header, {row.reason}{hint}",
        option="source.encoding" if has_nul else row.option,
    )


def find_column(header: Sequence[str], name: str, where: str, option: str) -> int:
    """Return the position of a column.

    Raises InputError with the names that exist, the most similar one, and the option that chooses another.
    """
    if name in header:
        return header.index(name)
    by_lower_case = {known.lower(): known for known in header}
    similar = difflib.get_close_matches(name.lower(), by_lower_case, n=1)
    hint = f", did you mean '{by_lower_case[similar[0]]}'?" if similar else ""
    shown = ", ".join(f"'{known[:_MAX_NAME_CHARACTERS]}'" for known in header[:_MAX_SHOWN_NAMES])
    hidden = len(header) - _MAX_SHOWN_NAMES
    more = f" and {hidden} more" if hidden > 0 else ""
    raise InputError(f"{where}: there is no column '{name}' among {shown}{more}{hint}", option=option)

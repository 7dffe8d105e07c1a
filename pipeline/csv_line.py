"""Lines of CSV in UTF-8, with quotes where a reader needs them."""

from __future__ import annotations

from collections.abc import Sequence

DELIMITERS = ",\t;"  # those that are recognised in a file's header


def csv_line(values: Sequence[str], delimiter: str = ",") -> bytes:
    """Return the values as a line with its end.

    A value with any known delimiter is quoted, so that the header tells which one is the file's own. A lone
    empty value is quoted too, as an empty line is no record.
    """
    return (delimiter.encode().join([quoted(value, DELIMITERS) for value in values]) or b'""') + b"\n"


def quoted(text: str, delimiters: str) -> bytes:
    """Return the text as a cell, in quotes if it has one of the delimiters, a quote or a line end."""
    if any(character in text for character in (*delimiters, '"', "\n", "\r")):
        text = '"' + text.replace('"', '""') + '"'
    return text.encode()

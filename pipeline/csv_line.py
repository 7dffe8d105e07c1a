"""Lines of delimited text in UTF-8: what separates their cells, and quotes where a reader needs them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from .errors import InputError

SEPARATORS = {
    "comma": ",",
    "tab": "\t",
    "semicolon": ";",
    "pipe": "|",
}  # found by a file's first lines
_SIGNS = "!#$%&'()*+,-/:;<=>?@[\\]^_`{|}~"  # a point is in every probability


class Dialect(NamedTuple):
    """How cells stand in a line."""

    delimiter: str = ","
    quotes: bool = True  # around a cell that needs them; False where a quote is a character like others

    def cell(self, text: str, delimiters: str = "") -> bytes:
        """Return the text as a cell, in quotes if it has the delimiter or one of `delimiters`.

        A quote or a line end needs them too. Raises InputError for a text that cannot stand without quotes
        where there are none.
        """
        if self.quotes:
            if any(character in text for character in (self.delimiter, *delimiters, '"', "\n", "\r")):
                text = '"' + text.replace('"', '""') + '"'
        elif any(character in text for character in (self.delimiter, "\n", "\r")):
            raise InputError(
                f"a cell to be written holds {self.delimiter!r} or a line end, and no quotes may stand "
                f"around it: {text[:40]!r}: write a .parquet",
                option="output",
            )
        return text.encode()

    def rows(self, lines: Iterable[str], strict: bool = True) -> Iterator[list[str]]:
        """Yield the fields of each record, as the csv module reads them; it raises csv.Error if `strict`."""
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quoting=csv.QUOTE_MINIMAL if self.quotes else csv.QUOTE_NONE,
            strict=strict,
        )

    def line(self, values: Sequence[str]) -> bytes:
        """Return the values as a line with its end.

        A value with any known separator is quoted, so that the line tells which one is the file's own. A lone
        empty value is quoted too, as an empty line is no record.
        """
        known = "".join(SEPARATORS.values())
        return (self.delimiter.encode().join([self.cell(value, known) for value in values]) or b'""') + b"\n"


CSV = Dialect()


def csv_line(values: Sequence[str]) -> bytes:
    """Return the values as a line of CSV with its end."""
    return CSV.line(values)


def check_separator(text: str) -> str:
    """Return a separator as it was given, a name of `SEPARATORS` or a character, if it is one.

    Raises ValueError for anything else: it must be one byte, and nothing that is in words or ends a line.
    """
    if text in SEPARATORS or text in (" ", "\t", r"\t") or (len(text) == 1 and text in _SIGNS):
        return text
    raise ValueError(f"expected {', '.join(SEPARATORS)} or one character, such as : or ~")


def separator_character(given: str) -> str:
    """Return the character of a separator that `check_separator` has passed."""
    return SEPARATORS.get(given, "\t" if given == r"\t" else given)

"""Bad rows of a CSV file, and the reasons given for them."""

from __future__ import annotations

import re
from typing import NamedTuple

from . import scanner

_MAX_SHOWN_CHARACTERS = 500
_LINE_END = re.compile(r"\r\n?|\n")
_QUOTED = re.compile("'.*'")
_BYTE = "byte 0x"  # with which the reason begins for a byte that is not of the encoding
_SURROGATE = re.compile("[\ud800-\udfff]")  # stands for a byte that could not be decoded


class BadRow(NamedTuple):
    """Physical lines that are no record: the reason, and the beginning of their text."""

    first_line: int
    last_line: int
    reason: str
    text: str

    @property
    def option(self) -> str:
        """The option that may mend the row, or an empty string."""
        return option_of(self.reason)

    @property
    def lines(self) -> int:
        """How many they are: a quote that is never closed makes one bad row of many lines."""
        return self.last_line - self.first_line + 1


def option_of(reason: str) -> str:
    """Return the option that may mend what the reason says, or an empty string."""
    if reason.startswith(_BYTE):
        return "source.encoding"
    return "source.quoting" if "quote" in reason else ""


def kind_of(reason: str) -> str:
    """Return the reason without what tells one row from another."""
    if reason.startswith(_BYTE):
        return f"bytes that are not {reason.rpartition(' ')[2]}"
    # A value that is no time, a label.
    return _QUOTED.sub("…", reason.partition(" in '")[0].removesuffix(","))


def excerpt(text: str) -> str:
    """Return the text without its line end, cut to a sane length, undecodable bytes as escapes."""
    cut = text.rstrip("\r\n")[: _MAX_SHOWN_CHARACTERS + 1]
    if len(cut) > _MAX_SHOWN_CHARACTERS:
        cut = cut[:_MAX_SHOWN_CHARACTERS] + "…"
    return cut.encode("utf-8", "backslashreplace").decode()


def scan_reasons(field_limit: int, record_limit: int) -> dict[int, str]:
    """Return the reasons for those faults of the scanner that do not depend on the record's width."""
    return {
        scanner.NOT_DOUBLED: "a quote inside a quoted field is not doubled",
        scanner.NOT_CLOSED: "a quote is opened and not closed before the end of the file",
        scanner.RUNAWAY: f"a quote is opened and not closed within {field_limit:,} characters",
        scanner.LONG_FIELD: f"a field of more than {field_limit:,} characters",
        scanner.LONG_LINE: f"a line of {record_limit:,} characters or more",
    }


def misfit_reason(text: str, width: int, expected_width: int) -> str:
    """Return the reason for a record with a NUL, or with too many or too few fields."""
    if "\0" in text:
        return "a NUL character"
    return f"{width} {'field' if width == 1 else 'fields'} where the header has {expected_width}"


def undecodable_reason(text: str, first_line: int, encoding: str, codec: str) -> str | None:
    """Return the reason for a record with a byte that is not in the encoding, and where; None without one."""
    if not (surrogate := _SURROGATE.search(text)):
        return None
    line_ends = list(_LINE_END.finditer(text, 0, surrogate.start()))
    line_start = line_ends[-1].end() if line_ends else 0
    # The position counts bytes, not characters: encode the part of the line before it.
    position = len(text[line_start : surrogate.start()].encode(codec.removesuffix("-sig"), "replace")) + 1
    return (
        f"{_BYTE}{ord(surrogate[0]) & 0xFF:02x} at position {position} of line {first_line + len(line_ends)} "
        f"is not {encoding}"
    )

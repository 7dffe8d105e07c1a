"""What is said of lines of a CSV file that are no record."""

from __future__ import annotations

import re
from typing import NamedTuple

from . import scanner

_SHOWN_CHARACTERS = 500
_LINE_END = re.compile(r"\r\n?|\n")
_STRAY = re.compile("[\ud800-\udfff]")  # a byte that could not be decoded


class BadRow(NamedTuple):
    """Lines that are no record: why, and their text as it stands in the file, cut to a sane length."""

    first_line: int
    last_line: int
    reason: str
    text: str

    @property
    def option(self) -> str:
        """The option that may mend the rows, or an empty string."""
        return "source.encoding" if self.reason.startswith("byte 0x") else ""


def shown(text: str) -> str:
    cut = text.rstrip("\r\n")[: _SHOWN_CHARACTERS + 1]
    cut = cut if len(cut) <= _SHOWN_CHARACTERS else cut[:_SHOWN_CHARACTERS] + "…"
    return cut.encode("utf-8", "backslashreplace").decode()


def refusals(field_limit: int, record_limit: int) -> dict[int, str]:
    """The reasons for those faults of the scanner that condemn a record whatever its width."""
    return {
        scanner.NOT_DOUBLED: "a quote inside a quoted field is not doubled",
        scanner.OPEN: "a quote is opened and not closed before the end of the file",
        scanner.RUNAWAY: f"a quote is opened and not closed within {field_limit:,} characters",
        scanner.LONG_FIELD: f"a field of more than {field_limit:,} characters",
        scanner.LONG_LINE: f"a line of {record_limit:,} characters or more",
    }


def unfit(text: str, width: int, expected: int) -> str:
    if "\0" in text:
        return "a NUL character"
    return f"{width} {'field' if width == 1 else 'fields'} where the header has {expected}"


def undecodable(text: str, first_line: int, encoding: str, codec: str) -> str | None:
    """Which byte of a record that begins on that line is not in the encoding; None where all are."""
    if not (stray := _STRAY.search(text)):
        return None
    ends = [end.end() for end in _LINE_END.finditer(text, 0, stray.start())]
    line = text[ends[-1] if ends else 0 : stray.start()]
    # Encoding what stands before it counts bytes, not characters.
    position = len(line.encode(codec.removesuffix("-sig"), "replace")) + 1
    return (
        f"byte 0x{ord(stray[0]) & 0xFF:02x} at position {position} of line {first_line + len(ends)} is not "
        f"{encoding}"
    )

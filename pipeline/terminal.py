"""Text for a terminal: what is said to the user, safe whatever is in it, and cut to the width."""

from __future__ import annotations

import os
import re
import sys
from bisect import bisect_left
from itertools import accumulate
from textwrap import fill
from typing import TextIO
from unicodedata import east_asian_width

TERMINAL_WIDTH = 79  # columns of whatever is printed
_ERASE_LINE = "\r\x1b[K"  # of ANSI X3.64
# Control characters of C0 and C1, line and paragraph separators, what changes the direction of the text that
# follows, and surrogates, which no encoding has.
_OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
# A key of a query and what follows it: `?password=`, `&access_token=`, `PWD%3D` in ODBC's connection strings.
_SECRET = re.compile(
    r"((?:[?&;]|%3B)[\w.-]*(?:pass|pwd|token|secret|key|credential|auth|sig|odbc_connect)[\w.-]*(?:=|%3D))[^\s&'\")]*",
    re.IGNORECASE,
)


def say(text: object, stream: TextIO | None = None) -> None:
    """Print lines at once, on standard output unless another stream is given.

    Each is printed as `visible` has it, and with escapes for what the stream's encoding lacks. On a terminal
    they take the place of a progress bar, which another process may have left on the line.
    """
    stream = stream or sys.stdout
    encoding = stream.encoding or "utf-8"
    lines = "\n".join(map(visible, str(text).split("\n")))
    over = _ERASE_LINE if stream.isatty() and os.environ.get("TERM", "dumb") != "dumb" else ""
    print(over + lines.encode(encoding, "backslashreplace").decode(encoding), file=stream, flush=True)


def visible(text: str) -> str:
    r"""Return the text with characters that a terminal would obey as escapes, such as \x1b.

    Labels, columns, file names and a server's answers come from others: as they are, they could colour or
    clear the screen, rewrite earlier lines, or type.
    """
    return _OBEYED.sub(lambda match: ascii(match[0])[1:-1], text)


def without_password(text: str, *, keeps_user: bool = False) -> str:
    """Return the text with all addresses in it stripped of user, password and what else is secret.

    A password may hold a slash and an @. Of a query, the values of keys that sound like secrets are cut. A
    user is kept only on request, as some servers take a token for one.
    """
    pattern, kept = (r"(?<=://)([^\s:]*):\S*@", r"\1@") if keeps_user else (r"(?<=://)\S*@", "")
    return _SECRET.sub(r"\1...", re.sub(pattern, kept, text))


def has_secret(text: str) -> bool:
    """Return whether a key that sounds like a secret stands in a query in the text."""
    return bool(_SECRET.search(text))


def wrapped(text: str, indent: str = "  ") -> str:
    """Return the text in lines that fit the terminal, the first indented by `indent`, the others by two.

    Names with hyphens stay whole, and so does a path that is longer than a line: it can be copied.
    """
    return fill(
        text,
        TERMINAL_WIDTH,
        initial_indent=indent,
        subsequent_indent="  ",
        break_on_hyphens=False,
        break_long_words=False,
    )


def shorten(text: object, columns: int) -> str:
    """Return the text on one line of at most `columns`, an ellipsis for what is cut off.

    A Chinese, Japanese or Korean character takes two columns.
    """
    line = " ".join(str(text).split())
    wide = (1 + (east_asian_width(character) in "WF") for character in line[: columns + 1])
    ends = list(accumulate(wide, initial=0))
    return line if ends[-1] <= columns else f"{line[: bisect_left(ends, columns) - 1]}…"


def shorten_middle(text: object, columns: int) -> str:
    """Return the text on one line without its middle: names that begin alike differ at their ends."""
    line = " ".join(str(text).split())
    if len(line) <= columns:
        return line
    head = columns // 2
    return f"{line[:head]}…{line[len(line) - (columns - 1 - head) :]}"

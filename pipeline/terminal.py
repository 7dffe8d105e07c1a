"""Text cut to the width of a terminal."""

from __future__ import annotations

TERMINAL_WIDTH = 79  # columns of whatever is printed


def shorten(text: object, columns: int) -> str:
    """Return the text on one line of at most `columns` characters, an ellipsis for what is cut off."""
    line = " ".join(str(text).split())
    return line if len(line) <= columns else f"{line[: columns - 1]}…"


def shorten_middle(text: object, columns: int) -> str:
    """Return the text on one line without its middle: names that begin alike differ at their ends."""
    line = " ".join(str(text).split())
    if len(line) <= columns:
        return line
    head = columns // 2
    return f"{line[:head]}…{line[len(line) - (columns - 1 - head) :]}"

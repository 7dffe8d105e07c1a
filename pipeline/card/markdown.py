"""Text from the data, or from users, as Markdown that shows it and obeys nothing in it."""

from __future__ import annotations

import json
import re

from ..terminal import shorten, visible

MAX_CHARACTERS = 120
# What has a meaning within a line: emphasis, code, links, cells, formulas, strikes. `<`, `>` and `&` are
# entities, as not all of Markdown's readers take a backslash before them; an address is no link.
_MEANT = re.compile(r"[\\`*_\[\]|$~]|:(?=//)|(?<=www)\.")
_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def inline(text: object, columns: int = MAX_CHARACTERS) -> str:
    """Return text of at most `columns` for a table's cell, or for a line that it does not begin.

    Control characters, and those that turn the direction of writing, are shown as escapes.
    """
    line = shorten(visible(" ".join(str(text).split())), columns)
    return _MEANT.sub(r"\\\g<0>", line).translate(_ENTITIES)


def fenced(text: str, language: str = "") -> str:
    """Return text as a block of code; its fence is longer than any in the text."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    lines = "\n".join(map(visible, text.split("\n")))
    return f"{fence}{language}\n{lines}\n{fence}"


def quoted(text: object) -> str:
    """Return text as a string of YAML on one line, which is one of JSON, too."""
    line = " ".join(visible(str(text)).split())
    return json.dumps(line.replace("\ufffe", "").replace("\uffff", ""), ensure_ascii=False)

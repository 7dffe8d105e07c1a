"""A budget of wall-clock time, as a user writes it."""

from __future__ import annotations

import re

from ..errors import InputError


def seconds(text: str) -> int:
    """`90s`, `10m`, `1h30m` -> seconds. Raises InputError for anything else, and for none at all."""
    found = re.fullmatch(r"(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?", text, re.ASCII)
    hours, minutes, rest = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    total = 3600 * hours + 60 * minutes + rest
    if not total:
        raise InputError(f"BUDGET={text!r}: expected a time such as 90s, 10m or 1h30m")
    return total

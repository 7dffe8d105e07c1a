"""The checks of what a user types: each returns a value, or raises ValueError with what was expected."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, NamedTuple

MAX_COUNT = 10**9


def whole_number(least: int, most: int = MAX_COUNT) -> Callable[[str], int]:
    """Return the check for a whole number between two bounds, both included."""
    bounds = f"from {least}" if most == MAX_COUNT else f"from {least} to {most}"

    def check(text: str) -> int:
        # int() would also take "²", "１" and "1_000"; a longer number is out of bounds by its length.
        if not (text.isascii() and text.isdigit() and len(text) <= 10 and least <= int(text) <= most):
            raise ValueError(f"expected a whole number {bounds}")
        return int(text)

    return check


def flag(text: str) -> bool:
    """Return whether an option is switched on: `1`, or not: `0` or nothing."""
    if text not in ("", "0", "1"):
        raise ValueError("expected 1, or nothing")
    return text == "1"


def probability(text: str) -> float:
    """Return a number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= 1:
        raise ValueError("expected a probability from 0 to 1, such as 0.8")
    return value


def share(text: str) -> float:
    """Return a number from 0 to below 1."""
    try:
        value = probability(text)
    except ValueError:
        value = 1
    if value == 1:
        raise ValueError("expected a share below 1, such as 0.02")
    return value


def one_of(*choices: str) -> Callable[[str], str]:
    """Return the check for one of a few words."""

    def check(text: str) -> str:
        if text not in choices:
            raise ValueError(f"expected {' or '.join(choices)}")
        return text

    return check


class Abstention(NamedTuple):
    """What a label needs, as `option` says: a probability, or one from which on labels have a precision."""

    value: float
    option: Literal["abstain", "precision", "precision_by_class"] = "abstain"


def abstention(text: str) -> Abstention:
    """Return a probability, or the precision of `precision:0.95` or `precision-by-class:0.95`."""
    rule, colon, share = text.rpartition(":")
    try:
        if not colon:
            return Abstention(probability(text))
        if 0 < probability(share) < 1:
            if rule == "precision":
                return Abstention(float(share), "precision")
            if rule == "precision-by-class":
                return Abstention(float(share), "precision_by_class")
    except ValueError:
        pass
    raise ValueError(
        "expected a probability from 0 to 1, such as 0.8, or a precision below 1: precision:0.95 or "
        "precision-by-class:0.95"
    )


def duration(text: str) -> int:
    """Return the seconds of `90s`, `10m` or `1h30m`."""
    match = re.fullmatch(r"(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?", text, re.ASCII)
    hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    total = 3600 * hours + 60 * minutes + seconds
    if not total:
        raise ValueError("expected a time such as 90s, 10m or 1h30m")
    return total


def reason(text: str) -> str:
    """Return a text that says something in words."""
    if not any(character.isalpha() for character in text):
        raise ValueError('expected the reason, as in FORCE="the champion has seen the test rows"')
    return text


def names(text: str) -> list[str] | None:
    """Return the names in a list separated by blanks; an empty one names none."""
    return text.split()

"""Labels as people read them: without what cannot be seen, by case, as several in one cell, by near names."""

from __future__ import annotations

import difflib
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

import regex

SEPARATORS = (";", "|", ",", "/", "+", "&")  # of several labels in one cell
OF_NUMBERS_TOO = (";", "|")  # the others part the digits of one number, or of a date
AROUND_PARTS = " \"'[](){}"  # of a list as a program prints it
NEAR = 0.85  # of a label's characters in common with another's, for difflib

# Variation selectors, and the tags of flags, change how the character before them looks.
_INVISIBLE = regex.compile(
    r"[[\p{Default_Ignorable_Code_Point}\p{Cc}]--[\s\u200c\u200d\ufe00-\ufe0f\U000e0020-\U000e007f]]",
    regex.VERSION1,
)
# Joiners shape letters of some scripts, and emoji, but nothing beside ASCII or at an end.
_LOOSE_JOINER = regex.compile(r"(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])")
_DIGITS = regex.compile(r"\d+")


@lru_cache(1 << 16)
def clean_label(label: str) -> str:
    """Return a label without what cannot be seen, NFC-normalized, and with one space for any run of blanks.

    Invisible are zero-width characters, byte order marks, soft hyphens, directional marks and control
    characters; blanks of all kinds, such as no-break spaces, are alike.
    """
    if not label.isascii() or not label.isprintable():
        label = _LOOSE_JOINER.sub("", _INVISIBLE.sub("", unicodedata.normalize("NFC", label)))
    return " ".join(label.split())


def spellings(counts: Mapping[str, int]) -> list[list[str]]:
    """Return the groups of labels that differ in case alone, the most frequent spelling first in each.

    `counts` are the rows of each label; groups are in the order of their first labels there.
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for label in counts:
        groups[label.casefold()].append(label)
    ranked = (sorted(group, key=lambda label: (-counts[label], label)) for group in groups.values())
    return [group for group in ranked if len(group) > 1]


class SeveralLabels(NamedTuple):
    """Cells that look like several labels with a `separator`: their `rows`, and the most frequent of them."""

    separator: str
    rows: int
    example: str


def several_labels(counts: Mapping[str, int]) -> SeveralLabels | None:
    """Return what shows that cells hold several labels, None where nothing does.

    Each part of such a cell is a label of its own elsewhere, or a part of another: `a;b` beside `a;c` and
    `b`. They are at least half of the labels with the separator, which may be part of a name as well.
    """
    for separator in SEPARATORS:
        parts = {label: parts for label in counts if len(parts := _parts(label, separator)) > 1}
        found = Counter(part for label in counts for part in parts.get(label) or {label.strip(AROUND_PARTS)})
        several = [label for label, own in parts.items() if all(found[part] > 1 for part in own)]
        if several and 2 * len(several) >= len(parts):
            example = max(several, key=counts.__getitem__)
            return SeveralLabels(separator, sum(counts[label] for label in several), example)
    return None


def _parts(label: str, separator: str) -> set[str]:
    parts = {part for piece in label.split(separator) if (part := piece.strip(AROUND_PARTS))}
    return set() if separator not in OF_NUMBERS_TOO and "".join(parts).isdecimal() else parts


def near_name(label: str, known: Iterable[str]) -> str:
    """Return the known label that a label was probably meant to be, "" if none is near.

    Labels that differ in a number are not near: `class 1` and `class 2` are two classes.
    """
    digits = _DIGITS.findall(label)
    folded = {name.casefold(): name for name in known if _DIGITS.findall(name) == digits}
    near = difflib.get_close_matches(label.casefold(), folded, 1, NEAR)
    return folded[near[0]] if near else ""

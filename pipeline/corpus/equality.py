"""Equality of texts, and of images: a normal form, group numbers and digests."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

NORMAL_FORM = 2  # to be counted up where `normalized` changes: digests of two forms cannot be compared

_LINK, _NAME = "<link>", "<name>"  # no other normal form has one: < and > stand alone there, or in a word
_LINKS = re.compile(r"(?:https?://|www\.)[!-~]+")
_NAMES = re.compile(r"(?<!\w)@\w+", re.ASCII)  # an e-mail address has none
_APOSTROPHES = "'\u2018\u2019\u02bc"  # inside a word: `don't` is `dont`


class _Translation(dict[int, str | int | None]):
    """A table for `str.translate` that replaces the characters of some categories, each looked up once."""

    def __init__(self, replaced: dict[str, str | None], known: dict[int, str | int | None]) -> None:
        super().__init__(known)
        self._replaced = replaced

    def __missing__(self, code: int) -> str | int | None:
        self[code] = self._replaced.get(unicodedata.category(chr(code)), code)
        return self[code]


_VISIBLE = _Translation({"Cf": None}, {})
_WITHOUT_PUNCTUATION = _Translation(
    dict.fromkeys(["Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po"], " "), dict.fromkeys(map(ord, _APOSTROPHES))
)
# The same for bytes of ASCII, which is several times as fast.
_ASCII_WITHOUT_PUNCTUATION = bytes(
    ord(" ") if unicodedata.category(chr(code)).startswith("P") else code for code in range(256)
)


def normalized(text: str) -> str:
    """Return the form that equal texts share: NFKC, case-folded, without punctuation and what is invisible.

    HTML's entities are the characters that they stand for; links and @names are one word each, `<link>` and
    `<name>`. Symbols such as +, $ and emoji are kept, as are all letters, marks and digits; runs of blanks
    and of punctuation are single spaces. A text of nothing but punctuation, links and names keeps them.

    Case folding can break the normal form, so texts are normalized again after it (Unicode Standard, 3.13).
    """
    if "&" in text:
        text = html.unescape(text)
    if text.isascii():
        plain = text.lower()
    else:
        visible = text.translate(_VISIBLE)
        plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", visible).casefold())
    masked = plain
    if "://" in plain or "www." in plain:
        masked = _LINKS.sub(f" {_LINK} ", masked)
    if "@" in plain:
        masked = _NAMES.sub(f" {_NAME} ", masked)
    words = _words(masked)
    if not words or (masked is not plain and {*words} <= {_LINK, _NAME}):
        words = plain.split()
    return " ".join(words)


def _words(text: str) -> list[str]:
    """Return what is left of a text without punctuation, cut at blanks."""
    if text.isascii():
        return text.encode().translate(_ASCII_WITHOUT_PUNCTUATION, b"'").decode().split()
    return text.translate(_WITHOUT_PUNCTUATION).split()


def group_numbers(texts: Iterable[str]) -> NDArray[np.int64]:
    """Return a number for each text, int64 [rows]: equal texts share one, counted from 0 as they appear."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(normalized(text), len(numbers)) for text in texts], np.int64)


def digests(texts: Iterable[str]) -> NDArray[np.uint64]:
    """Return a digest of each text, uint64 [rows]: equal texts share one, in every process.

    Two different texts share a digest with probability 2^-64.
    """
    return exact_digests(map(normalized, texts))


def exact_digests(names: Iterable[str]) -> NDArray[np.uint64]:
    """Return a digest of each name, uint64 [rows], in which every character counts."""
    joined = b"".join(
        blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest() for name in names
    )
    return np.frombuffer(joined, np.dtype("<u8")).astype(np.uint64)


def contents(rows: pd.DataFrame) -> pd.Series[Any]:
    """Return the column in which equal rows agree: their text, or the digest of their pixels."""
    return rows["content" if "content" in rows else "text"]


def digest_of_all(digests: NDArray[np.uint64]) -> str:
    """Return one digest of many rows' digests, 16 hexadecimal digits, whatever the order of the rows."""
    return blake2b(np.sort(digests).astype("<u8").tobytes(), digest_size=8).hexdigest()

"""Equality of texts, and of images: a normal form, group numbers and digests."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd


class _DropInvisible(dict[int, int | None]):
    """A table for `str.translate` that drops format characters (category Cf), each looked up once."""

    def __missing__(self, code: int) -> int | None:
        self[code] = None if unicodedata.category(chr(code)) == "Cf" else code
        return self[code]


_VISIBLE = _DropInvisible({ord("\u2019"): ord("'")})


def normalized(text: str) -> str:
    """Return the form that equal texts share: NFKC, case-folded, runs of whitespace as single spaces.

    Typographic apostrophes become ASCII ones; invisible characters, such as soft hyphens, are dropped. Case
    folding can break the normal form, so texts are normalized again after it (Unicode Standard, 3.13).
    """
    if not text.isascii():
        text = text.translate(_VISIBLE)
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(text.casefold().split())


def group_numbers(texts: Iterable[str]) -> NDArray[np.int64]:
    """Return a number for each text, int64 [rows]: equal texts share one, counted from 0 as they appear."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(normalized(text), len(numbers)) for text in texts], np.int64)


def digests(texts: Iterable[str]) -> NDArray[np.uint64]:
    """Return a digest of each text, uint64 [rows]: equal texts share one, in every process.

    Two different texts share a digest with probability 2^-64.
    """
    joined = b"".join(
        blake2b(normalized(text).encode("utf-8", "surrogatepass"), digest_size=8).digest() for text in texts
    )
    return np.frombuffer(joined, np.dtype("<u8")).astype(np.uint64)


def contents(rows: pd.DataFrame) -> pd.Series[Any]:
    """Return the column in which equal rows agree: their text, or the digest of their pixels."""
    return rows["content" if "content" in rows else "text"]


def digest_of_all(digests: NDArray[np.uint64]) -> str:
    """Return one digest of many rows' digests, 16 hexadecimal digits, whatever the order of the rows."""
    return blake2b(np.sort(digests).astype("<u8").tobytes(), digest_size=8).hexdigest()

"""The split: every row becomes a training, validation or test row, and equal texts stay together."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError

PARTS = ("train", "validation", "test")
TRAIN, VALIDATION, TEST = range(3)
Class = tuple[NDArray[np.int64], NDArray[np.int64]]  # its texts in random order, and how many rows of each


class _Seen(dict[int, int | None]):
    """For `str.translate`: nothing for format characters (category Cf), looked up once each."""

    def __missing__(self, code: int) -> int | None:
        self[code] = None if unicodedata.category(chr(code)) == "Cf" else code
        return self[code]


_SEEN = _Seen({ord("\u2019"): ord("'")})


def folded(text: str) -> str:
    """What equal texts have in common: NFKC, case folding, and whitespace as single spaces. Apostrophes are
    those of a typewriter, and what cannot be seen, such as a soft hyphen, is dropped.

    Normalized once more after folding, which takes some letters apart (Unicode Standard 3.13).
    """
    if not text.isascii():
        text = text.translate(_SEEN)
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return " ".join(text.casefold().split())


def numbered(texts: Iterable[str]) -> NDArray[np.int64]:
    """int64 [rows]: equal texts (equal when `folded`) get one number, counted from 0 as they appear."""
    numbers: dict[str, int] = {}
    return np.array([numbers.setdefault(folded(text), len(numbers)) for text in texts], np.int64)


def keys(texts: Iterable[str]) -> NDArray[np.uint64]:
    """uint64 [rows]: a digest of each text, the same for equal texts and in every process; two others share
    one in 10^19 cases."""
    digests = b"".join(
        blake2b(folded(text).encode("utf-8", "surrogatepass"), digest_size=8).digest() for text in texts
    )
    return np.frombuffer(digests, np.dtype("<u8")).astype(np.uint64)


def split(
    texts: Sequence[str], labels: NDArray[np.integer], seed: int, validation: float, test: float
) -> NDArray[np.int8]:
    """int8 [rows], codes of PARTS: a random split, stratified by label, the same everywhere for one seed.

    Rows of equal texts share a part, whatever their labels. Every class has a training row; one with two
    texts or more also has a test row (a validation row where `test` is 0), one with three or more has both.
    Beyond that, a class's rows in a part differ from its ideal share by no more than the rows of its most
    frequent text. Where classes share texts, only the training row is certain.

    Raises InputError where a part that has a share would be empty.
    """
    groups = numbered(texts)
    classes = _classes(groups, labels, np.random.Generator(np.random.PCG64(seed)))
    shares = [1 - validation - test, validation, test]
    part = np.full(groups.max(initial=-1) + 1, -1, np.int8)  # of each text
    _seat_one_of_each(part, classes, shares)
    for one in classes:
        _allot(part, one, shares)
    for code, name in enumerate(PARTS):
        if shares[code] > 0 and not (part == code).any():
            raise InputError(
                f"too few rows to split: the {name} part would be empty with {len(part)} different texts in "
                f"{len(classes)} classes; expected three different texts in at least one class: add rows"
            )
    return part[groups]


def _classes(
    groups: NDArray[np.int64], labels: NDArray[np.integer], random: np.random.Generator
) -> list[Class]:
    """The classes, those of fewest texts first: they have the least choice."""
    texts = int(groups.max(initial=-1)) + 1
    pairs, rows = np.unique(labels.astype(np.int64) * texts + groups, return_counts=True)
    label, members = np.divmod(pairs, max(1, texts))
    order = np.lexsort((random.random(texts)[members], label))
    borders = np.flatnonzero(np.diff(label)) + 1
    return sorted(
        zip(np.split(members[order], borders), np.split(rows[order], borders), strict=True),
        key=lambda one: len(one[0]),
    )


def _seat_one_of_each(part: NDArray[np.int8], classes: list[Class], shares: list[float]) -> None:
    """Gives each class a text in each part, as far as its texts reach: its largest to training."""
    for code in (TRAIN, TEST, VALIDATION):
        for members, rows in classes if shares[code] > 0 else []:
            free = np.flatnonzero(part[members] < 0)
            if len(free) and not (part[members] == code).any():
                choice = rows[free].argmax() if code == TRAIN else rows[free].argmin()
                part[members[free[choice]]] = code


def _allot(part: NDArray[np.int8], one: Class, shares: list[float]) -> None:
    """Gives each text that is left to the part that lacks most rows of this class.

    To training where less than half of it would fit: validation and test are then rounded, not overrun.
    """
    members, rows = one
    taken = part[members]
    lacking = [share * int(rows.sum()) - int(rows[taken == code].sum()) for code, share in enumerate(shares)]
    for text, size in zip(members[taken < 0].tolist(), rows[taken < 0].tolist(), strict=True):
        code = lacking.index(max(lacking))
        if 2 * lacking[code] < size:
            code = TRAIN
        part[text] = code
        lacking[code] -= size

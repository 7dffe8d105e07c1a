"""The split: every row becomes a training, validation or test row, and equal texts stay together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError
from .equality import group_numbers

PARTS = ("train", "validation", "test")
TRAIN, VALIDATION, TEST = range(3)


class _ClassTexts(NamedTuple):
    """The different texts of a class in random order, and how many of its rows each has: int64 [texts]."""

    texts: NDArray[np.int64]
    row_counts: NDArray[np.int64]


def split(
    texts: Sequence[str], labels: NDArray[np.integer], seed: int, validation: float, test: float
) -> NDArray[np.int8]:
    """Return a random split stratified by label, int8 [rows], codes of PARTS; one seed gives one split.

    Rows of equal texts share a part, whatever their labels. Every class has a training row; one with two
    texts or more also has a test row (a validation row where `test` is 0), one with three or more has both.
    Beyond that, a class's rows in a part differ from its ideal share by no more than the rows of its most
    frequent text. Where classes share texts, only the training row is certain.

    Raises InputError where a part that has a share would be empty.
    """
    groups = group_numbers(texts)
    classes = _classes(groups, labels, np.random.Generator(np.random.PCG64(seed)))
    shares = [1 - validation - test, validation, test]
    part = np.full(groups.max(initial=-1) + 1, -1, np.int8)  # of each text
    _assign_one_per_part(part, classes, shares)
    for members in classes:
        _assign_rest(part, members, shares)
    for code, name in enumerate(PARTS):
        if shares[code] > 0 and not (part == code).any():
            raise InputError(
                f"too few rows to split: the {name} part would be empty with {len(part)} different texts in "
                f"{len(classes)} classes; expected three different texts in at least one class: add rows"
            )
    return part[groups]


def _classes(
    groups: NDArray[np.int64], labels: NDArray[np.integer], random: np.random.Generator
) -> list[_ClassTexts]:
    """Return the classes, those of fewest texts first: they have the least choice."""
    text_count = int(groups.max(initial=-1)) + 1
    pairs, rows = np.unique(labels.astype(np.int64) * text_count + groups, return_counts=True)
    label, texts = np.divmod(pairs, max(1, text_count))
    order = np.lexsort((random.random(text_count)[texts], label))
    borders = np.flatnonzero(np.diff(label)) + 1
    classes = map(_ClassTexts, np.split(texts[order], borders), np.split(rows[order], borders))
    return sorted(classes, key=lambda members: len(members.texts))


def _assign_one_per_part(part: NDArray[np.int8], classes: list[_ClassTexts], shares: list[float]) -> None:
    """Give each class a text in each part, as far as its texts reach: its largest to training."""
    for code in (TRAIN, TEST, VALIDATION):
        for texts, row_counts in classes if shares[code] > 0 else []:
            free = np.flatnonzero(part[texts] < 0)
            if len(free) and not (part[texts] == code).any():
                choice = row_counts[free].argmax() if code == TRAIN else row_counts[free].argmin()
                part[texts[free[choice]]] = code


def _assign_rest(part: NDArray[np.int8], members: _ClassTexts, shares: list[float]) -> None:
    """Give each unassigned text to the part that lacks most rows of this class.

    To training where less than half of it would fit: validation and test are then rounded, not overrun.
    """
    texts, row_counts = members
    assigned = part[texts]
    lacking = [
        share * int(row_counts.sum()) - int(row_counts[assigned == code].sum())
        for code, share in enumerate(shares)
    ]
    free = assigned < 0
    for text, size in zip(texts[free].tolist(), row_counts[free].tolist(), strict=True):
        code = lacking.index(max(lacking))
        if 2 * lacking[code] < size:
            code = TRAIN
        part[text] = code
        lacking[code] -= size

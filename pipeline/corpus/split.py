"""The split: every row becomes a training, validation or test row, and rows of one unit stay together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError

PARTS = ("train", "validation", "test")
TRAIN, VALIDATION, TEST = range(3)


class _ClassUnits(NamedTuple):
    """The units of a class in random order, and how many of its rows each has: int64 [units]."""

    units: NDArray[np.int64]
    row_counts: NDArray[np.int64]


def split(
    units: NDArray[np.int64],
    labels: NDArray[np.integer],
    seed: int,
    validation: float,
    test: float,
    what: str = "different texts",
) -> NDArray[np.int8]:
    """Return a random split stratified by label, int8 [rows], codes of PARTS; one seed gives one split.

    Rows of one unit, int64 [rows] counted from 0, share a part, whatever their labels. Every class has a
    training row; one with two units or more also has a test row (a validation row where `test` is 0), one
    with three or more has both. Beyond that, a class's rows in a part differ from its ideal share by no more
    than the rows of its largest unit. Where classes share units, only the training row is certain.

    Raises InputError where a part that has a share would be empty; `what` says what the units are.
    """
    classes = _classes(units, labels, np.random.Generator(np.random.PCG64(seed)))
    shares = [1 - validation - test, validation, test]
    part = np.full(units.max(initial=-1) + 1, -1, np.int8)  # of each unit
    _assign_one_per_part(part, classes, shares)
    for members in classes:
        _assign_rest(part, members, shares)
    for code, name in enumerate(PARTS):
        if shares[code] > 0 and not (part == code).any():
            raise InputError(
                f"too few rows to split: the {name} part would be empty with {len(part)} {what} in "
                f"{len(classes)} classes; expected three {what} in at least one class: add rows"
            )
    return part[units]


def _classes(
    units: NDArray[np.int64], labels: NDArray[np.integer], random: np.random.Generator
) -> list[_ClassUnits]:
    """Return the classes, those of fewest units first: they have the least choice."""
    unit_count = int(units.max(initial=-1)) + 1
    pairs, rows = np.unique(labels.astype(np.int64) * unit_count + units, return_counts=True)
    label, own = np.divmod(pairs, max(1, unit_count))
    order = np.lexsort((random.random(unit_count)[own], label))
    borders = np.flatnonzero(np.diff(label)) + 1
    classes = map(_ClassUnits, np.split(own[order], borders), np.split(rows[order], borders))
    return sorted(classes, key=lambda members: len(members.units))


def _assign_one_per_part(part: NDArray[np.int8], classes: list[_ClassUnits], shares: list[float]) -> None:
    """Give each class a unit in each part, as far as its units reach: its largest to training."""
    for code in (TRAIN, TEST, VALIDATION):
        for units, row_counts in classes if shares[code] > 0 else []:
            free = np.flatnonzero(part[units] < 0)
            if len(free) and not (part[units] == code).any():
                choice = row_counts[free].argmax() if code == TRAIN else row_counts[free].argmin()
                part[units[free[choice]]] = code


def _assign_rest(part: NDArray[np.int8], members: _ClassUnits, shares: list[float]) -> None:
    """Give each unassigned unit to the part that lacks most rows of this class.

    To training where less than half of it would fit: validation and test are then rounded, not overrun.
    """
    units, row_counts = members
    assigned = part[units]
    lacking = [
        share * int(row_counts.sum()) - int(row_counts[assigned == code].sum())
        for code, share in enumerate(shares)
    ]
    free = assigned < 0
    for unit, size in zip(units[free].tolist(), row_counts[free].tolist(), strict=True):
        code = lacking.index(max(lacking))
        if 2 * lacking[code] < size:
            code = TRAIN
        part[unit] = code
        lacking[code] -= size

"""Subsets of the labelled rows: stratified, units kept whole, the smaller within the larger."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..arrays import Doubles
from ..errors import InputError

SHARES = (0.1, 0.25, 0.5, 1.0)  # of the rows; the last is twice the one before, which shows what that brings
MIN_CLASS_ROWS = 2  # on average, below which a share has hardly more than the one row that each class keeps


def fitting_shares(rows: int, classes: int) -> list[float]:
    """Return the shares of so many training rows that are not too few for the classes.

    Raises InputError where half of the rows are too few.
    """
    fitting = [share for share in SHARES if share * rows >= MIN_CLASS_ROWS * classes]
    if fitting[:-1] == []:
        raise InputError(
            f"{rows:,} training rows in {classes:,} classes are too few to be halved: expected "
            f"{2 * MIN_CLASS_ROWS * classes:,} or more"
        )
    return fitting


def entry_shares(units: NDArray[np.int64], labels: NDArray[np.integer], seed: int) -> Doubles:
    """Return the share from which on each row belongs to the subset, float64 [rows], in 0..1.

    The rows at or below any share are thus a subset of those at or below a larger one, and all are at or
    below 1. Rows of one unit, int64 [rows] counted from 0, such as equal texts, have the same. Each class has
    a unit at 0; beyond that its rows at or below a share are that share of them, to within its largest unit:
    a systematic sample of its units in random order, which begins elsewhere in every class, so that rounding
    evens out over the classes. A unit with several labels enters with the first of its classes.
    """
    random = np.random.Generator(np.random.PCG64(seed))
    unit_count = int(units.max(initial=-1)) + 1
    pairs, sizes = np.unique(labels.astype(np.int64) * unit_count + units, return_counts=True)
    label, unit = np.divmod(pairs, max(1, unit_count))
    order = np.lexsort((random.random(unit_count)[unit], label))
    label, unit, sizes = label[order], unit[order], sizes[order]

    _, first, number = np.unique(label, return_index=True, return_inverse=True)
    starts = (random.permutation(len(first)) + 0.5) / max(1, len(first))
    before = np.cumsum(sizes) - sizes
    totals = np.bincount(number, sizes)
    enters = (before - before[first][number] + starts[number] * sizes) / totals[number]
    enters[first] = 0.0
    of_unit = np.ones(unit_count)
    np.minimum.at(of_unit, unit, enters)
    return of_unit[units]

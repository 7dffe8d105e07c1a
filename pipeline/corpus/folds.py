"""Cross-validation folds: every row is tested once, and rows of one unit stay together."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from ..errors import InputError
from .split import TEST, split
from .times import Order, split_by_time

VALIDATION_SHARE = 0.1  # of the training rows, as in Kim (2014, section 3) where there is no official part


def assign_folds(
    units: NDArray[np.int64],
    labels: NDArray[np.integer],
    count: int,
    seed: int,
    what: str = "different texts",
) -> NDArray[np.int32]:
    """Return the fold that tests each row, int32 [rows], from 1 to `count`; one seed gives the same folds.

    Stratified by label, rows of one unit in one fold. Raises InputError where there are fewer units than
    folds, or no class has a row for each; `what` says what the units are.
    """
    different = len(np.unique(units))
    if different < count:
        raise InputError(
            f"{different} {what} cannot make {count} folds: add rows, or make fewer folds", option="folds"
        )
    if np.bincount(labels).max() < count:
        raise InputError(
            f"no class has {count} rows, one for each fold: add rows, or make fewer folds", option="folds"
        )
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # classes with fewer rows than folds are allowed
        test_rows = [rows for _, rows in splitter.split(units, labels, units)]
    fold = np.zeros(len(units), np.int32)
    for number, rows in enumerate(test_rows, 1):
        fold[rows] = number
    return fold


def parts(
    units: NDArray[np.int64],
    labels: NDArray[np.integer],
    tested: NDArray[np.bool_],
    seed: int,
    what: str = "different texts",
) -> NDArray[np.int8]:
    """Return the part of each row, int8 [rows], codes of PARTS; a tenth of the rows not tested validates."""
    part = np.full(len(units), TEST, np.int8)
    learned = np.flatnonzero(~tested)
    _, own = np.unique(units[learned], return_inverse=True)
    part[learned] = split(own, labels[learned], seed, VALIDATION_SHARE, 0.0, what)
    return part


def parts_by_time(order: Order, tested: NDArray[np.bool_], column: str) -> NDArray[np.int8]:
    """Return the part of each row, int8 [rows]; the newest tenth of the rows not tested validates."""
    part = np.full(len(order), TEST, np.int8)
    part[~tested] = split_by_time(order[~tested], VALIDATION_SHARE, 0.0, column)
    return part

"""Folds: the corpus cut so that every row is tested once, and equal texts stay together."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from ..errors import InputError
from .split import TEST, numbered, split

VALIDATION_SHARE = 0.1  # of the training rows, as Kim (2014, section 3) does where there is no official one


def cut(texts: Sequence[str], labels: NDArray[np.integer], count: int, seed: int) -> NDArray[np.int32]:
    """int32 [rows]: the fold, from 1 to `count`, that tests each row.

    Stratified by label, equal texts in one fold. The same for one seed. Raises InputError where there are
    fewer different texts than folds, or no class has a row for each.
    """
    groups = numbered(texts)
    different = int(groups.max(initial=-1)) + 1
    if different < count:
        raise InputError(f"{different} different texts cannot make {count} folds: lower FOLDS, or add rows")
    if np.bincount(labels).max() < count:
        raise InputError(f"no class has {count} rows, one for each fold: lower FOLDS, or add rows")
    cutter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of a class with fewer rows than folds: so be it
        tested = [test for _, test in cutter.split(groups, labels, groups)]
    fold = np.zeros(len(texts), np.int32)
    for number, rows in enumerate(tested, 1):
        fold[rows] = number
    return fold


def parts(
    texts: Sequence[str], labels: NDArray[np.integer], tested: NDArray[np.bool_], seed: int
) -> NDArray[np.int8]:
    """int8 [rows], codes of split.PARTS: of the rows that are not tested a tenth validates, drawn by seed."""
    part = np.full(len(texts), TEST, np.int8)
    rest = np.flatnonzero(~tested)
    part[rest] = split([texts[row] for row in rest.tolist()], labels[rest], seed, VALIDATION_SHARE, 0.0)
    return part

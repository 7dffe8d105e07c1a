"""Cross-validation folds: every row is tested once, and equal texts stay together."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from ..errors import InputError
from .equality import group_numbers
from .split import TEST, split

VALIDATION_SHARE = 0.1  # of the training rows, as in Kim (2014, section 3) where there is no official part


def assign_folds(
    texts: Sequence[str], labels: NDArray[np.integer], count: int, seed: int
) -> NDArray[np.int32]:
    """Return the fold that tests each row, int32 [rows], from 1 to `count`; one seed gives the same folds.

    Stratified by label, equal texts in one fold. Raises InputError where there are fewer different texts
    than folds, or no class has a row for each.
    """
    groups = group_numbers(texts)
    different = int(groups.max(initial=-1)) + 1
    if different < count:
        raise InputError(
            f"{different} different texts cannot make {count} folds: add rows, or make fewer folds",
            option="folds",
        )
    if np.bincount(labels).max() < count:
        raise InputError(
            f"no class has {count} rows, one for each fold: add rows, or make fewer folds", option="folds"
        )
    splitter = StratifiedGroupKFold(count, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # classes with fewer rows than folds are allowed
        test_rows = [rows for _, rows in splitter.split(groups, labels, groups)]
    fold = np.zeros(len(texts), np.int32)
    for number, rows in enumerate(test_rows, 1):
        fold[rows] = number
    return fold


def parts(
    texts: Sequence[str], labels: NDArray[np.integer], tested: NDArray[np.bool_], seed: int
) -> NDArray[np.int8]:
    """Return the part of each row, int8 [rows], codes of PARTS; a tenth of the rows not tested validates."""
    part = np.full(len(texts), TEST, np.int8)
    learned = np.flatnonzero(~tested)
    learned_texts = [texts[row] for row in learned.tolist()]
    part[learned] = split(learned_texts, labels[learned], seed, VALIDATION_SHARE, 0.0)
    return part

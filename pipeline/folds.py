"""Folds: the corpus cut so that every row is tested once, and equal texts stay together."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from pipeline.errors import InputError
from pipeline.split import TEST, numbered, split

VALIDATION_SHARE = 0.1  # of the training rows, as Kim (2014, section 3) does where there is no official one


def cut(
    texts: Sequence[str], labels: NDArray[np.integer], number: int, count: int, seed: int
) -> NDArray[np.int8]:
    """int8 [rows], codes of split.PARTS: fold `number` (from 1) of `count` is the test part.

    Stratified by label, equal texts in one fold; a row is tested in exactly one of the `count` folds. A
    tenth of the other rows validates. The same for one seed. Raises InputError where there are fewer
    different texts than folds, or no class has a row for each.
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
        _, test = list(cutter.split(groups, labels, groups))[number - 1]
    part = np.zeros(len(texts), np.int8)
    part[test] = TEST
    return with_validation(texts, labels, part, seed)


def with_validation(
    texts: Sequence[str], labels: NDArray[np.integer], part: NDArray[np.integer], seed: int
) -> NDArray[np.int8]:
    """The parts with the validation part drawn anew, by seed, from all rows that are not tested."""
    rest = np.flatnonzero(part != TEST)
    drawn = part.astype(np.int8)
    drawn[rest] = split([texts[row] for row in rest.tolist()], labels[rest], seed, VALIDATION_SHARE, 0.0)
    return drawn

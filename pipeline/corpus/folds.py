"""Folds, in which every row is held out once and rows of one unit stay together."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple, Protocol, Self, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..arrays import sample
from ..errors import InputError
from .split import TEST, split
from .times import Order, split_by_time

VALIDATION_SHARE = 0.1  # of the training rows, as in Kim (2014, section 3) where there is no official part
# Below as many, a C that they choose is a matter of luck: by folds of all learned rows, SVMs on TREC, SST-2,
# NSMC, SMS Spam and ChnSentiCorp label 0.8 points more of new rows right if there are 300 or 600 rows, 0.3 if
# there are 1,500, and as many if there are 4,000.
FEW_VALIDATION_ROWS = 500
CHOICE_FOLDS = 5
# Of 120,000 reviews and of 160,000 generated rows as many choose the C that all do, or the next larger one,
# and the linear members together label 0.01 and -0.06 points more of new rows right.
CHOICE_ROWS = 30_000


class _Rows(Protocol):
    def select(self, rows: NDArray[np.integer], /) -> Self: ...


R = TypeVar("R", bound=_Rows)
S = TypeVar("S", bound=np.integer[Any])


class Places(NamedTuple):
    """The rows that a model is fitted to, and those that its settings are judged by: int64 [rows]."""

    fitted: NDArray[np.int64]
    held_out: NDArray[np.int64]

    def of(self, inputs: R, labels: NDArray[S]) -> tuple[tuple[R, NDArray[S]], tuple[R, NDArray[S]]]:
        """Return both, each as inputs and labels."""
        fitted, held_out = ((inputs.select(places), labels[places]) for places in self)
        return fitted, held_out


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
    from sklearn.model_selection import StratifiedGroupKFold  # late: a single split must not wait a second

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


def choice_splits(rows: pd.DataFrame, by_folds: bool, seed: int) -> list[Places]:
    """Return the training part with the validation part or, if that is small, five folds of both.

    `rows` have the columns part, label and, for `by_folds`, unit: what stays in one fold. Without `by_folds`
    the parts are not mixed, however small the validation part is. Of more than CHOICE_ROWS rows to fit to, or
    to judge by, a sample is returned.
    """
    training, validation = (np.flatnonzero(rows["part"] == part) for part in ("train", "validation"))
    alone = [Places(*(sample(places, CHOICE_ROWS, seed) for places in (training, validation)))]
    if len(validation) >= FEW_VALIDATION_ROWS or not by_folds:
        return alone
    learned = sample(np.concatenate([training, validation]), CHOICE_ROWS, seed)
    units, labels = (rows[name].to_numpy(np.int64)[learned] for name in ("unit", "label"))
    if min(len(np.unique(units)), np.bincount(labels).max()) < CHOICE_FOLDS:
        return alone
    fold = quick_folds(units, labels, CHOICE_FOLDS, seed)
    return [Places(learned[fold != number], learned[fold == number]) for number in range(CHOICE_FOLDS)]


def quick_folds(
    units: NDArray[np.int64], labels: NDArray[np.int64], count: int, seed: int
) -> NDArray[np.int64]:
    """Return the fold of each row, int64 [rows] below `count`, for folds within a training.

    Rows of one unit are in one fold. The units, the largest first, go each to the fold with the fewest rows
    of its class, which is that of its first row. `assign_folds` counts every row's class, by scikit-learn:
    its import takes half a second, in which a small corpus is trained. Rows may be fewer than folds.
    """
    _, first, numbers, sizes = np.unique(units, return_index=True, return_inverse=True, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(first))
    order = order[np.argsort(-sizes[order], kind="stable")]
    fold = np.empty(len(first), np.int64)
    rows = [0] * count
    rows_of_class = {label: [0] * count for label in labels.tolist()}
    columns = (column[order].tolist() for column in (np.arange(len(first)), sizes, labels[first]))
    for unit, size, label in zip(*columns, strict=True):
        _, _, smallest = min(zip(rows_of_class[label], rows, range(count), strict=True))
        fold[unit] = smallest
        rows_of_class[label][smallest] += size
        rows[smallest] += size
    return fold[numbers]

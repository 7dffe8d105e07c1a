"""Slices of a test part on which a classifier is significantly worse than on the other rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from scipy.stats import hypergeom

from ..measures.paired import SIGNIFICANCE_LEVEL, holm
from ..measures.slices import SliceAccuracy


class Weakness(NamedTuple):
    """A slice of the table `kind`, a key of `slices.TITLES`, with its p adjusted for all slices."""

    kind: str
    slice: SliceAccuracy
    p: float


def weaknesses(tables: Mapping[str, Sequence[SliceAccuracy]]) -> list[Weakness]:
    """Return the slices with significantly fewer right rows than the others of their table.

    By Fisher's exact one-sided test (1935), each p adjusted for all slices of all tables, see `holm`.
    """
    tested = [(kind, entry) for kind, table in tables.items() for entry in table if entry.rows]
    totals = {kind: (_rows(table), _right(table)) for kind, table in tables.items()}
    p = [_p(entry, *totals[kind]) for kind, entry in tested]
    found = [Weakness(*each, adjusted) for each, adjusted in zip(tested, holm(p), strict=True)]
    return [weakness for weakness in found if weakness.p < SIGNIFICANCE_LEVEL]


def _rows(table: Sequence[SliceAccuracy]) -> int:
    return sum(entry.rows for entry in table)


def _right(table: Sequence[SliceAccuracy]) -> int:
    return sum(round(entry.rows * (entry.accuracy or 0)) for entry in table)


def _p(entry: SliceAccuracy, rows: int, right: int) -> float:
    """Return how often as few of so many rows, or fewer, are right if they are drawn from all."""
    return float(hypergeom.cdf(_right([entry]), rows, right, entry.rows))

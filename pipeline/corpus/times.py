"""Times of rows: what a column says as numbers that order the rows, and parts and folds in that order."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import InputError
from .split import PARTS, TEST, TRAIN, VALIDATION

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_SLASHED = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(?:\d{4}|\d{2})\b")
_HAS_YEAR = re.compile(r"\d{4}")
Order = NDArray[np.float64]


def parse_times(values: Sequence[str], column: str) -> Order:
    """Return numbers in the order of times, float64 [rows]; NaN for what is no time.

    Numbers, such as years or seconds since 1970, stand for themselves where most values are numbers. Else
    ISO 8601 and what pandas knows of other dates are read, as seconds since 1970; a time without a zone is in
    UTC. Dates as 31.12.2024 have the day first. Of those with slashes or dashes, one that has a number above
    12 shows for all which is the day.

    Raises InputError where none shows it, or some show the day and others the month first.
    """
    texts = pd.Series([value.strip() for value in values], dtype=object)
    given = texts[texts != ""]
    if given.map(lambda text: bool(_NUMBER.fullmatch(text))).mean() > 0.5:
        numbers: Order = pd.to_numeric(texts, errors="coerce").to_numpy(np.float64)
        return np.where(np.isfinite(numbers), numbers, np.nan)
    codes, distinct = pd.factorize(texts)
    seconds = _seconds(pd.Series(distinct, dtype=object), column)
    return seconds[codes]


def _seconds(texts: pd.Series[str], column: str) -> Order:
    times = pd.to_datetime(texts, format="ISO8601", utc=True, errors="coerce")
    slashed = texts.str.match(_SLASHED)
    others = times.isna() & (slashed | texts.str.contains(_HAS_YEAR))
    if others.any():
        day_first = _is_day_first(texts[others & slashed], column)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of dates that do not follow `dayfirst`, and names of zones
            times[others] = pd.to_datetime(
                texts[others], format="mixed", dayfirst=day_first, utc=True, errors="coerce"
            )
    microseconds = times.dt.as_unit("us").astype("int64").to_numpy(np.float64) / 1e6
    return np.where(times.isna(), np.nan, microseconds)


def _is_day_first(texts: pd.Series[str], column: str) -> bool:
    """Return whether dates as 01/02/2024 have the day first."""
    numbers = texts.str.extract(_SLASHED)
    first, second = (numbers[place].astype(int) for place in (0, 2))
    dotted = bool((numbers[1] == ".").any())
    day_first, month_first = dotted or bool((first > 12).any()), bool((second > 12).any())
    if len(texts) and day_first == month_first:
        found = "both dd/mm and mm/dd" if day_first else "dd/mm or mm/dd"
        raise InputError(
            f"column '{column}': dates such as '{texts.iloc[0][:40]}' may be {found}: "
            "write them as 2024-12-31 (ISO 8601)",
            option="source.time",
        )
    return day_first


def split_by_time(order: Order, validation: float, test: float, column: str) -> NDArray[np.int8]:
    """Return the part of each row, int8 [rows], codes of PARTS: the newest test, those before them validate.

    Rows of one time share a part, and sizes differ from the shares as far as that takes. A share of 0 makes
    no such part. Raises InputError where there are fewer times than parts.
    """
    shares = {TRAIN: 1 - validation - test, VALIDATION: validation, TEST: test}
    codes = [code for code, share in shares.items() if share > 0]
    pieces = _pieces(order, np.cumsum([shares[code] for code in codes]), column, f"{len(codes)} parts")
    return np.array(codes, np.int8)[pieces]


def assign_blocks(order: Order, folds: int, column: str) -> NDArray[np.int32]:
    """Return the block of each row in time order, int32 [rows]: 0, which is never tested, to `folds`.

    Blocks are of equal size but for rows of one time, which share a block. Fold k tests block k, after
    training on those before it (forward chaining; Bergmeir & Benitez 2012, On the use of cross-validation for
    time series predictor evaluation). Raises InputError where there are fewer times than blocks.
    """
    ends = np.arange(1, folds + 2) / (folds + 1)
    return _pieces(order, ends, column, f"{folds} folds, each after the one before").astype(np.int32)


def _pieces(order: Order, ends: NDArray[np.float64], column: str, what: str) -> NDArray[np.int64]:
    """Return the piece of each row in time order, int64 [rows]; piece i ends near the share `ends[i]`."""
    times, row_times, counts = np.unique(order, return_inverse=True, return_counts=True)
    if len(times) < len(ends):
        raise InputError(
            f"column '{column}' has {len(times)} different times, too few for {what}: "
            "add rows of other times, or split by chance",
            option="source.time",
        )
    rows = np.cumsum(counts)
    borders: list[int] = []
    for place, end in enumerate(ends[:-1].tolist()):
        # Each piece has a time, and leaves one for each that follows.
        first, last = (borders[-1] + 1 if borders else 0), len(times) - len(ends) + place
        distance = np.abs(rows[first : last + 1] - end * rows[-1])
        borders.append(first + int(distance.argmin()))
    piece: NDArray[np.int64] = np.searchsorted(np.array(borders, np.int64), np.arange(len(times)))
    return piece[row_times]


def ranges(part: NDArray[np.object_], time: NDArray[np.object_], order: Order) -> dict[str, list[str]]:
    """Return the oldest and the newest time of each part that has rows with one, as the file has them."""
    found = {}
    for name in PARTS:
        rows = np.flatnonzero((part == name) & ~np.isnan(order))
        if len(rows):
            found[name] = [str(time[rows[place(order[rows])]]) for place in (np.argmin, np.argmax)]
    return found

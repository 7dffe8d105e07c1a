"""Names for the types of arrays that modules pass on, samples, and checks of those read from a file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .errors import InputError
from .terminal import shorten

Bytes = NDArray[np.uint8]
Flags = NDArray[np.bool_]
Floats = NDArray[np.float32]  # probabilities, logits, vectors
Doubles = NDArray[np.float64]
Ids = NDArray[np.int32]  # of tokens
Ints = NDArray[np.int32]  # as kernels take them
Labels = NDArray[np.int64]  # places in the list of labels
Offsets = NDArray[np.int64]  # places in an array or a file
Sizes = NDArray[np.int64]  # counts and bounds
Integers = TypeVar("Integers", Ids, Sizes)


def sample(places: Sizes, size: int, seed: int) -> Sizes:
    """Return the places or, of more than `size`, as many by chance, in their order."""
    if len(places) <= size:
        return places
    return np.sort(np.random.default_rng(seed).choice(places, size, replace=False))


def numbered(values: Integers) -> tuple[Integers, Sizes]:
    """Return the distinct integers, rising, and the place of each value among them, int64 [values].

    As `numpy.unique` has them, in less than half of its time: only what is distinct is sorted.
    """
    import pandas as pd  # late: prediction must not wait for it

    places, distinct = pd.factorize(values, sort=True)
    return distinct, places


def check_array(name: str, array: NDArray[Any], dtype: DTypeLike, shape: tuple[int | None, ...]) -> None:
    """Raise InputError unless the array is as a kernel, which checks nothing, will read it.

    It must have this type in the machine's byte order and this shape, where None is any length, and lie in
    memory row by row.
    """
    fits = len(array.shape) == len(shape) and all(
        length is None or length == found for length, found in zip(shape, array.shape, strict=True)
    )
    if array.dtype != dtype or not fits:
        expected = ["any" if length is None else length for length in shape]
        found = f"{shorten(array.dtype, 40)} {_show(array.shape)}"
        raise InputError(f"{name} is {found}, expected {np.dtype(dtype)} {_show(expected)}")
    if not (array.flags.c_contiguous and array.flags.aligned):
        raise InputError(f"{name} does not lie in memory row by row, as expected")


def check_finite(name: str, array: NDArray[Any]) -> None:
    """Raise InputError if one of the numbers is NaN or infinite."""
    if not np.isfinite(array).all():
        raise InputError(f"{name} holds NaN or an infinite number, expected finite ones")


def _show(shape: Iterable[object]) -> str:
    return f"[{', '.join(map(str, shape))}]"

"""How the inner loops are compiled: by numba, for arrays and plain numbers alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numba import njit
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Ints = NDArray[np.int32]
Sizes = NDArray[np.int64]
F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compiled for one thread: numba's own threads would spin beside TensorFlow's (OpenMP) or abort on
    concurrent entry (workqueue), and at Kim's sizes there are two milliseconds to share."""
    compiled: F = njit(cache=True, nogil=True, error_model="numpy")(function)
    return compiled


def summing_kernel(function: F) -> F:
    """The same, but that sums may be added up in another order, which depends on their length alone."""
    compiled: F = njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc"})(function)
    return compiled

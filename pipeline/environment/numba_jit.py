"""Compilation of the inner loops, by numba, for arrays and plain numbers, and the hash that they share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numba import njit

FNV_OFFSET = np.uint64(14695981039346656037)  # of the 64-bit FNV-1a hash
FNV_PRIME = np.uint64(1099511628211)

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(function: Function) -> Function:
    """Compile a function for one thread.

    numba's own threads would compete with TensorFlow's (OpenMP) or abort on concurrent entry (workqueue), and
    at Kim's sizes there are only two milliseconds to share.
    """
    compiled: Function = njit(cache=True, nogil=True, error_model="numpy")(function)
    return compiled


def kernel_part(function: Function) -> Function:
    """Compile a helper of the kernels in its file: numba's cache stores it as a part of them."""
    compiled: Function = njit(nogil=True, error_model="numpy")(function)
    return compiled


def summing_kernel(function: Function) -> Function:
    """Compile a function for one thread, whose sums may be reordered, as depends on their length alone."""
    compiled: Function = njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc"})(function)
    return compiled

"""Dual coordinate descent, by which the linear models are fitted, as compiled code."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..arrays import Floats, Ints, Sizes
from ..compilation.kernel import late_part, prebuilt_kernel

# Classes that are fitted at once. Their number is that of the numbers in a vector; 16 take three quarters
# of the time of 8 and 4.
WIDTHS = (1, 4, 8, 16)


class Group(NamedTuple):
    """Classes that are fitted at once, as many as one of WIDTHS, and the rows that all are fitted to.

    Row i has `values[starts[i]:starts[i + 1]]` float32 in those `columns` int32, and is of the class
    `positives[i]` of the group, counted from 0, or of none. `squares` float32 [rows, classes] is 1 + its
    squared length, and `slacks[i]` = 1 / (2 C_i). What changes in place is `dual` float32 [rows, classes],
    `weights` float32 [features, classes] and `bias` float32 [classes], the weight of a feature that is 1.

    With `scales` float32 [features, classes] instead of none, class c is fitted to features that are each
    multiplied by r, of which `scales` are the squares, and `weights` are the machine's times r.
    """

    starts: Sizes
    columns: Ints
    values: Floats
    positives: Sizes
    squares: Floats
    slacks: Floats
    scales: Floats
    dual: Floats
    weights: Floats
    bias: Floats


def descend(group: Group, order: Sizes) -> float:
    """Take one step of dual coordinate descent for each row and class; return the largest violation.

    Hsieh et al. (2008, "A dual coordinate descent method for large-scale linear SVM", algorithm 1 with the
    squared hinge). The violation is the magnitude of the projected gradient. The rows take their steps in
    `order`, int64 [rows].
    """
    return _descend(*group, order)


def _of_width(width: int) -> Any:
    """Return `llvm_descent.descent`, whose module imports numba, as a part of the kernel."""

    def load() -> Any:
        from .llvm_descent import called, descent

        return called(descent(width))

    return late_part(load)


_of_1, _of_4, _of_8, _of_16 = map(_of_width, WIDTHS)


# One kernel for all widths. numba tells the parts of kernels apart by their name in Python and a counter that
# starts anew in each process: of two kernels that two processes had compiled, a third process that loads both
# would run one with the other's part.
@prebuilt_kernel(
    "i8[::1], i4[::1], f4[::1], i8[::1], f4[:, ::1], f4[::1], f4[:, ::1], f4[:, ::1], f4[:, ::1], f4[::1], "
    "i8[::1]"
)
def _descend(
    starts: Sizes,
    columns: Ints,
    values: Floats,
    positives: Sizes,
    squares: Floats,
    slacks: Floats,
    scales: Floats,
    dual: Floats,
    weights: Floats,
    bias: Floats,
    order: Sizes,
) -> float:
    """Take the steps of `descend` for the fields of a group."""
    group = Group(starts, columns, values, positives, squares, slacks, scales, dual, weights, bias)
    width = len(bias)
    if width == 1:
        return float(_of_1(group, order))
    if width == 4:
        return float(_of_4(group, order))
    if width == 8:
        return float(_of_8(group, order))
    return float(_of_16(group, order))


@prebuilt_kernel("i8[::1], i4[::1], f4[::1], f4[:, ::1]")
def squared_lengths(starts: Sizes, columns: Ints, values: Floats, scales: Floats) -> Floats:
    """Return 1 + the sum of each row's squared values times the scales: float32 [rows, classes].

    `scales` float32 [features, classes].
    """
    squares = np.ones((len(starts) - 1, scales.shape[1]), np.float32)
    for row in range(len(squares)):
        for n in range(starts[row], starts[row + 1]):
            for c in range(scales.shape[1]):
                squares[row, c] += values[n] * values[n] * scales[columns[n], c]
    return squares

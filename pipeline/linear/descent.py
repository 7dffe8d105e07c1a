"""Dual coordinate descent, by which the linear models are fitted, compiled by numba."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..arrays import Floats, Ints, Sizes
from ..compilation.kernel import kernel, kernel_part

# Classes that are fitted at once. Loops that are compiled for one number of them are twice as fast.
WIDTHS = (1, 4, 8)


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
    return _DESCENTS[len(group.bias)](group, order)


def _compiled_for(width: int) -> Callable[[Group, Sizes], float]:
    def descend_all(group: Group, order: Sizes) -> float:
        scores, steps = np.empty(width, np.float32), np.empty(width, np.float32)
        worst = np.float32(0)
        for row in order:
            _score(group, row, scores, width)
            worst = max(worst, _step(group, row, scores, steps, width))
            if steps.any():
                _add(group, row, steps, width)
        return float(worst)

    # numba keeps what it compiles by this name: with one of their own, no width is ever taken for another.
    descend_all.__qualname__ = f"descend_{width}"
    return kernel(descend_all)


@kernel_part
def _score(group: Group, row: int, scores: Floats, width: int) -> None:
    """Write the scores of a row."""
    for c in range(width):
        scores[c] = group.bias[c]
    for n in range(group.starts[row], group.starts[row + 1]):
        value, weights = group.values[n], group.weights[group.columns[n]]
        for c in range(width):
            scores[c] += value * weights[c]


@kernel_part
def _step(group: Group, row: int, scores: Floats, steps: Floats, width: int) -> np.float32:
    """Change a row's dual variables and the bias, write the steps, with their signs, return the violation."""
    worst = np.float32(0)
    for c in range(width):
        sign = np.float32(1) if group.positives[row] == c else np.float32(-1)
        before, slack = group.dual[row, c], group.slacks[row]
        gradient = sign * scores[c] - np.float32(1) + slack * before
        if before == 0:
            gradient = min(gradient, np.float32(0))
        worst = max(worst, abs(gradient))
        after = max(before - gradient / (group.squares[row, c] + slack), np.float32(0))
        steps[c] = sign * (after - before)
        group.dual[row, c] = after
        group.bias[c] += steps[c]
    return worst


@kernel_part
def _add(group: Group, row: int, steps: Floats, width: int) -> None:
    """Add a row to the weights, times its steps."""
    is_scaled = len(group.scales) > 0
    for n in range(group.starts[row], group.starts[row + 1]):
        value, column = group.values[n], group.columns[n]
        weights = group.weights[column]
        if is_scaled:
            for c in range(width):
                weights[c] += value * steps[c] * group.scales[column, c]
        else:
            for c in range(width):
                weights[c] += value * steps[c]


_DESCENTS = {width: _compiled_for(width) for width in WIDTHS}


@kernel
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

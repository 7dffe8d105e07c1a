"""Dual coordinate descent, by which the linear models are fitted, compiled by numba."""

from __future__ import annotations

import numpy as np

from ..arrays import Floats, Ints, Sizes
from ..numba_jit import kernel


@kernel
def descend(
    starts: Sizes,
    columns: Ints,
    values: Floats,
    labels: Sizes,
    slacks: Floats,
    scales: Floats,
    order: Sizes,
    dual: Floats,
    weights: Floats,
    bias: Floats,
) -> float:
    """Take one step of dual coordinate descent for each row and class; return the largest violation.

    Hsieh et al. (2008, "A dual coordinate descent method for large-scale linear SVM", algorithm 1 with the
    squared hinge), for all classes at once. Row i has `values[starts[i]:starts[i + 1]]` float32 in those
    `columns` int32, the label `labels[i]`, and the diagonal term `slacks[i]` = 1 / (2 C_i). Changed in place:
    `dual` float32 [rows, classes], `weights` float32 [features, classes] and `bias` float32 [classes], the
    weight of a further feature that is 1. The violation is the magnitude of the projected gradient.

    With `scales` float32 [features, classes] instead of none, class c is fitted to features that are each
    multiplied by r, of which `scales` are the squares, and `weights` are the machine's times r.
    """
    classes, scaled = len(bias), len(scales) > 0
    scores, steps = np.empty(classes, np.float32), np.empty(classes, np.float32)
    squares = np.empty(classes, np.float32)
    worst = np.float32(0)
    for row in order:
        scores[:] = bias
        squares[:] = np.float32(1) + slacks[row]
        for n in range(starts[row], starts[row + 1]):
            square = values[n] * values[n]
            for c in range(classes):
                scores[c] += values[n] * weights[columns[n], c]
                squares[c] += square * scales[columns[n], c] if scaled else square
        moved = False
        for c in range(classes):
            sign = np.float32(1) if labels[row] == c else np.float32(-1)
            gradient = sign * scores[c] - np.float32(1) + slacks[row] * dual[row, c]
            if dual[row, c] == 0:
                gradient = min(gradient, np.float32(0))
            worst = max(worst, abs(gradient))
            changed = max(dual[row, c] - gradient / squares[c], np.float32(0))
            steps[c] = sign * (changed - dual[row, c])
            moved = moved or steps[c] != 0
            dual[row, c] = changed
            bias[c] += steps[c]
        if moved:
            for n in range(starts[row], starts[row + 1]):
                for c in range(classes):
                    step = values[n] * steps[c]
                    weights[columns[n], c] += step * scales[columns[n], c] if scaled else step
    return float(worst)
